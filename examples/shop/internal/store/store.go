// Package store opens the database that catalog, orders and migrate share.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	// The driver registers itself as "postgres".
	_ "github.com/lib/pq"
)

// Open connects to PostgreSQL and checks that it answers, for up to 30 seconds: databases start slowly.
func Open(ctx context.Context, url string) (*sql.DB, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(10)
	db.SetConnMaxIdleTime(5 * time.Minute)

	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := db.PingContext(limit)
		if err == nil {
			return db, nil
		}
		select {
		case <-limit.Done():
			return nil, errors.Join(fmt.Errorf("reach database: %w", err), db.Close())
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// InTx runs fn in one transaction: committed when fn returns nil, rolled back otherwise.
func InTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
