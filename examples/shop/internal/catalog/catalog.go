// Package catalog knows products and their stock, in memory or in PostgreSQL.
package catalog

import (
	"context"
	"errors"

	"example.com/shop/internal/money"
)

// Errors of a Store.
var (
	ErrNotFound   = errors.New("no such product")
	ErrOutOfStock = errors.New("out of stock")
)

// Product is one thing for sale.
type Product struct {
	SKU         string
	Name        string
	Description string
	Price       money.Amount
	Stock       int
}

// Line is a quantity of one product; the quantity is more than zero.
type Line struct {
	SKU      string
	Quantity int
}

// Store keeps products. All methods may be called at the same time.
type Store interface {
	// List returns all products, ordered by SKU.
	List(ctx context.Context) ([]Product, error)
	// Get returns one product, or ErrNotFound.
	Get(ctx context.Context, sku string) (Product, error)
	// Reserve takes stock for an order, all lines or none: ErrNotFound, ErrOutOfStock.
	// Reserving again for the same order changes nothing, so a worker may repeat it.
	Reserve(ctx context.Context, orderID string, lines []Line) error
}
