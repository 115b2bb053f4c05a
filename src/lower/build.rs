//! The build step: one per service and platform, independent of each other.

use buildkit_llb::{
    BindMount, CacheMount, Describe as _, Error, FileOp, Mkdir, Mount, Output, Platform, Sharing,
    SourceLocation,
};

use super::caches::cache_id;
use super::constant::{CONSTANT, epoch, quiet};
use super::deps::Unpack;
use super::fetch::{Before, Fetching, MARKER_DIR};
use super::go::{self, Builder};
use super::settings::StepSettings;
use super::share::Share;
use super::toolchain::Toolchain;
use crate::plan::{Build, Service, go_target};

/// Directory of the binaries, in the build step's output and in the image.
pub(super) const BINARY_DIR: &str = "/usr/local/bin";

const OUTPUT_DIR: &str = "/out";
const LDFLAGS: &str = "-s -w -buildid=";
const SLOT_DIR: &str = "/run/gofleet/slot";

/// What a build step is made of.
pub(super) struct BuildStep<'a> {
    pub(super) service: &'a Service,
    pub(super) platform: &'a Platform,
    pub(super) toolchain: &'a Toolchain,
    pub(super) builder: &'a Builder,
    /// The main package, relative to the module root.
    pub(super) package: &'a str,
    /// The files that the step can read.
    pub(super) sources: Vec<BindMount>,
    /// How modules come to be at hand.
    pub(super) modules: Modules<'a>,
    /// The result of the download, if there is one.
    pub(super) downloaded: Option<&'a Output>,
    /// The service's key in it.
    pub(super) key: String,
    /// What compiles the packages that other services have too; `None` for the only
    /// service of a module root.
    pub(super) share: Option<Share<'a>>,
    /// The marker that is mounted when they are.
    pub(super) marker: &'a Output,
    pub(super) settings: StepSettings<'a>,
    /// Text in brackets in front of the step's name.
    pub(super) label: String,
    pub(super) location: Option<SourceLocation>,
}

/// How the modules of a build come to be at hand.
pub(super) enum Modules<'a> {
    /// None are needed.
    None,
    /// They are looked for, and fetched again.
    Fetch(Fetching<'a>),
    /// They come in layers, with what is compiled of them.
    Unpack(Unpack<'a>),
}

/// The build step of a service, and what is in front of it.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// A tree that holds the binary at [`BINARY_DIR`], under the service's name.
    pub(super) output: Output,
    /// What made sure that modules are at hand; `None` where none are needed.
    pub(super) check: Option<Output>,
}

impl BuildStep<'_> {
    /// Every build step has the same mounts, whatever is built beside it, so the
    /// step has the same key in every solve.
    pub(super) fn built(&self) -> Result<Built, Error> {
        let package = display_path(self.package);
        let tree = binary_dir();
        let target = go_target(self.platform);
        let mut env: Vec<(&str, &str)> = target.iter().map(|(k, v)| (*k, v.as_str())).collect();
        env.extend(
            self.service
                .build
                .env
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str())),
        );
        let args = self.args(&package);
        let (marker, check) = self.prepared(&args, &env)?;
        // What is not at hand now is not fetched: nothing of fetching is in the key.
        env.push(("GOPROXY", "off"));

        let mut exec = go::go_exec(
            self.builder,
            &self.toolchain.root,
            self.settings,
            args,
            &env,
        )
        .mounts(self.sources.iter().cloned())
        .mount(
            Mount::bind(MARKER_DIR, &marker)
                .selector(CONSTANT)
                .readonly(),
        )
        .mount(self.turn("slot"))
        .mount(Mount::bind(OUTPUT_DIR, &tree))
        .name(format!(
            "[{}] go build {}",
            self.label,
            display_path(&self.service.main.value)
        ));
        if let Some(location) = &self.location {
            exec = exec.location(location);
        }
        let output = self.settings.offline(exec).build().output(OUTPUT_DIR)?;
        Ok(Built { output, check })
    }

    /// The marker behind the steps in front: modules at hand, shared packages compiled; and
    /// the first of these steps.
    fn prepared(
        &self,
        args: &[String],
        env: &[(&str, &str)],
    ) -> Result<(Output, Option<Output>), Error> {
        let before = |marker| Before {
            args,
            env,
            sources: &self.sources,
            downloaded: self.downloaded,
            key: &self.key,
            marker,
            // A lock of their own: nobody links a program in front of a build.
            turn: self.turn("prepare"),
            label: &self.label,
        };
        let check = match &self.modules {
            Modules::None => None,
            Modules::Fetch(fetch) => Some(fetch.ensure(&before(self.marker))?),
            Modules::Unpack(layers) => Some(layers.step(&before(self.marker))?),
        };
        let at_hand = check.as_ref().unwrap_or(self.marker);
        let marker = match &self.share {
            Some(share) => share.step(&before(at_hand))?,
            None => at_hand.clone(),
        };
        Ok((marker, check))
    }

    fn args(&self, package: &str) -> Vec<String> {
        let build = &self.service.build;
        let mut args = vec!["go".to_owned(), "build".to_owned(), "-trimpath".to_owned()];
        args.extend(go::tags(build));
        args.push(format!("-ldflags={}", ldflags(build)));
        args.push(format!(
            "-o={OUTPUT_DIR}{BINARY_DIR}/{}",
            binary_name(self.service, self.platform)
        ));
        args.push(package.to_owned());
        args
    }

    /// A lock that bounds how many steps of one kind run at once for a repository: each needs
    /// memory. Other repositories on the same builder have other modules, so other locks.
    ///
    /// The id of a cache mount is in no key. It comes from the service's place among all, so
    /// that solves which do not know each other use the same locks, and each lock has as many
    /// services as any other.
    fn turn(&self, kind: &str) -> CacheMount {
        let parallel = usize::try_from(self.settings.parallel.max(1)).unwrap_or(1);
        let turn = self.service.place % parallel;
        let module = &self.toolchain.root.module;
        let id = cache_id(
            self.settings.options,
            self.settings.owner,
            &format!("{kind}/{module}/{turn}"),
        );
        Mount::cache(SLOT_DIR, id).sharing(Sharing::Locked)
    }
}

/// Stripped, without a build id; the spec's own flags come behind and win.
fn ldflags(build: &Build) -> String {
    match &build.ldflags {
        Some(own) => format!("{LDFLAGS} {own}"),
        None => LDFLAGS.to_owned(),
    }
}

/// File name of a service's binary.
pub(super) fn binary_name(service: &Service, platform: &Platform) -> String {
    match platform.os.as_str() {
        "windows" => format!("{}.exe", service.name),
        _ => service.name.clone(),
    }
}

/// The directory that the build step writes into. It is made before the step, so
/// that the output is a complete tree that an image layer can be copied from.
fn binary_dir() -> Output {
    let dir = Mkdir::new(BINARY_DIR)
        .parents()
        .mode(0o755)
        .timestamp(epoch());
    quiet(FileOp::new().mkdir(dir), "output directory")
}

/// `./cmd/api`, as people type it.
fn display_path(path: &str) -> String {
    if path == "." {
        path.to_owned()
    } else {
        format!("./{path}")
    }
}
