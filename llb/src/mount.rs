//! Mounts of execs: what the process sees at which path.
//!
//! Message `pb.Mount`. In a Dockerfile: `RUN --mount`.

use buildkit_proto::pb;

use crate::Output;

/// How several execs use one cache directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// At the same time.
    #[default]
    Shared,
    /// Not at all: who finds it in use gets another directory.
    Private,
    /// One after the other.
    Locked,
}

/// Whether the cache finds an exec by the content of a mount.
///
/// The last mount of an input decides for all mounts of that input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentCache {
    /// Yes if the mount is read-only, thrown away or a whole tree; never at `/`.
    #[default]
    Default,
    /// Yes; it is an error if the mount does not allow it.
    On,
    /// No.
    Off,
}

/// Any mount. Made by its functions, which give a builder of each kind, and by
/// `into()` from those.
///
/// ```
/// use buildkit_llb::{Exec, Mount, Sharing, Source};
///
/// let image = Source::image("golang:1.26").build();
/// let source = Source::local("context").build();
/// let exec = Exec::new(["go", "build", "-o", "/out/api", "./cmd/api"])
///     .cwd("/src")
///     .mount(Mount::bind("/", &image).readonly())
///     .mount(Mount::bind("/src", &source).readonly())
///     .mount(Mount::scratch("/out"))
///     .mount(Mount::cache("/root/.cache/go-build", "go-build").sharing(Sharing::Shared))
///     .mount(Mount::tmpfs("/tmp"))
///     .mount(Mount::secret("/root/.netrc", "netrc").optional())
///     .build();
/// let binary = exec.output("/out")?;
/// # binary.check()?;
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mount(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Bind(BindMount),
    Cache(CacheMount),
    Tmpfs(TmpfsMount),
    Secret(SecretMount),
    Ssh(SshMount),
}

impl Mount {
    /// A tree. Writable unless it is made read-only, and then an output of the
    /// exec unless [`no_output`](BindMount::no_output) is set.
    pub fn bind(dest: impl Into<String>, input: &Output) -> BindMount {
        BindMount::new(dest.into(), Some(input.clone()))
    }

    /// An empty directory, which is an output of the exec.
    pub fn scratch(dest: impl Into<String>) -> BindMount {
        BindMount::new(dest.into(), None)
    }

    /// A directory that survives between builds, until it is pruned.
    ///
    /// The id names it on the whole daemon, for all users and platforms; put a
    /// namespace into it. Nothing is ever guaranteed to be there.
    pub fn cache(dest: impl Into<String>, id: impl Into<String>) -> CacheMount {
        CacheMount {
            dest: dest.into(),
            id: id.into(),
            sharing: Sharing::default(),
            input: None,
            selector: String::new(),
            readonly: false,
            content_cache: ContentCache::default(),
        }
    }

    /// A directory in memory, gone after the exec.
    pub fn tmpfs(dest: impl Into<String>) -> TmpfsMount {
        TmpfsMount {
            dest: dest.into(),
            size: 0,
        }
    }

    /// A secret of the client, as a file of root with mode 0400. Its value is in
    /// no cache key.
    pub fn secret(dest: impl Into<String>, id: impl Into<String>) -> SecretMount {
        SecretMount {
            dest: dest.into(),
            opt: pb::SecretOpt {
                id: id.into(),
                mode: 0o400,
                ..Default::default()
            },
        }
    }

    /// The socket of an SSH agent of the client, of root with mode 0600.
    ///
    /// An empty path stands for one under `/run/buildkit`. `SSH_AUTH_SOCK` is set
    /// to the first one unless the exec sets it.
    pub fn ssh(dest: impl Into<String>, id: impl Into<String>) -> SshMount {
        SshMount {
            dest: dest.into(),
            opt: pb::SshOpt {
                id: id.into(),
                mode: 0o600,
                ..Default::default()
            },
        }
    }
}

macro_rules! into_mount {
    ($($builder:ident => $kind:ident),*) => {
        $(impl From<$builder> for Mount {
            fn from(mount: $builder) -> Self {
                Mount(Kind::$kind(mount))
            }
        })*
    };
}

into_mount!(
    BindMount => Bind,
    CacheMount => Cache,
    TmpfsMount => Tmpfs,
    SecretMount => Secret,
    SshMount => Ssh
);

/// A tree or an empty directory. Caps: `exec.mount.bind`, `exec.mount.selector`,
/// `exec.mount.bind.readwrite-nooutput`, `exec.mount.cache.content`.
#[derive(Clone, Debug)]
pub struct BindMount {
    pub(crate) dest: String,
    pub(crate) input: Option<Output>,
    pub(crate) selector: String,
    pub(crate) readonly: bool,
    pub(crate) no_output: bool,
    pub(crate) content_cache: ContentCache,
}

impl BindMount {
    fn new(dest: String, input: Option<Output>) -> Self {
        BindMount {
            dest,
            input,
            selector: String::new(),
            readonly: false,
            no_output: false,
            content_cache: ContentCache::default(),
        }
    }

    /// Mounts it read-only. The mount is no output then.
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Throws away what is written. Not for `/`: the daemon would prepare no
    /// writable layer there.
    pub fn no_output(mut self) -> Self {
        self.no_output = true;
        self
    }

    /// Mounts this path of the tree, which must exist.
    pub fn selector(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// Says whether the cache looks at content.
    pub fn content_cache(mut self, mode: ContentCache) -> Self {
        self.content_cache = mode;
        self
    }

    pub(crate) fn is_output(&self) -> bool {
        !self.readonly && !self.no_output
    }
}

/// A directory that survives. Caps: `exec.mount.cache`,
/// `exec.mount.cache.sharing`, `exec.mount.selector`.
#[derive(Clone, Debug)]
pub struct CacheMount {
    pub(crate) dest: String,
    pub(crate) id: String,
    pub(crate) sharing: Sharing,
    pub(crate) input: Option<Output>,
    pub(crate) selector: String,
    pub(crate) readonly: bool,
    pub(crate) content_cache: ContentCache,
}

impl CacheMount {
    /// Says how it is shared. Uses of one id should agree.
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// Fills a new directory with a tree. The tree becomes a part of the
    /// directory's name.
    pub fn input(mut self, input: &Output) -> Self {
        self.input = Some(input.clone());
        self
    }

    /// Mounts this path of the directory.
    pub fn selector(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// Mounts it read-only.
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Says whether the build cache looks at the content of the input.
    pub fn content_cache(mut self, mode: ContentCache) -> Self {
        self.content_cache = mode;
        self
    }
}

/// A directory in memory. Caps: `exec.mount.tmpfs`, `exec.mount.tmpfs.size`.
#[derive(Clone, Debug)]
pub struct TmpfsMount {
    pub(crate) dest: String,
    pub(crate) size: i64,
}

impl TmpfsMount {
    /// Sets its size in bytes; 0 leaves it to the runtime.
    pub fn size(mut self, bytes: i64) -> Self {
        self.size = bytes;
        self
    }
}

/// A secret as a file. Caps: `exec.mount.secret`.
#[derive(Clone, Debug)]
pub struct SecretMount {
    pub(crate) dest: String,
    pub(crate) opt: pb::SecretOpt,
}

impl SecretMount {
    /// Mounts nothing if the client has no such secret, instead of failing.
    pub fn optional(mut self) -> Self {
        self.opt.optional = true;
        self
    }

    /// Sets its mode.
    pub fn mode(mut self, mode: u32) -> Self {
        self.opt.mode = mode;
        self
    }

    /// Sets its user.
    pub fn uid(mut self, uid: u32) -> Self {
        self.opt.uid = uid;
        self
    }

    /// Sets its group.
    pub fn gid(mut self, gid: u32) -> Self {
        self.opt.gid = gid;
        self
    }
}

/// A socket of an SSH agent. Caps: `exec.mount.ssh`.
#[derive(Clone, Debug)]
pub struct SshMount {
    pub(crate) dest: String,
    pub(crate) opt: pb::SshOpt,
}

impl SshMount {
    /// Mounts nothing if the client has no such agent, instead of failing.
    pub fn optional(mut self) -> Self {
        self.opt.optional = true;
        self
    }

    /// Sets its mode.
    pub fn mode(mut self, mode: u32) -> Self {
        self.opt.mode = mode;
        self
    }

    /// Sets its user.
    pub fn uid(mut self, uid: u32) -> Self {
        self.opt.uid = uid;
        self
    }

    /// Sets its group.
    pub fn gid(mut self, gid: u32) -> Self {
        self.opt.gid = gid;
        self
    }
}
