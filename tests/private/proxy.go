package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A module proxy: https://go.dev/ref/mod#goproxy-protocol
//
// It also speaks for a checksum database, which knows no module: what a private
// name meets at the public one.
type proxy struct {
	root string
}

// When every version was made, so that two runs answer alike.
var published = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (p proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/sumdb/"); ok {
		if _, what, _ := strings.Cut(rest, "/"); what == "supported" {
			return
		}
		http.Error(w, "not found: no such module", http.StatusNotFound)
		return
	}
	module, what, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/@v/")
	if !ok || !filepath.IsLocal(module) || strings.Contains(what, "/") {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	versions := filepath.Join(p.root, module, "@v")
	if what == "list" {
		// A module without versions has an empty list, and one that is not there none.
		entries, err := os.ReadDir(versions)
		if err != nil {
			notFound(w, module, "")
			return
		}
		for _, entry := range entries {
			fmt.Fprintln(w, entry.Name())
		}
		return
	}
	kind := filepath.Ext(what)
	version := strings.TrimSuffix(what, kind)
	files := filepath.Join(versions, version)
	if _, err := os.Stat(files); err != nil || version == "" {
		notFound(w, module, version)
		return
	}
	switch kind {
	case ".info":
		json.NewEncoder(w).Encode(map[string]any{"Version": version, "Time": published})
	case ".mod":
		http.ServeFile(w, r, filepath.Join(files, "go.mod"))
	case ".zip":
		// Too late for a status when a file cannot be read: the client sees a broken zip.
		archive := zip.NewWriter(w)
		_ = addFiles(archive, files, module+"@"+version)
		archive.Close()
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
}

func notFound(w http.ResponseWriter, module, version string) {
	http.Error(w, strings.TrimSuffix("not found: module "+module+"@"+version, "@")+": no such module", http.StatusNotFound)
}

func addFiles(archive *zip.Writer, dir, prefix string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file, err := archive.Create(prefix + "/" + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return err
	})
}
