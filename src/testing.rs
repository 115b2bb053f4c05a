//! Directories with files, for unit tests.

#![allow(clippy::unwrap_used)]

use std::fs;

use tempfile::TempDir;

#[path = "../tests/shared/refused_flags.rs"]
pub(crate) mod refused_flags;

/// A directory with these files, by path and text; it is gone with the value.
pub(crate) fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}
