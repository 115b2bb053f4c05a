// Package config reads settings from the environment and reports all bad ones at once.
package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Env reads typed settings and remembers what was wrong with them.
// An empty variable counts as unset, since Compose passes `${NAME:-}` as empty.
type Env struct {
	lookup   func(string) string
	problems []error
}

// FromOS reads the environment of the process.
func FromOS() *Env { return &Env{lookup: os.Getenv} }

// FromMap reads from a map; for tests.
func FromMap(values map[string]string) *Env {
	return &Env{lookup: func(key string) string { return values[key] }}
}

// String returns the value of key, or fallback.
func (e *Env) String(key, fallback string) string {
	if value := e.lookup(key); value != "" {
		return value
	}
	return fallback
}

// Int returns the value of key as a number that is at least least, or fallback.
func (e *Env) Int(key string, fallback, least int) int {
	value := e.lookup(key)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least {
		e.problems = append(e.problems, fmt.Errorf("%s: expected a whole number from %d, found %q", key, least, value))
		return fallback
	}
	return n
}

// Duration returns the value of key as a positive duration such as "1m30s", or fallback.
func (e *Env) Duration(key string, fallback time.Duration) time.Duration {
	value := e.lookup(key)
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		e.problems = append(e.problems, fmt.Errorf("%s: expected a positive duration such as 1m30s, found %q", key, value))
		return fallback
	}
	return d
}

// Err returns every problem found so far, or nil.
func (e *Env) Err() error { return errors.Join(e.problems...) }
