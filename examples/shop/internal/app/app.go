// Package app is what every main function of the shop does: settings, logs, metrics, signals, exit status.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"

	"example.com/shop/internal/config"
	"example.com/shop/internal/telemetry"
)

// App is handed to a service's run function.
type App struct {
	Name    string
	Env     *config.Env
	Log     zerolog.Logger
	Metrics *telemetry.Metrics
}

// Main runs a service until it returns or the process gets SIGTERM or an interrupt.
// The context given to run ends with the signal; an error other than that end is exit status 1.
func Main(name string, run func(context.Context, *App) error) {
	env := config.FromOS()
	log, err := telemetry.Logger(os.Stdout, name, env.String("LOG_LEVEL", "info"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	applyMemoryLimit(log)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	log.Info().Int("uid", os.Getuid()).Msg("starting")
	err = run(ctx, &App{Name: name, Env: env, Log: log, Metrics: telemetry.NewMetrics(name)})
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error().Err(err).Msg("stopped")
		os.Exit(1)
	}
	log.Info().Msg("stopped")
}
