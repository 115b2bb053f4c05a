//! The scan: one walk over the sources that says what stands in their files.
//!
//! In: a directory. Out: the [`Index`], nothing else. Two callers share it: the
//! exec step inside BuildKit (`gofleet scan`, see `lower::scan`) and the
//! command-line tool. Symbolic links are resolved inside the directory and never
//! lead out of it.
//!
//! # Files
//!
//! - `select`: which files are read at all, as names and as patterns for a client;
//! - `scope`: what of a directory is read: what is reached, what an ignore file hides;
//! - `walk`: every directory once, in parallel;
//! - `read`: one file;
//! - `include`: where the assembler finds what it includes;
//! - `vendor`, `sums`: where lists of vendored packages and `go.sum` do not fit the manifests;
//! - `gofile`, `native`, `assembly`, `gomod`, `constraint`, `words`: readers for one kind of text each;
//! - `build`: from what was found to the index.

pub(crate) mod assembly;
mod build;
pub(crate) mod constraint;
pub(crate) mod gofile;
pub(crate) mod gomod;
mod include;
mod index;
mod link;
pub(crate) mod native;
mod read;
mod scope;
pub(crate) mod select;
mod sums;
mod vendor;
mod walk;
mod words;

pub use build::{scan, scan_scope};
pub(crate) use include::{UNHASHED, unhashed_header, unhashed_in};
pub use index::{
    Constraint, Contradiction, Directory, INDEX_FILE, Import, Index, Link, LinkEnd, Module, Native,
    NativeKind, Note, Place, Replace, Require, Unhashed, Unsummed, Unvendored, With, Workspace,
};
pub(crate) use index::{ancestors, is_inside, join, parent, resolve};
pub(crate) use link::resolve as link_target;
pub use scope::Scope;
pub use words::open_words;
