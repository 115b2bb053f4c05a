module example.com/workspace/libs/clock

go 1.26
