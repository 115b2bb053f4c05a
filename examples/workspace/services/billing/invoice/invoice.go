// Package invoice makes invoices of orders.
package invoice

import (
	"github.com/google/uuid"

	"example.com/workspace/libs/clock"
	"example.com/workspace/libs/money"
)

// Order is what somebody wants to have.
type Order struct {
	Lines []Line `json:"lines"`
}

// Line is one thing, any number of times.
type Line struct {
	Text  string       `json:"text"`
	Price money.Amount `json:"price"`
	Count uint16       `json:"count"`
}

// Invoice is what it costs.
type Invoice struct {
	ID    string       `json:"id"`
	Day   string       `json:"day"`
	Total money.Amount `json:"total"`
	Order
}

// Write gives an order its price, a day and a number that no other invoice has.
func Write(order Order, now clock.Clock) Invoice {
	invoice := Invoice{ID: uuid.NewString(), Day: now.Day(), Order: order}
	for _, line := range order.Lines {
		invoice.Total += line.Price.Times(line.Count)
	}
	return invoice
}
