//! Symbolic links that builds need and that lead nowhere.
//!
//! In: closures, after everything they lead to was asked for. Out: a located diagnostic per
//! link, whatever the number of services that need it. Links that nobody needs break nobody.

use std::collections::BTreeMap;

use buildkit_llb::Platform;

use super::closures::Closures;
use crate::closure::Closure;
use crate::diag::{Diagnostic, Rule};
use crate::plan::{Plan, Service};
use crate::scan::{Link, LinkEnd, constraint};

/// Most services that a message names.
const MAX_NAMES: usize = 3;

/// The links that the services of plans need and that lead nowhere.
#[must_use]
pub fn broken_links<'a>(
    plans: impl IntoIterator<Item = (&'a Plan, &'a Closures)>,
) -> Vec<Diagnostic> {
    broken(plans.into_iter().flat_map(|(plan, closures)| {
        builds(plan).filter_map(|(service, platform)| {
            Some((service, platform, closures.of_service(service)?))
        })
    }))
}

/// The same for the plan of one service.
#[must_use]
pub fn broken_links_of(plan: &Plan, closure: &Closure) -> Vec<Diagnostic> {
    broken(builds(plan).map(|(service, platform)| (service, platform, closure)))
}

fn builds(plan: &Plan) -> impl Iterator<Item = (&Service, &Platform)> {
    plan.platforms.iter().flat_map(|one| {
        let services = one.services.iter();
        services.map(|service| (service, &one.platform))
    })
}

fn broken<'a>(
    builds: impl Iterator<Item = (&'a Service, &'a Platform, &'a Closure)>,
) -> Vec<Diagnostic> {
    let mut found: BTreeMap<(String, &str), Vec<&Service>> = BTreeMap::new();
    for (service, platform, closure) in builds {
        let problems = problems(closure).filter(|(link, _)| is_built(link, service, platform));
        for (_, problem) in problems {
            let services = found.entry(problem).or_default();
            if services.iter().all(|known| known.name != service.name) {
                services.push(service);
            }
        }
    }
    let diagnostics = found.into_iter().filter_map(|((message, hint), services)| {
        let first = services.first()?;
        let message = format!("{message}; {}", built_with(&services));
        let diagnostic = Diagnostic::new(Rule::BrokenLink, message);
        Some(diagnostic.at(first.main.span).hint(hint))
    });
    diagnostics.collect()
}

/// What is wrong with a link alone, and what to do about it.
pub(super) fn problem(link: &Link) -> (String, &'static str) {
    let path = &link.path;
    match &link.end {
        LinkEnd::Absent(target) => not_there(path, target),
        LinkEnd::Outside => (
            format!("`{path}` is a link that leads out of the context"),
            "a build sees the context alone: let the context be a directory above both, or copy \
             what the link leads to",
        ),
        LinkEnd::Circle => (
            format!("`{path}` is a link that leads back to itself"),
            "let the link lead to a file or directory of the context",
        ),
        LinkEnd::Special(target) => (
            format!("`{path}` is a link to `{target}`, which is a pipe, a socket or a device"),
            "let the link lead to a file of the context",
        ),
        LinkEnd::File(target) => (
            format!("`{path}` is a link to `{target}`, which is a file and no directory"),
            "let the link lead to a directory of the context",
        ),
        LinkEnd::Dir(target) => (
            format!("`{path}` is a link to `{target}`, which is a directory and no file"),
            "let the link lead to a file of the context",
        ),
    }
}

/// The links that lead nowhere, each with what is wrong.
fn problems(closure: &Closure) -> impl Iterator<Item = (&str, (String, &'static str))> {
    let absent = closure.absent.iter().map(|(target, reason)| {
        let link = reason.file.as_str();
        (link, not_there(link, target))
    });
    let broken = closure.broken.iter();
    absent.chain(broken.map(|link| (link.path.as_str(), problem(link))))
}

/// Whether a build for a platform reads a file of that name.
fn is_built(link: &str, service: &Service, platform: &Platform) -> bool {
    let name = link.rsplit('/').next().unwrap_or(link);
    let (tags, os, arch) = (&service.build.tags, &platform.os, &platform.arch);
    constraint::of_name(name).is_none_or(|c| constraint::may_hold_on(&c, tags, os, arch))
}

fn not_there(link: &str, target: &str) -> (String, &'static str) {
    (
        format!("`{link}` is a link to `{target}`, which is not in the context"),
        "is it hidden by the ignore file, or was it moved?",
    )
}

/// `service `api` is built with it`.
fn built_with(services: &[&Service]) -> String {
    let names: Vec<String> = services
        .iter()
        .take(MAX_NAMES)
        .map(|service| format!("`{}`", service.name))
        .collect();
    match (services.len(), names.join(", ")) {
        (1, name) => format!("service {name} is built with it"),
        (count, names) if count > MAX_NAMES => {
            format!(
                "services {names} and {} more are built with it",
                count - MAX_NAMES
            )
        }
        (_, names) => format!("services {names} are built with it"),
    }
}
