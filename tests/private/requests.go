package main

import (
	"encoding/json"
	"net/http"
	"os"
	"sync"
)

// The record of all requests, for tests that ask what was fetched and as whom.
type requests struct {
	mutex sync.Mutex
	file  *os.File
}

type request struct {
	Host          string `json:"host"`
	Path          string `json:"path"`
	Authorization string `json:"authorization"`
	Status        int    `json:"status"`
}

func newRequests(path string) (*requests, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &requests{file: file}, err
}

func (r *requests) add(one request) {
	line, err := json.Marshal(one)
	if err != nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.file.Write(append(line, '\n'))
}

func (r *requests) record(host string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		answer := &status{w, http.StatusOK}
		handler.ServeHTTP(answer, q)
		r.add(request{host, q.URL.RequestURI(), q.Header.Get("Authorization"), answer.code})
	})
}

// Remembers the status of an answer.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// What has more to do than to write finds the connection by it.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// login asks for user and password, or for nothing a server would not take.
func (c credentials) login(handler http.Handler) http.Handler {
	return basic(handler, func(user, password string) bool {
		return user == c.User && password == c.Password
	})
}

// token asks for the token, with the user name that goes with tokens, or for the login.
func (c credentials) token(handler http.Handler) http.Handler {
	return basic(handler, func(user, password string) bool {
		return user == "x-access-token" && password == c.Token ||
			user == c.User && password == c.Password
	})
}

func basic(handler http.Handler, allowed func(user, password string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if !allowed(user, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="corp"`)
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
