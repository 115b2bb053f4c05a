// Makes ../wire-v0.32.2.txt; see main.go. `go mod tidy` adds the rest.
module golden

go 1.26

require github.com/moby/buildkit v0.32.2
