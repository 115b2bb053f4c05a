// Package telemetry sets up logs and metrics, alike in every service.
package telemetry

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

// Logger writes JSON lines to w, each with the service's name.
// An unknown level is an error.
func Logger(w io.Writer, service, level string) (zerolog.Logger, error) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		return zerolog.Nop(), err
	}
	zerolog.TimeFieldFormat = time.RFC3339Nano
	return zerolog.New(w).Level(parsed).With().Timestamp().Str("service", service).Logger(), nil
}
