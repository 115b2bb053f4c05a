//! The layers of an image, from stable to changing: CA roots, time zones, names of
//! ports and media types, user and `/tmp`, working directory, files of the spec, binaries.
//!
//! Each layer is staged on scratch and copied once more as a whole with a fixed
//! time: a time on a single file action does not reach the directories above the
//! file (graph-measurements §6). Layers are joined by a merge, so they do not
//! depend on each other, and are the same in every image that has them.

use buildkit_llb::{
    Copy, Describe as _, FileOp, Merge, Mkdir, Mkfile, Output, Owner, SourceLocation,
};

use std::collections::BTreeMap;

use super::below::{Below, DirMeta, Found, Layout};
use super::build::BINARY_DIR;
use super::constant::{epoch, quiet};
use super::user::ScratchUser;
use crate::scan::select::escape;

/// Home directory of every user but root.
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

/// Names of ports and media types, which Go's `net` and `mime` read.
pub(super) fn names(frontend: &Output) -> Layer {
    carried(frontend, "names", "names of ports and media types")
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
        .mkfile(mkfile("/etc/passwd", user.passwd()))
        .mkfile(mkfile("/etc/group", user.group_file()));
    let staged = with_directories(staged, &home_and_tmp(user), &Special::Scratch(frontend));
    Layer {
        output: flatten(&quiet(staged, "users and /tmp"), "users and /tmp"),
        created_by: "gofleet: users and /tmp".to_owned(),
    }
}

fn home_and_tmp(user: &ScratchUser) -> BTreeMap<String, DirMeta> {
    let home = user.home();
    let mut dirs = BTreeMap::from([
        (home.to_owned(), DirMeta::of(0o700, user.uid, user.gid)),
        ("/tmp".to_owned(), DirMeta::of(0o1777, 0, 0)),
    ]);
    if home == HOME {
        dirs.insert("/home".to_owned(), DirMeta::PLAIN);
    }
    dirs
}

/// What the layers of a scratch image hold that files of the spec may meet.
pub(super) fn scratch(user: &ScratchUser, tzdata: bool) -> Below {
    let mut below = Below::default();
    let mut plain = vec![
        "/etc",
        "/etc/ssl",
        "/etc/ssl/certs",
        "/usr",
        "/usr/local",
        "/usr/local/bin",
    ];
    if tzdata {
        plain.extend(["/usr/share", "/usr/share/zoneinfo"]);
    }
    for path in plain {
        below.directory(path, DirMeta::PLAIN);
    }
    for (path, meta) in home_and_tmp(user) {
        below.directory(&path, meta);
    }
    let files = [
        "/etc/passwd",
        "/etc/group",
        "/etc/ssl/certs/ca-certificates.crt",
    ];
    for path in files {
        below.insert(path, Found::File);
    }
    below
}

/// Where a directory comes from whose mode no `mkdir` can set: sticky, setgid or setuid.
pub(super) enum Special<'a> {
    /// The frontend's image; a scratch image has one, `/tmp`.
    Scratch(&'a Output),
    /// The base image.
    Base(&'a Output),
}

/// Makes directories as they are in the image below.
fn with_directories(
    mut op: FileOp,
    dirs: &BTreeMap<String, DirMeta>,
    special: &Special<'_>,
) -> FileOp {
    // A copy makes plain ones by itself.
    if dirs.values().all(|meta| *meta == DirMeta::PLAIN) {
        return op;
    }
    for (path, meta) in dirs {
        op = match special {
            _ if meta.mode & 0o7000 == 0 => op.mkdir(
                Mkdir::new(path)
                    .mode(meta.mode)
                    .owner(Owner::ids(meta.uid, meta.gid)),
            ),
            Special::Scratch(frontend) => {
                op.copy(Copy::new(frontend, "/rootfs/tmp/tmp", path).owner(root_owner()))
            }
            // The directory without what is in it.
            Special::Base(base) => op.copy(Copy::new(base, path, path).exclude(["*"])),
        };
    }
    op
}

/// The working directory, for an image that has none of this name.
pub(super) fn working_dir(dirs: &BTreeMap<String, DirMeta>, special: &Special<'_>) -> Layer {
    let name = "working directory";
    let mut op = with_directories(FileOp::new(), dirs, special);
    if dirs.values().all(|meta| *meta == DirMeta::PLAIN) {
        for path in dirs.keys() {
            op = op.mkdir(Mkdir::new(path).mode(0o755));
        }
    }
    Layer {
        output: flatten(&quiet(op, name), name),
        created_by: format!("gofleet: {name}"),
    }
}

/// The `files` of a service, owned by root, readable by everybody.
pub(super) fn files(
    layout: &Layout,
    sources: &Output,
    special: &Special<'_>,
    features: Features,
    location: impl Fn(usize) -> Option<SourceLocation>,
    label: &str,
) -> Option<Layer> {
    if layout.files.is_empty() {
        return None;
    }
    let mut staged = with_directories(FileOp::new(), &layout.kept, special);
    for file in &layout.files {
        let source = match file.source.as_str() {
            "." => "/".to_owned(),
            source => format!("/{source}"),
        };
        let mut copy = Copy::new(sources, source, file.dest.as_str())
            .contents_only()
            .create_dest_path()
            .follow_symlinks()
            .exclude(file.without.iter().map(|name| escape(name)))
            .owner(root_owner());
        if features.mode_string {
            // Machines differ in umask: without this, so would digests.
            copy = copy.mode_str("u=rwX,go=rX");
        }
        staged = staged.copy(copy);
        if let Some(location) = location(file.entry) {
            staged = staged.location(&location);
        }
    }
    let name = format!("{label} files");
    Some(Layer {
        output: flatten(&quiet(staged, &name), &name),
        created_by: format!("gofleet: {name}"),
    })
}

/// A binary where the base image's links lead, in directories as they are there.
pub(super) fn placed_binary(
    built: &Output,
    name: &str,
    file: &str,
    (path, dirs): &(String, BTreeMap<String, DirMeta>),
    special: &Special<'_>,
) -> Layer {
    let usual = format!("{BINARY_DIR}/{file}");
    if *path == usual && dirs.values().all(|meta| *meta == DirMeta::PLAIN) {
        return binary(built, name);
    }
    let text = format!("binary of {name}");
    let copy = Copy::new(built, usual, path.as_str())
        .create_dest_path()
        .mode(0o755)
        .owner(root_owner());
    let staged = with_directories(FileOp::new(), dirs, special).copy(copy);
    Layer {
        output: flatten(&quiet(staged, &text), &text),
        created_by: format!("gofleet: {name}"),
    }
}

/// A binary at its place. The build step's output is a whole tree already.
fn binary(built: &Output, name: &str) -> Layer {
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
