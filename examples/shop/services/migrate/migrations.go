package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// migration is one SQL file.
type migration struct {
	version int
	name    string
	sql     string
	sum     string // SHA-256 of sql, to notice an edit after the fact
}

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// load reads every migration of a folder, in order. They are numbered 0001, 0002 and so on, without gaps.
func load(dir fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(dir, ".") // sorted by name
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		parts := fileName.FindStringSubmatch(entry.Name())
		if parts == nil {
			return nil, fmt.Errorf("%s: expected a name such as 0001_first_tables.sql", entry.Name())
		}
		version, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, err
		}
		if version != len(all)+1 {
			return nil, fmt.Errorf("%s: expected number %04d next", entry.Name(), len(all)+1)
		}
		text, err := fs.ReadFile(dir, entry.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version: version, name: parts[2], sql: string(text), sum: hex.EncodeToString(sum[:])})
	}
	if len(all) == 0 {
		return nil, errors.New("no migrations found")
	}
	return all, nil
}
