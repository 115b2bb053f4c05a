//! The module cache: where a module at a version is.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::modfile::{ModFile, Module};

/// A module cache directory (`GOMODCACHE`).
#[derive(Debug, Clone)]
pub struct ModuleCache(PathBuf);

impl ModuleCache {
    /// The cache in a directory.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// The directory of a module, if it is there and complete: while Go unpacks it, and
    /// after that was interrupted, there is a `.partial` file.
    ///
    /// Source: Go 1.26, `cmd/go/internal/modfetch`, `DownloadDir`.
    pub(crate) fn dir(&self, module: &Module) -> Option<PathBuf> {
        let name = format!("{}@{}", escape(&module.path), escape(&module.version));
        let dir = self.0.join(name);
        (dir.is_dir() && !self.download(module, "partial").exists()).then_some(dir)
    }

    /// The directory of a module by its path and version.
    pub(crate) fn directory(&self, path: &str, version: &str) -> Option<PathBuf> {
        let (path, version) = (path.to_owned(), version.to_owned());
        self.dir(&Module { path, version })
    }

    /// The paths of the modules that a module requires; `None` if it has no `go.mod` of its own, so
    /// that Go wrote one with nothing but its path. One that is not there requires none.
    pub(crate) fn required(&self, path: &str, version: &str) -> Option<BTreeSet<String>> {
        let (path, version) = (path.to_owned(), version.to_owned());
        let file = self.download(&Module { path, version }, "mod");
        let Ok(text) = fs::read_to_string(file) else {
            return Some(BTreeSet::new());
        };
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        if lines.next().is_none() && first.starts_with("module ") {
            return None;
        }
        Some(ModFile::parse(&text).requires.into_keys().collect())
    }

    /// Whether a module is there, with what `go build` reads beside its files. Go fetches
    /// again what has no checksum.
    pub(super) fn has(&self, module: &Module) -> bool {
        let has_sum = self.download(module, "ziphash").is_file();
        has_sum && self.dir(module).is_some() && self.has_manifest(module)
    }

    /// Whether the `go.mod` of a module is there.
    pub(super) fn has_manifest(&self, module: &Module) -> bool {
        self.download(module, "mod").is_file()
    }

    /// The checksum of what was downloaded, as `go.sum` has it.
    pub(super) fn sum(&self, module: &Module) -> Option<String> {
        let text = fs::read_to_string(self.download(module, "ziphash")).ok()?;
        Some(text.trim().to_owned())
    }

    /// `cache/download/PATH/@v/VERSION.EXTENSION`.
    pub(crate) fn download(&self, module: &Module, extension: &str) -> PathBuf {
        let path = Path::new("cache/download").join(escape(&module.path));
        let name = format!("{}.{extension}", escape(&module.version));
        self.0.join(path).join("@v").join(name)
    }

    /// The one that an environment names, as Go finds it: `GOMODCACHE`, else `pkg/mod`
    /// in the first `GOPATH`, else in `~/go`.
    #[must_use]
    pub fn of_environment() -> Self {
        let var = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let go_path = var("GOPATH").and_then(|paths| env::split_paths(&paths).next());
        let home = var("HOME").map(|home| PathBuf::from(home).join("go"));
        let dir = var("GOMODCACHE")
            .map(PathBuf::from)
            .or_else(|| go_path.or(home).map(|path| path.join("pkg/mod")))
            .unwrap_or_default();
        Self(dir)
    }

    /// Path of the cache.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Capital letters as `!` and the small letter: file systems may not tell them apart.
/// Source: golang.org/x/mod/module, `EscapePath`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            out.push('!');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    #[test]
    fn what_is_unpacked_in_part_is_not_there() {
        let root = tree(&[
            ("a.org/x@v1.0.0/x.go", "package x\n"),
            ("cache/download/a.org/x/@v/v1.0.0.mod", "module a.org/x\n"),
            ("cache/download/a.org/x/@v/v1.0.0.partial", ""),
        ]);
        let cache = ModuleCache::new(root.path().to_owned());
        let module = Module {
            path: "a.org/x".to_owned(),
            version: "v1.0.0".to_owned(),
        };
        assert_eq!(cache.dir(&module), None);
        fs::remove_file(cache.download(&module, "partial")).unwrap();
        assert!(cache.dir(&module).is_some() && !cache.has(&module));
        fs::write(cache.download(&module, "ziphash"), "h1:x").unwrap();
        assert!(cache.has(&module));
    }

    #[test]
    fn capitals_are_escaped() {
        assert_eq!(
            escape("github.com/Azure/go-SDK"),
            "github.com/!azure/go-!s!d!k"
        );
    }
}
