//! The import chain behind a file.

use super::files::Source;
use super::{Closure, Reason};
use crate::scan::parent;

/// What leads from the main package to a file of the closure, first step first. It
/// is empty for files of the main package itself and for manifests.
#[must_use]
pub fn chain(closure: &Closure, source: &Source) -> Vec<Reason> {
    let mut out = Vec::new();
    let mut next = match source {
        Source::Manifest => return out,
        Source::Directory(dir) => closure.directories.get(dir).cloned(),
        Source::Named(reason) => Some(reason.clone()),
    };
    // Each step leads to a directory that was reached before, so this ends; the
    // bound holds even if an index was made by hand.
    while let Some(reason) = next.filter(|r| !r.file.is_empty()) {
        if out.len() > closure.directories.len() {
            break;
        }
        let dir = parent(&reason.file).unwrap_or(".");
        next = closure.directories.get(dir).cloned();
        out.push(reason);
    }
    out.reverse();
    out
}
