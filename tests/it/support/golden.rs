//! Golden files: what a test makes, compared with what is checked in.

use std::fs;
use std::path::Path;

/// Compares texts with files, and fails once for all of them.
///
/// With `UPDATE=1` in the environment the files are written instead.
pub(crate) struct Check {
    update: bool,
    different: Vec<String>,
}

impl Check {
    pub(crate) fn new() -> Self {
        Self {
            update: std::env::var_os("UPDATE").is_some_and(|v| v == "1"),
            different: Vec::new(),
        }
    }

    /// Compares one text with one file.
    pub(crate) fn file(&mut self, path: &Path, text: &str) {
        let expected = fs::read_to_string(path).unwrap_or_default();
        if expected == text {
            return;
        }
        if self.update {
            fs::write(path, text).unwrap();
            return;
        }
        let name = path.display();
        self.different
            .push(format!("--- {name}\n{expected}+++ found\n{text}"));
    }

    /// Fails when any text was different.
    pub(crate) fn finish(self) {
        assert!(
            self.different.is_empty(),
            "{}\n{} golden files differ; UPDATE=1 writes them anew",
            self.different.join("\n"),
            self.different.len()
        );
    }
}
