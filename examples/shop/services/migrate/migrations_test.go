package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"example.com/shop/internal/catalog"
)

func TestLoadOwnMigrations(t *testing.T) {
	all, err := load(os.DirFS("migrations"))
	if err != nil || len(all) != 3 {
		t.Fatalf("load = %d migrations, %v", len(all), err)
	}
	if all[1].version != 2 || all[1].name != "orders" || len(all[1].sum) != 64 {
		t.Errorf("second: %+v", all[1])
	}
	// A shop without a database shows the same products.
	for _, p := range catalog.Samples() {
		for _, part := range []string{p.SKU, p.Name, p.Description} {
			if !strings.Contains(all[2].sql, "'"+part+"'") {
				t.Errorf("%s lacks %q", all[2].name, part)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, files := range map[string][]string{
		"gap":      {"0001_a.sql", "0003_b.sql"},
		"twice":    {"0001_a.sql", "0001_b.sql"},
		"zero":     {"0000_a.sql"},
		"bad name": {"0001_a.sql", "README.md"},
		"nothing":  nil,
	} {
		dir := fstest.MapFS{}
		for _, file := range files {
			dir[file] = &fstest.MapFile{Data: []byte("SELECT 1;")}
		}
		if all, err := load(dir); err == nil {
			t.Errorf("%s: loaded %d migrations", name, len(all))
		}
	}
}
