// Command api is the shop's public HTTP API: it asks catalog and orders over gRPC.
//
//	HTTP_ADDR     where to serve HTTP (":8080")
//	CATALOG_ADDR  gRPC address of catalog ("localhost:9001")
//	ORDERS_ADDR   gRPC address of orders ("localhost:9002")
package main

import (
	"context"
	"errors"

	"example.com/shop/internal/app"
	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/grpcx"
	"example.com/shop/internal/httpx"
)

func main() { app.Main("api", run) }

func run(ctx context.Context, a *app.App) error {
	httpAddr := a.Env.String("HTTP_ADDR", ":8080")
	catalogConn, catalogErr := grpcx.Dial(a.Env.String("CATALOG_ADDR", "localhost:9001"))
	ordersConn, ordersErr := grpcx.Dial(a.Env.String("ORDERS_ADDR", "localhost:9002"))
	if err := errors.Join(a.Env.Err(), catalogErr, ordersErr); err != nil {
		return err
	}
	defer catalogConn.Close()
	defer ordersConn.Close()

	h := &handlers{
		log:     a.Log,
		catalog: catalogv1.NewCatalogServiceClient(catalogConn),
		orders:  ordersv1.NewOrderServiceClient(ordersConn),
	}
	router := httpx.NewRouter(a.Log, a.Metrics)
	h.register(router)
	return httpx.Serve(ctx, a.Log, httpAddr, router)
}
