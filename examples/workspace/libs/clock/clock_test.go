package clock

import (
	"testing"
	"time"
)

func TestDay(t *testing.T) {
	clock := Fixed(time.Date(2026, 2, 3, 23, 59, 0, 0, time.UTC))
	if got := clock.Day(); got != "2026-02-03" {
		t.Errorf("got %s", got)
	}
}
