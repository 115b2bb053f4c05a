// Package httpx is the HTTP side of every service: a router with logs, metrics and health, and a server that ends well.
package httpx

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/rs/zerolog"

	"example.com/shop/internal/telemetry"
)

// NewRouter returns a router that answers /healthz and /metrics, and logs and measures everything else.
func NewRouter(log zerolog.Logger, metrics *telemetry.Metrics) chi.Router {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, observe(log, metrics), recoverer(log), middleware.GetHead)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	r.Method(http.MethodGet, "/metrics", metrics.Handler())
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		Error(w, http.StatusNotFound, "no such page")
	})
	return r
}

func observe(log zerolog.Logger, metrics *telemetry.Metrics) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			started := time.Now()
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			next.ServeHTTP(wrapped, r)

			code := wrapped.Status()
			if code == 0 {
				code = http.StatusOK // nothing was written
			}
			route := chi.RouteContext(r.Context()).RoutePattern()
			if route == "" {
				route = "unmatched"
			}
			took := time.Since(started)
			metrics.Observe("http", route, strconv.Itoa(code), took)
			if route == "/healthz" || route == "/metrics" {
				return // asked for every few seconds
			}
			log.Info().
				Str("request", middleware.GetReqID(r.Context())).
				Str("method", r.Method).
				Str("path", r.URL.Path).
				Int("code", code).
				Int("bytes", wrapped.BytesWritten()).
				Dur("ms", took).
				Msg("request")
		})
	}
}

func recoverer(log zerolog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				switch cause := recover(); cause {
				case nil:
				case http.ErrAbortHandler:
					panic(cause) // net/http's own way to drop a connection
				default:
					log.Error().Interface("panic", cause).Str("path", r.URL.Path).Stack().Msg("handler panicked")
					Error(w, http.StatusInternalServerError, "internal error")
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}
