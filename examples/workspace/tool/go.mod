module example.com/workspace/tool

go 1.26

require example.com/workspace/libs/clock v0.0.0

replace example.com/workspace/libs/clock => ../libs/clock
