//! The source tree of a build step: exactly the files of a service's closure.
//!
//! A tree has a *base*, made of copies, mounted at the source directory; and for
//! large closures *units* mounted over it: small subtrees with the directories of
//! the closure and no other. Units are copies too, but services that see the same
//! part of a subtree share the copy, and after an edit only one unit is copied again.
//! All of it comes from the context itself, so BuildKit keys it by the digests that
//! it keeps per file of a context: an unchanged tree is neither copied nor read
//! again. A tree that the scan step wrote would be read whole after every edit.
//!
//! Which directory is in which unit depends on the closure alone: not on other
//! services, not on other directories, not on what else is built. Otherwise the build
//! step of one service would get another key by an edit of another one.
//!
//! Copies have one mode, so that machines with different umasks share keys, and so that no
//! source is a program in a step.
//!
//! Measured in `docs/performance.md`; alternatives in graph-measurements §1.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{BindMount, Copy, Describe as _, FileOp, Mkdir, Mkfile, Mount, Output};

use super::constant::{quiet, unindexed};
use super::go::SOURCE_DIR;
use crate::closure::{Closure, Embed};
use crate::scan::select::{self, Kind, escape};
use crate::scan::{Index, UNHASHED, ancestors, join, parent, unhashed_header};

/// Up to this many directories a closure is copied as one tree, without units: a
/// copy costs 0.1 ms a file and only where something changed.
const MAX_COPIED: usize = 32;

/// Directories of a unit. Each mount costs 0.6 ms in every build step that has it,
/// and each edit copies a unit.
const UNIT: usize = 32;

/// Most units of a closure that can be divided into fewer. Four thousand mounts in
/// one step work, and take 2.5 s.
const MAX_UNITS: usize = 512;

/// The mode of everything that is copied: nothing of it can be run, whatever the repository
/// says. Steps run as root, who may look into directories of this mode.
const MODE: u32 = 0o644;

/// Where files come from.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// What was scanned.
    pub(super) code: &'a Output,
    /// What embed patterns and the like name.
    pub(super) assets: &'a Output,
    /// What the scan found.
    pub(super) index: &'a Index,
}

/// Where a closure's manifests come from.
pub(super) enum Manifests {
    /// From the context, whole.
    Whole,
    /// From a download: a tree and the directory in it.
    Part(Output, String),
}

/// The units of all services of a graph, by their directories.
#[derive(Debug, Default)]
pub(super) struct Units(BTreeMap<Vec<String>, Output>);

impl Units {
    /// Copies the units of these closures, each once.
    pub(super) fn new<'a>(
        closures: impl IntoIterator<Item = &'a Closure>,
        context: Context<'_>,
    ) -> Self {
        let mut units = BTreeMap::new();
        for closure in closures {
            for (root, dirs) in Layout::of(closure).units {
                let key = dirs.iter().map(|dir| (*dir).to_owned()).collect();
                if let Entry::Vacant(entry) = units.entry(key)
                    && let Some(output) = unit(root, &dirs, context)
                {
                    entry.insert(output);
                }
            }
        }
        Self(units)
    }

    fn get(&self, dirs: &[&str]) -> Option<&Output> {
        let key: Vec<String> = dirs.iter().map(|dir| (*dir).to_owned()).collect();
        self.0.get(&key)
    }
}

/// A copy of directories that lie at or below `root`; `None` when they have no files.
fn unit(root: &str, dirs: &[&str], context: Context<'_>) -> Option<Output> {
    let mut copies = dirs
        .iter()
        .flat_map(|dir| {
            package(context, dir)
                .into_iter()
                .map(move |copy| (dir, copy))
        })
        .peekable();
    copies.peek()?;
    let op = copies.fold(FileOp::new(), |op, (dir, copy)| {
        with_unhashed(op.copy(copy), dir, context.index)
    });
    let op = op
        .name(format!("[internal] sources {root}"))
        .progress_group("gofleet.sources", "[internal] sources", true);
    Some(op.build())
}

/// The mounts that make a closure visible to a build step, all read-only.
pub(super) fn mounts(
    closure: &Closure,
    manifests: &Manifests,
    name: &str,
    units: &Units,
    context: Context<'_>,
) -> Vec<BindMount> {
    let layout = Layout::of(closure);
    let base = base(closure, manifests, &layout, name, context);
    let mut mounts = vec![Mount::bind(SOURCE_DIR, &base).readonly()];
    for (root, dirs) in &layout.units {
        if let Some(output) = units.get(dirs) {
            let mount = Mount::bind(format!("{SOURCE_DIR}/{root}"), output)
                .selector(format!("/{root}"))
                .readonly();
            mounts.push(mount);
        }
    }
    mounts
}

/// Which directories are copied into the base, and which are mounted over it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Layout<'a> {
    copied: Vec<&'a str>,
    /// By the directory that they are mounted at.
    units: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Layout<'a> {
    fn of(closure: &'a Closure) -> Self {
        let all: Vec<&str> = closure.directories.keys().map(String::as_str).collect();
        if all.len() <= MAX_COPIED {
            return Self {
                copied: all,
                units: BTreeMap::new(),
            };
        }
        let based = based(closure);
        let mut weights: BTreeMap<&str, usize> = BTreeMap::new();
        for dir in &all {
            for above in ancestors(dir) {
                *weights.entry(above).or_default() += 1;
            }
        }
        let mut size = UNIT;
        loop {
            let layout = Self::divide(&all, |dir| {
                !based.contains(dir) && weights.get(dir).is_some_and(|weight| *weight <= size)
            });
            if layout.units.len() <= MAX_UNITS {
                return layout;
            }
            if size >= all.len() {
                break;
            }
            size *= 2;
        }
        Self {
            copied: all,
            units: BTreeMap::new(),
        }
    }

    /// Puts each directory into the unit of the topmost directory above it that may
    /// be one, or into the base.
    fn divide(all: &[&'a str], may_be_unit: impl Fn(&str) -> bool) -> Self {
        let mut out = Self::default();
        for dir in all {
            match ancestors(dir).filter(|above| may_be_unit(above)).last() {
                Some(root) => out.units.entry(root).or_default().push(dir),
                None => out.copied.push(dir),
            }
        }
        out
    }
}

/// Directories that must be the base's: a mount hides what is below it there, so
/// nothing of the base may be below, no single file and no embed.
fn based(closure: &Closure) -> BTreeSet<&str> {
    let embeds = closure.embeds.iter().map(|embed| embed.dir.as_str());
    let files = closure.files.keys().chain(&closure.links);
    let manifests = closure.manifests.iter();
    let files = files.chain(manifests).filter_map(|file| parent(file));
    let all = embeds.chain(files);
    all.flat_map(ancestors).chain(["."]).collect()
}

/// The tree at the source directory: manifests, copied directories, everything that
/// is named one by one, and mount points for the rest.
fn base(
    closure: &Closure,
    manifests: &Manifests,
    layout: &Layout<'_>,
    name: &str,
    context: Context<'_>,
) -> Output {
    let Context {
        code,
        assets,
        index,
    } = context;
    let mut op = FileOp::new();
    match manifests {
        Manifests::Part(tree, dir) => {
            let copy = Copy::new(tree, dir, "/")
                .contents_only()
                .mode(MODE)
                .timestamp(unindexed());
            op = op.copy(copy);
        }
        Manifests::Whole => {
            for path in &closure.manifests {
                op = op.copy(content(code, index.content_of(path), path));
            }
        }
    }
    for dir in &layout.copied {
        if *dir == "." {
            // Patterns would be tried on every file of the context.
            if let Some(directory) = index.directory(".") {
                let left_out = index.left_out(directory);
                let names = directory.files.iter();
                let names = names.filter(|name| !left_out.contains(&name.as_str()));
                for name in names.filter(|name| !index.leads_nowhere(name)) {
                    op = op.copy(content(code, index.content_of(name), name));
                }
            }
        } else {
            op = package(context, dir).into_iter().fold(op, FileOp::copy);
        }
        op = with_unhashed(op, dir, index);
    }
    for path in closure.files.keys() {
        op = op.copy(match index.is_scanned(path) {
            true => content(code, index.content_of(path), path),
            // It may be missing: then the build says so better.
            false => Copy::new(assets, format!("/{}", wildcard(path)), format!("/{path}"))
                .allow_wildcard()
                .allow_empty_wildcard()
                .create_dest_path()
                .mode(MODE)
                .timestamp(unindexed()),
        });
    }
    for path in &closure.links {
        op = op.copy(file(code, path));
    }
    let patterns = asset_patterns(closure);
    if !patterns.is_empty() {
        // Directories above a match keep the mode that they have in the context, so
        // these files are copied once more, as a whole.
        let copy = Copy::new(assets, "/", "/")
            .contents_only()
            .include(patterns)
            .timestamp(unindexed());
        let chosen = quiet(
            FileOp::new().copy(copy),
            &format!("files that {name} embeds"),
        );
        let copy = Copy::new(&chosen, "/", "/")
            .contents_only()
            .mode(MODE)
            .timestamp(unindexed());
        op = op.copy(copy);
    }
    for dir in layout.units.keys() {
        op = op.mkdir(
            Mkdir::new(format!("/{dir}"))
                .parents()
                .mode(0o755)
                .timestamp(unindexed()),
        );
    }
    quiet(op, &format!("sources of {name}"))
}

/// What a closure needs beyond scanned files, as patterns for a client and for copies.
pub(super) fn asset_patterns(closure: &Closure) -> Vec<String> {
    let pattern = |embed: &Embed, pattern: &str| match embed.dir.as_str() {
        "." => select::of_embed(pattern),
        dir => format!("{}/{}", escape(dir), select::of_embed(pattern)),
    };
    let embeds = closure.embeds.iter().flat_map(|embed| {
        let all = embed.boundaries().chain([embed.pattern.clone()]);
        all.map(move |text| pattern(embed, &text))
    });
    let mut out: Vec<String> = embeds.collect();
    out.sort();
    out.dedup();
    out
}

/// Single files that the scan did not see.
pub(super) fn asset_files(closure: &Closure, index: &Index) -> Vec<String> {
    let files = closure.files.keys().filter(|path| !index.is_scanned(path));
    files.cloned().collect()
}

/// One file, or a symbolic link as such, at the same path.
pub(super) fn file(from: &Output, path: &str) -> Copy {
    content(from, path, path)
}

/// One file at a path that may be another: where a link is, the build has what it leads to.
pub(super) fn content(from: &Output, file: &str, path: &str) -> Copy {
    Copy::new(from, format!("/{file}"), format!("/{path}"))
        .create_dest_path()
        .mode(MODE)
        .timestamp(unindexed())
}

/// A pattern of a copy that a path alone matches. Without a class of characters it would be a path,
/// and one that is not there an error: so the first character is one, for what is above may be
/// missing, too.
fn wildcard(path: &str) -> String {
    let mut out = String::new();
    for (at, c) in path.chars().enumerate() {
        let is_special = matches!(c, '*' | '?' | '[' | ']' | '\\');
        match (at, c.is_alphanumeric()) {
            (0, true) => out.extend(['[', c, ']']),
            (0, false) => out.extend(['[', '\\', c, ']']),
            _ if is_special => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// Everything below a directory, at the same path.
pub(super) fn below(from: &Output, dir: &str) -> Copy {
    Copy::new(from, format!("/{dir}"), format!("/{dir}"))
        .contents_only()
        .create_dest_path()
        .mode(MODE)
        .timestamp(unindexed())
}

/// Puts into Go's key of a package what is compiled into it and is not in that key: by a header
/// that nothing includes. Going back to other content gives the old key, and the old object.
pub(super) fn with_unhashed(op: FileOp, dir: &str, index: &Index) -> FileOp {
    let unhashed = index.directory(dir).map(|d| d.unhashed.as_slice());
    let Some(text) = unhashed.and_then(unhashed_header) else {
        return op;
    };
    let path = format!("/{}", join(dir, UNHASHED));
    op.mkfile(
        Mkfile::new(path, text.into_bytes())
            .mode(MODE)
            .timestamp(unindexed()),
    )
}

/// The source files of one directory, without the directories below it. Patterns by
/// extension and not names, because names need not be text; files that are links are
/// what they lead to.
fn package(context: Context<'_>, dir: &str) -> Vec<Copy> {
    let Context { code, index, .. } = context;
    let Some(directory) = index.directory(dir) else {
        return Vec::new();
    };
    let mut left_out: BTreeSet<&str> = index.left_out(directory).into_iter().collect();
    let links = index.links_in(directory);
    let links: Vec<(&str, Option<&str>)> = links
        .filter_map(|link| Some((link.path.rsplit('/').next()?, link.file())))
        .filter(|(name, _)| !left_out.contains(name))
        .collect();
    left_out.extend(links.iter().map(|(name, _)| name));
    // A pattern of files takes a directory of that form, with everything below it.
    let subdirectories = directory.lookalikes.iter().map(String::as_str);
    let patterns: BTreeSet<String> = directory
        .files
        .iter()
        .filter(|name| !left_out.contains(name.as_str()))
        .filter(|name| select::kind(name) != Some(Kind::Manifest))
        .map(|name| match name.rsplit_once('.') {
            Some((_, extension)) => format!("*.{}", escape(extension)),
            None => escape(name),
        })
        .collect();
    let mut copies = Vec::new();
    if !patterns.is_empty() {
        let copy = Copy::new(code, format!("/{dir}"), format!("/{dir}"))
            .contents_only()
            .create_dest_path()
            .include(patterns)
            .exclude(left_out.into_iter().chain(subdirectories).map(escape))
            .mode(MODE)
            .timestamp(unindexed());
        copies.push(copy);
    }
    let links = links.into_iter();
    copies.extend(links.filter_map(|(name, file)| Some(content(code, file?, &join(dir, name)))));
    copies
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
