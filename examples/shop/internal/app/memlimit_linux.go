package app

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
)

// applyMemoryLimit tells the garbage collector the container's limit, so that it works harder before the kernel kills.
// GOMEMLIMIT, when set, wins.
func applyMemoryLimit(log zerolog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return // cgroup v1, or no cgroup at all
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return // "max": no limit
	}
	limit = limit / 10 * 9 // the rest is for what the runtime does not count
	debug.SetMemoryLimit(limit)
	log.Debug().Int64("bytes", limit).Msg("memory limit")
}
