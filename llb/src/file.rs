//! File ops: changes to trees without a process.
//!
//! Message `pb.FileOp`. In a Dockerfile: `COPY`, `ADD`, `WORKDIR`. The actions of
//! an op form a chain, each on the result of the one before; the last result is
//! the output. This is the layout that the daemon's cache knows best
//! (moby/buildkit v0.32.2, `solver/llbsolver/ops/file.go`).

use buildkit_proto::pb;

use crate::meta::describe;
use crate::output::{Inputs, finish};
use crate::{Error, OpMeta, Output, caps};

mod actions;
mod owner;

pub use actions::{Copy, Mkdir, Mkfile, Rm, Symlink};
pub use owner::{Owner, User};

/// Nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// 1 January 1970.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// Whole seconds since the epoch; those that do not fit become the first or
    /// last nanosecond that does.
    pub fn from_secs(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1_000_000_000))
    }
}

impl From<i64> for Timestamp {
    fn from(nanoseconds: i64) -> Self {
        Timestamp(nanoseconds)
    }
}

/// Builds a file op.
///
/// Paths are absolute; relative ones start at `/`. Without a timestamp, files
/// keep the time they have or get the time of the build.
///
/// Caps: `file.base` and one per feature in use.
///
/// ```
/// use buildkit_llb::{Copy, Describe, FileOp, Mkdir, Mkfile, Owner, Rm, Source, Symlink, Timestamp};
///
/// let binaries = Source::local("out").build();
/// let tree = FileOp::new()
///     .mkdir(Mkdir::new("/usr/local/bin").parents().timestamp(Timestamp::EPOCH))
///     .copy(Copy::new(&binaries, "/api", "/usr/local/bin/").mode(0o755).owner(Owner::ids(0, 0)))
///     .mkfile(Mkfile::new("/etc/motd", "hello\n"))
///     .symlink(Symlink::new("/usr/local/bin/api", "/entrypoint"))
///     .rm(Rm::new("/etc/motd").allow_not_found())
///     .name("[api] files")
///     .build();
/// # tree.check()?;
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FileOp {
    base: Option<Output>,
    actions: Vec<Action>,
    meta: OpMeta,
}

describe!(FileOp);

#[derive(Clone, Debug)]
enum Action {
    Copy(Copy),
    Mkfile(Mkfile),
    Mkdir(Mkdir),
    Rm(Rm),
    Symlink(Symlink),
}

impl FileOp {
    /// Starts from an empty tree.
    pub fn new() -> Self {
        FileOp::default()
    }

    /// Starts from a tree.
    pub fn on(base: &Output) -> Self {
        FileOp {
            base: Some(base.clone()),
            ..FileOp::default()
        }
    }

    /// Copies files of another tree.
    pub fn copy(self, action: Copy) -> Self {
        self.action(Action::Copy(action))
    }

    /// Writes a file.
    pub fn mkfile(self, action: Mkfile) -> Self {
        self.action(Action::Mkfile(action))
    }

    /// Makes a directory.
    pub fn mkdir(self, action: Mkdir) -> Self {
        self.action(Action::Mkdir(action))
    }

    /// Removes files.
    pub fn rm(self, action: Rm) -> Self {
        self.action(Action::Rm(action))
    }

    /// Makes a symbolic link.
    pub fn symlink(self, action: Symlink) -> Self {
        self.action(Action::Symlink(action))
    }

    fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Finishes the op.
    pub fn build(mut self) -> Output {
        self.meta.need(caps::FILE_BASE);
        let mut inputs = Inputs::default();
        let base = self.base.as_ref().map_or(-1, |base| inputs.add(base));
        // All inputs are numbered before the first action, because the results
        // of actions are numbered after them.
        let sources: Vec<i64> = self
            .actions
            .iter()
            .map(|action| action.add_inputs(&mut inputs))
            .collect();
        let first_result = inputs.0.len() as i64;
        let last = self.actions.len().saturating_sub(1);
        let mut encoded = Vec::new();
        for (number, (action, source)) in self.actions.into_iter().zip(sources).enumerate() {
            let previous = first_result + number as i64 - 1;
            encoded.push(pb::FileAction {
                input: if number == 0 { base } else { previous },
                secondary_input: source,
                output: if number == last { 0 } else { -1 },
                action: Some(action.encode(base, &inputs, &mut self.meta)),
            });
        }
        let error = encoded.is_empty().then_some(Error::NoActions);
        let operation = pb::op::Op::File(pb::FileOp { actions: encoded });
        finish(operation, inputs, None, self.meta, error)
    }
}

impl Action {
    /// Adds the trees that the action needs, and gives the number of the one it
    /// copies from, if it copies.
    fn add_inputs(&self, inputs: &mut Inputs) -> i64 {
        let (source, owner) = match self {
            Action::Copy(action) => (inputs.add(&action.from), &action.owner),
            Action::Mkfile(action) => (-1, &action.owner),
            Action::Mkdir(action) => (-1, &action.owner),
            Action::Symlink(action) => (-1, &action.owner),
            Action::Rm(_) => return -1,
        };
        if let Some(tree) = owner.as_ref().and_then(Owner::tree) {
            inputs.add(tree);
        }
        source
    }

    fn encode(self, base: i64, inputs: &Inputs, meta: &mut OpMeta) -> pb::file_action::Action {
        use pb::file_action::Action as Wire;

        let owner = |owner: Option<Owner>| owner.map(|owner| owner.encode(base, inputs));
        match self {
            Action::Copy(action) => {
                action.declare(meta);
                Wire::Copy(pb::FileActionCopy {
                    owner: owner(action.owner),
                    ..action.wire
                })
            }
            Action::Mkfile(action) => Wire::Mkfile(pb::FileActionMkFile {
                owner: owner(action.owner),
                ..action.wire
            }),
            Action::Mkdir(action) => Wire::Mkdir(pb::FileActionMkDir {
                owner: owner(action.owner),
                ..action.wire
            }),
            Action::Symlink(action) => {
                meta.need(caps::FILE_SYMLINK_CREATE);
                Wire::Symlink(pb::FileActionSymlink {
                    owner: owner(action.owner),
                    ..action.wire
                })
            }
            Action::Rm(action) => {
                if action.wire.allow_wildcard {
                    meta.need(caps::FILE_RM_WILDCARD);
                }
                Wire::Rm(action.wire)
            }
        }
    }
}

#[cfg(test)]
mod tests;
