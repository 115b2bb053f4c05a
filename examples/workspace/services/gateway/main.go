// Command gateway is what the browser sees: pages from the binary, prices, and a way to billing.
//
//	GET  /          the price list
//	GET  /prices    the same as JSON
//	POST /invoices  passed on to billing
//	GET  /healthz   200 while the process serves
//
//	HTTP_ADDR    where to serve (":8080")
//	BILLING_URL  where billing is ("http://localhost:8082")
package main

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"example.com/workspace/libs/clock"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", "gateway")
	billing, err := url.Parse(cmp.Or(os.Getenv("BILLING_URL"), "http://localhost:8082"))
	if err != nil {
		log.Error("BILLING_URL", "error", err)
		os.Exit(1)
	}
	server := &http.Server{
		Addr:              cmp.Or(os.Getenv("HTTP_ADDR"), ":8080"),
		Handler:           handler(clock.System, billing),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Info("listening", "addr", server.Addr)
	log.Error("stopped", "error", server.ListenAndServe())
	os.Exit(1)
}
