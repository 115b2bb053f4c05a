package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"example.com/shop/internal/store"
)

// Postgres is a Store over the tables of services/migrate/migrations.
type Postgres struct{ db *sql.DB }

// NewPostgres returns a store on an open database.
func NewPostgres(db *sql.DB) *Postgres { return &Postgres{db: db} }

// List implements Store.
func (s *Postgres) List(ctx context.Context) ([]Product, error) {
	rows, err := s.db.QueryContext(ctx,
		`SELECT sku, name, description, price_minor, currency, stock FROM products ORDER BY sku COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	products := []Product{}
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, rows.Err()
}

// Get implements Store.
func (s *Postgres) Get(ctx context.Context, sku string) (Product, error) {
	p, err := scan(s.db.QueryRowContext(ctx,
		`SELECT sku, name, description, price_minor, currency, stock FROM products WHERE sku = $1`, sku))
	if errors.Is(err, sql.ErrNoRows) {
		return Product{}, fmt.Errorf("%w: %s", ErrNotFound, sku)
	}
	return p, err
}

// Reserve implements Store.
func (s *Postgres) Reserve(ctx context.Context, orderID string, lines []Line) error {
	return store.InTx(ctx, s.db, func(tx *sql.Tx) error {
		// The primary key makes a second caller for the same order wait here, then find nothing to do.
		added, err := affected(tx.ExecContext(ctx,
			`INSERT INTO reservations (order_id) VALUES ($1) ON CONFLICT DO NOTHING`, orderID))
		if err != nil || added == 0 {
			return err
		}
		for _, line := range lines {
			taken, err := affected(tx.ExecContext(ctx,
				`UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2`, line.SKU, line.Quantity))
			if err != nil {
				return err
			}
			if taken == 0 {
				return missing(ctx, tx, line.SKU)
			}
		}
		return nil
	})
}

// missing tells why no stock could be taken.
func missing(ctx context.Context, tx *sql.Tx, sku string) error {
	var exists bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM products WHERE sku = $1)`, sku).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("%w: %s", ErrNotFound, sku)
	}
	return fmt.Errorf("%w: %s", ErrOutOfStock, sku)
}

func scan(row interface{ Scan(...any) error }) (Product, error) {
	var p Product
	err := row.Scan(&p.SKU, &p.Name, &p.Description, &p.Price.Minor, &p.Price.Currency, &p.Stock)
	return p, err
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
