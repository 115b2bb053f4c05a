package orders

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"example.com/shop/internal/store"
)

// Postgres is a Store over the tables of services/migrate/migrations.
type Postgres struct{ db *sql.DB }

// NewPostgres returns a store on an open database.
func NewPostgres(db *sql.DB) *Postgres { return &Postgres{db: db} }

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Create implements Store.
func (s *Postgres) Create(ctx context.Context, order Order) error {
	return store.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO orders (id, status, created_at) VALUES ($1, $2, $3)`,
			order.ID, string(order.Status), order.CreatedAt); err != nil {
			return err
		}
		for i, line := range order.Lines {
			if _, err := tx.ExecContext(ctx,
				`INSERT INTO order_lines (order_id, position, sku, name, quantity, unit_minor, currency)
				 VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				order.ID, i, line.SKU, line.Name, line.Quantity, line.Unit.Minor, line.Unit.Currency); err != nil {
				return err
			}
		}
		return nil
	})
}

// Get implements Store.
func (s *Postgres) Get(ctx context.Context, id string) (Order, error) {
	return one(ctx, s.db, id, "")
}

// List implements Store.
func (s *Postgres) List(ctx context.Context, limit int) ([]Order, error) {
	return query(ctx, s.db,
		`SELECT id, status, reason, created_at FROM orders ORDER BY created_at DESC, id DESC LIMIT $1`, limit)
}

// Claim implements Store.
func (s *Postgres) Claim(ctx context.Context, limit int, lease time.Duration) ([]Order, error) {
	// SKIP LOCKED lets several workers claim at once without waiting for each other.
	claimed, err := query(ctx, s.db, `
		UPDATE orders SET claimed_until = now() + $2 * interval '1 microsecond'
		WHERE id IN (
			SELECT id FROM orders
			WHERE status = 'placed' AND (claimed_until IS NULL OR claimed_until < now())
			ORDER BY created_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING id, status, reason, created_at`, limit, lease.Microseconds())
	// RETURNING promises no order.
	slices.SortFunc(claimed, func(a, b Order) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return claimed, err
}

// Finish implements Store.
func (s *Postgres) Finish(ctx context.Context, id string, status Status, reason string) (Order, error) {
	var settled Order
	err := store.InTx(ctx, s.db, func(tx *sql.Tx) error {
		order, err := one(ctx, tx, id, " FOR UPDATE")
		if err != nil {
			return err
		}
		if settled, err = order.settle(status, reason); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE orders SET status = $2, reason = $3, claimed_until = NULL WHERE id = $1`,
			id, string(settled.Status), settled.Reason)
		return err
	})
	return settled, err
}

func one(ctx context.Context, db querier, id, lock string) (Order, error) {
	notFound := fmt.Errorf("%w: %s", ErrNotFound, id)
	if uuid.Validate(id) != nil {
		return Order{}, notFound
	}
	found, err := query(ctx, db, `SELECT id, status, reason, created_at FROM orders WHERE id = $1`+lock, id)
	if err != nil {
		return Order{}, err
	}
	if len(found) == 0 {
		return Order{}, notFound
	}
	return found[0], nil
}

// query reads orders, then the lines of each.
func query(ctx context.Context, db querier, text string, args ...any) ([]Order, error) {
	found := []Order{}
	err := each(ctx, db, func(rows *sql.Rows) error {
		var o Order
		err := rows.Scan(&o.ID, &o.Status, &o.Reason, &o.CreatedAt)
		o.CreatedAt = o.CreatedAt.UTC()
		found = append(found, o)
		return err
	}, text, args...)
	for i := range found {
		o := &found[i]
		err = errors.Join(err, each(ctx, db, func(rows *sql.Rows) error {
			var l Line
			err := rows.Scan(&l.SKU, &l.Name, &l.Quantity, &l.Unit.Minor, &l.Unit.Currency)
			o.Lines = append(o.Lines, l)
			return err
		}, `SELECT sku, name, quantity, unit_minor, currency FROM order_lines WHERE order_id = $1 ORDER BY position`, o.ID))
	}
	return found, err
}

func each(ctx context.Context, db querier, read func(*sql.Rows) error, text string, args ...any) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
