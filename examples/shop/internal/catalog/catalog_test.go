package catalog

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/uuid"

	"example.com/shop/internal/money"
	"example.com/shop/internal/store"
)

func TestMemory(t *testing.T) {
	testStore(t, NewMemory(Product{SKU: "t-mug", Price: money.New("EUR", 1), Stock: 5}, Product{SKU: "t-pot", Stock: 1}))
}

// TestPostgres needs a migrated database that it may write to.
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
	if _, err := db.Exec(`INSERT INTO products (sku, name, description, price_minor, currency, stock)
		VALUES ('t-mug', '', '', 1, 'EUR', 5), ('t-pot', '', '', 0, 'EUR', 1)
		ON CONFLICT (sku) DO UPDATE SET stock = EXCLUDED.stock`); err != nil {
		t.Fatal(err)
	}
	testStore(t, NewPostgres(db))
}

// testStore expects five of t-mug and one of t-pot.
func testStore(t *testing.T, s Store) {
	ctx := t.Context()
	first, second, third := uuid.NewString(), uuid.NewString(), uuid.NewString()

	for range 2 { // the second time changes nothing
		if err := s.Reserve(ctx, first, []Line{{"t-mug", 2}, {"t-pot", 1}}); err != nil {
			t.Fatal(err)
		}
	}
	wantStock(ctx, t, s, "t-mug", 3)
	wantStock(ctx, t, s, "t-pot", 0)

	if err := s.Reserve(ctx, second, []Line{{"t-mug", 1}, {"t-pot", 1}}); !errors.Is(err, ErrOutOfStock) {
		t.Errorf("no pot left: %v", err)
	}
	if err := s.Reserve(ctx, second, []Line{{"t-mug", 2}, {"t-mug", 2}}); !errors.Is(err, ErrOutOfStock) {
		t.Errorf("four of three mugs in two lines: %v", err)
	}
	if err := s.Reserve(ctx, second, []Line{{"t-mug", 1}, {"t-nothing", 1}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown product: %v", err)
	}
	wantStock(ctx, t, s, "t-mug", 3) // all lines or none

	if err := s.Reserve(ctx, third, []Line{{"t-mug", 3}}); err != nil {
		t.Errorf("the last three: %v", err)
	}
	if _, err := s.Get(ctx, "t-nothing"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get of an unknown product: %v", err)
	}
	products, err := s.List(ctx)
	if err != nil || len(products) < 2 {
		t.Fatalf("List = %v, %v", products, err)
	}
	for i := 1; i < len(products); i++ {
		if products[i-1].SKU >= products[i].SKU {
			t.Errorf("%s before %s", products[i-1].SKU, products[i].SKU)
		}
	}
}

func wantStock(ctx context.Context, t *testing.T, s Store, sku string, want int) {
	t.Helper()
	if p, err := s.Get(ctx, sku); err != nil || p.Stock != want {
		t.Errorf("stock of %s: %d, %v, want %d", sku, p.Stock, err, want)
	}
}
