//! A typed builder for LLB, the graph language of
//! [BuildKit](https://github.com/moby/buildkit).
//!
//! A graph is made of ops, each of which has outputs: trees of files. Builders
//! take [`Output`]s and give `Output`s; nothing runs until a daemon gets the
//! definition that [`Output::marshal`] gives.
//!
//! ```
//! use buildkit_llb::{Describe, Exec, Mount, Source};
//!
//! let image = Source::image("alpine").build();
//! let hello = Exec::new(["sh", "-c", "echo hello > /out/greeting"])
//!     .mount(Mount::bind("/", &image).readonly())
//!     .mount(Mount::scratch("/out"))
//!     .name("greet")
//!     .build()
//!     .output("/out")?;
//! let definition = hello.marshal();
//! # hello.check()?;
//! # Ok::<(), buildkit_llb::Error>(())
//! ```
//!
//! The example `solve` writes such a definition to standard output, for
//! `buildctl` to solve:
//!
//! ```text
//! cargo run -p buildkit-llb --example solve |
//!     buildctl build --no-cache --local src=examples/hello --output type=local,dest=out
//! ```
//!
//! # Ops
//!
//! | builder | message | in a Dockerfile |
//! |---|---|---|
//! | [`Source`] | `SourceOp` | `FROM`, `ADD URL`, build contexts |
//! | [`Exec`], [`Mount`] | `ExecOp` | `RUN` |
//! | [`FileOp`] | `FileOp` | `COPY`, `ADD`, `WORKDIR` |
//! | [`Merge`], [`Diff`] | `MergeOp`, `DiffOp` | `COPY --link` |
//! | [`BuildOp`] | `BuildOp` | |
//! | [`Passthrough`] | `PassthroughOp` | |
//! | [`Foreign`] | any | `FROM` of an input |
//!
//! Every builder has the methods of [`Describe`] for names, locations and other
//! metadata. What an op needs of the daemon is declared in its metadata; see
//! [`caps_of`].
//!
//! # Digests
//!
//! An op is named by the digest of its bytes. The daemon encodes ops anew and
//! uses the digests of its own encoding; this crate has the same encoding, so
//! [`Output::digest`] is what progress, errors and warnings speak of.
//!
//! The crate does no I/O and knows no clock and no randomness: the same calls
//! give the same bytes.

mod build;
mod digest;
mod encode;
mod error;
mod exec;
mod file;
mod foreign;
mod image_ref;
mod marshal;
mod merge;
mod meta;
mod mount;
mod output;
mod passthrough;
mod path;
mod platform;
mod source;
mod source_map;

pub mod caps;
pub mod text;

pub use build::BuildOp;
pub use caps::caps_of;
pub use digest::Digest;
pub use encode::{encode_definition, encode_op};
pub use error::Error;
pub use exec::{Exec, ExecBuilder, Network, ProxyEnv, SecretEnv, Security};
pub use file::{Copy, FileOp, Mkdir, Mkfile, Owner, Rm, Symlink, Timestamp, User};
pub use foreign::Foreign;
pub use image_ref::ImageRef;
pub use marshal::marshal;
pub use merge::{Diff, Merge};
pub use meta::{CUSTOM_NAME, Describe, LinuxResources, OpMeta};
pub use mount::{
    BindMount, CacheMount, ContentCache, Mount, SecretMount, Sharing, SshMount, TmpfsMount,
};
pub use output::Output;
pub use passthrough::Passthrough;
pub use platform::Platform;
pub use source::{
    BlobSource, Differ, GitSource, HttpSource, ImageSource, LocalSource, OciLayoutSource,
    RecordType, ResolveMode, SignatureRules, Source,
};
pub use source_map::{Position, Range, SourceFile, SourceLocation};

/// The messages of the wire.
pub use buildkit_proto::pb;
