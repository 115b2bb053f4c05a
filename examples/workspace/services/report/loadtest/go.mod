module example.com/workspace/services/report/loadtest

go 1.26
