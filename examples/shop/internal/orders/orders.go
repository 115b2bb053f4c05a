// Package orders keeps orders and queues the open ones, in memory or in PostgreSQL.
package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"example.com/shop/internal/money"
)

// Errors of this package.
var (
	ErrNotFound = errors.New("no such order")
	ErrInvalid  = errors.New("invalid order")
	ErrSettled  = errors.New("order is settled already")
)

// MaxQuantity is the most pieces that one line may ask for.
const MaxQuantity = 1000

// Status is where an order is in its life: placed, then confirmed or rejected.
type Status string

// The states of an order.
const (
	Placed    Status = "placed"
	Confirmed Status = "confirmed"
	Rejected  Status = "rejected"
)

// Settled reports whether an order of this status changes no more.
func (s Status) Settled() bool { return s == Confirmed || s == Rejected }

// Order is what a customer asked for, at the prices of that moment.
type Order struct {
	ID        string
	Status    Status
	Reason    string // why it was rejected
	CreatedAt time.Time
	Lines     []Line
}

// Line is a quantity of one product.
type Line struct {
	SKU      string
	Name     string
	Quantity int
	Unit     money.Amount
}

// New returns a placed order with a fresh id, or ErrInvalid.
func New(now time.Time, lines []Line) (Order, error) {
	if len(lines) == 0 {
		return Order{}, fmt.Errorf("%w: no lines", ErrInvalid)
	}
	for _, line := range lines {
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			return Order{}, fmt.Errorf("%w: quantity of %s: expected 1 to %d, found %d", ErrInvalid, line.SKU, MaxQuantity, line.Quantity)
		}
	}
	id, err := uuid.NewV7() // sorts by time
	if err != nil {
		return Order{}, err
	}
	// PostgreSQL keeps microseconds; the same here, so that both stores return what was stored.
	order := Order{ID: id.String(), Status: Placed, CreatedAt: now.UTC().Truncate(time.Microsecond), Lines: lines}
	if _, err := order.Total(); err != nil {
		return Order{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return order, nil
}

// Total is the sum over all lines.
func (o Order) Total() (money.Amount, error) {
	var total money.Amount
	for _, line := range o.Lines {
		sum, err := line.Unit.Times(line.Quantity)
		if err != nil {
			return money.Amount{}, err
		}
		if total, err = total.Add(sum); err != nil {
			return money.Amount{}, err
		}
	}
	return total, nil
}

// settle moves the order to an end state. The same end twice is fine, another one is ErrSettled.
func (o Order) settle(status Status, reason string) (Order, error) {
	switch {
	case !status.Settled():
		return Order{}, fmt.Errorf("%w: %s is no end of an order", ErrInvalid, status)
	case o.Status == status:
		return o, nil
	case o.Status.Settled():
		return Order{}, fmt.Errorf("%w: %s is %s", ErrSettled, o.ID, o.Status)
	}
	o.Status, o.Reason = status, reason
	return o, nil
}

// Store keeps orders. All methods may be called at the same time.
type Store interface {
	Create(ctx context.Context, order Order) error
	// Get returns one order, or ErrNotFound.
	Get(ctx context.Context, id string) (Order, error)
	// List returns at most limit orders, the newest first.
	List(ctx context.Context, limit int) ([]Order, error)
	// Claim leases at most limit placed orders to the caller, the oldest first.
	// Nobody else gets them until they are settled or the lease has run out.
	Claim(ctx context.Context, limit int, lease time.Duration) ([]Order, error)
	// Finish settles an order: ErrNotFound, ErrSettled, ErrInvalid.
	Finish(ctx context.Context, id string, status Status, reason string) (Order, error)
}
