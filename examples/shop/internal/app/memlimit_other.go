//go:build !linux

package app

import "github.com/rs/zerolog"

// applyMemoryLimit does nothing where there are no cgroups.
func applyMemoryLimit(zerolog.Logger) {}
