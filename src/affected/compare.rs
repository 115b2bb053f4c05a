//! Two states of one service.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{same_executable, same_file, tree};
use super::manifests::manifest_changes;
use super::platform::is_left_out;
use super::{Change, Reason, settings};
use crate::closure::{Source, in_words};
use crate::fleet::{Fleet, Member};
use crate::ignore::build_files;
use crate::lower;
use crate::plan::FileEntry;

/// Two fleets side by side.
pub(super) struct Differences<'a> {
    base: &'a Fleet,
    head: &'a Fleet,
}

/// A service in its fleet.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) member: &'a Member,
}

impl<'a> Differences<'a> {
    pub(super) fn new(base: &'a Fleet, head: &'a Fleet) -> Self {
        Self { base, head }
    }

    /// Why the image of a service of the head may differ.
    pub(super) fn of(&self, name: &str) -> Vec<Reason> {
        let side = |fleet: &'a Fleet| {
            let member = fleet.services.get(name)?;
            Some(Side { fleet, member })
        };
        let Some(head) = side(self.head) else {
            return Vec::new();
        };
        let Some(base) = side(self.base) else {
            return vec![Reason::New];
        };
        let mut reasons = files(base, head);
        reasons.extend(manifest_changes(base, head));
        let fields = settings::differing(base.member, head.member);
        if !fields.is_empty() {
            reasons.push(Reason::Spec { fields });
        }
        reasons.extend(toolchain(base, head));
        reasons.extend(image_files(base, head));
        reasons
    }
}

/// Files of the closures, manifests left out: those that differ first, then those
/// that are the same and were read by one of the two alone.
fn files(base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
    let paths: BTreeSet<&String> = base
        .member
        .files
        .keys()
        .chain(head.member.files.keys())
        .collect();
    let mut out = Vec::new();
    for path in paths {
        let before = base.member.files.get(path);
        let now = head.member.files.get(path);
        if [before, now].contains(&Some(&Source::Manifest)) {
            continue;
        }
        let Some(change) = change(base, head, path, before.is_some(), now.is_some()) else {
            continue;
        };
        let left_out = |side, is_read: bool| !is_read || is_left_out(side, path);
        if left_out(base, before.is_some()) && left_out(head, now.is_some()) {
            continue;
        }
        let chain = match (before, now) {
            (_, Some(source)) => words(head, path, source),
            (Some(source), None) => words(base, path, source),
            (None, None) => Vec::new(),
        };
        let path = path.clone();
        out.push((
            change,
            Reason::File {
                path,
                change,
                chain,
            },
        ));
    }
    out.sort_by_key(|(change, _)| matches!(change, Change::Entered | Change::Left));
    out.into_iter().map(|(_, reason)| reason).collect()
}

/// What happened to a path that a service reads before, now, or both.
pub(super) fn change(
    base: Side<'_>,
    head: Side<'_>,
    path: &str,
    before: bool,
    now: bool,
) -> Option<Change> {
    let (old, new) = (base.fleet.root.join(path), head.fleet.root.join(path));
    let there = |path: &std::path::Path| path.symlink_metadata().is_ok();
    match (before, now) {
        (true, true) => (!same_file(&old, &new)).then_some(Change::Modified),
        (false, true) if there(&old) => Some(if same_file(&old, &new) {
            Change::Entered
        } else {
            Change::Modified
        }),
        (false, true) => Some(Change::Added),
        (true, false) if there(&new) => Some(if same_file(&old, &new) {
            Change::Left
        } else {
            Change::Modified
        }),
        (true, false) => Some(Change::Deleted),
        (false, false) => None,
    }
}

fn words(side: Side<'_>, path: &str, source: &Source) -> Vec<String> {
    match &side.member.closure {
        Some(closure) => in_words(closure, &side.fleet.index, path, source),
        None => Vec::new(),
    }
}

/// The builder, or else the lines that choose the version of the language.
fn toolchain(base: Side<'_>, head: Side<'_>) -> Option<Reason> {
    let of = |side: Side<'_>| {
        let service = side.member.service()?;
        lower::go_of(&side.member.plan, service, &side.fleet.index)
    };
    let (from, to) = (of(base), of(head));
    let (builder_from, lines_from) = from.unwrap_or_default();
    let (builder_to, lines_to) = to.unwrap_or_default();
    let short = |builder: String| match builder.strip_prefix("golang:") {
        Some(version) => version.to_owned(),
        None => builder,
    };
    if lines_from != lines_to {
        Some(Reason::Toolchain {
            from: lines_from,
            to: lines_to,
        })
    } else if builder_from != builder_to {
        Some(Reason::Toolchain {
            from: short(builder_from),
            to: short(builder_to),
        })
    } else {
        None
    }
}

/// What `files:` copies into the image.
fn image_files(base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
    let entries = |side: Side<'_>| -> BTreeMap<String, FileEntry> {
        let platforms = side.member.plan.platforms.iter();
        let services = platforms.flat_map(|p| &p.services);
        let entries = services.flat_map(|s| &s.image.files);
        entries.map(|e| (e.source.clone(), e.clone())).collect()
    };
    let before = entries(base);
    let mut out = BTreeMap::new();
    for (source, entry) in entries(head) {
        // Another source is another value of the spec.
        if !before.contains_key(&source) {
            continue;
        }
        let trees = [base, head].map(|side| {
            let own = build_files(&side.fleet.spec_name);
            let leaves = |path: &str| side.fleet.ignore.hidden_by(path).is_some();
            tree(&side.fleet.root, &source, &|path| {
                leaves(path) || (side.fleet.leaves_spec_out && own.iter().any(|own| own == path))
            })
        });
        let paths: BTreeSet<&String> = trees.iter().flatten().collect();
        for path in paths {
            let [was, is] = [0, 1].map(|i| trees[i].contains(path));
            let change = change(base, head, path, was, is).or_else(|| {
                let [old, new] = [base, head].map(|side| side.fleet.root.join(path));
                (!same_executable(&old, &new)).then_some(Change::Modified)
            });
            if let Some(change) = change {
                let line = entry.span.start.line;
                let spec = &head.fleet.spec_name;
                let chain = vec![format!("{spec}:{line} copies {source} to {}", entry.dest)];
                let path = path.clone();
                out.entry(path.clone()).or_insert(Reason::File {
                    path,
                    change,
                    chain,
                });
            }
        }
    }
    out.into_values().collect()
}
