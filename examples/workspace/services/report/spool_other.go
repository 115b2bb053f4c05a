//go:build !linux && !windows

package main

// spool is where saved reports go.
const spool = "/tmp"
