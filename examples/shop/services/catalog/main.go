// Command catalog serves products and stock over gRPC.
//
//	GRPC_ADDR     where to serve gRPC (":9001")
//	HTTP_ADDR     where to serve /healthz and /metrics (":8083")
//	DATABASE_URL  PostgreSQL; without it, sample products in memory
package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"example.com/shop/internal/app"
	"example.com/shop/internal/catalog"
	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	"example.com/shop/internal/grpcx"
	"example.com/shop/internal/httpx"
	"example.com/shop/internal/store"
)

func main() { app.Main("catalog", run) }

func run(ctx context.Context, a *app.App) error {
	grpcAddr := a.Env.String("GRPC_ADDR", ":9001")
	httpAddr := a.Env.String("HTTP_ADDR", ":8083")
	databaseURL := a.Env.String("DATABASE_URL", "")
	if err := a.Env.Err(); err != nil {
		return err
	}

	var products catalog.Store
	if databaseURL == "" {
		a.Log.Warn().Msg("DATABASE_URL is not set: sample products, in memory")
		products = catalog.NewMemory(catalog.Samples()...)
	} else {
		db, err := store.Open(ctx, databaseURL)
		if err != nil {
			return err
		}
		defer db.Close()
		products = catalog.NewPostgres(db)
	}

	server := grpcx.NewServer(a.Log, a.Metrics)
	catalogv1.RegisterCatalogServiceServer(server, &catalogServer{products: products})

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return grpcx.Serve(ctx, a.Log, grpcAddr, server) })
	group.Go(func() error { return httpx.Serve(ctx, a.Log, httpAddr, httpx.NewRouter(a.Log, a.Metrics)) })
	return group.Wait()
}
