package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/workspace/libs/clock"
)

func TestPages(t *testing.T) {
	now := clock.Fixed(time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC))
	handler := handler(now, &url.URL{Scheme: "http", Host: "localhost"})
	for path, want := range map[string]string{
		"/":          "<title>Prices</title>",
		"/style.css": "font-family",
		"/prices":    `{"day":"2026-02-03","offers":[{"name":"hosting","price":"12.50"}`,
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		if body := recorder.Body.String(); recorder.Code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, recorder.Code, body)
		}
	}
}
