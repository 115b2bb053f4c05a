package orders

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Memory is a Store that forgets everything at the end of the process.
type Memory struct {
	mu      sync.Mutex
	orders  []Order // oldest first
	claimed map[string]time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{claimed: map[string]time.Time{}} }

// Create implements Store.
func (m *Memory) Create(_ context.Context, order Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders = append(m.orders, order)
	return nil
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, id string) (Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.index(id)
	if err != nil {
		return Order{}, err
	}
	return m.orders[i], nil
}

// List implements Store.
func (m *Memory) List(_ context.Context, limit int) ([]Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := []Order{}
	for i := len(m.orders) - 1; i >= 0 && len(found) < limit; i-- {
		found = append(found, m.orders[i])
	}
	return found, nil
}

// Claim implements Store.
func (m *Memory) Claim(_ context.Context, limit int, lease time.Duration) ([]Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	found := []Order{}
	for _, order := range m.orders {
		if len(found) == limit {
			break
		}
		if order.Status == Placed && m.claimed[order.ID].Before(now) {
			m.claimed[order.ID] = now.Add(lease)
			found = append(found, order)
		}
	}
	return found, nil
}

// Finish implements Store.
func (m *Memory) Finish(_ context.Context, id string, status Status, reason string) (Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.index(id)
	if err != nil {
		return Order{}, err
	}
	settled, err := m.orders[i].settle(status, reason)
	if err != nil {
		return Order{}, err
	}
	m.orders[i] = settled
	delete(m.claimed, id)
	return settled, nil
}

func (m *Memory) index(id string) (int, error) {
	for i := range m.orders {
		if m.orders[i].ID == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %s", ErrNotFound, id)
}
