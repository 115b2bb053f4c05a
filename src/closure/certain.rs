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
use crate::scan::{Import, Index, Module, Unsummed, With, is_inside, join, parent};

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
    /// The directory of the module root.
    pub root: String,
    /// Modules whose sums Go asks for and that `go.sum` does not have.
    pub unsummed: Vec<Asked>,
    /// Modules in directories that are not in the context.
    pub far: Vec<Far>,
}

impl Certain {
    /// Whether no import lacks anything.
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        self.lacks.is_empty() && self.unsummed.is_empty() && self.far.is_empty()
    }
}

/// A `replace` by a directory outside of the context that an import makes Go look into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Far {
    /// The manifest with the line.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The directory as written.
    pub with: String,
    /// What imports of it.
    pub reason: Reason,
}

/// A module that an import makes Go look into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The line of its `require`.
    pub module: Unsummed,
    /// What imports of it.
    pub reason: Reason,
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
    out.root.clone_from(&root.dir);
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
            for far in far(&import.path, &root, index) {
                let reason = reason(import);
                out.far.push(Far { reason, ..far });
            }
            for module in unsummed(&import.path, &root, index) {
                out.unsummed.push(Asked {
                    module: module.clone(),
                    reason: reason(import),
                });
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
    // One import says enough of a module.
    out.far.sort();
    out.far
        .dedup_by(|a, b| (&a.file, a.line) == (&b.file, b.line));
    out.unsummed.sort();
    out.unsummed.dedup_by(|a, b| a.module == b.module);
    out
}

/// The modules without sums that an import makes Go look into: all whose path begins it, and
/// of the one that holds the package also the `go.mod` (modload, `importFromModules` and
/// `goModSummary` of Go 1.26).
///
/// Workspaces, and modules before Go 1.17, choose versions over the whole graph, which the
/// repository does not have; and workspaces ask for no sums.
fn unsummed<'a>(
    import: &'a str,
    root: &'a ModuleRoot,
    index: &'a Index,
) -> impl Iterator<Item = &'a Unsummed> {
    let main = index.module_at(&root.dir);
    let main = main.filter(|main| !root.workspace && !root.vendored && main.is_pruned());
    let is_listed_once = |main: &Module, path: &str| {
        let versions = main.requires.iter().filter(|r| r.path == path);
        versions.count() == 1 && main.excludes.iter().all(|e| e.path != path)
    };
    let required = main.into_iter().flat_map(|main| &main.requires);
    let locals = root.local.iter().map(|local| &local.path);
    let may_hold = required.map(|r| &r.path).chain(locals);
    let holds_alone = may_hold.filter(|path| is_inside(import, path)).count() == 1;
    let lines = main.into_iter().flat_map(move |main| {
        let lines = main.unsummed.iter();
        lines.filter(move |line| is_listed_once(main, &line.path))
    });
    lines.filter(move |line| is_inside(import, &line.path) && (holds_alone || !line.is_go_mod))
}

/// The `replace` lines that put a module that Go looks into outside of the context.
fn far(import: &str, root: &ModuleRoot, index: &Index) -> Vec<Far> {
    let paths = root.outside.iter().filter(|path| is_inside(import, path));
    paths
        .filter_map(|path| replace_outside(path, root, index))
        .collect()
}

fn replace_outside(path: &str, root: &ModuleRoot, index: &Index) -> Option<Far> {
    let workspace = index.workspace_of(&root.dir).filter(|_| root.workspace);
    let work = workspace.map(|w| (join(&w.dir, "go.work"), &w.replaces));
    let mains = root
        .manifests
        .iter()
        .filter(|file| file.ends_with("go.mod"));
    let mains = mains.filter_map(|file| {
        let module = index.module_at(parent(file)?)?;
        Some((file.clone(), &module.replaces))
    });
    work.into_iter().chain(mains).find_map(|(file, lines)| {
        lines.iter().find_map(|line| match &line.with {
            With::Outside(with) if line.path == path => Some(Far {
                file: file.clone(),
                line: line.line,
                with: with.clone(),
                reason: Reason::default(),
            }),
            _ => None,
        })
    })
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
    let unsure = root.local.iter().filter(|local| !local.sure);
    let mut paths = unsure.map(|local| &local.path).chain(&root.required);
    paths.any(|module| is_inside(import, module))
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
