//! What of a directory a scan reads.

use super::index::is_inside;
use super::select;
use crate::ignore::Rules;

/// The part of a directory that is scanned.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Directories and files that are read although `./...` passes over them.
    pub reach: &'a [String],
    /// What an ignore file hides is not there for a build.
    pub ignore: &'a Rules,
}

impl Scope<'_> {
    /// Whether a path is read, hidden by an ignore file or not: `./...` goes there, or it
    /// is at or below what is reached.
    pub(super) fn covers(&self, path: &str) -> bool {
        select::passed_over(path).is_none() || self.reach.iter().any(|r| is_inside(path, r))
    }

    /// Whether a directory is read or lies on the way to what is.
    pub(super) fn enters(&self, dir: &str) -> bool {
        self.covers(dir) || self.reach.iter().any(|r| is_inside(r, dir))
    }

    /// Whether a path is hidden.
    pub(super) fn hides(&self, path: &str) -> bool {
        path != "." && self.ignore.hidden_by(path).is_some()
    }

    /// Whether a directory is hidden with everything below it.
    pub(super) fn hides_all(&self, dir: &str) -> bool {
        dir != "." && self.ignore.hides_all(dir)
    }
}
