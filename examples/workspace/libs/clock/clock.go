// Package clock tells the time, and in tests the time that a test wants.
package clock

import "time"

// Clock tells the time.
type Clock func() time.Time

// System is the machine's clock, in UTC.
func System() time.Time { return time.Now().UTC() }

// Fixed is a clock that has stopped.
func Fixed(t time.Time) Clock {
	return func() time.Time { return t }
}

// Day is the day that the clock shows, as in "2006-01-02".
func (c Clock) Day() string { return c().Format(time.DateOnly) }
