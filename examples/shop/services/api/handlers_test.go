package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	moneyv1 "example.com/shop/internal/gen/money/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/httpx"
	"example.com/shop/internal/telemetry"
)

// fakeCatalog and fakeOrders answer what the handlers ask; other calls panic.
type fakeCatalog struct {
	catalogv1.CatalogServiceClient
	err error
}

func (f fakeCatalog) ListProducts(context.Context, *catalogv1.ListProductsRequest, ...grpc.CallOption) (*catalogv1.ListProductsResponse, error) {
	return &catalogv1.ListProductsResponse{Products: []*catalogv1.Product{
		{Sku: "mug", Name: "Mug", Price: &moneyv1.Amount{Currency: "EUR", Minor: 1250}, Stock: 3},
	}}, f.err
}

type fakeOrders struct {
	ordersv1.OrderServiceClient
	asked *ordersv1.PlaceOrderRequest
}

func (f *fakeOrders) PlaceOrder(_ context.Context, req *ordersv1.PlaceOrderRequest, _ ...grpc.CallOption) (*ordersv1.PlaceOrderResponse, error) {
	f.asked = req
	if len(req.GetLines()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "no lines")
	}
	return &ordersv1.PlaceOrderResponse{Order: &ordersv1.Order{
		Id:     "17",
		Status: ordersv1.OrderStatus_ORDER_STATUS_PLACED,
		Total:  &moneyv1.Amount{Currency: "EUR", Minor: 2500},
	}}, nil
}

func (f *fakeOrders) GetOrder(context.Context, *ordersv1.GetOrderRequest, ...grpc.CallOption) (*ordersv1.GetOrderResponse, error) {
	return nil, status.Error(codes.NotFound, "no such order")
}

func TestHandlers(t *testing.T) {
	orders := &fakeOrders{}
	router := serve(fakeCatalog{}, orders)
	for _, c := range []struct {
		method, path, body string
		code               int
		contains           string
	}{
		{"GET", "/products", "", 200, `{"products":[{"sku":"mug","name":"Mug","description":"","price":{"amount":"12.50","currency":"EUR"},"stock":3}]}`},
		{"POST", "/orders", `{"lines":[{"sku":"mug","quantity":2}]}`, 201, `"id":"17","status":"placed"`},
		{"POST", "/orders", `{"lines":[]}`, 400, `{"error":"no lines"}`},
		{"POST", "/orders", `{"line":[]}`, 400, `unknown field`},
		{"GET", "/orders/18", "", 404, `{"error":"no such order"}`},
		{"GET", "/orders?limit=many", "", 400, "limit"},
	} {
		rec := httptest.NewRecorder()
		router.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.contains) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, rec.Code, rec.Body)
		}
	}
}

func TestQuantityIsNeverWrappedAround(t *testing.T) {
	orders := &fakeOrders{}
	body := `{"lines":[{"sku":"mug","quantity":4294967297}]}` // 1 in 32 bits
	serve(fakeCatalog{}, orders).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/orders", strings.NewReader(body)))
	if got := orders.asked.GetLines()[0].GetQuantity(); got == 1 {
		t.Error("a huge quantity became one piece")
	}
}

func TestFailuresBehindAreNotShown(t *testing.T) {
	for code, want := range map[codes.Code]int{
		codes.Unavailable:      http.StatusServiceUnavailable,
		codes.DeadlineExceeded: http.StatusServiceUnavailable,
		codes.Internal:         http.StatusBadGateway,
	} {
		rec := httptest.NewRecorder()
		router := serve(fakeCatalog{err: status.Error(code, "a secret")}, &fakeOrders{})
		router.ServeHTTP(rec, httptest.NewRequest("GET", "/products", nil))
		if rec.Code != want || strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s: %d %s, want %d", code, rec.Code, rec.Body, want)
		}
	}
}

func serve(catalog catalogv1.CatalogServiceClient, orders ordersv1.OrderServiceClient) http.Handler {
	router := httpx.NewRouter(zerolog.Nop(), telemetry.NewMetrics("api"))
	(&handlers{log: zerolog.Nop(), catalog: catalog, orders: orders}).register(router)
	return router
}
