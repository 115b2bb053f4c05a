package orders

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/shop/internal/money"
	"example.com/shop/internal/store"
)

func TestNew(t *testing.T) {
	mug := Line{SKU: "mug", Name: "Mug", Quantity: 3, Unit: money.New("EUR", 1250)}
	order, err := New(time.Now(), []Line{mug, {SKU: "pot", Quantity: 1, Unit: money.New("EUR", 5)}})
	if err != nil || order.Status != Placed || order.ID == "" {
		t.Fatalf("New = %+v, %v", order, err)
	}
	if total, err := order.Total(); err != nil || total.String() != "37.55 EUR" {
		t.Errorf("Total = %v, %v", total, err)
	}
	for name, lines := range map[string][]Line{
		"no lines":    nil,
		"none of it":  {{SKU: "mug", Quantity: 0}},
		"too many":    {{SKU: "mug", Quantity: MaxQuantity + 1}},
		"two moneys":  {mug, {SKU: "pot", Quantity: 1, Unit: money.New("USD", 5)}},
		"over limits": {{SKU: "mug", Quantity: 1000, Unit: money.New("EUR", 1<<62)}},
	} {
		if _, err := New(time.Now(), lines); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestMemory(t *testing.T) { testStore(t, NewMemory()) }

// TestPostgres needs a migrated database without placed orders.
func TestPostgres(t *testing.T) {
	url := os.Getenv("SHOP_TEST_DATABASE_URL")
	if url == "" {
		t.Skip("SHOP_TEST_DATABASE_URL is not set")
	}
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	testStore(t, NewPostgres(db))
}

func testStore(t *testing.T, s Store) {
	ctx := t.Context()
	start := time.Now()
	place := func(after time.Duration) Order {
		order, err := New(start.Add(after), []Line{
			{SKU: "mug", Name: "Mug", Quantity: 2, Unit: money.New("EUR", 1250)},
			{SKU: "pot", Name: "Pot", Quantity: 1, Unit: money.New("EUR", 5900)},
		})
		if err == nil {
			err = s.Create(ctx, order)
		}
		if err != nil {
			t.Fatal(err)
		}
		return order
	}
	first, second, third := place(0), place(time.Second), place(2*time.Second)

	check := func(what string, got []Order, err error, want ...Order) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	got, err := s.List(ctx, 2)
	check("the newest two", got, err, third, second)
	got, err = s.Claim(ctx, 2, time.Hour)
	check("the oldest two", got, err, first, second)
	got, err = s.Claim(ctx, 9, 20*time.Millisecond)
	check("what is left", got, err, third)
	got, err = s.Claim(ctx, 9, time.Hour)
	check("nothing", got, err, []Order{}...)
	time.Sleep(40 * time.Millisecond)
	got, err = s.Claim(ctx, 9, time.Hour)
	check("a lease that ran out", got, err, third)

	for range 2 { // the same end twice is fine
		done, err := s.Finish(ctx, first.ID, Confirmed, "")
		first.Status = Confirmed
		check("confirmed", []Order{done}, err, first)
	}
	if _, err := s.Finish(ctx, first.ID, Rejected, "late"); !errors.Is(err, ErrSettled) {
		t.Errorf("rejecting a confirmed order: %v", err)
	}
	if _, err := s.Finish(ctx, second.ID, Placed, ""); !errors.Is(err, ErrInvalid) {
		t.Errorf("placing again: %v", err)
	}
	if _, err := s.Finish(ctx, second.ID, Rejected, "out of stock"); err != nil {
		t.Error(err)
	}
	second.Status, second.Reason = Rejected, "out of stock"
	one, err := s.Get(ctx, second.ID)
	check("rejected", []Order{one}, err, second)
	if _, err := s.Finish(ctx, third.ID, Confirmed, ""); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"nonsense", strings.Repeat("0", 8) + "-0000-0000-0000-" + strings.Repeat("0", 12)} {
		if _, err := s.Get(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q): %v", id, err)
		}
	}
}
