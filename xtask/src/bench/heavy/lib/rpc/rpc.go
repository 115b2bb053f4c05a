// Package rpc needs gRPC.
package rpc

import "google.golang.org/grpc"

// New makes a server.
var New = grpc.NewServer
