//! Answers to subrequests: `--call` and `--check` of buildx.
//!
//! They describe the spec and build no image. `check` also scans the sources, so
//! that it finds what a build would find before compiling.

use std::collections::BTreeSet;

use super::Session;
use crate::diag::{self, Diagnostic};
use crate::gateway::subrequest::{
    self, Arg, Location, Outline, Secret, Subrequest, Target, Targets,
};
use crate::gateway::{Error, FrontendResult};
use crate::lower;
use crate::options::MainContext;
use crate::plan::{self, bake};
use crate::spec::{self, Spec};

/// Answers one subrequest.
pub(super) async fn answer(
    session: &Session<'_>,
    call: Subrequest,
) -> Result<FrontendResult, Error> {
    match call {
        Subrequest::Describe => Ok(subrequest::describe()),
        Subrequest::Targets => targets(session),
        Subrequest::Outline => outline(session),
        Subrequest::Bake => print_bake_file(session),
        Subrequest::Lint => lint(session).await,
    }
}

/// Reads the spec; all its problems are one error.
fn read(session: &Session<'_>) -> Result<Spec, Error> {
    match spec::parse(session.text()?) {
        (Some(spec), diagnostics) if !diag::has_errors(&diagnostics) => Ok(spec),
        (_, diagnostics) => Err(session.spec_error(diagnostics)),
    }
}

fn targets(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let spec = read(session)?;
    let list = plan::targets(&spec, &session.plan_request())
        .into_iter()
        .map(|target| Target {
            name: target.name,
            default: target.default,
            description: target.description,
            location: target.span.map(|span| Location::new(Some(span))),
            ..Target::default()
        });
    Ok(Targets::new(list.collect(), &session.loaded.bytes).result())
}

fn outline(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let spec = read(session)?;
    let request = session.plan_request();
    let args = spec.args().into_iter().map(|arg| Arg {
        value: request
            .build_args
            .get(&arg.name)
            .cloned()
            .or(arg.default)
            .unwrap_or_default(),
        name: arg.name,
        location: Some(Location::new(Some(arg.span))),
        ..Arg::default()
    });
    let secrets = lower::fetch_secrets().iter().map(|name| Secret {
        name: (*name).to_owned(),
        required: false,
    });
    let outline = Outline {
        args: args.collect(),
        secrets: secrets.collect(),
        name: request.target.unwrap_or_default(),
        ..Outline::default()
    };
    Ok(outline.result(&session.loaded.bytes))
}

fn print_bake_file(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let spec = read(session)?;
    let context = match &session.options.contexts.main {
        MainContext::Local => None,
        MainContext::Git { text: url, .. } | MainContext::Http(url) => Some(url.as_str()),
    };
    let file = bake::bake_file(&spec, &session.plan_request(), context)
        .map_err(|diagnostics| session.spec_error(diagnostics))?;
    Ok(subrequest::bake(file.to_hcl(), file.to_json()))
}

/// Everything that can be said without compiling, for every target.
async fn lint(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let mut diagnostics = check_spec(session.text()?, &session.plan_request());
    if !diag::has_errors(&diagnostics) {
        diagnostics.extend(check_sources(session).await?);
    }
    Ok(subrequest::lint(
        &diagnostics,
        &session.loaded.source_info(),
    ))
}

/// All problems of a spec: those of the target that was asked for, or else those
/// of every service, since a spec with several services need not have a default.
pub(crate) fn check_spec(text: &str, request: &plan::Request) -> Vec<Diagnostic> {
    let (spec, mut diagnostics) = spec::parse(text);
    if let Some(spec) = spec.filter(|_| !diag::has_errors(&diagnostics)) {
        for target in targets_to_check(&spec, request) {
            let request = plan::Request {
                target: Some(target),
                ..request.clone()
            };
            match plan::plan(&spec, &request) {
                Ok(plan) => diagnostics.extend(plan.warnings),
                Err(problems) => diagnostics.extend(problems),
            }
        }
    }
    diag::tidy(&mut diagnostics);
    diagnostics
}

fn targets_to_check(spec: &Spec, request: &plan::Request) -> BTreeSet<String> {
    match request.target.as_deref() {
        None | Some("" | "all" | "binaries") => {
            spec.services.iter().map(|s| s.name.value.clone()).collect()
        }
        Some(target) => BTreeSet::from([target.to_owned()]),
    }
}

/// What the sources say about the spec.
async fn check_sources(session: &Session<'_>) -> Result<Vec<Diagnostic>, Error> {
    let spec = read(session)?;
    let scanned = session.scan().await?;
    let mut diagnostics = Vec::new();
    for target in targets_to_check(&spec, &session.plan_request()) {
        let request = plan::Request {
            target: Some(target),
            ..session.plan_request()
        };
        let plan = plan::plan(&spec, &request).map_err(|d| session.spec_error(d))?;
        if let Err(problems) = lower::images_needed(&plan, &scanned.index, &session.native()) {
            diagnostics.extend(problems);
        }
        match session.check_files(&plan, &scanned.sources).await {
            Err(Error::Spec(error)) => diagnostics.extend(error.diagnostics),
            other => other?,
        }
    }
    diag::tidy(&mut diagnostics);
    Ok(diagnostics)
}
