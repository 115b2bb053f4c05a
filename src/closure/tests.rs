#![allow(clippy::unwrap_used)]

use super::super::{Source, Wanted, chain, files};
use super::*;
use crate::scan::scan;
use crate::testing::tree;

struct Repo(tempfile::TempDir);

impl Repo {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(tree(files))
    }

    fn closure(&self, main: &str) -> Closure {
        closure(main, &[], &scan(self.0.path(), &[]).unwrap()).unwrap()
    }

    fn files(&self, main: &str) -> Vec<String> {
        let index = scan(self.0.path(), &[]).unwrap();
        let closure = closure(main, &[], &index).unwrap();
        files(self.0.path(), &closure, &index).into_keys().collect()
    }
}

#[test]
fn imports_are_followed_and_nothing_else_is_taken() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        ("cmd/api/main.go", "package main\nimport _ \"m/lib\"\n"),
        (
            "cmd/api/extra_windows.go",
            "package main\nimport _ \"m/win\"\n",
        ),
        (
            "cmd/api/main_test.go",
            "package main\nimport _ \"m/other\"\n",
        ),
        ("cmd/other/main.go", "package main\nimport _ \"m/other\"\n"),
        ("lib/lib.go", "package lib\nimport _ \"m/lib/deep\"\n"),
        ("lib/notes.md", ""),
        ("lib/deep/deep.go", "package deep\n"),
        ("lib/unused/unused.go", "package unused\n"),
        ("win/win.go", "package win\n"),
        ("other/other.go", "package other\n"),
    ]);
    assert_eq!(
        repo.files("cmd/api"),
        [
            "cmd/api/extra_windows.go",
            "cmd/api/main.go",
            "go.mod",
            "lib/deep/deep.go",
            "lib/lib.go",
            "win/win.go"
        ]
    );
    let closure = repo.closure("cmd/api");
    let steps = chain(&closure, &Source::Directory("lib/deep".into()));
    let steps: Vec<_> = steps
        .iter()
        .map(|r| (r.file.as_str(), r.line, r.names.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("cmd/api/main.go", 2, "m/lib"),
            ("lib/lib.go", 2, "m/lib/deep")
        ]
    );
}

#[test]
fn scripts_are_followed_only_with_their_tag() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        ("main.go", "package main\n"),
        (
            "gen.go",
            "//go:build ignore || special\n\npackage main\nimport _ \"m/gen\"\n",
        ),
        ("gen/gen.go", "package gen\n"),
    ]);
    assert!(!repo.files(".").contains(&"gen/gen.go".to_owned()));
    let index = scan(repo.0.path(), &[]).unwrap();
    let special = closure(".", &["special".to_owned()], &index).unwrap();
    assert!(special.directories.contains_key("gen"));
}

#[test]
fn scripts_and_files_for_unusual_systems_are_left_out_unless_asked_for() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        (
            "main.go",
            "package main\nimport _ \"embed\"\n\n//go:embed tmpl/*\nvar x string\n",
        ),
        ("gen.go", "//go:build ignore\n\npackage main\n"),
        ("tagged.go", "//go:build special\n\npackage main\n"),
        ("sys_freebsd.go", "package main\nimport _ \"m/freebsd\"\n"),
        (
            "sys_bsd.go",
            "//go:build freebsd || netbsd\n\npackage main\n",
        ),
        ("sys_windows.go", "package main\n"),
        ("sys_arm64.s", ""),
        ("tmpl/gen.go", "//go:build ignore\n\npackage x\n"),
        ("freebsd/f.go", "package freebsd\n"),
    ]);
    let usual = [
        "go.mod",
        "main.go",
        "sys_arm64.s",
        "sys_windows.go",
        "tagged.go",
        "tmpl/gen.go",
    ];
    assert_eq!(repo.files("."), usual);
    let mut index = scan(repo.0.path(), &[]).unwrap();
    index.open = crate::scan::open_words(["freebsd"], []);
    let closure = closure(".", &[], &index).unwrap();
    let all = files(repo.0.path(), &closure, &index);
    for file in ["sys_freebsd.go", "sys_bsd.go", "freebsd/f.go"] {
        assert!(all.contains_key(file), "{file}");
    }
    assert!(!all.contains_key("gen.go"));
}

#[test]
fn embedded_files_are_found_as_go_finds_them() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        (
            "main.go",
            "package main\nimport _ \"embed\"\n\n//go:embed d *.txt all:e \"../out\" . f/*\nvar x string\n",
        ),
        ("d/a", ""),
        ("d/.hidden", ""),
        ("d/_x/b", ""),
        ("d/sub/c_test.go", ""),
        ("e/.hidden", ""),
        ("f/.hidden", ""),
        ("f/dir/g", ""),
        ("one.txt", ""),
        ("two.md", ""),
    ]);
    assert_eq!(
        repo.files("."),
        [
            "d/a",
            "d/sub/c_test.go",
            "e/.hidden",
            "f/.hidden",
            "f/dir/g",
            "go.mod",
            "main.go",
            "one.txt"
        ]
    );
}

#[test]
fn modules_of_every_shape() {
    let repo = Repo::new(&[
        ("go.work", "go 1.26\nuse ./svc\nuse ./lib\n"),
        (
            "svc/go.mod",
            "module m/svc\ngo 1.26\nrequire m/gen v0.0.0\nreplace m/gen => ../gen\n",
        ),
        (
            "svc/main.go",
            "package main\nimport (\n_ \"m/lib/a\"\n_ \"m/gen\"\n_ \"m/svc/sub/x\"\n_ \"x.org/y/z\"\n)\n",
        ),
        ("svc/sub/go.mod", "module m/svc/sub\n"),
        ("svc/sub/x/x.go", "package x\n"),
        ("lib/go.mod", "module m/lib\n"),
        ("lib/a/a.go", "package a\n"),
        ("gen/go.mod", "module m/gen\n"),
        ("gen/gen.go", "package gen\n"),
        ("unused/go.mod", "module m/unused\n"),
    ]);
    let closure = repo.closure("svc");
    let dirs: Vec<_> = closure.directories.keys().map(String::as_str).collect();
    assert_eq!(dirs, ["gen", "lib/a", "svc"]);
    let external: Vec<_> = closure.external.keys().map(String::as_str).collect();
    // A nested module that nothing uses is not local.
    assert_eq!(external, ["m/svc/sub/x", "x.org/y/z"]);
    assert!(closure.root.workspace);
    let manifests = closure.manifests;
    assert!(
        manifests.contains(&"go.work".to_owned()) && manifests.contains(&"gen/go.mod".to_owned())
    );
    assert!(!manifests.contains(&"unused/go.mod".to_owned()));
}

#[test]
fn vendored_packages_come_from_the_vendor_directory() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\nrequire x.org/y v1.0.0\n"),
        ("main.go", "package main\nimport _ \"x.org/y\"\n"),
        (
            "vendor/modules.txt",
            "# x.org/y v1.0.0\n## explicit\nx.org/y\n",
        ),
        ("vendor/x.org/y/y.go", "package y\n"),
        ("vendor/x.org/y/testdata/t.go", "package t\n"),
        ("vendor/x.org/z/z.go", "package z\n"),
    ]);
    assert_eq!(
        repo.files("."),
        [
            "go.mod",
            "main.go",
            "vendor/modules.txt",
            "vendor/x.org/y/y.go"
        ]
    );
    assert!(repo.closure(".").root.vendored);
}

#[test]
fn links_and_hidden_directories_are_reached_by_imports_alone() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        (
            "main.go",
            "package main\nimport (\n_ \"m/alias/x\"\n_ \"m/testdata/t\"\n_ \"m/gone\"\n)\n",
        ),
        ("real/x/x.go", "package x\n"),
        ("testdata/t/t.go", "package t\n"),
        ("shared.go.txt", "package main\n"),
    ]);
    std::os::unix::fs::symlink("real", repo.0.path().join("alias")).unwrap();
    std::os::unix::fs::symlink("real/x/x.go", repo.0.path().join("link.go")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.0.path().join("evil.go")).unwrap();
    let closure = repo.closure(".");
    assert!(closure.directories.contains_key("real/x"));
    assert!(closure.links.contains("alias") && closure.links.len() == 1);
    assert!(closure.linked.contains_key("real/x/x.go"));
    let missing: Vec<_> = closure.missing.keys().map(String::as_str).collect();
    assert_eq!(missing, ["gone", "testdata/t"]);
    let broken: Vec<_> = closure.broken.iter().map(|l| l.path.as_str()).collect();
    assert_eq!(broken, ["evil.go"]);
    assert!(!repo.files(".").iter().any(|f| f.starts_with("evil.go")));
}

#[test]
fn headers_outside_of_the_package_are_followed() {
    let repo = Repo::new(&[
        ("go.mod", "module m\ngo 1.26\n"),
        ("main.go", "package main\nimport _ \"m/asm\"\n"),
        ("asm/a.go", "package asm\n"),
        (
            "asm/a.s",
            "#include \"textflag.h\"\n#include \"../inc/k.h\"\n#include \"data.inc\"\n",
        ),
        ("asm/data.inc", ""),
        // The assembler runs in the package directory, whatever file has the include.
        ("inc/k.h", "#include \"../inc/deep/l.h\"\n"),
        ("inc/deep/l.h", ""),
        ("macro/m.s", "#include WHAT\n"),
    ]);
    let files = repo.files(".");
    assert_eq!(
        files,
        [
            "asm/a.go",
            "asm/a.s",
            "asm/data.inc",
            "go.mod",
            "inc/deep/l.h",
            "inc/k.h",
            "main.go"
        ]
    );
}

#[test]
fn what_may_be_in_a_hidden_directory_is_looked_for_there() {
    let repo = Repo::new(&[
        (
            "go.mod",
            "module m\ngo 1.16\nrequire m.org/b v1.0.0\nrequire x.org/y v1.0.0\n\
             replace m.org/b v1.1.0 => ./_b\n",
        ),
        ("main.go", "package main\nimport _ \"m.org/b\"\n"),
        ("_b/go.mod", "module m.org/b\n"),
        ("_b/b.go", "package b\n"),
    ]);
    let closure = repo.closure(".");
    // Module `x.org/y` decides whether it is needed.
    assert!(closure.external.contains_key("m.org/b"));
    assert_eq!(closure.missing.len(), 0);
    let index = scan(repo.0.path(), &[]).unwrap();
    let wanted = Wanted::of([&closure], &index);
    assert!(wanted.dirs.contains("_b"));
    let index = scan(repo.0.path(), &wanted.paths()).unwrap();
    let closure = super::closure(".", &[], &index).unwrap();
    assert!(closure.directories.contains_key("_b"));
}
