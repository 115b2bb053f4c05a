//! `closure` and `why`: what the build of a service can read, and why.

use std::path::{Component, Path};

use super::{Failure, Word, failed, options, say};
use crate::closure::{Closure, Source, in_words};
use crate::diag::did_you_mean;
use crate::fleet::Fleet;
use crate::local::Local;
use crate::lower;
use crate::scan::{parent, select};

/// `closure SERVICE`: the files, one a line.
pub(super) fn closure(parser: lexopt::Parser) -> Result<String, Failure> {
    let (local, [service]) = words(parser, "closure needs a service")?;
    let fleet = Fleet::of_service(&local, &service).map_err(failed)?;
    for warning in fleet.warnings() {
        say(&format!("warning: {warning}"));
    }
    closure_of(&local, &fleet, &service)?;
    let member = fleet.services.get(&service);
    let files = member.iter().flat_map(|m| m.files.keys());
    Ok(files.map(|path| format!("{path}\n")).collect())
}

/// `why SERVICE FILE`: the import chain, one step a line.
pub(super) fn why(parser: lexopt::Parser) -> Result<String, Failure> {
    let (local, [service, file]) = words(parser, "why needs a service and a file")?;
    let fleet = Fleet::of_service(&local, &service).map_err(failed)?;
    let closure = closure_of(&local, &fleet, &service)?;
    let path =
        inside(&local, &file).ok_or_else(|| no(&service, &file, "it is outside of the context"))?;
    let member = fleet.services.get(&service);
    let source = match member.and_then(|m| m.files.get(&path)) {
        Some(source) => source.clone(),
        None if closure.directories.contains_key(&path) => Source::Directory(path.clone()),
        None => match copied(&fleet, &service, &path) {
            Some(line) => return Ok(format!("{line}\n")),
            None => {
                return Err(no(
                    &service,
                    &path,
                    &nearest(&local, &fleet, closure, &path),
                ));
            }
        },
    };
    let lines = in_words(closure, &fleet.index, &path, &source);
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn words<const N: usize>(
    mut parser: lexopt::Parser,
    usage: &str,
) -> Result<(Local, [String; N]), Failure> {
    let mut words = Vec::new();
    let local = options(&mut parser, |word, _| match word {
        Word::Value(value) if words.len() < N => {
            words.push(value.clone());
            Ok(true)
        }
        _ => Ok(false),
    })?;
    let words = words.try_into();
    Ok((local, words.map_err(|_| Failure::Usage(usage.to_owned()))?))
}

/// The closure of a service that can be built.
fn closure_of<'a>(local: &Local, fleet: &'a Fleet, service: &str) -> Result<&'a Closure, Failure> {
    let member = fleet.services.get(service);
    let main = member
        .and_then(|m| m.service())
        .map_or(".", |s| s.main.value.as_str());
    let closure = member.and_then(|m| m.closure.as_ref());
    let platforms = member.iter().flat_map(|m| &m.plan.platforms);
    let is_main = platforms.into_iter().any(|plan| {
        let (os, arch) = (&plan.platform.os, &plan.platform.arch);
        let mut services = plan.services.iter();
        services.any(|s| fleet.index.is_main(main, &s.build.tags, os, arch))
    });
    let problem = match closure {
        Some(closure) if is_main => {
            let broken = member.map(|m| lower::broken_links_of(&m.plan, closure));
            return match broken.filter(|broken| !broken.is_empty()) {
                Some(broken) => Err(failed(local.spec_problem(&broken))),
                None => Ok(closure),
            };
        }
        Some(_) => {
            let mains = fleet.index.suggestions();
            let near = did_you_mean(main, mains.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `./{near}`?"));
            format!("is no main package{}", hint.unwrap_or_default())
        }
        None => "is in no module: there is no `go.mod` above it".to_owned(),
    };
    Err(Failure::Failed(format!(
        "gofleet: the directory `./{main}` of `{service}` {problem}"
    )))
}

fn no(service: &str, path: &str, why: &str) -> Failure {
    Failure::Failed(format!(
        "gofleet: `{path}` is not in the closure of `{service}`: {why}"
    ))
}

/// A path of the command line, relative to the context.
fn inside(local: &Local, file: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let file = Path::new(file);
    let context = local.context.canonicalize().ok();
    let file = match context {
        Some(context) if file.is_absolute() => file.strip_prefix(context).ok()?,
        _ => file,
    };
    for part in file.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
            _ => return None,
        }
    }
    Some(match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    })
}

/// What puts a file into the image that no build step reads.
fn copied(fleet: &Fleet, service: &str, path: &str) -> Option<String> {
    let service = fleet.services.get(service)?.service()?;
    let entry = service
        .image
        .files
        .iter()
        .find(|entry| crate::scan::is_inside(path, &entry.source))?;
    let there = fleet.root.join(path).symlink_metadata().is_ok();
    (there && fleet.ignore.hidden_by(path).is_none()).then(|| {
        let line = entry.span.start.line;
        let spec = &fleet.spec_name;
        format!("{spec}:{line} copies {} to {}", entry.source, entry.dest)
    })
}

/// Why a file is in no closure, or not in this one.
fn nearest(local: &Local, fleet: &Fleet, closure: &Closure, path: &str) -> String {
    if let Some(rule) = fleet.ignore.hidden_by(path) {
        let name = &fleet.ignore_name;
        return format!("{name}:{} hides it with `{}`", rule.line, rule.text);
    }
    let Ok(meta) = fleet.root.join(path).symlink_metadata() else {
        return "there is no such file".to_owned();
    };
    let dir = parent(path).unwrap_or(".");
    let name = path.rsplit('/').next().unwrap_or(path);
    let package = |dir: &str| match imported_by(local, path) {
        Some(others) => format!("no import leads to `{dir}`; {others} can read it"),
        None => format!("no import leads to `{dir}`"),
    };
    if meta.is_dir() {
        return package(path);
    }
    if name.ends_with("_test.go") {
        return "test files are in no build".to_owned();
    }
    if name.ends_with(".go") && name.starts_with(['.', '_']) {
        return "the go command reads no files whose names start with `.` or `_`".to_owned();
    }
    match (select::kind(name), closure.directories.contains_key(dir)) {
        (None, _) => "it is no source file, and no `//go:embed` names it".to_owned(),
        (Some(select::Kind::Manifest), _) => {
            let root = &closure.root.dir;
            format!("the build takes its versions from the manifests in `{root}`")
        }
        (Some(_), true) => "its build constraint holds on no platform of the service".to_owned(),
        (Some(_), false) => package(dir),
    }
}

/// Which other services can read a file.
fn imported_by(local: &Local, path: &str) -> Option<String> {
    let fleet = Fleet::read(local).ok()?;
    let services = fleet.services.iter();
    let names = services.filter(|(_, member)| {
        let inside = |file: &String| crate::scan::is_inside(file, path);
        member.files.keys().any(inside)
    });
    let names: Vec<String> = names.map(|(name, _)| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
