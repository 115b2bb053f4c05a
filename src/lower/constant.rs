//! Trees with constant content, and the names of bookkeeping steps.
//!
//! A marker is a tiny tree that a step mounts only to be ordered behind another
//! step. Read-only mounts are keyed by content, so whether a marker comes from a
//! step that ran or from a constant makes no difference to the key: the schedule
//! is not part of any key.

use buildkit_llb::{Describe as _, FileOp, Mkdir, Output, Timestamp};

/// Fixed time of everything that gofleet puts into an image: 1 January 1970.
pub(super) fn epoch() -> Timestamp {
    Timestamp::from_secs(0)
}

/// Time of the files that a build step reads: the last second that every file system can
/// hold, in the year 2038.
///
/// Go keeps an index of directories in its build cache, by the names, sizes and times of
/// their files. With one time for all, an edit that keeps a file's size would go unseen
/// (go-build-facts §D4). A directory with a file that is newer than now is not indexed.
/// Source: Go 1.26, `cmd/go/internal/modindex`, `dirHash`.
pub(super) fn unindexed() -> Timestamp {
    Timestamp::from_secs(i32::MAX.into())
}

/// Progress group of steps that nobody needs to read about. It is weak: clients
/// hide it as long as none of its members fails.
const GROUP: &str = "gofleet.internal";

/// Folds a file op into the group of bookkeeping steps.
pub(super) fn quiet(op: FileOp, name: &str) -> Output {
    op.name(format!("[internal] {name}"))
        .progress_group(GROUP, "[internal] assemble", true)
        .build()
}

/// The part of a marker that is constant: what the steps that it comes through say to the
/// frontend is beside it.
pub(super) const CONSTANT: &str = "/constant";

/// A tree that holds one empty directory, below [`CONSTANT`]. `salt` makes another tree of
/// it: that is how `--no-cache` runs a step again without pruning its cache mounts.
pub(super) fn marker(name: &str, salt: Option<&str>) -> Output {
    let dir = match salt {
        Some(salt) => format!("{CONSTANT}/{name}-{salt}"),
        None => format!("{CONSTANT}/{name}"),
    };
    let dir = Mkdir::new(dir).parents().mode(0o755).timestamp(epoch());
    quiet(FileOp::new().mkdir(dir), name)
}
