// Package money counts cents.
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSyntax is what Parse says about a text that is no amount.
var ErrSyntax = errors.New("not an amount of money")

// Amount is a number of cents, never negative.
type Amount int64

// Parse reads an amount as in "12.50".
func Parse(text string) (Amount, error) {
	units, cents, found := strings.Cut(text, ".")
	if !found {
		cents = "00"
	}
	if len(cents) != 2 {
		return 0, fmt.Errorf("%w: %q", ErrSyntax, text)
	}
	// 15 digits fit into an int64; a sign is no digit.
	n, err := strconv.ParseUint(units+cents, 10, 50)
	if err != nil || units == "" {
		return 0, fmt.Errorf("%w: %q", ErrSyntax, text)
	}
	return Amount(n), nil
}

// Times is the price of n pieces.
func (a Amount) Times(n uint16) Amount { return a * Amount(n) }

func (a Amount) String() string { return fmt.Sprintf("%d.%02d", a/100, a%100) }

// MarshalJSON writes the amount as a string.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := Parse(text)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
