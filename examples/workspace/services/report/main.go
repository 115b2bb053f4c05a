// Command report counts the messages of billing's log and ends.
//
//	report < billing.log
//	report -save < billing.log    writes the report into the spool directory too
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"example.com/workspace/libs/clock"
	"example.com/workspace/services/report/tally"
)

func main() {
	save := flag.Bool("save", false, "write the report into "+spool)
	flag.Parse()
	if err := run(*save, clock.System); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(save bool, now clock.Clock) error {
	counts, err := tally.Read(os.Stdin)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, "report of", now.Day())
	counts.Write(&text)
	if _, err := os.Stdout.Write(text.Bytes()); err != nil || !save {
		return err
	}
	return os.WriteFile(filepath.Join(spool, now.Day()+".txt"), text.Bytes(), 0o644)
}
