//! Closures: which files of the repository the build of a main package can read.
//!
//! In: the scan's index. Out: a [`Closure`] per main package. Pure. It is a
//! superset over all platforms, never a subset: a file too many costs a needless
//! build, a file too few would be a wrong image.
//!
//! # Files
//!
//! - `root`: which manifests decide the versions of a build;
//! - `local`: which directories stand for modules;
//! - `resolve`: from an import path to a directory;
//! - `reach`: everything that a main package reaches;
//! - `outline`: the same for many main packages at once, without reasons;
//! - `files`: the closure as a list of files of a directory on this machine;
//! - `glob`: patterns of `//go:embed`;
//! - `certain`: what a build on one platform certainly needs, and lacks;
//! - `embedded`: which embed patterns match nothing;
//! - `hidden`: what a closure needs and an ignore file hides;
//! - `wanted`: what closures lead to and no scan has seen;
//! - `why`: the import chain behind a file.

mod certain;
mod embedded;
mod files;
pub(crate) mod glob;
mod hidden;
mod local;
mod outline;
mod reach;
mod resolve;
mod root;
mod wanted;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::scan::Link;

pub use certain::{Asked, Certain, Far, Lack, certain};
pub use embedded::{Entry, Listings, of_nothing};
pub use files::{Source, files};
pub use hidden::{doubtful_directories, hidden, hidden_sources};
pub use local::Local;
pub use outline::Outlines;
pub use reach::{closure, closure_with};
pub use root::ModuleRoot;
pub(crate) use root::{below_vendor, workspace};
pub use wanted::Wanted;
pub use why::{chain, in_words};

/// What the build of one main package can read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// Directory of the main package.
    pub main: String,
    /// The same as the `go` command is to name it, relative to the root.
    pub package: String,
    /// Where versions come from.
    pub root: ModuleRoot,
    /// Manifests that exist: what `root` names, and the list of vendored packages.
    pub manifests: Vec<String>,
    /// Directories that are read, without those below them, and what led to each.
    pub directories: BTreeMap<String, Reason>,
    /// Single files elsewhere.
    pub files: BTreeMap<String, Reason>,
    /// Embed patterns.
    pub embeds: Vec<Embed>,
    /// Symbolic links on the way to directories.
    pub links: BTreeSet<String>,
    /// Files whose content stands where source files and manifests are symbolic links, and
    /// the links on the way to them.
    pub linked: BTreeMap<String, Reason>,
    /// What source files that are links lead to and that was not scanned.
    pub absent: BTreeMap<String, Reason>,
    /// Links that lead nowhere, whatever is scanned.
    pub broken: BTreeSet<Link>,
    /// Module paths that directories stand for and that begin an import path: Go
    /// looks into all of them.
    pub local_modules: BTreeSet<String>,
    /// Import paths of packages that are fetched, and what led to each.
    pub external: BTreeMap<String, Reason>,
    /// Directories that imports lead to and that were not scanned.
    pub missing: BTreeMap<String, Reason>,
    /// Directories that imports may lead to, and that a scan passes over.
    pub unscanned: BTreeSet<String>,
    /// What could not be told; the closure is wider for it.
    pub doubts: Vec<Doubt>,
}

impl Closure {
    /// Adds what the same main package reaches otherwise, with other tags.
    pub(crate) fn merge(&mut self, other: Self) {
        fn add(to: &mut BTreeMap<String, Reason>, from: BTreeMap<String, Reason>) {
            for (key, reason) in from {
                to.entry(key).or_insert(reason);
            }
        }
        add(&mut self.directories, other.directories);
        add(&mut self.files, other.files);
        add(&mut self.external, other.external);
        add(&mut self.missing, other.missing);
        add(&mut self.linked, other.linked);
        add(&mut self.absent, other.absent);
        self.broken.extend(other.broken);
        self.unscanned.extend(other.unscanned);
        self.links.extend(other.links);
        self.local_modules.extend(other.local_modules);
        self.embeds.extend(other.embeds);
        self.embeds.sort();
        self.embeds.dedup();
        self.doubts.extend(other.doubts);
        self.doubts.sort();
        self.doubts.dedup();
    }
}

/// What brought something into a closure.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The file that names it; empty for the main package.
    pub file: String,
    /// Line in that file.
    pub line: u32,
    /// What the file says: an import path, a pattern, an include.
    pub names: String,
}

/// An embed pattern of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Embed {
    /// The package's directory.
    pub dir: String,
    /// The pattern, without `all:`.
    pub pattern: String,
    /// Whether it takes hidden files below directories.
    pub all: bool,
    /// Where it is written.
    pub reason: Reason,
}

/// Something that a scan cannot know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// File.
    pub file: String,
    /// Line in it; 0 for the whole file.
    pub line: u32,
    /// What is unknown and what follows, in words.
    pub text: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}
