//! What the build of a main package certainly reads, and lacks.
//!
//! A closure is a superset: what it names and the sources lack may be in no build. Here only
//! files count that are part of the build on one platform, whatever the release of Go and
//! with cgo or without. What they lack ends that build, so it can be said before.

use std::collections::BTreeSet;

use super::embedded::valid_embed;
use super::resolve::Resolver;
use super::root::{ModuleRoot, below_vendor};
use super::{Embed, Reason};
use crate::scan::constraint::holds_on;
use crate::scan::{Import, Index};

/// First elements of import paths that the standard library has: it goes before any module.
const STD: [&str; 53] = [
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "vendor",
    "weak",
    "cmd",
    "arena",
    "simd",
];

/// What a build on one platform certainly reads beyond source files, and what it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certain {
    /// Packages that are imported and not there.
    pub lacks: Vec<Lack>,
    /// Embed patterns.
    pub embeds: Vec<Embed>,
}

/// A package that is imported and not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    /// Where it is imported.
    pub reason: Reason,
    /// The directory that it should be in; `None` below `vendor`, whose directories nobody
    /// writes by hand.
    pub dir: Option<String>,
}

/// What the build of the main package in a directory certainly reads, on a system and
/// processor with build tags.
#[must_use]
pub fn certain(main: &str, tags: &[String], (os, arch): (&str, &str), index: &Index) -> Certain {
    let mut out = Certain::default();
    let Some(root) = ModuleRoot::of(main, index) else {
        return out;
    };
    let resolver = Resolver::new(index, &root);
    let Ok(first) = resolver.find(main).map(|place| place.path) else {
        return out;
    };
    let counts = |import: &&Import| {
        let constraint = import.constraint.as_deref();
        constraint.is_none_or(|c| holds_on(c, tags, os, arch))
    };
    let mut known = BTreeSet::from([first.clone()]);
    let mut pending = vec![first];
    while let Some(dir) = pending.pop() {
        let Some(directory) = index.directory(&dir) else {
            continue;
        };
        let reason = |import: &Import| Reason {
            file: directory.file(import.file),
            line: import.line,
            names: import.path.clone(),
        };
        for import in directory.imports.iter().filter(counts) {
            if is_std(&import.path) {
                continue;
            }
            let package = resolver.package(&import.path);
            let missing = package.missing.map(|place| place.path);
            let lack = match (package.local.as_slice(), missing) {
                ([found], None) if !package.external => {
                    if known.insert(found.path.clone()) {
                        pending.push(found.path.clone());
                    }
                    continue;
                }
                ([], Some(dir)) if below_vendor(&root.dir, &dir).is_some() => {
                    if !root.vendored || !has_host(&import.path) {
                        continue;
                    }
                    None
                }
                ([], Some(dir)) if !is_elsewhere(&import.path, &root) => Some(dir),
                // The repository alone does not say where it is.
                _ => continue,
            };
            let reason = reason(import);
            out.lacks.push(Lack { reason, dir: lack });
        }
        for embed in directory.embeds.iter().filter(counts) {
            if let Some((pattern, all)) = valid_embed(&embed.path) {
                out.embeds.push(Embed {
                    dir: dir.clone(),
                    pattern: pattern.to_owned(),
                    all,
                    reason: reason(embed),
                });
            }
        }
    }
    out.lacks.sort();
    out.lacks.dedup();
    out.embeds.sort();
    out.embeds.dedup();
    out
}

fn first_element(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn is_std(path: &str) -> bool {
    STD.contains(&first_element(path))
}

/// Whether a path is one that modules are fetched by: another one may be the standard
/// library's of a release that we do not know.
fn has_host(path: &str) -> bool {
    first_element(path).contains('.')
}

/// Whether a module that is fetched, or that may be, may hold a package.
fn is_elsewhere(import: &str, root: &ModuleRoot) -> bool {
    let may_hold = |module: &String| {
        let rest = import.strip_prefix(module.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let unsure = root.local.iter().filter(|local| !local.sure);
    let mut paths = unsure.map(|local| &local.path).chain(&root.required);
    paths.any(may_hold)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scan::scan;
    use crate::testing::tree;

    fn lacks(files: &[(&str, &str)], tags: &[&str], platform: (&str, &str)) -> Vec<String> {
        let root = tree(files);
        let index = scan(root.path(), &[]).unwrap();
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let found = certain(".", &tags, platform, &index);
        let lacks = found.lacks.iter().map(|lack| {
            let Reason { file, line, names } = &lack.reason;
            format!(
                "{file}:{line} {names} {}",
                lack.dir.as_deref().unwrap_or("-")
            )
        });
        let embeds = found.embeds.iter();
        let embeds = embeds.map(|e| format!("{}:{} {}", e.reason.file, e.reason.line, e.pattern));
        lacks.chain(embeds).collect()
    }

    #[test]
    fn only_files_of_the_build_count() {
        let import = |path: &str| format!("package main\nimport _ \"m/{path}\"\n");
        let tagged = |tag: &str| format!("//go:build {tag}\n\n{}", import(tag));
        let files = [
            ("go.mod", "module m\n\ngo 1.26\n".to_owned()),
            ("main.go", "package main\n\nimport _ \"m/a\"\n".to_owned()),
            (
                "a/a.go",
                "package a\n\nimport (\n\t\"fmt\"\n\t_ \"m/gone\"\n)\n".to_owned(),
            ),
            ("x_windows.go", import("windows")),
            ("x_linux_arm64.go", import("arm")),
            ("unix.go", tagged("unix")),
            ("extra.go", tagged("extra")),
            ("script.go", tagged("ignore")),
            // Whether these are part of a build, only the toolchain can tell.
            (
                "late.go",
                "//go:build go1.25\n\npackage main\nimport _ \"m/late\"\n".to_owned(),
            ),
            (
                "c.go",
                "package main\nimport \"C\"\nimport _ \"m/c\"\n".to_owned(),
            ),
            (
                "doc.go",
                "package documentation\nimport _ \"m/doc\"\n".to_owned(),
            ),
            ("x_test.go", import("test")),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
        let linux = lacks(&files, &[], ("linux", "amd64"));
        assert_eq!(linux, ["a/a.go:5 m/gone gone", "unix.go:4 m/unix unix"]);
        let windows = lacks(&files, &["extra"], ("windows", "amd64"));
        assert_eq!(
            windows,
            [
                "a/a.go:5 m/gone gone",
                "extra.go:4 m/extra extra",
                "x_windows.go:2 m/windows windows"
            ]
        );
    }

    #[test]
    fn what_another_module_may_hold_is_not_missing() {
        let main =
            "package main\nimport (\n\t_ \"m.org/a/b/c\"\n\t_ \"net/http\"\n\t_ \"net/gone\"\n)\n";
        let files = |require: &'static str| {
            [
                ("go.mod", require),
                ("main.go", main),
                ("b/go.mod", "module m.org/a/b\n"),
            ]
        };
        let with = "module net\ngo 1.26\nrequire m.org/a/b v0.0.0\nrequire m.org/a v1.0.0\nreplace m.org/a/b => ./b\n";
        assert_eq!(lacks(&files(with), &[], ("linux", "amd64")), [""; 0]);
        let without = "module net\ngo 1.26\nrequire m.org/a/b v0.0.0\nreplace m.org/a/b => ./b\n";
        let found = lacks(&files(without), &[], ("linux", "amd64"));
        assert_eq!(found, ["main.go:3 m.org/a/b/c b/c"]);
    }

    #[test]
    fn vendored_packages_and_embeds_are_needed() {
        let main = "package main\nimport (\n\t_ \"embed\"\n\t_ \"x.org/y\"\n\t_ \"x.org/z/w\"\n)\n\
                    //go:embed all:web ../out\nvar a string\n";
        let files = [
            ("go.mod", "module m\n\ngo 1.26\nrequire x.org/y v1.0.0\n"),
            (
                "vendor/modules.txt",
                "# x.org/y v1.0.0\n## explicit\nx.org/y\n",
            ),
            ("vendor/x.org/y/y.go", "package y\n"),
            ("main.go", main),
        ];
        let found = lacks(&files, &[], ("linux", "amd64"));
        assert_eq!(found, ["main.go:5 x.org/z/w -", "main.go:7 web"]);
    }
}
