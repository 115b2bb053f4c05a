//! What of the manifests differs for a service.
//!
//! The only place that decides whether an edit of `go.mod` or `go.sum` touches a
//! service.

use std::collections::BTreeSet;

use super::Reason;
use super::compare::{Side, change};
use crate::fleet::Fleet;

/// The manifests of two fleets.
pub(super) struct Manifests<'a> {
    _fleets: [&'a Fleet; 2],
}

impl<'a> Manifests<'a> {
    pub(super) fn new(base: &'a Fleet, head: &'a Fleet) -> Self {
        Self {
            _fleets: [base, head],
        }
    }

    /// Why the manifests may change the build of a service.
    pub(super) fn changes(&self, _name: &str, base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
        whole(base, head)
    }
}

/// Manifests as whole files.
fn whole(base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
    let [before, now] = [base, head].map(|side| -> BTreeSet<&String> {
        let closure = side.member.closure.iter();
        closure.flat_map(|c| &c.manifests).collect()
    });
    let paths = before.union(&now);
    let changed = paths.filter_map(|path| {
        let change = change(base, head, path, before.contains(path), now.contains(path))?;
        let path = (*path).clone();
        Some(Reason::Manifest { path, change })
    });
    changed.collect()
}
