// Package moneypb turns amounts into their wire form and back. It is apart from money so that
// services without gRPC do not link protobuf.
package moneypb

import (
	moneyv1 "example.com/shop/internal/gen/money/v1"
	"example.com/shop/internal/money"
)

// To returns the wire form.
func To(a money.Amount) *moneyv1.Amount {
	return &moneyv1.Amount{Currency: a.Currency, Minor: a.Minor}
}

// From reads the wire form; nil is the zero amount.
func From(a *moneyv1.Amount) money.Amount {
	return money.New(a.GetCurrency(), a.GetMinor())
}
