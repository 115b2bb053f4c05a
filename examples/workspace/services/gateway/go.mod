module example.com/workspace/services/gateway

go 1.26

require (
	example.com/workspace/libs/clock v0.0.0
	example.com/workspace/libs/money v0.0.0
)

replace (
	example.com/workspace/libs/clock => ../../libs/clock
	example.com/workspace/libs/money => ../../libs/money
)
