package main

import (
	"context"
	"net"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	moneyv1 "example.com/shop/internal/gen/money/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/grpcx"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/telemetry"
)

// oneMug is a catalog with one product, reached over a real connection.
type oneMug struct {
	catalogv1.UnimplementedCatalogServiceServer
}

func (oneMug) GetProduct(_ context.Context, req *catalogv1.GetProductRequest) (*catalogv1.GetProductResponse, error) {
	if req.GetSku() != "mug" {
		return nil, status.Error(codes.NotFound, "no such product: "+req.GetSku())
	}
	return &catalogv1.GetProductResponse{Product: &catalogv1.Product{
		Sku: "mug", Name: "Mug", Price: &moneyv1.Amount{Currency: "EUR", Minor: 1250},
	}}, nil
}

func TestOrderLife(t *testing.T) {
	ctx := t.Context()
	s := &orderServer{orders: orders.NewMemory(), catalog: catalogv1.NewCatalogServiceClient(dialCatalog(t))}

	placed, err := s.PlaceOrder(ctx, &ordersv1.PlaceOrderRequest{Lines: []*ordersv1.RequestedLine{{Sku: "mug", Quantity: 3}}})
	if err != nil || placed.GetOrder().GetTotal().GetMinor() != 3750 || placed.GetOrder().GetLines()[0].GetName() != "Mug" {
		t.Fatalf("PlaceOrder = %v, %v", placed, err)
	}
	id := placed.GetOrder().GetId()

	claimed, err := s.ClaimOrders(ctx, &ordersv1.ClaimOrdersRequest{Limit: 5})
	if err != nil || len(claimed.GetOrders()) != 1 || claimed.GetOrders()[0].GetId() != id {
		t.Fatalf("ClaimOrders = %v, %v", claimed, err)
	}
	if again, err := s.ClaimOrders(ctx, &ordersv1.ClaimOrdersRequest{Limit: 5}); err != nil || len(again.GetOrders()) != 0 {
		t.Errorf("claimed twice: %v, %v", again, err)
	}
	finish := &ordersv1.FinishOrderRequest{Id: id, Status: ordersv1.OrderStatus_ORDER_STATUS_CONFIRMED}
	if _, err := s.FinishOrder(ctx, finish); err != nil {
		t.Fatal(err)
	}
	found, err := s.GetOrder(ctx, &ordersv1.GetOrderRequest{Id: id})
	if err != nil || found.GetOrder().GetStatus() != ordersv1.OrderStatus_ORDER_STATUS_CONFIRMED {
		t.Errorf("GetOrder = %v, %v", found, err)
	}
	finish.Status = ordersv1.OrderStatus_ORDER_STATUS_REJECTED
	if _, err := s.FinishOrder(ctx, finish); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("rejected after confirmed: %v", err)
	}
}

func TestPlaceOrderRefuses(t *testing.T) {
	s := &orderServer{orders: orders.NewMemory(), catalog: catalogv1.NewCatalogServiceClient(dialCatalog(t))}
	many := make([]*ordersv1.RequestedLine, maxLines+1)
	for name, lines := range map[string][]*ordersv1.RequestedLine{
		"nothing":         nil,
		"too many lines":  many,
		"unknown product": {{Sku: "pot", Quantity: 1}},
		"no quantity":     {{Sku: "mug"}},
	} {
		if _, err := s.PlaceOrder(t.Context(), &ordersv1.PlaceOrderRequest{Lines: lines}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func dialCatalog(t *testing.T) *grpc.ClientConn {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpcx.NewServer(zerolog.Nop(), telemetry.NewMetrics("catalog"))
	catalogv1.RegisterCatalogServiceServer(server, oneMug{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpcx.Dial(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
