package httpx

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"example.com/shop/internal/telemetry"
)

func TestRouterObservesAndRecovers(t *testing.T) {
	var logged bytes.Buffer
	metrics := telemetry.NewMetrics("test")
	r := NewRouter(zerolog.New(&logged), metrics)
	r.Get("/things/{id}", func(w http.ResponseWriter, r *http.Request) { JSON(w, http.StatusTeapot, "hi") })
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })

	for path, want := range map[string]int{
		"/healthz":   http.StatusOK,
		"/things/17": http.StatusTeapot,
		"/panic":     http.StatusInternalServerError,
		"/nowhere":   http.StatusNotFound,
	} {
		if got := get(r, path).Code; got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
	text := get(r, "/metrics").Body.String()
	for _, want := range []string{
		`shop_request_seconds_count{code="418",protocol="http",route="/things/{id}",service="test"} 1`,
		`shop_request_seconds_count{code="500",protocol="http",route="/panic",service="test"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if !strings.Contains(logged.String(), `"path":"/things/17"`) || strings.Contains(logged.String(), "/healthz") {
		t.Errorf("log: %s", logged.String())
	}
}

func TestDecode(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"name":"mug"}`:          true,
		`{"name":"mug"} `:         true,
		`{"name":"mug"}{}`:        false,
		`{"name":"mug","size":1}`: false,
		`{"name":`:                false,
		``:                        false,
	} {
		var into struct {
			Name string `json:"name"`
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err := Decode(httptest.NewRecorder(), r, &into); (err == nil) != ok {
			t.Errorf("Decode(%q) = %v", body, err)
		}
	}
}

func TestServeLetsOpenRequestsFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		JSON(w, http.StatusOK, "late")
	})
	var logged lockedBuffer
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, zerolog.New(&logged), "127.0.0.1:0", handler) }()

	type answer struct {
		body string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		res, err := http.Get("http://" + logged.addr(t))
		if err != nil {
			answered <- answer{err: err}
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		answered <- answer{string(body), err}
	}()
	<-entered
	stop()
	select {
	case err := <-served:
		t.Fatalf("Serve returned %v while a request was open", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if got := <-answered; got.err != nil || got.body != "\"late\"\n" {
		t.Errorf("open request: %q, %v", got.body, got.err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec
}
