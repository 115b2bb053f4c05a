package main

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httputil"
	"net/url"

	"example.com/workspace/libs/clock"
	"example.com/workspace/libs/money"
)

//go:embed static
var static embed.FS

// Offer is one line of the price list.
type Offer struct {
	Name  string       `json:"name"`
	Price money.Amount `json:"price"`
}

var offers = []Offer{{"hosting", 1250}, {"domain", 99}}

func handler(now clock.Clock, billing *url.URL) http.Handler {
	pages, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // The directory is in the binary.
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(pages))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("GET /prices", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// A client that has gone away is the only way this fails.
		_ = json.NewEncoder(w).Encode(map[string]any{"day": now.Day(), "offers": offers})
	})
	mux.Handle("POST /invoices", httputil.NewSingleHostReverseProxy(billing))
	return mux
}
