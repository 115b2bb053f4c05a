package invoice

import (
	"testing"
	"time"

	"example.com/workspace/libs/clock"
)

func TestWrite(t *testing.T) {
	now := clock.Fixed(time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC))
	order := Order{Lines: []Line{{Text: "hosting", Price: 1250, Count: 2}, {Text: "domain", Price: 99, Count: 1}}}
	invoice := Write(order, now)
	if invoice.Total != 2599 || invoice.Day != "2026-02-03" {
		t.Errorf("got %+v", invoice)
	}
	if invoice.ID == Write(order, now).ID {
		t.Error("two invoices have one number")
	}
}
