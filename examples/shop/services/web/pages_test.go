package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"example.com/shop/internal/httpx"
	"example.com/shop/internal/money"
	"example.com/shop/internal/shopapi"
	"example.com/shop/internal/telemetry"
)

func TestPages(t *testing.T) {
	var asked shopapi.NewOrder
	api := http.NewServeMux()
	api.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		httpx.JSON(w, http.StatusOK, shopapi.ProductList{Products: []shopapi.Product{
			{SKU: "mug", Name: "Mug <b>blue</b>", Price: money.New("EUR", 1250), Stock: 3},
			{SKU: "pot", Name: "Pot", Price: money.New("EUR", 5900)},
		}})
	})
	api.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if err := httpx.Decode(w, r, &asked); err != nil {
			t.Error(err)
		}
		httpx.JSON(w, http.StatusCreated, shopapi.Order{ID: "17"})
	})
	api.HandleFunc("GET /orders/17", func(w http.ResponseWriter, _ *http.Request) {
		httpx.JSON(w, http.StatusOK, shopapi.Order{ID: "17", Status: "rejected", Reason: "out of stock", Total: money.New("EUR", 2500)})
	})
	api.HandleFunc("GET /orders/18", func(w http.ResponseWriter, _ *http.Request) {
		httpx.Error(w, http.StatusNotFound, "no such order: 18")
	})
	api.HandleFunc("GET /orders/19", func(w http.ResponseWriter, _ *http.Request) {
		httpx.Error(w, http.StatusBadGateway, "a secret")
	})
	web := serve(t, api)

	for path, want := range map[string]struct {
		code     int
		contains []string
	}{
		"/":                {http.StatusOK, []string{"Mug &lt;b&gt;blue&lt;/b&gt;", "12.50 EUR", `max="3"`, "Sold out"}},
		"/orders/17":       {http.StatusOK, []string{"rejected</strong>: out of stock.", "25.00 EUR"}},
		"/orders/18":       {http.StatusNotFound, []string{"no such order: 18"}},
		"/orders/19":       {http.StatusServiceUnavailable, []string{"Try again later"}},
		"/static/shop.css": {http.StatusOK, []string{".products"}},
		"/static/icon.svg": {http.StatusOK, []string{"<svg"}},
		"/static/none":     {http.StatusNotFound, nil},
	} {
		res, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want.code {
			t.Errorf("GET %s: %d, %v, want %d", path, res.StatusCode, err, want.code)
		}
		for _, part := range want.contains {
			if !strings.Contains(string(body), part) {
				t.Errorf("GET %s lacks %q:\n%s", path, part, body)
			}
		}
		if strings.Contains(string(body), "a secret") {
			t.Errorf("GET %s tells what went wrong inside", path)
		}
	}

	web.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := web.Client().PostForm(web.URL+"/orders", url.Values{"sku": {"mug"}, "quantity": {"2"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/orders/17" {
		t.Errorf("POST /orders: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if len(asked.Lines) != 1 || asked.Lines[0] != (shopapi.NewOrderLine{SKU: "mug", Quantity: 2}) {
		t.Errorf("api was asked for %+v", asked)
	}
}

// serve runs the pages in front of an api.
func serve(t *testing.T, api http.Handler) *httptest.Server {
	back := httptest.NewServer(api)
	t.Cleanup(back.Close)
	p, err := newPages(zerolog.Nop(), shopapi.NewClient(back.URL))
	if err != nil {
		t.Fatal(err)
	}
	router := httpx.NewRouter(zerolog.Nop(), telemetry.NewMetrics("web"))
	p.register(router)
	front := httptest.NewServer(router)
	t.Cleanup(front.Close)
	return front
}
