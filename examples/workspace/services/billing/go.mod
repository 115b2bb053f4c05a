module example.com/workspace/services/billing

go 1.26

require (
	example.com/workspace/libs/clock v0.0.0
	example.com/workspace/libs/money v0.0.0
	github.com/google/uuid v1.6.0
	github.com/rs/zerolog v1.35.1
)

require (
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace (
	example.com/workspace/libs/clock => ../../libs/clock
	example.com/workspace/libs/money => ../../libs/money
)
