//! The plan: the spec after defaults, expansion and validation, for one request.
//!
//! In: a [`Spec`](crate::spec::Spec) and a [`Request`] (target, platforms, build args). Out: a
//! [`Plan`] that has nothing optional that lowering needs, and diagnostics. Every value is
//! expanded and checked. Whether directories exist is left to the caller, who knows the context.

use crate::diag::{Diagnostic, Span, Spanned};
use buildkit_llb::Platform;
use std::collections::BTreeMap;

/// What the client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `--target`, if given.
    pub target: Option<String>,
    /// `--platform`; empty when not given.
    pub platforms: Vec<Platform>,
    /// The daemon's own platform: the last choice for the platforms of an image.
    pub native: Platform,
    /// `--build-arg` values by name.
    pub build_args: BTreeMap<String, String>,
    /// Name of the spec file as the client knows it; used in hints and the bake file.
    pub file_name: String,
}

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which Go toolchain compiles.
    pub go: GoSetting,
    /// Which target was chosen.
    pub selection: Selection,
    /// One entry per platform, in the order asked for, without repeats; never empty.
    pub platforms: Vec<PlatformPlan>,
    /// What to tell the user although the build goes on.
    pub warnings: Vec<Diagnostic>,
}

/// Where the Go toolchain comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoSetting {
    /// The `toolchain` and `go` lines of `go.mod` decide.
    FromModule,
    /// A version such as `1.26` or `1.26.3`.
    Version(Spanned<String>),
    /// The reference of a builder image, as written.
    Image(Spanned<String>),
}

/// The chosen target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The image of one service.
    Service(String),
    /// One image with the binaries of all services.
    All,
    /// The binaries of all services, without an image.
    Binaries,
}

/// What to build for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformPlan {
    /// The target platform.
    pub platform: Platform,
    /// The selected services in the order of the spec; never empty.
    pub services: Vec<Service>,
    /// The settings of the image that holds all binaries; set when the selection is
    /// [`Selection::All`]. They come from `defaults` alone.
    pub all: Option<ImageSettings>,
}

/// One service on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name: target, binary and default image name.
    pub name: String,
    /// Where the name is written.
    pub span: Span,
    /// Directory of the main package relative to the context, clean: `cmd/api`, or `.`.
    pub main: Spanned<String>,
    /// How to compile.
    pub build: Build,
    /// What the image says.
    pub image: ImageSettings,
}

/// How a service is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// Build tags, sorted, without repeats.
    pub tags: Vec<String>,
    /// Linker flags of the spec as one argument in the go command's own quoting.
    pub ldflags: Option<String>,
    /// Toolchain variables.
    pub env: BTreeMap<String, String>,
}

/// The settings of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageSettings {
    /// Reference of the base image; `None` means scratch.
    pub base: Option<Spanned<String>>,
    /// Words of the entrypoint; `None` means the binary. Empty clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Words of the command; `None` means none of our own. Empty clears the base image's.
    pub command: Option<Vec<String>>,
    /// Variables of the running program.
    pub environment: BTreeMap<String, String>,
    /// Ports as `8080/tcp`, sorted by number, without repeats.
    pub expose: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// User as written: a name or number, optionally with `:group`.
    pub user: Option<Spanned<String>>,
    /// Absolute working directory, clean.
    pub working_dir: Option<String>,
    /// Whether the image holds the time zone database.
    pub tzdata: bool,
    /// Files from the context, sorted by destination.
    pub files: Vec<FileEntry>,
}

/// One entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Absolute path in the image that the source gets, clean.
    pub dest: String,
    /// Path of a file or directory relative to the context, clean; `.` is the context itself.
    pub source: String,
    /// Where the source is written.
    pub span: Span,
}
