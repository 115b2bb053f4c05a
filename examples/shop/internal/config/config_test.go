package config

import (
	"strings"
	"testing"
	"time"
)

func TestEnv(t *testing.T) {
	env := FromMap(map[string]string{
		"ADDR":  "127.0.0.1:1",
		"EMPTY": "",
		"BATCH": "7",
		"LEASE": "1m30s",
	})
	if got := env.String("ADDR", ":8080"); got != "127.0.0.1:1" {
		t.Errorf("ADDR = %q", got)
	}
	if got := env.String("EMPTY", "fallback"); got != "fallback" {
		t.Errorf("EMPTY = %q", got)
	}
	if got := env.Int("BATCH", 1, 1); got != 7 {
		t.Errorf("BATCH = %d", got)
	}
	if got := env.Duration("LEASE", time.Second); got != 90*time.Second {
		t.Errorf("LEASE = %s", got)
	}
	if err := env.Err(); err != nil {
		t.Errorf("Err() = %v", err)
	}
}

func TestEnvReportsAllProblems(t *testing.T) {
	env := FromMap(map[string]string{"BATCH": "0", "LEASE": "soon"})
	if got := env.Int("BATCH", 3, 1); got != 3 {
		t.Errorf("BATCH = %d, want the fallback", got)
	}
	if got := env.Duration("LEASE", time.Minute); got != time.Minute {
		t.Errorf("LEASE = %s, want the fallback", got)
	}
	err := env.Err()
	if err == nil || !strings.Contains(err.Error(), "BATCH") || !strings.Contains(err.Error(), "LEASE") {
		t.Errorf("Err() = %v, want both names", err)
	}
}
