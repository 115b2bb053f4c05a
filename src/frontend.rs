//! One request of the daemon, from top to bottom.
//!
//! # Steps
//!
//! 1. options: what the client asked for;
//! 2. spec: loaded and parsed, with the place of every value;
//! 3. plan: target, platforms, services; or the answer to a subrequest;
//! 4. sources: scanned, and what each service can see of them; the scan comes
//!    before the plan when the spec discovers its services;
//! 5. images: builder and base images, looked up side by side;
//! 6. modules: fetched, before anything is compiled; beside that, a look into base images at
//!    the places that files are put to;
//! 7. lower: one graph per platform;
//! 8. solve: one lazy ref per graph;
//! 9. wait: the daemon builds, and cache mounts stay what they were in step 6; when it
//!    fails, every service is asked for by itself. Those that failed without their modules
//!    are built once more, from step 2 on; all others that fail are one error.

mod affected;
mod calls;
mod failures;
mod go;
mod lookup;
mod lost;
mod modules;
mod needs;
mod places;
mod size;
mod sources;
mod too_large;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use buildkit_llb::{Digest, Output, Platform, SourceFile};
use futures_util::future::{join, join3, try_join_all};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use crate::diag::{self, Checks, Diagnostic};
use crate::gateway::caps::Caps;
use crate::gateway::subrequest::Subrequest;
use crate::gateway::{
    Error, FrontendResult, Gateway, LoadedSpec, Loader, PlatformResult, Ref, Request, Solve,
    SpecError, Warning,
};
use crate::hex::hex;
use crate::image::ImageConfig;
use crate::lower::{self, Build, Closures, Features, Inputs, LowerError, Lowered};
use crate::options::{CONTEXT_LOCAL, Options};
use crate::plan::{self, Plan};
use crate::spec::Spec;

use lookup::LookedUp;
use lost::Suspect;
use needs::failed_checks;
use sources::{Scanned, Sources};

/// Frontend capabilities that we have; the label of `Dockerfile.frontend` lists
/// the same.
const CAPABILITIES: [&str; 4] = [
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.gitquerystring",
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.subrequests",
];

/// Answers one request.
///
/// # Errors
///
/// What is wrong with the options, the spec or the sources, and what the daemon
/// could not do. Errors of the daemon keep all their details.
pub async fn handle(gateway: &Gateway, request: &Request) -> Result<FrontendResult, Error> {
    let options = Options::from_map(&request.options).map_err(Error::Options)?;
    check_capabilities(&options)?;
    let call = options
        .request_id
        .as_deref()
        .map(Subrequest::parse)
        .transpose()?;
    if call == Some(Subrequest::Describe) {
        return Ok(crate::gateway::subrequest::describe());
    }

    match call {
        Some(call) => {
            let loader = Loader::new(gateway, request, &options);
            let session = session(gateway, request, &options, &loader, &NONE).await?;
            calls::answer(&session, call).await
        }
        None => build(gateway, request, &options).await,
    }
}

/// No builds that run again.
static NONE: BTreeSet<String> = BTreeSet::new();

/// Builds what was asked for.
async fn build(
    gateway: &Gateway,
    request: &Request,
    options: &Options,
) -> Result<FrontendResult, Error> {
    let first = graphs(gateway, request, options, &NONE).await?;
    if gateway.wait_for(&first.result).await.is_ok() {
        return Ok(first.result);
    }
    // Several of them may fail, and the daemon names one.
    let outcomes = failures::outcomes(gateway, options, first.builds).await;
    let suspects = lost::suspects(gateway, options, &outcomes).await;
    let Some(again) = again(gateway, request, options, &suspects).await? else {
        failures::of(&first.file, &outcomes)?;
        return Ok(first.result);
    };
    drop(outcomes);
    if gateway.wait_for(&again.result).await.is_err() {
        let outcomes = failures::outcomes(gateway, options, again.builds).await;
        failures::of(&again.file, &outcomes)?;
    }
    Ok(again.result)
}

/// The same graphs, in which builds run again that failed without their modules; `None` if
/// there are none of these.
async fn again(
    gateway: &Gateway,
    request: &Request,
    options: &Options,
    suspects: &BTreeMap<String, Suspect>,
) -> Result<Option<Graphs>, Error> {
    if suspects.is_empty() {
        return Ok(None);
    }
    let labels = suspects.keys().cloned().collect();
    let all = graphs(gateway, request, options, &labels).await?;
    let lost = lost::confirmed(gateway, options, suspects, &all.builds).await;
    if lost.is_empty() {
        return Ok(None);
    }
    gateway.warn(&all.vertex, lost::warning(&lost)).await?;
    if lost == labels {
        return Ok(Some(all));
    }
    graphs(gateway, request, options, &lost).await.map(Some)
}

/// What is to be built, and nothing of what it was made from: a build may take minutes, and
/// a bake file has a frontend per target.
struct Graphs {
    result: FrontendResult,
    /// The build steps in it.
    builds: Vec<Build>,
    /// Name of the spec, and the step that loaded it.
    file: String,
    vertex: Digest,
}

/// The graphs of a build. `lost` are the labels of builds that run again; asking twice costs
/// little, because the daemon has loaded and scanned everything.
async fn graphs(
    gateway: &Gateway,
    request: &Request,
    options: &Options,
    lost: &BTreeSet<String>,
) -> Result<Graphs, Error> {
    let loader = Loader::new(gateway, request, options);
    let session = session(gateway, request, options, &loader, lost).await?;
    let (result, builds) = session.build().await?;
    Ok(Graphs {
        result,
        builds,
        file: session.loaded.file_name.clone(),
        vertex: session.loaded.vertex.clone(),
    })
}

async fn session<'a>(
    gateway: &'a Gateway,
    request: &'a Request,
    options: &'a Options,
    loader: &'a Loader<'a>,
    lost: &'a BTreeSet<String>,
) -> Result<Session<'a>, Error> {
    Ok(Session {
        gateway,
        request,
        options,
        loader,
        loaded: loader.spec().await?,
        scanned: OnceCell::new(),
        salt: salt(request, options),
        began: SystemTime::now(),
        lost,
    })
}

/// All targets of a bake file have a session in common, so what they share runs again once,
/// not once per target; but once for each name space of cache mounts: the daemon takes steps
/// of one key for one, and would look into one of their mounts.
fn salt(request: &Request, options: &Options) -> String {
    let session = options
        .contexts
        .session_of(CONTEXT_LOCAL, &request.session_id);
    match &options.cache_mount_ns {
        Some(namespace) => {
            let digest = Sha256::digest(namespace.as_bytes());
            format!("{session}-{}", hex(&digest[..8]))
        }
        None => session.to_owned(),
    }
}

fn check_capabilities(options: &Options) -> Result<(), Error> {
    match options
        .required_caps
        .iter()
        .find(|cap| !CAPABILITIES.contains(&cap.as_str()))
    {
        Some(unknown) => Err(Error::UnsupportedFrontendCap(unknown.clone())),
        None => Ok(()),
    }
}

/// What every step of a request needs.
struct Session<'a> {
    gateway: &'a Gateway,
    request: &'a Request,
    options: &'a Options,
    loader: &'a Loader<'a>,
    loaded: &'a LoadedSpec,
    scanned: OnceCell<Scanned>,
    /// Text that is different whenever a client asks.
    salt: String,
    /// When it asked.
    began: SystemTime,
    /// Labels of builds that run again; everything else was said the first time.
    lost: &'a BTreeSet<String>,
}

impl Session<'_> {
    /// The graphs of a build, and the build steps in them.
    async fn build(&self) -> Result<(FrontendResult, Vec<Build>), Error> {
        let (spec, mut warnings) = self.spec().await?;
        let plan =
            plan::plan(&spec, &self.plan_request()).map_err(|error| self.spec_error(error))?;
        warnings.extend(plan.warnings.iter().cloned());
        self.checks(&spec).decide(&mut warnings);
        if diag::has_errors(&warnings) {
            return Err(self.spec_error(warnings));
        }
        self.warn(&warnings).await?;
        let scanned = self.scanned(None).await?;
        let mut sources = self.sources(&plan, scanned).await?;
        let broken = lower::broken_links([(&plan, &sources.closures)]);
        if !broken.is_empty() {
            return Err(self.spec_error(broken));
        }
        let (files, needs, looked_up) = join3(
            self.check_files(&plan, &sources.assets),
            self.check_needs(&sources, false),
            self.look_up(&plan, &sources.scanned),
        )
        .await;
        failed_checks(files, needs)?;
        let mut looked_up = looked_up?;
        let index = &sources.scanned.index;
        let mut all = sources.closures.of_all(&spec, &self.plan_request(), index);
        // Looking into a base image has it pulled, so it is done meanwhile.
        let assets = sources.assets.clone();
        let (places, fetched) = join(
            self.places(&plan, &looked_up, &assets),
            self.fetch_modules(&plan, &mut sources, &mut all, &looked_up),
        )
        .await;
        looked_up.places = places?;
        fetched?;
        let mut lowered = self.with_inputs(&plan, &sources, &all, &looked_up, lower::lower)?;
        let builds = lowered
            .iter_mut()
            .map(|one| std::mem::take(&mut one.builds));
        let builds = builds.flatten().collect();
        let result = self.solve(&plan, lowered, looked_up.epoch).await;
        let result = result.map_err(|error| too_large::advise(error, &plan))?;
        Ok((result, builds))
    }

    /// Reads the spec, with the services that it discovers; all its problems are one error.
    async fn spec(&self) -> Result<(Spec, Vec<Diagnostic>), Error> {
        let spec = self.read()?;
        if spec.discover.is_empty() {
            return Ok((spec, Vec::new()));
        }
        let named = plan::looks_into(&spec, &self.plan_request());
        let index = &self.scanned(Some(&named)).await?.index;
        plan::complete(spec, index, &self.plan_request()).map_err(|error| self.spec_error(error))
    }

    /// Reads the spec as it is written.
    fn read(&self) -> Result<Spec, Error> {
        plan::read(self.text()?, &self.plan_request()).map_err(|error| self.spec_error(error))
    }

    /// What is done with warnings.
    fn checks<'s>(&'s self, spec: &'s Spec) -> &'s Checks {
        self.options.checks.as_ref().unwrap_or(&spec.checks)
    }

    fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.loaded.bytes).map_err(|error| {
            Error::Request(format!(
                "`{}` is not UTF-8: the byte at offset {} is part of no character",
                self.loaded.file_name,
                error.valid_up_to()
            ))
        })
    }

    fn plan_request(&self) -> plan::Request {
        plan_request(self.options, self.native(), &self.loaded.file_name)
    }

    /// The platform that steps run on.
    fn native(&self) -> Platform {
        self.request
            .native_platform()
            .cloned()
            .unwrap_or_else(|| Platform::new("linux", "amd64", ""))
    }

    fn spec_error(&self, diagnostics: Vec<Diagnostic>) -> Error {
        Error::Spec(SpecError {
            file: self.loaded.source_info(),
            diagnostics,
        })
    }

    /// Shows warnings under the step that loaded the spec.
    async fn warn(&self, warnings: &[Diagnostic]) -> Result<(), Error> {
        let file = self.loaded.source_info();
        let warnings = warnings
            .iter()
            .map(|diagnostic| Warning::from_diagnostic(diagnostic, &file));
        self.show(warnings).await
    }

    /// Shows warnings side by side: an answer to one tells nothing. Those that the user does not
    /// want to see are left out, and the others are errors if the user says so.
    async fn show(&self, warnings: impl IntoIterator<Item = Warning>) -> Result<(), Error> {
        let mut warnings: Vec<Warning> = warnings.into_iter().collect();
        // Most builds have none, and the spec is not read again for them.
        if !self.lost.is_empty() || warnings.is_empty() {
            return Ok(());
        }
        let spec = self.read();
        let checks = spec.as_ref().map(|spec| self.checks(spec));
        warnings.retain(|warning| !checks.as_ref().is_ok_and(|c| c.skips(warning.rule)));
        if checks.is_ok_and(|checks| checks.error) && !warnings.is_empty() {
            return Err(self.spec_error(warnings.into_iter().map(Warning::into_error).collect()));
        }
        let vertex = &self.loaded.vertex;
        let calls = warnings
            .into_iter()
            .map(|warning| self.gateway.warn(vertex, warning));
        try_join_all(calls).await.map(drop)
    }

    /// The sources and their index, scanned when first asked for, as [`Session::scan`] does.
    async fn scanned(&self, discovered: Option<&[String]>) -> Result<&Scanned, Error> {
        self.scanned.get_or_try_init(|| self.scan(discovered)).await
    }

    /// Calls a function of `lower` with what is known so far.
    fn with_inputs<T>(
        &self,
        plan: &Plan,
        sources: &Sources,
        all: &Closures,
        looked_up: &LookedUp,
        call: impl FnOnce(&Inputs<'_>) -> Result<T, LowerError>,
    ) -> Result<T, Error> {
        let spec = SourceFile::new(self.loaded.file_name.as_str(), self.loaded.bytes.clone())
            .language("YAML");
        call(&Inputs {
            plan,
            index: &sources.scanned.index,
            native: &self.native(),
            code: &sources.scanned.code,
            assets: &sources.assets,
            closures: &sources.closures,
            all_closures: all,
            frontend: &sources.scanned.frontend,
            images: &looked_up.images,
            users: &looked_up.users,
            places: &looked_up.places,
            epoch: looked_up.epoch.unwrap_or(0),
            options: self.options,
            features: features(self.gateway.caps()),
            spec: &spec,
            parallel: plan.runner.parallel.unwrap_or_else(size::parallel_builds),
            salt: &self.salt,
            lost: self.lost,
            attempts: &sources.attempts,
        })
        .map_err(|error| match error {
            LowerError::Spec(diagnostics) => self.spec_error(diagnostics),
            LowerError::EmptyBuilder(_) => Error::Request(error.to_string()),
            LowerError::Graph(_) | LowerError::UnknownPlaces => Error::Internal(error.to_string()),
        })
    }

    async fn solve(
        &self,
        plan: &Plan,
        lowered: Vec<Lowered>,
        epoch: Option<i64>,
    ) -> Result<FrontendResult, Error> {
        let results = try_join_all(lowered.into_iter().map(|one| async move {
            let reference = match &one.output {
                Some(output) => self.solve_output(output).await?,
                None => Ref::scratch(),
            };
            let json = |config: Option<ImageConfig>| {
                config
                    .map(|c| serde_json::to_vec(&c))
                    .transpose()
                    .map_err(|e| Error::Internal(e.to_string()))
            };
            Ok::<_, Error>(PlatformResult {
                platform: one.platform,
                reference,
                config: json(one.config)?,
                base_config: json(one.base_config)?,
                epoch,
            })
        }))
        .await?;
        let map = self.options.answers_with_map(plan.platforms.len());
        Ok(FrontendResult::of_platforms(results, map))
    }

    /// A lazy ref of an output; nothing is built before it is read or exported.
    async fn solve_output(&self, output: &Output) -> Result<Ref, Error> {
        solve_output(self.gateway, self.options, output).await
    }
}

async fn solve_output(gateway: &Gateway, options: &Options, output: &Output) -> Result<Ref, Error> {
    output
        .check()
        .map_err(|error| Error::Internal(error.to_string()))?;
    let definition = output.marshal();
    let needed: BTreeSet<String> = buildkit_llb::caps_of(&definition);
    let caps = &gateway.caps().llb;
    caps.require(&needed).map_err(Error::MissingCap)?;
    let solve = Solve::new(definition).cache_imports(&options.cache_imports);
    gateway.solve(solve).await
}

/// The planner's view of a client's options.
pub(crate) fn plan_request(options: &Options, native: Platform, file_name: &str) -> plan::Request {
    plan::Request {
        target: options.target.clone(),
        platforms: options.platforms.clone(),
        native,
        build_args: options.build_args.clone(),
        file_name: file_name.to_owned(),
    }
}

fn features(caps: &Caps) -> Features {
    Features {
        merge: caps.llb.supports(buildkit_llb::caps::MERGE_OP),
        mode_string: caps.llb.supports(buildkit_llb::caps::FILE_SYMLINK_CREATE),
    }
}
