// Command migrate lists the SQL migrations of its image and applies those that the database lacks, then exits.
//
//	MIGRATIONS_DIR  where the .sql files are ("/migrations")
//	DATABASE_URL    PostgreSQL; without it, migrate only lists
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/shop/internal/app"
	"example.com/shop/internal/store"
)

func main() { app.Main("migrate", run) }

func run(ctx context.Context, a *app.App) error {
	dir := a.Env.String("MIGRATIONS_DIR", "/migrations")
	databaseURL := a.Env.String("DATABASE_URL", "")
	if err := a.Env.Err(); err != nil {
		return err
	}
	all, err := load(os.DirFS(dir))
	if err != nil {
		return fmt.Errorf("migrations in %s: %w", dir, err)
	}
	for _, m := range all {
		a.Log.Info().Int("version", m.version).Str("name", m.name).Str("sha256", m.sum).Msg("found")
	}
	if databaseURL == "" {
		a.Log.Warn().Int("migrations", len(all)).Msg("DATABASE_URL is not set: nothing applied")
		return nil
	}

	db, err := store.Open(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	applied, err := apply(ctx, db, all)
	if err != nil {
		return err
	}
	for _, m := range applied {
		a.Log.Info().Int("version", m.version).Str("name", m.name).Msg("applied")
	}
	a.Log.Info().Int("applied", len(applied)).Int("migrations", len(all)).Msg("database is up to date")
	return nil
}
