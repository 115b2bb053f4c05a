module example.com/workspace/libs/money

go 1.26
