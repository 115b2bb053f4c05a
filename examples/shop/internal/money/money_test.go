package money

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
)

func TestParseAndDecimal(t *testing.T) {
	for _, c := range []struct {
		currency, text string
		minor          int64
		decimal        string
	}{
		{"EUR", "12.50", 1250, "12.50"},
		{"EUR", "12.5", 1250, "12.50"},
		{"EUR", "7", 700, "7.00"},
		{"EUR", "0.05", 5, "0.05"},
		{"EUR", "-0.05", -5, "-0.05"},
		{"JPY", "1200", 1200, "1200"},
		{"KWD", "1.234", 1234, "1.234"},
	} {
		got, err := Parse(c.currency, c.text)
		if err != nil || got.Minor != c.minor || got.Decimal() != c.decimal {
			t.Errorf("Parse(%s, %q) = %d %q, %v", c.currency, c.text, got.Minor, got.Decimal(), err)
		}
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "1.234", "1,5", "1e3", "+1", "--1", "1.5.0"} {
		if got, err := Parse("EUR", text); !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(EUR, %q) = %v, %v, want ErrSyntax", text, got, err)
		}
	}
	if _, err := Parse("EUR", "99999999999999999999"); !errors.Is(err, ErrOverflow) {
		t.Errorf("a huge amount: %v, want ErrOverflow", err)
	}
}

func TestArithmetic(t *testing.T) {
	line, err := New("EUR", 1250).Times(3)
	if err != nil || line.Minor != 3750 {
		t.Fatalf("Times = %v, %v", line, err)
	}
	sum, err := Amount{}.Add(line)
	if err != nil || sum != line {
		t.Fatalf("zero value plus line = %v, %v", sum, err)
	}
	if sum, err = sum.Add(New("EUR", -50)); err != nil || sum.String() != "37.00 EUR" {
		t.Fatalf("Add = %v, %v", sum, err)
	}
	if _, err := sum.Add(New("USD", 1)); !errors.Is(err, ErrCurrency) {
		t.Errorf("EUR plus USD: %v", err)
	}
	if _, err := New("EUR", math.MaxInt64).Add(New("EUR", 1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("largest plus one: %v", err)
	}
	if _, err := New("EUR", math.MaxInt64/2).Times(3); !errors.Is(err, ErrOverflow) {
		t.Errorf("half of the largest, three times: %v", err)
	}
	if _, err := New("EUR", 1).Times(-1); !errors.Is(err, ErrOverflow) {
		t.Errorf("minus one piece: %v", err)
	}
}

func TestJSON(t *testing.T) {
	data, err := json.Marshal(New("EUR", 1250))
	if err != nil || string(data) != `{"amount":"12.50","currency":"EUR"}` {
		t.Fatalf("Marshal = %s, %v", data, err)
	}
	var back Amount
	if err := json.Unmarshal(data, &back); err != nil || back != New("EUR", 1250) {
		t.Errorf("Unmarshal = %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"amount":12.5,"currency":"EUR"}`), &back); err == nil {
		t.Error("a number as amount was accepted")
	}
}
