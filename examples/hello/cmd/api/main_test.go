package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		path string
		code int
		body string
	}{
		{"/", http.StatusOK, `{"greeting":"Hello, world!"}`},
		{"/?name=Ada", http.StatusOK, `{"greeting":"Hello, Ada!"}`},
		{"/healthz", http.StatusOK, ""},
		{"/nothing", http.StatusNotFound, "404 page not found"},
	} {
		rec := httptest.NewRecorder()
		handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, c.path, nil))
		if got := strings.TrimSpace(rec.Body.String()); rec.Code != c.code || got != c.body {
			t.Errorf("GET %s: %d %q, want %d %q", c.path, rec.Code, got, c.code, c.body)
		}
	}
}
