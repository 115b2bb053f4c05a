// Command worker settles placed orders: it claims them from orders, takes their stock from catalog and
// reports the end. Any number of workers may run.
//
//	HTTP_ADDR     where to serve /healthz and /metrics (":8084")
//	CATALOG_ADDR  gRPC address of catalog ("localhost:9001")
//	ORDERS_ADDR   gRPC address of orders ("localhost:9002")
//	BATCH         how many orders to claim at once (10)
//	LEASE         how long a claim lasts ("30s")
//	POLL          pause when there is nothing to do ("500ms")
package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"example.com/shop/internal/app"
	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/grpcx"
	"example.com/shop/internal/httpx"
)

func main() { app.Main("worker", run) }

func run(ctx context.Context, a *app.App) error {
	httpAddr := a.Env.String("HTTP_ADDR", ":8084")
	catalogConn, catalogErr := grpcx.Dial(a.Env.String("CATALOG_ADDR", "localhost:9001"))
	ordersConn, ordersErr := grpcx.Dial(a.Env.String("ORDERS_ADDR", "localhost:9002"))
	w := &worker{
		log:   a.Log,
		batch: a.Env.Int("BATCH", 10, 1),
		lease: a.Env.Duration("LEASE", 30*time.Second),
		poll:  a.Env.Duration("POLL", 500*time.Millisecond),
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_orders_settled_total",
			Help: "Orders that this worker brought to an end.",
		}, []string{"status"}),
	}
	if err := errors.Join(a.Env.Err(), catalogErr, ordersErr); err != nil {
		return err
	}
	defer catalogConn.Close()
	defer ordersConn.Close()
	w.catalog = catalogv1.NewCatalogServiceClient(catalogConn)
	w.orders = ordersv1.NewOrderServiceClient(ordersConn)
	a.Metrics.Registry.MustRegister(w.settled)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return httpx.Serve(ctx, a.Log, httpAddr, httpx.NewRouter(a.Log, a.Metrics)) })
	group.Go(func() error { return w.run(ctx) })
	return group.Wait()
}
