// Command web is the shop's storefront: HTML pages from templates in the binary, data from api.
//
//	HTTP_ADDR  where to serve HTTP (":8081")
//	API_URL    where api is ("http://localhost:8080")
package main

import (
	"context"
	"errors"

	"example.com/shop/internal/app"
	"example.com/shop/internal/httpx"
	"example.com/shop/internal/shopapi"
)

func main() { app.Main("web", run) }

func run(ctx context.Context, a *app.App) error {
	httpAddr := a.Env.String("HTTP_ADDR", ":8081")
	api := shopapi.NewClient(a.Env.String("API_URL", "http://localhost:8080"))
	pages, err := newPages(a.Log, api)
	if err := errors.Join(a.Env.Err(), err); err != nil {
		return err
	}
	router := httpx.NewRouter(a.Log, a.Metrics)
	pages.register(router)
	return httpx.Serve(ctx, a.Log, httpAddr, router)
}
