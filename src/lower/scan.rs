//! The scan step: the frontend's own image runs `gofleet scan` over the context.
//!
//! It needs no image reference: the daemon hands every frontend the definition of
//! the image it runs from. The step has no network and writes the index, nothing
//! else; sources are never copied through it.

use buildkit_llb::{Describe as _, Error, Exec, Mount, Network, Output};

use crate::scan::INDEX_FILE;

const SOURCE_DIR: &str = "/src";
const OUTPUT_DIR: &str = "/out";

/// The program in the frontend's image.
pub(super) const PROGRAM: &str = "/gofleet";

/// A tree that holds the index of `sources`.
///
/// `reach` are directories that are read although a scan passes over them.
/// `fresh` runs the step although nothing changed; it has no cache mounts, so
/// nothing is pruned by that.
///
/// # Errors
///
/// A bug of ours: the step has no such output.
pub fn scan_step(
    frontend: &Output,
    sources: &Output,
    reach: &[String],
    fresh: bool,
) -> Result<Output, Error> {
    let index = format!("{OUTPUT_DIR}/{INDEX_FILE}");
    let mut args = vec![PROGRAM.to_owned(), "scan".to_owned()];
    args.extend(reach.iter().map(|dir| format!("--reach={dir}")));
    args.extend([SOURCE_DIR.to_owned(), index]);
    let mut exec = Exec::new(args)
        .mount(Mount::bind("/", frontend).readonly())
        .mount(Mount::bind(SOURCE_DIR, sources).readonly())
        .mount(Mount::scratch(OUTPUT_DIR))
        .cwd("/")
        .network(Network::None)
        .name("[internal] scan sources");
    if fresh {
        exec = exec.ignore_cache();
    }
    exec.build().output(OUTPUT_DIR)
}
