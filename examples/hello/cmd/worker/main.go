// Command worker prints a tick at a fixed interval and stops on SIGTERM.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	every := flag.Duration("every", time.Second, "time between two ticks")
	count := flag.Int("count", 0, "stop after this many ticks (0: run until told to stop)")
	flag.Parse()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if *every <= 0 {
		log.Error("-every must be more than zero", "every", every.String())
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ticker := time.NewTicker(*every)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			log.Info("shutting down")
			return
		case <-ticker.C:
			log.Info("tick", "n", n)
		}
		if n == *count {
			return
		}
	}
}
