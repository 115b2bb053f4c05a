package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
)

// worker settles orders. Both steps of one order may be repeated, so a worker that dies between them
// does no harm: when its lease has run out, another one starts over.
type worker struct {
	log     zerolog.Logger
	catalog catalogv1.CatalogServiceClient
	orders  ordersv1.OrderServiceClient
	batch   int
	lease   time.Duration
	poll    time.Duration
	settled *prometheus.CounterVec
}

// run works until ctx is done. What fails is logged and tried again.
func (w *worker) run(ctx context.Context) error {
	for {
		n, err := w.once(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn().Err(err).Msg("orders could not be settled")
		}
		if err == nil && n > 0 {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.poll):
		}
	}
}

// once claims one batch and settles what it can of it; it returns how many orders it claimed.
func (w *worker) once(ctx context.Context) (int, error) {
	claimed, err := w.orders.ClaimOrders(ctx, &ordersv1.ClaimOrdersRequest{
		Limit: int32(min(w.batch, math.MaxInt32)),
		Lease: durationpb.New(w.lease),
	})
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	var problems []error
	for _, order := range claimed.GetOrders() {
		if err := w.settle(ctx, order); err != nil {
			problems = append(problems, fmt.Errorf("order %s: %w", order.GetId(), err))
		}
	}
	return len(claimed.GetOrders()), errors.Join(problems...)
}

func (w *worker) settle(ctx context.Context, order *ordersv1.Order) error {
	reserve := &catalogv1.ReserveStockRequest{OrderId: order.GetId()}
	for _, line := range order.GetLines() {
		reserve.Lines = append(reserve.Lines, &catalogv1.StockLine{Sku: line.GetSku(), Quantity: line.GetQuantity()})
	}
	finish := &ordersv1.FinishOrderRequest{Id: order.GetId(), Status: ordersv1.OrderStatus_ORDER_STATUS_CONFIRMED}
	_, err := w.catalog.ReserveStock(ctx, reserve)
	switch status.Code(err) {
	case codes.OK:
	case codes.FailedPrecondition, codes.NotFound, codes.InvalidArgument:
		finish.Status = ordersv1.OrderStatus_ORDER_STATUS_REJECTED
		finish.Reason = status.Convert(err).Message()
	default:
		return fmt.Errorf("reserve stock: %w", err)
	}
	if _, err := w.orders.FinishOrder(ctx, finish); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	w.settled.WithLabelValues(finish.GetStatus().String()).Inc()
	w.log.Info().Str("order", order.GetId()).Stringer("status", finish.GetStatus()).Str("reason", finish.GetReason()).Msg("settled")
	return nil
}
