//! What of a directory a scan reads.

use crate::ignore::Rules;

/// The part of a directory that is scanned.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Directories that are read although `./...` passes over them.
    pub reach: &'a [String],
    /// What an ignore file hides is not there for a build.
    pub ignore: &'a Rules,
}

impl Scope<'_> {
    /// Whether a path is hidden.
    pub(super) fn hides(&self, path: &str) -> bool {
        path != "." && self.ignore.hidden_by(path).is_some()
    }

    /// Whether a directory is hidden with everything below it.
    pub(super) fn hides_all(&self, dir: &str) -> bool {
        !self.ignore.takes_back() && self.hides(dir)
    }
}
