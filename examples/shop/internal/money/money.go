// Package money counts in the smallest unit of a currency, so that no cent is lost to rounding.
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Errors of this package.
var (
	ErrCurrency = errors.New("different currencies")
	ErrOverflow = errors.New("amount too large")
	ErrSyntax   = errors.New("not an amount")
)

// Amount is a sum of money. The zero value is nothing, in no currency, and can be added to anything.
type Amount struct {
	Currency string // ISO 4217
	Minor    int64  // cents for EUR, yen for JPY
}

// New returns an amount of minor units.
func New(currency string, minor int64) Amount { return Amount{Currency: currency, Minor: minor} }

// Parse reads a decimal such as "12.50"; it takes at most as many decimals as the currency has.
func Parse(currency, text string) (Amount, error) {
	digits := decimals(currency)
	body, negative := strings.CutPrefix(text, "-")
	whole, fraction, dot := strings.Cut(body, ".")
	if whole == "" || dot && fraction == "" || len(fraction) > digits || !onlyDigits(whole) || !onlyDigits(fraction) {
		return Amount{}, fmt.Errorf("%w: %q in %s", ErrSyntax, text, currency)
	}
	fraction += strings.Repeat("0", digits-len(fraction))
	minor, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return Amount{}, fmt.Errorf("%w: %q", ErrOverflow, text)
	}
	if negative {
		minor = -minor
	}
	return Amount{Currency: currency, Minor: minor}, nil
}

// Add returns the sum of two amounts of the same currency.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case a == Amount{}:
		return b, nil
	case b == Amount{}:
		return a, nil
	case a.Currency != b.Currency:
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency, b.Currency)
	case b.Minor > 0 && a.Minor > math.MaxInt64-b.Minor, b.Minor < 0 && a.Minor < math.MinInt64-b.Minor:
		return Amount{}, ErrOverflow
	}
	return Amount{Currency: a.Currency, Minor: a.Minor + b.Minor}, nil
}

// Times returns the amount for n pieces; n is not negative.
func (a Amount) Times(n int) (Amount, error) {
	high, low := bits.Mul64(magnitude(a.Minor), uint64(n))
	if n < 0 || high != 0 || low > math.MaxInt64 {
		return Amount{}, ErrOverflow
	}
	minor := int64(low)
	if a.Minor < 0 {
		minor = -minor
	}
	return Amount{Currency: a.Currency, Minor: minor}, nil
}

// Decimal returns the amount without its currency, such as "12.50".
func (a Amount) Decimal() string {
	digits := decimals(a.Currency)
	text := strconv.FormatUint(magnitude(a.Minor), 10)
	if missing := digits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	if a.Minor < 0 {
		text = "-" + text
	}
	return text
}

// String returns the amount with its currency, such as "12.50 EUR".
func (a Amount) String() string { return a.Decimal() + " " + a.Currency }

type amountJSON struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// MarshalJSON writes {"amount":"12.50","currency":"EUR"}: a string, since many readers of JSON have only floats.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(amountJSON{Amount: a.Decimal(), Currency: a.Currency})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var raw amountJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	parsed, err := Parse(raw.Currency, raw.Amount)
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// decimals is how many digits a currency has after the point.
func decimals(currency string) int {
	switch currency {
	case "JPY", "KRW", "ISK":
		return 0
	case "BHD", "KWD", "TND":
		return 3
	}
	return 2
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func onlyDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
