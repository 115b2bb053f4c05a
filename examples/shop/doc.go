// Package shop is the root of the example monorepo: it holds no code, only the commands that generate some.
//
// The Go code in internal/gen comes from the .proto files in proto and is checked in, so a build needs no generator.
// After a change to a .proto file:
//
//	go generate .
package shop

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.73.0 lint
//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.73.0 generate
