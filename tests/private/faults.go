package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// A module proxy that is broken for modules whose path ends in the name of a fault, in
// the way of that fault. It serves all others as the public one.
type faulty struct {
	good http.Handler
	mu   sync.Mutex
	// How often a path was asked for.
	asked map[string]int
}

// What goes wrong with one request: what would be right is in the answer.
type fault struct {
	// Files that it is about: info, mod, zip.
	file   string
	answer func(w http.ResponseWriter, r *http.Request, right *httptest.ResponseRecorder)
}

// The faults by their names; docs/dev/faults.md has what a build says to each.
var faults = map[string]fault{
	"hang-info": {"info", hang},
	"hang-mod":  {"mod", hang},
	"hang-zip":  {"zip", hang},
	"stop-info": {"info", stop},
	"stop-mod":  {"mod", stop},
	"stop-zip":  {"zip", stop},
	"drip-zip":  {"zip", drip},

	"endless-info": {"info", endless},
	"endless-mod":  {"mod", endless},

	"status-500":      {"info", refuse(http.StatusInternalServerError)},
	"status-502":      {"zip", refuse(http.StatusBadGateway)},
	"status-503":      {"mod", refuse(http.StatusServiceUnavailable)},
	"status-429":      {"zip", refuse(http.StatusTooManyRequests)},
	"status-403":      {"info", refuse(http.StatusForbidden)},
	"status-404":      {"zip", refuse(http.StatusNotFound)},
	"status-410":      {"info", refuse(http.StatusGone)},
	"redirect-self":   {"info", redirect("")},
	"redirect-loop":   {"mod", redirectLoop},
	"redirect-dead":   {"zip", redirect("https://public.example:1/")},
	"redirect-http":   {"info", redirect("http://public.example/")},
	"redirect-scheme": {"info", redirect("ftp://public.example/")},
	"html-info":       {"info", page},
	"html-mod":        {"mod", page},
	"html-zip":        {"zip", page},
	"empty-info":      {"info", send("")},
	"empty-mod":       {"mod", send("")},
	"empty-zip":       {"zip", send("")},
	"short-zip":       {"zip", short},
	"cut-zip":         {"zip", cut},
	"other-zip":       {"zip", otherZip("")},
	"case-zip":        {"zip", otherCase},
	"slip-zip":        {"zip", otherZip("../../../../slipped.go")},
	"other-mod":       {"mod", send("module open.example/other\n")},
	"other-version":   {"info", send(`{"Version":"v9.9.9"}`)},
	"gzip-info":       {"info", noGzip},
	"reset-mod":       {"mod", reset},
}

// Faults of a moment: gone when asked again.
var once = map[string]string{"once-502": "info", "once-503": "zip"}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	module, file, _ := strings.Cut(r.URL.Path, "/@v/")
	name := path.Base(module)
	kind := strings.TrimPrefix(path.Ext(file), ".")
	if once[name] == kind && kind != "" && f.count(r.URL.Path) == 1 {
		http.Error(w, "a moment, please", http.StatusServiceUnavailable)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/sumdb/") && strings.Contains(r.URL.Path, "/lookup/") {
		hang(w, r, nil)
		return
	}
	found, ok := faults[name]
	if !ok || found.file != kind {
		f.good.ServeHTTP(w, r)
		return
	}
	right := httptest.NewRecorder()
	f.good.ServeHTTP(right, r)
	found.answer(w, r, right)
}

func (f *faulty) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[path]++
	return f.asked[path]
}

func hang(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	wait(r.Context(), time.Hour)
}

// Half of the answer, and nothing more.
func stop(w http.ResponseWriter, r *http.Request, right *httptest.ResponseRecorder) {
	body := right.Body.Bytes()
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.Write(body[:len(body)/2])
	http.NewResponseController(w).Flush()
	wait(r.Context(), time.Hour)
}

// A byte every quarter of a second: some servers keep connections alive that way.
func drip(w http.ResponseWriter, r *http.Request, right *httptest.ResponseRecorder) {
	for _, b := range right.Body.Bytes() {
		w.Write([]byte{b})
		http.NewResponseController(w).Flush()
		if !wait(r.Context(), time.Second/4) {
			return
		}
	}
}

// As fast as a machine with little to spare for it can read, and no faster.
func endless(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	spaces := bytes.Repeat([]byte(" "), 16<<20)
	for wait(r.Context(), time.Millisecond) {
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
}

func refuse(code int) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		http.Error(w, "out of order", code)
	}
}

func redirect(to string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
		http.Redirect(w, r, cmp.Or(to, "https://"+r.Host+r.URL.Path), http.StatusFound)
	}
}

func redirectLoop(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	http.Redirect(w, r, "https://"+r.Host+r.URL.Path+"?"+strings.Repeat("x", len(r.URL.RawQuery)+1), http.StatusFound)
}

// What a login page in front of a server answers to everything.
func page(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	w.Header().Set("Content-Type", "text/html")
	io.WriteString(w, "<!DOCTYPE html>\n<html><title>Please log in</title></html>\n")
}

func send(body string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		io.WriteString(w, body)
	}
}

// Less than was announced.
func short(w http.ResponseWriter, _ *http.Request, right *httptest.ResponseRecorder) {
	body := right.Body.Bytes()
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.Write(body[:len(body)/2])
	hangUp(w, false)
}

// Half of the file, announced as such.
func cut(w http.ResponseWriter, _ *http.Request, right *httptest.ResponseRecorder) {
	body := right.Body.Bytes()
	w.Write(body[:len(body)/2])
}

func noGzip(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	w.Header().Set("Content-Encoding", "gzip")
	io.WriteString(w, "this is plain text")
}

func reset(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	hangUp(w, true)
}

// Ends a connection, politely or not.
func hangUp(w http.ResponseWriter, reset bool) {
	http.NewResponseController(w).Flush()
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(interface{ NetConn() net.Conn }); ok && reset {
		tcp.NetConn().(*net.TCPConn).SetLinger(0)
		tcp.NetConn().Close()
	}
	connection.Close()
}

// The same files with another content, and one more file if there is a name for it.
func otherZip(more string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, right *httptest.ResponseRecorder) {
		rewrite(w, right, func(name string) string { return name }, more)
	}
}

func otherCase(w http.ResponseWriter, _ *http.Request, right *httptest.ResponseRecorder) {
	rewrite(w, right, strings.ToUpper, "")
}

func rewrite(w http.ResponseWriter, right *httptest.ResponseRecorder, rename func(string) string, more string) {
	body := right.Body.Bytes()
	old, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return
	}
	files := map[string]string{}
	for _, file := range old.File {
		files[rename(file.Name)] = "package other\n"
	}
	if more != "" {
		module, _, _ := strings.Cut(old.File[0].Name, "@")
		files[module+"@v1.0.0/"+more] = "package slipped\n"
	}
	archive := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if file, err := archive.Create(name); err == nil {
			io.WriteString(file, files[name])
		}
	}
	archive.Close()
}

// Waits for a while; whether somebody is still there then.
func wait(there context.Context, a time.Duration) bool {
	select {
	case <-there.Done():
		return false
	case <-time.After(a):
		return true
	}
}

// A server that takes connections and says nothing.
func silent(address string, accepted func()) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		var open []net.Conn
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			accepted()
			open = append(open, connection)
		}
	}()
	return nil
}
