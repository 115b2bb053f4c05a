//! The scan: one walk over the sources that tells the frontend what it needs to
//! know before it can build a graph.
//!
//! In: a directory. Out: the [`Index`], nothing else. Two callers share it: the
//! exec step inside BuildKit (`gofleet scan`, see `lower::scan`) and the
//! command-line tool. The walk never leaves the directory: symbolic links are
//! not followed.
//!
//! Today the index holds modules, the workspace and main packages. The files
//! that each service can see (its closure) will be computed here as well.

mod gofile;
mod gomod;
mod index;
mod walk;

pub use index::{INDEX_FILE, Index, Module, Workspace};
pub use walk::scan;
