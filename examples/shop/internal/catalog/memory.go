package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"example.com/shop/internal/money"
)

// Memory is a Store that forgets everything at the end of the process.
type Memory struct {
	mu       sync.Mutex
	products map[string]Product
	reserved map[string]bool // by order
}

// NewMemory returns a store of these products.
func NewMemory(products ...Product) *Memory {
	m := &Memory{products: map[string]Product{}, reserved: map[string]bool{}}
	for _, p := range products {
		m.products[p.SKU] = p
	}
	return m
}

// Samples are the products of services/migrate/migrations/0003_sample_products.sql, for a shop without a database.
func Samples() []Product {
	eur := func(minor int64) money.Amount { return money.New("EUR", minor) }
	return []Product{
		{SKU: "grinder", Name: "Hand grinder", Description: "Steel burrs, forty clicks.", Price: eur(7490), Stock: 12},
		{SKU: "kettle", Name: "Gooseneck kettle", Description: "0.8 litres, pours where you point it.", Price: eur(5900), Stock: 20},
		{SKU: "mug-blue", Name: "Blue mug", Description: "Stoneware, 300 ml.", Price: eur(1250), Stock: 100},
		{SKU: "mug-white", Name: "White mug", Description: "Stoneware, 300 ml.", Price: eur(1150), Stock: 100},
		{SKU: "scale", Name: "Brewing scale", Description: "Weighs to 0.1 g and keeps the time.", Price: eur(3995), Stock: 3},
	}
}

// List implements Store.
func (m *Memory) List(context.Context) ([]Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	products := make([]Product, 0, len(m.products))
	for _, p := range m.products {
		products = append(products, p)
	}
	slices.SortFunc(products, func(a, b Product) int { return cmp.Compare(a.SKU, b.SKU) })
	return products, nil
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, sku string) (Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.products[sku]
	if !ok {
		return Product{}, fmt.Errorf("%w: %s", ErrNotFound, sku)
	}
	return p, nil
}

// Reserve implements Store.
func (m *Memory) Reserve(_ context.Context, orderID string, lines []Line) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reserved[orderID] {
		return nil
	}
	changed := map[string]Product{} // applied only when every line fits
	for _, line := range lines {
		p, ok := changed[line.SKU]
		if !ok {
			p, ok = m.products[line.SKU]
		}
		if !ok {
			return fmt.Errorf("%w: %s", ErrNotFound, line.SKU)
		}
		if p.Stock < line.Quantity {
			return fmt.Errorf("%w: %s", ErrOutOfStock, line.SKU)
		}
		p.Stock -= line.Quantity
		changed[line.SKU] = p
	}
	for sku, p := range changed {
		m.products[sku] = p
	}
	m.reserved[orderID] = true
	return nil
}
