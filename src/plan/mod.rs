//! The plan: the spec after defaults, expansion and validation, for one request.
//!
//! # Steps
//!
//! 1. [`read`]: the text is a spec without errors of form;
//! 2. [`complete`]: `discover` finds services by their `pattern`, for specs that ask for it;
//! 3. [`plan`], for one target:
//!    - `target`: which target the request means;
//!    - `platform`: for which platforms;
//!    - `service`: per platform and service, settings joined with `defaults`, build args inserted,
//!      values checked by `value`, `path` and `toolchain`;
//!    - `runner`: what the builder is like that the build runs on;
//!    - `fetch`: where modules come from, with `settings`, `secrets` and `credentials`;
//!    - `args`: which build args nobody asked for.
//!
//! In: a text, a [`Request`] (target, platforms, build args), and for the second step the scan's
//! index. Out: a [`Plan`] that has nothing optional that lowering needs, and diagnostics. Whether
//! directories exist is left to the caller, who knows the context; [`missing_main`] words the
//! answer. [`bake`] makes the bake file of the same spec.

mod args;
pub mod bake;
pub mod credentials;
mod discover;
mod external_linker;
mod fetch;
mod linker;
mod path;
mod pattern;
mod platform;
mod runner;
mod secrets;
mod service;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod toolchain;
mod value;

pub use args::of_target as args_of_target;
pub use fetch::Fetch;
pub use platform::go_target;
pub use runner::{CacheMode, Runner};
pub use secrets::{Agent, Secret, SecretSource};
pub use service::published;
pub use target::{TargetInfo, constrained_main, main_is_file, missing_main, targets};
pub(crate) use value::OLDEST_GO;

use crate::diag::{self, Diagnostic, Rule, Span, Spanned};
use crate::scan::Index;
use crate::spec::{self, Args, Scope, Spec, Text};
use buildkit_llb::Platform;
use std::collections::BTreeMap;

/// Most values after defaults and platforms are applied.
const MAX_VALUES: usize = 1_000_000;

/// Reads the text of a spec.
///
/// A spec that discovers has to be [completed](complete) before it is planned.
///
/// # Errors
///
/// All problems of form, sorted by place, and those of values that show already.
pub fn read(text: &str, request: &Request) -> Result<Spec, Vec<Diagnostic>> {
    match spec::parse(text) {
        (Some(spec), diagnostics) if !diag::has_errors(&diagnostics) => Ok(spec),
        (spec, diagnostics) => Err(with_values(spec.as_ref(), request, diagnostics)),
    }
}

/// Directories in which a spec looks for services, and which a scan may have passed over.
#[must_use]
pub fn looks_into(spec: &Spec, request: &Request) -> Vec<String> {
    discover::starts(spec, request)
}

/// Adds the services that a spec discovers, and says what is worth knowing about them.
///
/// A spec without `discover` stays as it is and needs no index.
///
/// # Errors
///
/// Malformed patterns, services without a name of their own, no service at all; sorted by place,
/// and with the problems of values that show already.
pub fn complete(
    spec: Spec,
    index: &Index,
    request: &Request,
) -> Result<(Spec, Vec<Diagnostic>), Vec<Diagnostic>> {
    if spec.discover.is_empty() {
        return Ok((spec, Vec::new()));
    }
    let (spec, mut diagnostics) = discover::discover(&spec, index, request);
    if diag::has_errors(&diagnostics) {
        return Err(with_values(Some(&spec), request, diagnostics));
    }
    diag::tidy(&mut diagnostics);
    Ok((spec, diagnostics))
}

/// Adds the problems of values to those of a spec with holes, so that one run shows both.
fn with_values(
    spec: Option<&Spec>,
    request: &Request,
    mut diagnostics: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    if let Some(spec) = spec {
        diagnostics.extend(run(spec, request, false).1);
    }
    diag::tidy(&mut diagnostics);
    diagnostics
}

/// Plans a spec that was read without errors and has all its services.
///
/// # Errors
///
/// All problems with the values, the target and the platforms, sorted by place; warnings too.
pub fn plan(spec: &Spec, request: &Request) -> Result<Plan, Vec<Diagnostic>> {
    let (plan, mut diagnostics) = run(spec, request, true);
    diag::tidy(&mut diagnostics);
    match plan {
        Some(plan) => Ok(Plan {
            warnings: diagnostics,
            ..plan
        }),
        None => Err(diagnostics),
    }
}

/// Plans what a check looks at: the target that was asked for, or else every service by itself,
/// since a spec with several services need not have a default.
///
/// Without errors among the diagnostics, there is a plan for each of these targets.
pub fn plan_each(spec: &Spec, request: &Request) -> (Vec<Plan>, Vec<Diagnostic>) {
    let targets: Vec<&str> = match request.target.as_deref() {
        None | Some("" | "all" | "binaries" | "deps") => spec
            .services
            .iter()
            .map(|s| s.name.value.as_str())
            .collect(),
        Some(target) => vec![target],
    };
    let mut plans = Vec::new();
    let mut diagnostics = Vec::new();
    for target in targets {
        let request = Request {
            target: Some(target.to_owned()),
            ..request.clone()
        };
        match plan(spec, &request) {
            Ok(plan) => {
                diagnostics.extend(plan.warnings.iter().cloned());
                plans.push(plan);
            }
            Err(problems) => diagnostics.extend(problems),
        }
    }
    diag::tidy(&mut diagnostics);
    (plans, diagnostics)
}

/// The target that a request names; `None` when it names none.
///
/// # Errors
///
/// There is no such target.
pub fn named_target(spec: &Spec, request: &Request) -> Result<Option<Selection>, Vec<Diagnostic>> {
    if request.target.as_deref().is_none_or(str::is_empty) {
        return Ok(None);
    }
    let args = Args::new(&request.build_args);
    let mut check = Check::new(&args);
    let selection = target::select(spec, request, &mut check, true);
    match diag::has_errors(&check.diagnostics) {
        true => Err(check.diagnostics),
        false => Ok(selection),
    }
}

/// How modules are fetched, as far as the spec says it without errors.
#[must_use]
pub fn fetch(spec: &Spec, request: &Request) -> Fetch {
    let args = Args::new(&request.build_args);
    fetch::fetch(spec, request, false, &mut Check::new(&args))
}

/// Plans; without `complete` the spec has holes, so that absence means nothing.
fn run(spec: &Spec, request: &Request, complete: bool) -> (Option<Plan>, Vec<Diagnostic>) {
    let args = Args::new(&request.build_args);
    let mut check = Check::new(&args);
    let go = check.go(spec.go.as_ref());
    let runner = runner::runner(spec, request, &mut check);
    let selection = target::select(spec, request, &mut check, complete);
    if complete {
        check.diagnostics.extend(args::unused(spec, request));
    }
    let mut plans = Vec::new();
    let mut fetch = Fetch::default();
    if fits(spec, 1, &mut check) {
        let chosen = platform::choose(spec, request, selection.as_ref(), &mut check);
        service::image_names(spec, &mut check);
        bake::attestations(spec.attest.as_ref(), &mut check);
        fetch = fetch::fetch(spec, request, false, &mut check);
        let fits = fits(spec, chosen.platforms.len(), &mut check);
        for platform in chosen.platforms.into_iter().filter(|_| fits) {
            let target = (platform, chosen.named);
            let plan = service::platform_plan(spec, target, selection.as_ref(), &mut check);
            plans.push(plan);
        }
    }
    let diagnostics = check.diagnostics;
    let selection = selection.filter(|_| !diag::has_errors(&diagnostics));
    let Some(selection) = selection else {
        return (None, diagnostics);
    };
    let plan = Plan {
        go,
        runner,
        fetch,
        selection,
        platforms: plans,
        // The caller has them all.
        warnings: Vec::new(),
    };
    (Some(plan), diagnostics)
}

/// Whether the plan stays small: `defaults` are repeated in every service and platform.
fn fits(spec: &Spec, platforms: usize, check: &mut Check<'_>) -> bool {
    let count = |settings: &spec::Settings| {
        let mut n = 1usize;
        settings.each_text(&mut |_| n += 1);
        n
    };
    let defaults = count(&spec.defaults);
    let values = spec.services.iter().fold(defaults, |sum, service| {
        sum.saturating_add(defaults)
            .saturating_add(count(&service.settings))
    });
    let fits = values.saturating_mul(platforms.max(1)) <= MAX_VALUES;
    if !fits {
        check.push(
            Diagnostic::new(
                Rule::TooLarge,
                format!("services, `defaults` and platforms make more than {MAX_VALUES} values"),
            )
            .at(spec.span)
            .hint("shorten `defaults`, which count once per service and platform"),
        );
    }
    fits
}

/// Expands and checks values, and keeps what is wrong with them.
struct Check<'a> {
    args: &'a Args<'a>,
    diagnostics: Vec<Diagnostic>,
    /// Whether build args without value pass: in services that are not built.
    lenient: bool,
}

impl<'a> Check<'a> {
    fn new(args: &'a Args<'a>) -> Self {
        Self {
            args,
            diagnostics: Vec::new(),
            lenient: false,
        }
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Keeps the error of a result.
    fn noted<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|d| self.push(d)).ok()
    }

    /// The value of a text; `None` after an error, or when a missing build arg does not matter.
    fn expand(&mut self, text: &Text, scope: &Scope<'_>) -> Option<String> {
        self.known(text.expand(scope))
    }

    /// The same for one word of a command line, which can become none or several.
    fn expand_words(&mut self, text: &Text, scope: &Scope<'_>) -> Option<Vec<String>> {
        self.known(text.expand_words(scope))
    }

    fn known<T>(&mut self, expanded: Result<T, Diagnostic>) -> Option<T> {
        match expanded {
            Ok(value) => Some(value),
            Err(d) if self.lenient && d.rule == Rule::UnsetArg => None,
            Err(d) => {
                self.push(d);
                None
            }
        }
    }

    fn go(&mut self, text: Option<&Text>) -> GoSetting {
        let setting = text.and_then(|text| {
            let value = self.expand(text, &Scope::global(self.args))?;
            self.noted(value::go(&value, text.span()))
        });
        setting.unwrap_or(GoSetting::FromModule)
    }
}

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
    /// What the builder is like.
    pub runner: Runner,
    /// How modules are fetched.
    pub fetch: Fetch,
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
    /// Modules and compiled dependencies of all services, as layers.
    Deps,
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
    /// Its place among the names of all services of the spec, from 0.
    pub place: usize,
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
    pub working_dir: Option<Spanned<String>>,
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
