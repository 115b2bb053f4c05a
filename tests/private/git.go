package main

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// The repositories of one host over https, by git's own server.
type git struct {
	goGet   goGet
	backend *cgi.Handler
}

func newGit(root, host string) git {
	return git{
		goGet: goGet{root, host},
		backend: &cgi.Handler{
			Path: gitPath("git-http-backend"),
			Env: []string{
				"GIT_PROJECT_ROOT=" + filepath.Join(root, "git", host),
				"GIT_HTTP_EXPORT_ALL=1",
			},
		},
	}
}

func (g git) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("go-get") == "1" {
		g.goGet.ServeHTTP(w, r)
		return
	}
	g.backend.ServeHTTP(w, r)
}

// Tells the go command which repository a package is in.
type goGet struct {
	root, host string
}

func (g goGet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for module := strings.Trim(path.Clean(r.URL.Path), "/"); module != "."; module = path.Dir(module) {
		if !filepath.IsLocal(module) {
			break
		}
		if _, err := os.Stat(filepath.Join(g.root, "git", g.host, module+".git")); err != nil {
			continue
		}
		name := g.host + "/" + module
		fmt.Fprintf(w, "<meta name=\"go-import\" content=\"%s git https://%s.git\">\n", name, name)
		return
	}
	http.NotFound(w, r)
}

// Module paths that do not name the host of their repository.
type vanity struct {
	root string
}

func (v vanity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	module := strings.Trim(path.Clean(r.URL.Path), "/")
	if !filepath.IsLocal(module) {
		http.NotFound(w, r)
		return
	}
	repository, err := os.ReadFile(filepath.Join(v.root, module))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, "<meta name=\"go-import\" content=\"%s/%s git %s\">\n",
		vanityHost, module, strings.TrimSpace(string(repository)))
}

// A program that git keeps out of PATH.
func gitPath(program string) string {
	dir, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return program
	}
	return filepath.Join(strings.TrimSpace(string(dir)), program)
}
