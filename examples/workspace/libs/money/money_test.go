package money

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Amount{"0": 0, "7": 700, "12.50": 1250, "0.05": 5} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".50", "1.5", "-1", "+1", "1.500", "1e3", "99999999999999999999"} {
		if got, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
}

func TestString(t *testing.T) {
	if got := Amount(1205).Times(2).String(); got != "24.10" {
		t.Errorf("got %s", got)
	}
}
