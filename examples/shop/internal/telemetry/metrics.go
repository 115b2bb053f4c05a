package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one service's registry with the metrics that all services have.
type Metrics struct {
	Registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

// NewMetrics registers the process, Go and request metrics.
func NewMetrics(service string) *Metrics {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:        "shop_request_seconds",
		Help:        "Time to answer a request.",
		ConstLabels: prometheus.Labels{"service": service},
	}, []string{"protocol", "route", "code"})
	registry.MustRegister(
		requests,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return &Metrics{Registry: registry, requests: requests}
}

// Observe records one answered request. The route is a pattern, never a raw path: each value is a time series.
func (m *Metrics) Observe(protocol, route, code string, took time.Duration) {
	m.requests.WithLabelValues(protocol, route, code).Observe(took.Seconds())
}

// Handler serves the registry in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{Registry: m.Registry})
}
