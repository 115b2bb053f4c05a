//! What every step that runs the `go` command has in common: image, caches and
//! environment.

use std::collections::BTreeMap;

use buildkit_llb::{Exec, ExecBuilder, Mount, Output};

use super::caches::Origin;
use super::settings::StepSettings;
use crate::closure::ModuleRoot;
use crate::image::ImageConfig;
use crate::plan::Build;

/// Where the sources are mounted: the same in every step, so that the compile
/// cache is shared by all services.
pub(super) const SOURCE_DIR: &str = "/src";

pub(super) const MODULE_CACHE: &str = "/go/pkg/mod";
pub(super) const BUILD_CACHE: &str = "/root/.cache/go-build";

/// Where Go keeps clones of repositories (Go 1.26, `cmd/go/internal/modfetch/codehost`, `WorkDir`).
const CLONES: &str = "/go/pkg/mod/cache/vcs";

const TEMP_DIR: &str = "/tmp";

/// How often `go`, the compiler and the linker collect garbage: at five times what they use
/// instead of twice, which saves a tenth of a cold build, and more often near a limit. The
/// largest known compile needs less memory with both than with neither, in the same time; a
/// lower limit would cost it more than the others gain (docs/caching.md has the numbers). It
/// changes nothing in what they write.
const COLLECT: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "2560MiB")];

/// The image that a service is compiled in.
#[derive(Debug, Clone)]
pub struct Builder {
    /// Its root filesystem.
    pub output: Output,
    /// Its configuration: the environment says where Go is.
    pub config: ImageConfig,
    /// What it is: decides whose cache mounts it sees.
    pub origin: Origin,
}

/// An exec of the `go` command: image, caches, environment; no sources yet. Modules are read
/// and not written: nothing that runs in a build decides what another build has of them.
///
/// The root filesystem is read-only: what a step writes goes to a cache, to its
/// output or to a temporary directory on disk (a link of a large program needs
/// more than a tmpfs should hold).
pub(super) fn go_exec<I>(
    builder: &Builder,
    root: &ModuleRoot,
    settings: StepSettings<'_>,
    args: I,
    env: &[(&str, &str)],
) -> ExecBuilder
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    let [build, modules] = settings.go_caches();
    let caches = [
        Mount::cache(BUILD_CACHE, build).into(),
        Mount::cache(MODULE_CACHE, modules).readonly().into(),
    ];
    bare_go_exec(builder, caches, args, &environment(builder, root, env)).cwd(work_dir(root))
}

/// The same for our own program that fills the module cache.
///
/// What git clones is thrown away with the step: the configuration of a clone names commands,
/// and the next step that used it would have the credentials of somebody else.
pub(super) fn filling_exec(
    builder: &Builder,
    root: &ModuleRoot,
    settings: StepSettings<'_>,
    args: Vec<String>,
    env: &[(&str, &str)],
) -> ExecBuilder {
    let [build, modules] = settings.go_caches();
    let caches = [
        Mount::cache(BUILD_CACHE, build).into(),
        Mount::cache(MODULE_CACHE, modules).into(),
        Mount::scratch(CLONES).no_output().into(),
    ];
    bare_go_exec(builder, caches, args, &environment(builder, root, env)).cwd(work_dir(root))
}

/// The same with other mounts in the place of caches.
pub(super) fn bare_go_exec<I>(
    builder: &Builder,
    caches: impl IntoIterator<Item = Mount>,
    args: I,
    env: &BTreeMap<String, String>,
) -> ExecBuilder
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    let mut exec = Exec::new(args)
        .mount(Mount::bind("/", &builder.output).readonly())
        .mounts(caches)
        .mount(Mount::scratch(TEMP_DIR).no_output())
        .cwd(SOURCE_DIR);
    for (name, value) in env {
        exec = exec.env(name, value);
    }
    exec
}

/// The build tags as a flag.
pub(super) fn tags(build: &Build) -> Option<String> {
    let tags = &build.tags;
    (!tags.is_empty()).then(|| format!("-tags={}", tags.join(",")))
}

pub(super) fn work_dir(root: &ModuleRoot) -> String {
    match root.dir.as_str() {
        "." => SOURCE_DIR.to_owned(),
        dir => format!("{SOURCE_DIR}/{dir}"),
    }
}

/// The image's own environment, then ours over it, in the order of names.
///
/// - `GOGC`, `GOMEMLIMIT`: how often Go's own tools collect garbage, see [`COLLECT`].
/// - `GOENV=off`, `GOTELEMETRY=off`, `GOTOOLCHAIN=local`, `GOWORK=`, `GOFLAGS`:
///   nothing but the spec and the sources decides what is built.
pub(super) fn environment(
    builder: &Builder,
    root: &ModuleRoot,
    extra: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = builder
        .config
        .env()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let flags = if root.vendored {
        "-buildvcs=false"
    } else {
        "-buildvcs=false -mod=readonly"
    };
    let ours = [
        ("CGO_ENABLED", "0"),
        ("GOCACHE", BUILD_CACHE),
        ("GOENV", "off"),
        ("GOFLAGS", flags),
        ("GOMODCACHE", MODULE_CACHE),
        // What Go keeps of the checksum database is written below it.
        ("GOPATH", "/tmp/go"),
        ("GOTELEMETRY", "off"),
        ("GOTMPDIR", TEMP_DIR),
        ("GOTOOLCHAIN", "local"),
        ("HOME", "/root"),
    ];
    for (name, value) in ours.iter().chain(&COLLECT).chain(extra) {
        env.insert((*name).to_owned(), (*value).to_owned());
    }
    env
}
