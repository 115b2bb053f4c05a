package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// registry is the registry at address, which takes no login itself.
func registry(address string) http.Handler {
	target := &url.URL{Scheme: "http", Host: address}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// It is for us.
			r.Out.Header.Del("Authorization")
		},
	}
}

// servePlain serves without TLS.
func servePlain(address string, handler http.Handler, failed chan<- error) error {
	listener, err := net.Listen("tcp", address+":80")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	go func() { failed <- server.Serve(listener) }()
	return nil
}
