// Command loadtest writes a log that is long enough to make report work. It is a module of its own, outside
// of the workspace: run it with GOWORK=off.
//
//	GOWORK=off go run . -lines 1000000 | report
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

func main() {
	lines := flag.Int("lines", 1000, "lines to write")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for i := range *lines {
		fmt.Fprintf(out, "{\"message\":\"message %d\"}\n", i%10)
	}
}
