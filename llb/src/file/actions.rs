//! The actions of file ops.

use buildkit_proto::pb;

use crate::path::{absolute, destination};
use crate::{OpMeta, Output, Owner, Timestamp, caps};

/// On the wire, zero is a time and a mode; this is neither.
const UNSET: i32 = -1;

/// Copies a file or directory of another tree. Message `pb.FileActionCopy`.
#[derive(Clone, Debug)]
pub struct Copy {
    pub(super) from: Output,
    pub(super) owner: Option<Owner>,
    pub(super) wire: pb::FileActionCopy,
}

impl Copy {
    /// Copies `src` of a tree to `dest`. If `dest` is a directory, or ends in
    /// `/`, it is copied into it.
    pub fn new(from: &Output, src: impl AsRef<str>, dest: impl AsRef<str>) -> Self {
        Copy {
            from: from.clone(),
            owner: None,
            wire: pb::FileActionCopy {
                src: absolute(src.as_ref()),
                dest: destination(dest.as_ref()),
                mode: UNSET,
                timestamp: UNSET.into(),
                ..Default::default()
            },
        }
    }

    /// Gives all copied files and directories this mode, set-id and sticky bits
    /// included.
    pub fn mode(mut self, mode: u32) -> Self {
        self.wire.mode = (mode & 0o7777) as i32;
        self.wire.mode_str.clear();
        self
    }

    /// Gives a mode in octal digits or in chmod's symbols, such as `u=rwX,go=rX`.
    pub fn mode_str(mut self, mode: impl Into<String>) -> Self {
        self.wire.mode_str = mode.into();
        // As the Go client has it; the text wins.
        self.wire.mode = if self.wire.mode_str.is_empty() {
            UNSET
        } else {
            0
        };
        self
    }

    /// Gives all copied files this owner. Otherwise they keep theirs.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Gives all copied files this time. Otherwise they keep theirs.
    pub fn timestamp(mut self, time: impl Into<Timestamp>) -> Self {
        self.wire.timestamp = time.into().0;
        self
    }

    /// Copies only what matches one of the patterns, relative to the source.
    pub fn include<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.include_patterns.extend(patterns);
        self
    }

    /// Copies nothing that matches one of the patterns, relative to the source.
    pub fn exclude<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        let patterns = patterns.into_iter().map(Into::into);
        self.wire.exclude_patterns.extend(patterns);
        self
    }

    /// Fails unless the patterns match these paths.
    pub fn required_paths<T: Into<String>>(mut self, paths: impl IntoIterator<Item = T>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        self.wire.required_paths.extend(paths);
        self
    }

    /// Copies what the source links to, if it is a link.
    pub fn follow_symlinks(mut self) -> Self {
        self.wire.follow_symlink = true;
        self
    }

    /// Copies what is in a directory, instead of the directory.
    pub fn contents_only(mut self) -> Self {
        self.wire.dir_copy_contents = true;
        self
    }

    /// Makes the parents of the destination.
    pub fn create_dest_path(mut self) -> Self {
        self.wire.create_dest_path = true;
        self
    }

    /// Takes the source for a pattern. It must match something.
    pub fn allow_wildcard(mut self) -> Self {
        self.wire.allow_wildcard = true;
        self
    }

    /// Does nothing if the pattern matches nothing.
    pub fn allow_empty_wildcard(mut self) -> Self {
        self.wire.allow_empty_wildcard = true;
        self
    }

    /// Unpacks the source if it is a tar archive, packed or not.
    pub fn unpack(mut self) -> Self {
        self.wire.attempt_unpack_docker_compatibility = true;
        self
    }

    /// Replaces files by directories and the reverse, instead of failing.
    pub fn always_replace(mut self) -> Self {
        self.wire.always_replace_existing_dest_paths = true;
        self
    }

    pub(super) fn declare(&self, meta: &mut OpMeta) {
        let wire = &self.wire;
        if !wire.include_patterns.is_empty() || !wire.exclude_patterns.is_empty() {
            meta.need(caps::FILE_COPY_INCLUDE_EXCLUDE_PATTERNS);
        }
        if !wire.required_paths.is_empty() {
            meta.need(caps::FILE_COPY_REQUIRED_PATHS);
        }
        if wire.always_replace_existing_dest_paths {
            meta.need(caps::FILE_COPY_ALWAYS_REPLACE_EXISTING_DEST_PATHS);
        }
        if !wire.mode_str.is_empty() {
            // No daemon up to BuildKit 0.33 reports the capability of symbolic modes,
            // and so each would refuse an op that needs it. The one for symbolic
            // links came right after it, and is reported (solver/pb/caps.go).
            meta.need(caps::FILE_SYMLINK_CREATE);
        }
    }
}

/// Writes a file, in a directory that exists. Message `pb.FileActionMkFile`.
///
/// A file that exists is overwritten and keeps its mode.
#[derive(Clone, Debug)]
pub struct Mkfile {
    pub(super) owner: Option<Owner>,
    pub(super) wire: pb::FileActionMkFile,
}

impl Mkfile {
    /// Writes a file with mode 0644.
    pub fn new(path: impl AsRef<str>, data: impl Into<Vec<u8>>) -> Self {
        Mkfile {
            owner: None,
            wire: pb::FileActionMkFile {
                path: absolute(path.as_ref()),
                mode: 0o644,
                data: data.into(),
                owner: None,
                timestamp: UNSET.into(),
            },
        }
    }

    /// Sets the permission bits.
    pub fn mode(mut self, mode: u32) -> Self {
        self.wire.mode = (mode & 0o777) as i32;
        self
    }

    /// Sets the owner; root otherwise.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Sets the time.
    pub fn timestamp(mut self, time: impl Into<Timestamp>) -> Self {
        self.wire.timestamp = time.into().0;
        self
    }
}

/// Makes a directory, unless it exists. Message `pb.FileActionMkDir`.
#[derive(Clone, Debug)]
pub struct Mkdir {
    pub(super) owner: Option<Owner>,
    pub(super) wire: pb::FileActionMkDir,
}

impl Mkdir {
    /// Makes a directory with mode 0755. Its parent must exist.
    pub fn new(path: impl AsRef<str>) -> Self {
        Mkdir {
            owner: None,
            wire: pb::FileActionMkDir {
                path: absolute(path.as_ref()),
                mode: 0o755,
                make_parents: false,
                owner: None,
                timestamp: UNSET.into(),
            },
        }
    }

    /// Makes parents as well, with the same mode, owner and time.
    pub fn parents(mut self) -> Self {
        self.wire.make_parents = true;
        self
    }

    /// Sets the permission bits.
    pub fn mode(mut self, mode: u32) -> Self {
        self.wire.mode = (mode & 0o777) as i32;
        self
    }

    /// Sets the owner; root otherwise.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Sets the time.
    pub fn timestamp(mut self, time: impl Into<Timestamp>) -> Self {
        self.wire.timestamp = time.into().0;
        self
    }
}

/// Removes a file or directory. Message `pb.FileActionRm`.
#[derive(Clone, Debug)]
pub struct Rm {
    pub(super) wire: pb::FileActionRm,
}

impl Rm {
    /// Removes a path, which must exist.
    pub fn new(path: impl AsRef<str>) -> Self {
        Rm {
            wire: pb::FileActionRm {
                path: absolute(path.as_ref()),
                ..Default::default()
            },
        }
    }

    /// Does nothing if there is no such path.
    pub fn allow_not_found(mut self) -> Self {
        self.wire.allow_not_found = true;
        self
    }

    /// Takes the path for a pattern.
    pub fn allow_wildcard(mut self) -> Self {
        self.wire.allow_wildcard = true;
        self
    }
}

/// Makes a symbolic link. Message `pb.FileActionSymlink`. Needs BuildKit 0.19.
#[derive(Clone, Debug)]
pub struct Symlink {
    pub(super) owner: Option<Owner>,
    pub(super) wire: pb::FileActionSymlink,
}

impl Symlink {
    /// Makes a link at `new` that says `old`.
    pub fn new(old: impl Into<String>, new: impl Into<String>) -> Self {
        Symlink {
            owner: None,
            wire: pb::FileActionSymlink {
                oldpath: old.into(),
                newpath: new.into(),
                owner: None,
                timestamp: UNSET.into(),
            },
        }
    }

    /// Sets the owner; root otherwise.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Sets the time.
    pub fn timestamp(mut self, time: impl Into<Timestamp>) -> Self {
        self.wire.timestamp = time.into().0;
        self
    }
}
