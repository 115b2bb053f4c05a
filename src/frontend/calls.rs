//! Answers to subrequests: `--call` and `--check` of buildx.
//!
//! They describe the spec and build no image. `check` also scans the sources, so
//! that it finds what a build would find before compiling. For the others the
//! sources are looked at only when the spec discovers services.

use std::collections::BTreeSet;

use super::Session;
use crate::diag::{self, Diagnostic, Span};
use crate::fetch;
use crate::gateway::subrequest::{
    self, Arg, Location, Outline, Secret, Subrequest, Target, Targets,
};
use crate::gateway::{Error, FrontendResult};
use crate::lower;
use crate::options::MainContext;
use crate::plan::{self, bake};

/// Answers one subrequest.
pub(super) async fn answer(
    session: &Session<'_>,
    call: Subrequest,
) -> Result<FrontendResult, Error> {
    match call {
        Subrequest::Describe => Ok(subrequest::describe()),
        Subrequest::Targets => targets(session).await,
        Subrequest::Outline => outline(session),
        Subrequest::Bake => print_bake_file(session).await,
        Subrequest::Lint => lint(session).await,
        Subrequest::Affected => super::affected::answer(session).await,
    }
}

async fn targets(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let (spec, _) = session.spec().await?;
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

/// What a target takes; the spec alone says it, so nothing is scanned.
fn outline(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let spec = session.read()?;
    let request = session.plan_request();
    let args = spec.args().into_iter().map(|arg| Arg {
        value: request
            .build_args
            .get(&arg.name)
            .cloned()
            .or(arg.default)
            .filter(|value| !plan::credentials::in_url(value))
            .unwrap_or_default(),
        name: arg.name,
        location: Some(Location::new(Some(arg.span))),
        ..Arg::default()
    });
    let named = plan::fetch(&spec, &request);
    let location = |span: Option<Span>| span.map(|span| Location::new(Some(span)));
    // Tokens for one host are known by the spec alone.
    let own = named.secrets.iter().map(|secret| secret.id.clone());
    let secrets: BTreeSet<String> = fetch::secrets().map(str::to_owned).chain(own).collect();
    let secrets = secrets.into_iter().map(|id| Secret {
        location: location(named.secrets.iter().find(|s| s.id == id).map(|s| s.span)),
        name: id,
        ..Secret::default()
    });
    let agent = Secret {
        name: fetch::AGENT.to_owned(),
        location: location(named.ssh.first().map(|agent| agent.span)),
        ..Secret::default()
    };
    let outline = Outline {
        args: args.collect(),
        secrets: secrets.collect(),
        ssh: vec![agent],
        name: request.target.unwrap_or_default(),
        ..Outline::default()
    };
    Ok(outline.result(&session.loaded.bytes))
}

async fn print_bake_file(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let (spec, _) = session.spec().await?;
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
    let mut diagnostics = match check(session).await {
        // What is wrong with the spec is the answer.
        Err(Error::Spec(error)) => error.diagnostics,
        other => other?,
    };
    diag::tidy(&mut diagnostics);
    Ok(subrequest::lint(
        &diagnostics,
        &session.loaded.source_info(),
    ))
}

async fn check(session: &Session<'_>) -> Result<Vec<Diagnostic>, Error> {
    let (spec, mut diagnostics) = session.spec().await?;
    let (plans, problems) = plan::plan_each(&spec, &session.plan_request());
    diagnostics.extend(problems);
    if diag::has_errors(&diagnostics) {
        return Ok(diagnostics);
    }
    let scanned = session.scanned().await?;
    for plan in &plans {
        let sources = session.sources(plan, scanned).await?;
        let index = &sources.scanned.index;
        if let Err(problems) = lower::images_needed(plan, index, &session.native()) {
            diagnostics.extend(problems);
        }
        match session.check_files(plan, &sources.assets).await {
            Err(Error::Spec(error)) => diagnostics.extend(error.diagnostics),
            other => other?,
        }
    }
    Ok(diagnostics)
}
