package main

import (
	"context"
	"database/sql"
	"fmt"

	"example.com/shop/internal/store"
)

// lockKey keeps two migrate processes from working on one database at once.
const lockKey = 0x73686f70

// apply brings the database up to date, all or nothing, and returns what it did.
func apply(ctx context.Context, db *sql.DB, all []migration) ([]migration, error) {
	var applied []migration
	err := store.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
			version    int         PRIMARY KEY,
			sum        text        NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return err
		}
		sums, err := recorded(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range all {
			switch sum, done := sums[m.version]; {
			case done && sum == m.sum:
				continue
			case done:
				return fmt.Errorf("migration %04d was changed after it was applied", m.version)
			}
			if _, err := tx.ExecContext(ctx, m.sql); err != nil {
				return fmt.Errorf("migration %04d_%s: %w", m.version, m.name, err)
			}
			if _, err := tx.ExecContext(ctx,
				`INSERT INTO schema_migrations (version, sum) VALUES ($1, $2)`, m.version, m.sum); err != nil {
				return err
			}
			applied = append(applied, m)
		}
		return nil
	})
	return applied, err
}

// recorded returns the checksum of every migration that the database has seen.
func recorded(ctx context.Context, tx *sql.Tx) (map[int]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT version, sum FROM schema_migrations`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sums := map[int]string{}
	for rows.Next() {
		var version int
		var sum string
		if err := rows.Scan(&version, &sum); err != nil {
			return nil, err
		}
		sums[version] = sum
	}
	return sums, rows.Err()
}
