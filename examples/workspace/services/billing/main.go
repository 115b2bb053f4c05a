// Command billing writes invoices.
//
//	POST /invoices {"lines":[{"text":"hosting","price":"12.50","count":2}]}
//	GET  /healthz  200 while the process serves
//
//	HTTP_ADDR  where to serve (":8082")
package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"example.com/workspace/libs/clock"
	"example.com/workspace/services/billing/invoice"
)

func main() {
	log := zerolog.New(os.Stdout).With().Str("service", "billing").Logger()
	server := &http.Server{
		Addr:              cmp.Or(os.Getenv("HTTP_ADDR"), ":8082"),
		Handler:           handler(log, clock.System),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Info().Str("addr", server.Addr).Msg("listening")
	log.Fatal().Err(server.ListenAndServe()).Msg("stopped")
}

func handler(log zerolog.Logger, now clock.Clock) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("POST /invoices", func(w http.ResponseWriter, r *http.Request) {
		var order invoice.Order
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&order); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		written := invoice.Write(order, now)
		log.Info().Str("id", written.ID).Stringer("total", written.Total).Msg("written")
		w.Header().Set("Content-Type", "application/json")
		// A client that has gone away is the only way this fails.
		_ = json.NewEncoder(w).Encode(written)
	})
	return mux
}
