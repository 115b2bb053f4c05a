// Command orders keeps orders and queues them for workers, over gRPC.
//
//	GRPC_ADDR     where to serve gRPC (":9002")
//	HTTP_ADDR     where to serve /stats, /healthz and /metrics (":8082")
//	CATALOG_ADDR  gRPC address of catalog ("localhost:9001")
//	DATABASE_URL  PostgreSQL; without it, orders are kept in memory
package main

import (
	"context"
	"net/http"

	"golang.org/x/sync/errgroup"

	"example.com/shop/internal/app"
	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/grpcx"
	"example.com/shop/internal/httpx"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/store"
)

func main() { app.Main("orders", run) }

func run(ctx context.Context, a *app.App) error {
	grpcAddr := a.Env.String("GRPC_ADDR", ":9002")
	httpAddr := a.Env.String("HTTP_ADDR", ":8082")
	catalogAddr := a.Env.String("CATALOG_ADDR", "localhost:9001")
	databaseURL := a.Env.String("DATABASE_URL", "")
	if err := a.Env.Err(); err != nil {
		return err
	}

	var kept orders.Store
	if databaseURL == "" {
		a.Log.Warn().Msg("DATABASE_URL is not set: orders are kept in memory")
		kept = orders.NewMemory()
	} else {
		db, err := store.Open(ctx, databaseURL)
		if err != nil {
			return err
		}
		defer db.Close()
		kept = orders.NewPostgres(db)
	}
	catalogConn, err := grpcx.Dial(catalogAddr)
	if err != nil {
		return err
	}
	defer catalogConn.Close()

	server := grpcx.NewServer(a.Log, a.Metrics)
	ordersv1.RegisterOrderServiceServer(server, &orderServer{
		orders:  kept,
		catalog: catalogv1.NewCatalogServiceClient(catalogConn),
	})
	router := httpx.NewRouter(a.Log, a.Metrics)
	router.Get("/stats", stats(kept))

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return grpcx.Serve(ctx, a.Log, grpcAddr, server) })
	group.Go(func() error { return httpx.Serve(ctx, a.Log, httpAddr, router) })
	return group.Wait()
}

// stats answers how many of the newest orders are in which state.
func stats(kept orders.Store) http.HandlerFunc {
	const newest = 1000
	return func(w http.ResponseWriter, r *http.Request) {
		list, err := kept.List(r.Context(), newest)
		if err != nil {
			httpx.Error(w, http.StatusInternalServerError, "orders cannot be read")
			return
		}
		counts := map[orders.Status]int{orders.Placed: 0, orders.Confirmed: 0, orders.Rejected: 0}
		for _, order := range list {
			counts[order.Status]++
		}
		httpx.JSON(w, http.StatusOK, map[string]any{"newest": len(list), "status": counts})
	}
}
