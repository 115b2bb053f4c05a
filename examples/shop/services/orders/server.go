package main

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/money/moneypb"
	"example.com/shop/internal/orders"
)

// Bounds of what one call may ask for.
const (
	maxLines     = 50
	maxList      = 500
	defaultList  = 50
	maxClaim     = 100
	defaultLease = 30 * time.Second
)

// orderServer answers OrderService from a store; prices come from the catalog.
type orderServer struct {
	ordersv1.UnimplementedOrderServiceServer
	orders  orders.Store
	catalog catalogv1.CatalogServiceClient
}

func (s *orderServer) PlaceOrder(ctx context.Context, req *ordersv1.PlaceOrderRequest) (*ordersv1.PlaceOrderResponse, error) {
	if len(req.GetLines()) > maxLines {
		return nil, status.Errorf(codes.InvalidArgument, "at most %d lines, found %d", maxLines, len(req.GetLines()))
	}
	var lines []orders.Line
	for _, line := range req.GetLines() {
		res, err := s.catalog.GetProduct(ctx, &catalogv1.GetProductRequest{Sku: line.GetSku()})
		if status.Code(err) == codes.NotFound {
			return nil, status.Error(codes.InvalidArgument, status.Convert(err).Message())
		}
		if err != nil {
			return nil, err
		}
		product := res.GetProduct()
		lines = append(lines, orders.Line{
			SKU:      product.GetSku(),
			Name:     product.GetName(),
			Quantity: int(line.GetQuantity()),
			Unit:     moneypb.From(product.GetPrice()),
		})
	}
	order, err := orders.New(time.Now(), lines)
	if err != nil {
		return nil, withStatus(err)
	}
	if err := s.orders.Create(ctx, order); err != nil {
		return nil, err
	}
	placed, err := toProto(order)
	return &ordersv1.PlaceOrderResponse{Order: placed}, err
}

func (s *orderServer) GetOrder(ctx context.Context, req *ordersv1.GetOrderRequest) (*ordersv1.GetOrderResponse, error) {
	order, err := s.orders.Get(ctx, req.GetId())
	if err != nil {
		return nil, withStatus(err)
	}
	found, err := toProto(order)
	return &ordersv1.GetOrderResponse{Order: found}, err
}

func (s *orderServer) ListOrders(ctx context.Context, req *ordersv1.ListOrdersRequest) (*ordersv1.ListOrdersResponse, error) {
	limit := int(req.GetLimit())
	if limit == 0 {
		limit = defaultList
	}
	found, err := s.orders.List(ctx, min(max(limit, 1), maxList))
	if err != nil {
		return nil, err
	}
	list, err := allToProto(found)
	return &ordersv1.ListOrdersResponse{Orders: list}, err
}

func (s *orderServer) ClaimOrders(ctx context.Context, req *ordersv1.ClaimOrdersRequest) (*ordersv1.ClaimOrdersResponse, error) {
	lease := req.GetLease().AsDuration()
	if lease <= 0 {
		lease = defaultLease
	}
	claimed, err := s.orders.Claim(ctx, min(max(int(req.GetLimit()), 1), maxClaim), lease)
	if err != nil {
		return nil, err
	}
	list, err := allToProto(claimed)
	return &ordersv1.ClaimOrdersResponse{Orders: list}, err
}

func (s *orderServer) FinishOrder(ctx context.Context, req *ordersv1.FinishOrderRequest) (*ordersv1.FinishOrderResponse, error) {
	order, err := s.orders.Finish(ctx, req.GetId(), statusFromProto(req.GetStatus()), req.GetReason())
	if err != nil {
		return nil, withStatus(err)
	}
	settled, err := toProto(order)
	return &ordersv1.FinishOrderResponse{Order: settled}, err
}

func statusFromProto(s ordersv1.OrderStatus) orders.Status {
	switch s {
	case ordersv1.OrderStatus_ORDER_STATUS_PLACED:
		return orders.Placed
	case ordersv1.OrderStatus_ORDER_STATUS_CONFIRMED:
		return orders.Confirmed
	case ordersv1.OrderStatus_ORDER_STATUS_REJECTED:
		return orders.Rejected
	}
	return ""
}

func statusToProto(s orders.Status) ordersv1.OrderStatus {
	switch s {
	case orders.Placed:
		return ordersv1.OrderStatus_ORDER_STATUS_PLACED
	case orders.Confirmed:
		return ordersv1.OrderStatus_ORDER_STATUS_CONFIRMED
	case orders.Rejected:
		return ordersv1.OrderStatus_ORDER_STATUS_REJECTED
	}
	return ordersv1.OrderStatus_ORDER_STATUS_UNSPECIFIED
}

func allToProto(list []orders.Order) ([]*ordersv1.Order, error) {
	var out []*ordersv1.Order
	for _, order := range list {
		converted, err := toProto(order)
		if err != nil {
			return nil, err
		}
		out = append(out, converted)
	}
	return out, nil
}

func toProto(o orders.Order) (*ordersv1.Order, error) {
	total, err := o.Total()
	if err != nil {
		return nil, err
	}
	out := &ordersv1.Order{
		Id:        o.ID,
		Status:    statusToProto(o.Status),
		Reason:    o.Reason,
		CreatedAt: timestamppb.New(o.CreatedAt),
		Total:     moneypb.To(total),
	}
	for _, line := range o.Lines {
		out.Lines = append(out.Lines, &ordersv1.OrderLine{
			Sku:       line.SKU,
			Name:      line.Name,
			Quantity:  int32(line.Quantity),
			UnitPrice: moneypb.To(line.Unit),
		})
	}
	return out, nil
}

// withStatus gives the caller's errors a status and leaves our own as they are.
func withStatus(err error) error {
	switch {
	case errors.Is(err, orders.ErrNotFound):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, orders.ErrInvalid):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, orders.ErrSettled):
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	return err
}
