//! The walk over the sources that fills the [`Index`].

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::gofile;
use super::gomod::{parse_go_mod, parse_go_work};
use super::index::{Index, Module, Workspace};

/// Bytes read of a Go file to find its package clause. License headers are a few
/// KiB; a file whose clause comes later counts as a library's.
const HEAD_BYTES: u64 = 64 * 1024;

/// Bytes read of a `go.mod` or `go.work`. Go itself has a limit of 16 MiB.
const MANIFEST_BYTES: u64 = 16 * 1024 * 1024;

/// Scans a directory.
///
/// Unreadable files and directories below `root` are passed over: if a build
/// needs one, the `go` command says so with its own message.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn scan(root: &Path) -> io::Result<Index> {
    let mut index = Index::default();
    let mut pending = vec![(root.to_path_buf(), String::from("."))];
    let mut first = true;
    while let Some((path, dir)) = pending.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if first => return Err(error),
            Err(_) => continue,
        };
        first = false;
        let mut package = Package::None;
        for entry in entries.flatten() {
            // Names that are not UTF-8 cannot be Go packages: import paths are text.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                if is_walked(&name) {
                    pending.push((entry.path(), join(&dir, &name)));
                }
            } else if kind.is_file() {
                match name.as_str() {
                    "go.mod" => index.modules.push(module(&entry.path(), &path, &dir)),
                    "go.work" => index.workspaces.push(workspace(&entry.path(), &path, &dir)),
                    _ if is_go_source(&name) => package.add(&entry.path()),
                    _ => {}
                }
            }
        }
        match package {
            Package::Main => index.mains.push(dir),
            Package::Library => index.libraries.push(dir),
            Package::None => {}
        }
    }
    index.modules.sort_by(|a, b| a.dir.cmp(&b.dir));
    index.workspaces.sort_by(|a, b| a.dir.cmp(&b.dir));
    index.mains.sort();
    index.libraries.sort();
    Ok(index)
}

/// What the Go files of one directory make.
enum Package {
    None,
    Library,
    Main,
}

impl Package {
    fn add(&mut self, file: &Path) {
        if matches!(self, Package::Main) {
            return;
        }
        let bytes = read_up_to(file, HEAD_BYTES).unwrap_or_default();
        *self = match gofile::head(&bytes) {
            Some(head) if head.package == "main" && !head.ignored => Package::Main,
            _ => Package::Library,
        };
    }
}

/// Directories that cannot hold a main package of the repository. Others that
/// `./...` passes over (`testdata`, `_x`, `.x`) can be built by their path.
fn is_walked(name: &str) -> bool {
    !matches!(name, ".git" | "node_modules" | "vendor")
}

fn is_go_source(name: &str) -> bool {
    name.ends_with(".go") && !name.ends_with("_test.go") && !name.starts_with(['.', '_'])
}

fn module(file: &Path, path: &Path, dir: &str) -> Module {
    let parsed = parse_go_mod(&read_manifest(file));
    Module {
        dir: dir.to_owned(),
        path: parsed.module,
        go: parsed.go,
        toolchain: parsed.toolchain,
        has_requirements: parsed.has_requirements,
        vendored: is_vendored(path),
        replaces: inside(dir, &parsed.local_replaces),
    }
}

fn workspace(file: &Path, path: &Path, dir: &str) -> Workspace {
    let parsed = parse_go_work(&read_manifest(file));
    Workspace {
        dir: dir.to_owned(),
        go: parsed.go,
        toolchain: parsed.toolchain,
        vendored: is_vendored(path),
        uses: inside(dir, &parsed.uses),
    }
}

fn is_vendored(path: &Path) -> bool {
    path.join("vendor/modules.txt").is_file()
}

fn read_manifest(file: &Path) -> String {
    let bytes = read_up_to(file, MANIFEST_BYTES).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_up_to(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn join(dir: &str, name: &str) -> String {
    if dir == "." {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Resolves relative directories against `dir`; those that leave the root, and
/// absolute ones, are dropped.
fn inside(dir: &str, targets: &[String]) -> Vec<String> {
    let mut out: Vec<String> = targets.iter().filter_map(|t| resolve(dir, t)).collect();
    out.sort();
    out.dedup();
    out
}

fn resolve(dir: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|p| *p != ".").collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn resolves_targets_inside_the_root() {
        assert_eq!(resolve("svc/a", "../../lib").as_deref(), Some("lib"));
        assert_eq!(resolve(".", "./").as_deref(), Some("."));
        assert_eq!(resolve(".", "../out"), None);
        assert_eq!(resolve("a", "/abs"), None);
    }

    #[test]
    fn finds_modules_and_mains() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "go.mod",
            "module m\ngo 1.26\nrequire x.org/y v1.0.0\nreplace x.org/z => ./z\n",
        );
        write("go.work", "go 1.26\nuse .\nuse ./tools\n");
        write("cmd/api/main.go", "package main\n");
        write("cmd/api/main_test.go", "package main\n");
        write("lib/lib.go", "package lib\n");
        write("lib/gen.go", "//go:build ignore\n\npackage main\n");
        write("tools/go.mod", "module m/tools\n");
        write("tools/vendor/modules.txt", "");
        write("tools/vendor/x/main.go", "package main\n");
        write("testdata/main.go", "package main\n");
        write("_dev/tool/main.go", "package main\n");
        write("only_test/a_test.go", "package main\n");
        std::os::unix::fs::symlink("cmd", root.path().join("loop")).unwrap();

        let index = scan(root.path()).unwrap();
        assert_eq!(index.mains, ["_dev/tool", "cmd/api", "testdata"]);
        assert_eq!(index.suggestions(), ["cmd/api"]);
        assert_eq!(index.libraries, ["lib"]);
        let dirs: Vec<_> = index.modules.iter().map(|m| m.dir.as_str()).collect();
        assert_eq!(dirs, [".", "tools"]);
        assert_eq!(index.modules[0].replaces, ["z"]);
        assert!(index.modules[0].has_requirements && !index.modules[0].vendored);
        assert!(index.modules[1].vendored);
        assert_eq!(index.workspaces[0].uses, [".", "tools"]);
    }

    #[test]
    fn a_missing_root_is_an_error() {
        assert!(scan(Path::new("/nonexistent/gofleet")).is_err());
    }
}
