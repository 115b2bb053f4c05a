// Package shopapi is the shop's public HTTP API in Go types, with a client.
package shopapi

import (
	"time"

	"example.com/shop/internal/money"
)

// Product is one thing for sale.
type Product struct {
	SKU         string       `json:"sku"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Price       money.Amount `json:"price"`
	Stock       int          `json:"stock"`
}

// ProductList answers GET /products.
type ProductList struct {
	Products []Product `json:"products"`
}

// NewOrder is the body of POST /orders.
type NewOrder struct {
	Lines []NewOrderLine `json:"lines"`
}

// NewOrderLine asks for a quantity of one product.
type NewOrderLine struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Order answers POST /orders and GET /orders/{id}.
type Order struct {
	ID        string       `json:"id"`
	Status    string       `json:"status"` // placed, confirmed, rejected
	Reason    string       `json:"reason,omitempty"`
	CreatedAt time.Time    `json:"created_at"`
	Lines     []OrderLine  `json:"lines"`
	Total     money.Amount `json:"total"`
}

// OrderLine is a quantity of one product at the price of the order's moment.
type OrderLine struct {
	SKU       string       `json:"sku"`
	Name      string       `json:"name"`
	Quantity  int          `json:"quantity"`
	UnitPrice money.Amount `json:"unit_price"`
}

// OrderList answers GET /orders.
type OrderList struct {
	Orders []Order `json:"orders"`
}
