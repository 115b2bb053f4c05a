//! The source tree of a build step: exactly the files of a service's closure.
//!
//! A tree has a *base*, made of copies, mounted at the source directory; and for
//! large closures *leaves*, directories that are mounted over it one by one. Both
//! come from the context itself, so BuildKit keys them by the digests that it keeps
//! per file of a context: an unchanged tree is neither copied nor read again. A tree
//! that the scan step wrote would be read whole after every edit.
//!
//! Which directory is where depends on the closure alone: not on other services, not
//! on other directories, not on what else is built. Otherwise the build step of one
//! service would get another key by an edit of another one.
//!
//! Copies have one mode, so that machines with different umasks share keys.
//!
//! Measured in `docs/performance.md`; alternatives in graph-measurements §1.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{BindMount, Copy, Describe as _, FileOp, Mkdir, Mount, Output};

use super::constant::{epoch, quiet};
use super::go::SOURCE_DIR;
use crate::closure::Closure;
use crate::scan::select::{self, Kind, escape};
use crate::scan::{Index, is_inside, join, parent};

/// Up to this many directories a closure is copied as one tree: a copy costs
/// 0.1 ms a file and only where something changed, and needs no mounts. Above, a
/// shared file that is edited would be paid once per service.
const MAX_COPIED: usize = 64;

/// Number of trees that leaves are staged in. It is part of every large build
/// step's key.
const STAGES: u32 = 32;

/// Name of the directory that a leaf's files are staged in, below its own path: so
/// the directories below it are not in it. No import path has such an element.
const LEAF: &str = "@";

/// One mode for files and directories.
const MODE: u32 = 0o755;

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
    /// From a module step: a tree and the directory in it.
    Part(Output, String),
}

/// The leaves of all services of a graph, staged.
#[derive(Debug, Default)]
pub(super) struct Stages(BTreeMap<u32, Output>);

impl Stages {
    /// Stages the leaves of these closures.
    pub(super) fn new<'a>(
        closures: impl IntoIterator<Item = &'a Closure>,
        context: Context<'_>,
    ) -> Self {
        let mut members: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for closure in closures {
            for dir in Layout::of(closure).leaves {
                members.entry(stage(dir)).or_default().insert(dir);
            }
        }
        let stages = members.into_iter().map(|(number, dirs)| {
            let copies = dirs
                .into_iter()
                .filter_map(|dir| package(context, dir, &join(dir, LEAF)));
            let op = copies.fold(FileOp::new(), FileOp::copy);
            let output = op
                .name(format!("[internal] sources {}/{STAGES}", number + 1))
                .progress_group("gofleet.sources", "[internal] sources", true)
                .build();
            (number, output)
        });
        Self(stages.collect())
    }
}

/// Which stage a directory is in: by its name alone.
fn stage(dir: &str) -> u32 {
    let hash = dir.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % STAGES
}

/// The mounts that make a closure visible to a build step, all read-only.
pub(super) fn mounts(
    closure: &Closure,
    manifests: &Manifests,
    name: &str,
    stages: &Stages,
    context: Context<'_>,
) -> Vec<BindMount> {
    let layout = Layout::of(closure);
    let base = base(closure, manifests, &layout, name, context);
    let mut mounts = vec![Mount::bind(SOURCE_DIR, &base).readonly()];
    for dir in layout.leaves {
        if let Some(output) = stages.0.get(&stage(dir)) {
            let mount = Mount::bind(format!("{SOURCE_DIR}/{dir}"), output)
                .selector(format!("/{dir}/{LEAF}"))
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
    leaves: Vec<&'a str>,
}

impl<'a> Layout<'a> {
    fn of(closure: &'a Closure) -> Self {
        let all: Vec<&str> = closure.directories.keys().map(String::as_str).collect();
        if all.len() <= MAX_COPIED {
            return Self {
                copied: all,
                leaves: Vec::new(),
            };
        }
        // A mount hides what is below it in the base, so only directories with
        // nothing below can be mounted: no directory, no single file, no embed.
        let mut inner: BTreeSet<&str> = BTreeSet::from(["."]);
        let embeds = closure.embeds.iter().map(|e| e.dir.as_str());
        inner.extend(embeds);
        let files = closure.files.keys().chain(&closure.links);
        for file in files {
            inner.extend(parent(file));
        }
        inner.extend(closure.manifests.iter().filter_map(|m| parent(m)));
        let trees = closure.trees.keys().map(String::as_str);
        for dir in all.iter().copied().chain(trees) {
            let mut above = parent(dir);
            while let Some(dir) = above {
                if !inner.insert(dir) {
                    break;
                }
                above = parent(dir);
            }
        }
        let in_tree = |dir: &str| closure.trees.keys().any(|tree| is_inside(dir, tree));
        let (copied, leaves) = all
            .into_iter()
            .partition(|dir| inner.contains(dir) || in_tree(dir));
        Self { copied, leaves }
    }
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
                .timestamp(epoch());
            op = op.copy(copy);
        }
        Manifests::Whole => {
            for path in &closure.manifests {
                op = op.copy(file(code, path));
            }
        }
    }
    for dir in &layout.copied {
        if *dir == "." {
            // Patterns would be tried on every file of the context.
            if let Some(directory) = index.directory(".") {
                let left_out = index.left_out(directory);
                let names = directory.files.iter();
                for name in names.filter(|name| !left_out.contains(&name.as_str())) {
                    op = op.copy(file(code, name));
                }
            }
        } else if let Some(copy) = package(context, dir, dir) {
            op = op.copy(copy);
        }
    }
    for path in closure.files.keys() {
        let from = if is_scanned(index, path) {
            code
        } else {
            assets
        };
        // It may be missing: then the build says so better.
        let copy = Copy::new(from, format!("/{}", escape(path)), format!("/{path}"))
            .allow_wildcard()
            .allow_empty_wildcard()
            .create_dest_path()
            .mode(MODE)
            .timestamp(epoch());
        op = op.copy(copy);
    }
    for path in &closure.links {
        let known = parent(path).is_some_and(|dir| closure.directories.contains_key(dir));
        if !known || !is_scanned(index, path) {
            op = op.copy(file(code, path));
        }
    }
    let patterns = asset_patterns(closure);
    if !patterns.is_empty() {
        // Directories above a match keep the mode that they have in the context, so
        // these files are copied once more, as a whole.
        let copy = Copy::new(assets, "/", "/")
            .contents_only()
            .include(patterns)
            .timestamp(epoch());
        let chosen = quiet(
            FileOp::new().copy(copy),
            &format!("files that {name} embeds"),
        );
        let copy = Copy::new(&chosen, "/", "/")
            .contents_only()
            .mode(MODE)
            .timestamp(epoch());
        op = op.copy(copy);
    }
    for dir in &layout.leaves {
        op = op.mkdir(
            Mkdir::new(format!("/{dir}"))
                .parents()
                .mode(MODE)
                .timestamp(epoch()),
        );
    }
    quiet(op, &format!("sources of {name}"))
}

/// What a closure needs beyond scanned files, as patterns for a client and for copies.
pub(super) fn asset_patterns(closure: &Closure) -> Vec<String> {
    let embeds = closure.embeds.iter().map(|embed| {
        // The pattern is Go's, whose special characters are the same.
        join(&escape(&embed.dir), &embed.pattern)
    });
    let mut out: Vec<String> = embeds.collect();
    out.extend(closure.trees.keys().map(|dir| match dir.as_str() {
        "." => "**".to_owned(),
        dir => escape(dir),
    }));
    out.sort();
    out.dedup();
    out
}

/// Single files that the scan did not see.
pub(super) fn asset_files(closure: &Closure, index: &Index) -> Vec<String> {
    let files = closure.files.keys().filter(|path| !is_scanned(index, path));
    files.cloned().collect()
}

fn is_scanned(index: &Index, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    parent(path)
        .and_then(|dir| index.directory(dir))
        .is_some_and(|d| d.files.iter().any(|f| f == name))
}

/// One file, at the same path.
pub(super) fn file(from: &Output, path: &str) -> Copy {
    Copy::new(from, format!("/{path}"), format!("/{path}"))
        .create_dest_path()
        .mode(MODE)
        .timestamp(epoch())
}

/// The source files of one directory, without the directories below it. Patterns by
/// extension and not names, because names need not be text.
fn package(context: Context<'_>, dir: &str, dest: &str) -> Option<Copy> {
    let directory = context.index.directory(dir)?;
    let left_out = context.index.left_out(directory);
    let patterns: BTreeSet<String> = directory
        .files
        .iter()
        .filter(|name| !left_out.contains(&name.as_str()))
        .filter(|name| select::kind(name) != Some(Kind::Manifest))
        .map(|name| match name.rsplit_once('.') {
            Some((_, extension)) => format!("*.{}", escape(extension)),
            None => escape(name),
        })
        .collect();
    if patterns.is_empty() {
        return None;
    }
    Some(
        Copy::new(context.code, format!("/{dir}"), format!("/{dest}"))
            .contents_only()
            .create_dest_path()
            .include(patterns)
            .exclude(left_out.into_iter().map(escape))
            .mode(MODE)
            .timestamp(epoch()),
    )
}
