package httpx

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"
	"time"
)

// lockedBuffer collects a log that another goroutine writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// addr waits for the line that tells the listener's address.
func (b *lockedBuffer) addr(t *testing.T) string {
	for range 200 {
		b.mu.Lock()
		line := bytes.Clone(b.buf.Bytes())
		b.mu.Unlock()
		var entry struct{ Addr string }
		if json.Unmarshal(line, &entry) == nil && entry.Addr != "" {
			return entry.Addr
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the server never said where it listens")
	return ""
}
