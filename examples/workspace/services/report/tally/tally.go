// Package tally counts log messages.
package tally

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Counts says how often each message was seen.
type Counts map[string]int

// Read counts the messages of a log with a JSON object a line. Other lines count as "".
func Read(log io.Reader) (Counts, error) {
	counts := Counts{}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Message string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			line.Message = ""
		}
		counts[line.Message]++
	}
	return counts, lines.Err()
}

// Write prints a line for each message, sorted.
func (c Counts) Write(w io.Writer) {
	for _, message := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(w, "%6d %s\n", c[message], message)
	}
}
