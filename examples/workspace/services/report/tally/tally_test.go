package tally

import (
	"os"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	log, err := os.Open("testdata/billing.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	counts, err := Read(log)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	counts.Write(&text)
	if got, want := text.String(), "     1 \n     1 listening\n     2 written\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
