//! The module cache: where a module at a version is.

use std::path::{Path, PathBuf};

use super::modfile::Module;

/// A module cache directory (`GOMODCACHE`).
#[derive(Debug, Clone)]
pub struct ModuleCache(PathBuf);

impl ModuleCache {
    /// The cache in a directory.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// The directory of a module, if it is there.
    pub(super) fn dir(&self, module: &Module) -> Option<PathBuf> {
        let name = format!("{}@{}", escape(&module.path), escape(&module.version));
        let dir = self.0.join(name);
        dir.is_dir().then_some(dir)
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
    use super::*;

    #[test]
    fn capitals_are_escaped() {
        assert_eq!(
            escape("github.com/Azure/go-SDK"),
            "github.com/!azure/go-!s!d!k"
        );
    }
}
