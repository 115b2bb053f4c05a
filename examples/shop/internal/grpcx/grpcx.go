// Package grpcx is the gRPC side: servers with logs, metrics and health, and clients of other services.
package grpcx

import (
	"context"
	"net"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"example.com/shop/internal/telemetry"
)

// grace is how long open calls may take after the end was asked for; Docker kills after ten seconds.
const grace = 8 * time.Second

// callTimeout bounds a call whose caller set no deadline.
const callTimeout = 5 * time.Second

// NewServer returns a server that logs and measures its calls and answers health checks.
func NewServer(log zerolog.Logger, metrics *telemetry.Metrics) *grpc.Server {
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(observe(log, metrics)))
	healthv1.RegisterHealthServer(server, health.NewServer())
	return server
}

// Serve answers on addr until ctx is done, then lets open calls finish.
func Serve(ctx context.Context, log zerolog.Logger, addr string, server *grpc.Server) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log.Info().Stringer("addr", listener.Addr()).Msg("listening for gRPC")
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	hurry := time.AfterFunc(grace, server.Stop)
	defer hurry.Stop()
	server.GracefulStop()
	return <-failed
}

// Dial returns a connection to another service of the shop. It connects with the first call and again
// whenever needed, so services may start in any order: calls wait for the other side until their deadline.
func Dial(addr string) (*grpc.ClientConn, error) {
	return grpc.NewClient(addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)),
		grpc.WithUnaryInterceptor(deadline),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
		grpc.WithNoProxy(), // neighbours are reached directly, whatever HTTPS_PROXY says
	)
}

func deadline(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	return next(ctx, method, req, reply, cc, opts...)
}

// observe logs and measures calls. An error without a status is ours alone: it is logged, the caller learns
// only that there was one.
func observe(log zerolog.Logger, metrics *telemetry.Metrics) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		started := time.Now()
		res, cause := next(ctx, req)
		err := cause
		if _, known := status.FromError(cause); !known {
			err = status.Error(codes.Internal, "internal error")
			if ctx.Err() != nil {
				err = status.FromContextError(ctx.Err()).Err()
			}
		}
		code := status.Code(err)
		took := time.Since(started)
		metrics.Observe("grpc", info.FullMethod, code.String(), took)
		event := log.Debug()
		if code == codes.Internal {
			event = log.Error()
		}
		event.Err(cause).Str("method", info.FullMethod).Stringer("code", code).Dur("ms", took).Msg("call")
		return res, err
	}
}
