//! The layers of an image, from stable to changing: CA roots, time zones, user
//! and `/tmp`, files of the spec, binaries.
//!
//! Each layer is staged on scratch and copied once more as a whole with a fixed
//! time: a time on a single file action does not reach the directories above the
//! file (graph-measurements §6). Layers are joined by a merge, so they do not
//! depend on each other, and are the same in every image that has them.

use buildkit_llb::{
    Copy, Describe as _, FileOp, Merge, Mkdir, Mkfile, Output, Owner, SourceLocation,
};

use super::constant::{epoch, quiet};
use super::user::ScratchUser;
use crate::plan::FileEntry;

/// Home directory of the default user.
pub(super) const HOME: &str = "/home/nonroot";

/// A layer with the text of its history entry.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) output: Output,
    pub(super) created_by: String,
}

/// What the daemon can do, as far as it changes the graph.
#[derive(Debug, Clone, Copy)]
pub struct Features {
    /// Merge op. Docker Engine without the containerd image store lacks it.
    pub merge: bool,
    /// Symbolic modes in copies. BuildKit 0.12 lacks them; newer ones have them
    /// without saying so, and say that they have symbolic links, which came next.
    pub mode_string: bool,
}

/// Mozilla's CA roots.
pub(super) fn ca_roots(frontend: &Output) -> Layer {
    carried(frontend, "ca", "CA roots")
}

/// The IANA time zone database.
pub(super) fn time_zones(frontend: &Output) -> Layer {
    carried(frontend, "tz", "time zones")
}

/// A folder of the frontend's own image. Copies are keyed by content, so a new
/// frontend that carries the same files changes nothing.
fn carried(frontend: &Output, folder: &str, name: &str) -> Layer {
    let copy = Copy::new(frontend, format!("/rootfs/{folder}"), "/")
        .contents_only()
        .owner(root_owner())
        .timestamp(epoch());
    Layer {
        output: quiet(FileOp::new().copy(copy), name),
        created_by: format!("gofleet: {name}"),
    }
}

/// `/etc/passwd`, `/etc/group`, the user's home and `/tmp`.
pub(super) fn users(frontend: &Output, user: &ScratchUser) -> Layer {
    let mkdir = |path: &str, mode| Mkdir::new(path).mode(mode);
    let mkfile = |path: &str, text: String| Mkfile::new(path, text.into_bytes()).mode(0o644);
    let staged = FileOp::new()
        .mkdir(mkdir("/etc", 0o755))
        .mkfile(mkfile("/etc/passwd", user.passwd(HOME)))
        .mkfile(mkfile("/etc/group", user.group_file()))
        .mkdir(mkdir("/home", 0o755))
        .mkdir(mkdir(HOME, 0o700).owner(Owner::ids(user.uid, user.gid)))
        // The sticky bit of `/tmp` cannot be set by a mkdir.
        .copy(
            Copy::new(frontend, "/rootfs/tmp", "/")
                .contents_only()
                .owner(root_owner()),
        );
    Layer {
        output: flatten(&quiet(staged, "users and /tmp"), "users and /tmp"),
        created_by: "gofleet: users and /tmp".to_owned(),
    }
}

/// The `files` of a service, owned by root, readable by everybody.
pub(super) fn files(
    entries: &[FileEntry],
    sources: &Output,
    features: Features,
    location: impl Fn(&FileEntry) -> Option<SourceLocation>,
    label: &str,
) -> Option<Layer> {
    if entries.is_empty() {
        return None;
    }
    let mut staged = FileOp::new();
    for entry in entries {
        let mut copy = Copy::new(sources, format!("/{}", entry.source), entry.dest.as_str())
            .contents_only()
            .create_dest_path()
            .follow_symlinks()
            .owner(root_owner());
        if features.mode_string {
            // Machines differ in umask: without this, so would digests.
            copy = copy.mode_str("u=rwX,go=rX");
        }
        staged = staged.copy(copy);
        if let Some(location) = location(entry) {
            staged = staged.location(&location);
        }
    }
    let name = format!("{label} files");
    Some(Layer {
        output: flatten(&quiet(staged, &name), &name),
        created_by: format!("gofleet: {name}"),
    })
}

/// A binary at its place. The build step's output is a whole tree already.
pub(super) fn binary(built: &Output, name: &str) -> Layer {
    let text = format!("binary of {name}");
    Layer {
        output: flatten_with_mode(built, &text),
        created_by: format!("gofleet: {name}"),
    }
}

/// Copies a tree as a whole, so that every directory in it gets the fixed time.
fn flatten(tree: &Output, name: &str) -> Output {
    let copy = Copy::new(tree, "/", "/").contents_only().timestamp(epoch());
    quiet(FileOp::new().copy(copy), name)
}

/// The same for trees of directories and programs: one mode serves both.
fn flatten_with_mode(tree: &Output, name: &str) -> Output {
    let copy = Copy::new(tree, "/", "/")
        .contents_only()
        .mode(0o755)
        .owner(root_owner())
        .timestamp(epoch());
    quiet(FileOp::new().copy(copy), name)
}

/// The binaries of a directory tree at the root, for `--target binaries`.
pub(super) fn exported_binaries(built: &[Output], dir: &str, features: Features) -> Option<Output> {
    let trees: Vec<Output> = built
        .iter()
        .map(|tree| {
            let copy = Copy::new(tree, dir, "/")
                .contents_only()
                .mode(0o755)
                .timestamp(epoch());
            quiet(FileOp::new().copy(copy), "binaries")
        })
        .collect();
    join(None, trees, features)
}

/// Puts layers on a base image, or on scratch; `None` when there are none.
pub(super) fn join(
    base: Option<&Output>,
    layers: Vec<Output>,
    features: Features,
) -> Option<Output> {
    let mut inputs: Vec<Output> = base.cloned().into_iter().chain(layers).collect();
    if inputs.len() < 2 {
        return inputs.pop();
    }
    if features.merge {
        return Some(
            Merge::new(inputs)
                .name("[internal] join layers")
                .progress_group("gofleet.internal", "[internal] assemble", true)
                .build(),
        );
    }
    // Without a merge op the layers are copied one over the other.
    let mut rest = inputs.into_iter();
    let first = rest.next()?;
    Some(rest.fold(first, |below, layer| {
        let copy = Copy::new(&layer, "/", "/")
            .contents_only()
            .timestamp(epoch());
        quiet(FileOp::on(&below).copy(copy), "join layers")
    }))
}

fn root_owner() -> Owner {
    Owner::ids(0, 0)
}
