//! Answers to subrequests: `--call` and `--check` of buildx.
//!
//! They describe the spec and build no image. `check` also scans the sources, so
//! that it finds what a build would find before compiling. For the others the
//! sources are looked at only when the spec discovers services.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use crate::diag::{self, Diagnostic, Span};
use crate::fetch;
use crate::gateway::subrequest::{
    self, Arg, Location, Outline, Secret, Subrequest, Target, Targets,
};
use crate::gateway::{Error, FrontendResult, SpecError};
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
        Subrequest::Outline => outline(session).await,
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

/// What a target takes. The spec alone says it, so nothing is scanned unless the target may be one
/// that is discovered.
async fn outline(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let mut spec = session.read()?;
    let request = session.plan_request();
    let target = match plan::named_target(&spec, &request) {
        Err(_) if !spec.discover.is_empty() => {
            (spec, _) = session.spec().await?;
            plan::named_target(&spec, &request)
        }
        known => known,
    };
    let target = target.map_err(|problems| session.spec_error(problems))?;
    let args = match &target {
        Some(target) => plan::args_of_target(&spec, target),
        None => spec.args(),
    };
    let args = args.into_iter().map(|arg| Arg {
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

/// Everything that can be said without compiling, for every target: of the spec first.
async fn lint(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let mut found = Found::default();
    match check(session, &mut found).await {
        // What is wrong with the spec is the answer.
        Err(Error::Spec(error)) => found.spec = error.diagnostics,
        other => other?,
    }
    diag::tidy(&mut found.spec);
    let spec = SpecError {
        file: session.loaded.source_info(),
        diagnostics: found.spec,
    };
    let others = found.files.into_values().map(|mut error| {
        diag::tidy(&mut error.diagnostics);
        error
    });
    let all: Vec<SpecError> = std::iter::once(spec).chain(others).collect();
    Ok(subrequest::lint(&all))
}

/// What a check found.
#[derive(Default)]
struct Found {
    /// In the spec.
    spec: Vec<Diagnostic>,
    /// In other files, by their names.
    files: BTreeMap<String, SpecError>,
}

impl Found {
    /// Takes what a check of a plan found.
    fn add(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Err(Error::Spec(error)) => self.spec.extend(error.diagnostics),
            Err(Error::Files(errors)) => {
                for error in errors {
                    match self.files.entry(error.file.filename.clone()) {
                        Entry::Vacant(new) => {
                            new.insert(error);
                        }
                        Entry::Occupied(mut known) => {
                            known.get_mut().diagnostics.extend(error.diagnostics);
                        }
                    }
                }
            }
            other => return other,
        }
        Ok(())
    }
}

async fn check(session: &Session<'_>, found: &mut Found) -> Result<(), Error> {
    let (spec, diagnostics) = session.spec().await?;
    found.spec = diagnostics;
    let (plans, problems) = plan::plan_each(&spec, &session.plan_request());
    found.spec.extend(problems);
    session.checks(&spec).apply(&mut found.spec);
    if diag::has_errors(&found.spec) {
        return Ok(());
    }
    let scanned = session.scanned(None).await?;
    let mut seen = Vec::new();
    for plan in &plans {
        let sources = session.sources(plan, scanned).await?;
        let index = &sources.scanned.index;
        let is_whole = lower::broken_links([(plan, &sources.closures)]).is_empty();
        seen.push((plan, sources.closures.clone()));
        if !is_whole {
            // Without what links lead to, more looks wrong than is.
            continue;
        }
        if let Err(problems) = lower::images_needed(plan, index, &session.native()) {
            found.spec.extend(problems);
        }
        let old = session.old_go(plan, &sources.scanned).await?;
        found.add(Err(Error::Files(old)))?;
        found.add(session.check_files(plan, &sources.assets).await)?;
        found.add(session.check_needs(&sources, true).await)?;
    }
    for error in found.files.values_mut() {
        session.checks(&spec).apply(&mut error.diagnostics);
    }
    let seen = seen.iter().map(|(plan, closures)| (*plan, closures));
    found.spec.extend(lower::broken_links(seen));
    Ok(())
}
