//! Which target a request means, and which targets there are.

use super::{Check, Request, Selection};
use crate::diag::{Diagnostic, Rule, Span, Spanned, did_you_mean};
use crate::spec::{RESERVED, Scope, Spec};
use buildkit_llb::Platform;

/// Most targets that a message lists.
const MAX_LISTED: usize = 40;

/// A target, for lists of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetInfo {
    /// The value for `--target`.
    pub name: String,
    /// One line that says what it builds.
    pub description: String,
    /// Whether it is built when no target is given.
    pub default: bool,
    /// Where the service is written; `None` for targets of several services.
    pub span: Option<Span>,
}

/// The targets of a spec: the services in their order, then those of several services.
pub fn targets(spec: &Spec, request: &Request) -> Vec<TargetInfo> {
    let args = crate::spec::Args::new(&request.build_args);
    let mut check = Check::new(&args);
    let without_target = Request {
        target: None,
        ..request.clone()
    };
    let default = select(spec, &without_target, &mut check, true);
    let services = spec.services.iter().map(|service| {
        let name = service.name.value.clone();
        let main = service.main.as_ref().map_or("", |m| m.raw());
        TargetInfo {
            description: format!("image of {main}"),
            default: default == Some(Selection::Service(name.clone())),
            span: Some(service.name.span),
            name,
        }
    });
    let others = [
        ("all", "one image with all binaries", Selection::All),
        (
            "binaries",
            "the binaries, without an image",
            Selection::Binaries,
        ),
        (
            "deps",
            "modules and compiled dependencies of all services, for `--cache-to`",
            Selection::Deps,
        ),
    ];
    let others = others.map(|(name, description, selection)| TargetInfo {
        name: name.to_owned(),
        description: description.to_owned(),
        default: default == Some(selection),
        span: None,
    });
    services.chain(others).collect()
}

/// Says that a service's `main` holds no main package.
///
/// `candidates` are the directories of the main packages that the context has.
pub fn missing_main(main: &Spanned<String>, service: &str, candidates: &[String]) -> Diagnostic {
    // The same last part is a better guess than the nearest spelling of the whole path.
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let wanted = last(&main.value);
    let by_name = candidates
        .iter()
        .find(|c| last(c) == wanted)
        .map(String::as_str);
    let near = by_name
        .or_else(|| did_you_mean(&main.value, candidates.iter().map(String::as_str)))
        .or_else(|| {
            candidates
                .iter()
                .map(String::as_str)
                .find(|c| last(c) == service)
        });
    let hint = match near {
        Some(near) => format!("did you mean `{}`?", shown(near)),
        None => main_packages(candidates),
    };
    Diagnostic::new(
        Rule::NoSuchPackage,
        format!(
            "no `package main` in `{}` of service `{service}`",
            shown(&main.value)
        ),
    )
    .at(main.span)
    .hint(hint)
}

/// Says that build constraints leave a service's main package out on a platform.
pub fn constrained_main(
    main: &Spanned<String>,
    service: &str,
    platform: &Platform,
    constraints: &[String],
) -> Diagnostic {
    let dir = shown(&main.value);
    let message = format!("no `package main` in `{dir}` of service `{service}` for {platform}");
    let constraints: Vec<String> = constraints.iter().map(|c| format!("`{c}`")).collect();
    Diagnostic::new(Rule::NoSuchPackage, message)
        .at(main.span)
        .hint(format!(
            "its files are for {}: see `build_tags` and `platforms`",
            list(&constraints, "or")
        ))
}

/// Says that a service's `main` is a file.
pub fn main_is_file(main: &Spanned<String>) -> Diagnostic {
    let message = format!(
        "`{}` is a file, and `main` is a directory",
        shown(&main.value)
    );
    Diagnostic::new(Rule::InvalidMain, message)
        .at(main.span)
        .hint(instead_of_file(&main.value))
}

pub(super) fn instead_of_file(path: &str) -> String {
    let directory = path.rsplit_once('/').map_or(".", |(dir, _)| dir);
    format!("write `{}`", shown(directory))
}

/// Says where the main packages are.
pub(super) fn main_packages(candidates: &[String]) -> String {
    if candidates.is_empty() {
        return "the context holds no `package main`; is it the right directory, and does the \
                ignore file leave the Go files in?"
            .to_owned();
    }
    format!("main packages are in {}", dirs(candidates, "and"))
}

/// Directories as people write them: `./a`, `./b` and `./c`.
pub(super) fn dirs(dirs: &[impl AsRef<str>], word: &str) -> String {
    let shown: Vec<String> = dirs
        .iter()
        .map(|dir| format!("`{}`", shown(dir.as_ref())))
        .collect();
    list(&shown, word)
}

/// A directory as people write it: `./cmd/api`.
pub(super) fn shown(dir: &str) -> String {
    match dir {
        "." => ".".to_owned(),
        dir => format!("./{dir}"),
    }
}

/// The target that a request means; `None` after an error.
///
/// Without `complete` the spec has holes, and what is missing is not reported.
pub(super) fn select(
    spec: &Spec,
    request: &Request,
    check: &mut Check<'_>,
    complete: bool,
) -> Option<Selection> {
    let default = spec.default_target.as_ref().and_then(|text| {
        let name = check.expand(text, &Scope::global(check.args))?;
        let found = named(&name, spec, request, complete).map_err(|d| d.at(text.span()));
        check.noted(found).flatten()
    });
    let asked = request.target.as_deref().filter(|t| !t.is_empty());
    if let Some(name) = asked {
        return check.noted(named(name, spec, request, complete)).flatten();
    }
    if spec.default_target.is_some() {
        return default;
    }
    match &spec.services[..] {
        [only] => Some(Selection::Service(only.name.value.clone())),
        [] => {
            if complete {
                let d = Diagnostic::new(Rule::NoServices, "the spec names no service");
                check.push(d.at(spec.span));
            }
            None
        }
        several => {
            if complete {
                check.push(no_target(several.len(), spec, request));
            }
            None
        }
    }
}

/// The selection with a name; nothing when the spec has holes and the name is not in it.
fn named(
    name: &str,
    spec: &Spec,
    request: &Request,
    complete: bool,
) -> Result<Option<Selection>, Diagnostic> {
    match name {
        "all" => return Ok(Some(Selection::All)),
        "binaries" => return Ok(Some(Selection::Binaries)),
        "deps" => return Ok(Some(Selection::Deps)),
        _ => {}
    }
    if spec.services.iter().any(|s| s.name.value == name) {
        return Ok(Some(Selection::Service(name.to_owned())));
    }
    if !complete {
        return Ok(None);
    }
    let names = spec.services.iter().map(|s| s.name.value.as_str());
    let hint = match did_you_mean(name, names.chain(RESERVED)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the targets are {}", listed(spec)),
    };
    let file = &request.file_name;
    let message = format!("`{file}` has no target `{name}`");
    Err(Diagnostic::new(Rule::UnknownTarget, message).hint(hint))
}

fn no_target(services: usize, spec: &Spec, request: &Request) -> Diagnostic {
    let file = &request.file_name;
    Diagnostic::new(
        Rule::NoTarget,
        format!("{services} services and no `--target`"),
    )
    .at(spec.span)
    .hint(format!(
        "`--target` takes {}; all images at once: \
             `docker buildx build -f {file} --call bake . | docker buildx bake -f -`",
        listed_or(spec)
    ))
}

fn listed(spec: &Spec) -> String {
    list(&names(spec), "and")
}

fn listed_or(spec: &Spec) -> String {
    list(&names(spec), "or")
}

fn names(spec: &Spec) -> Vec<String> {
    let services = spec.services.iter().map(|s| s.name.value.as_str());
    services.chain(RESERVED).map(|n| format!("`{n}`")).collect()
}

/// `a, b and c`; long lists are cut in the middle, so that the last two stay.
fn list(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => {
            let left_out = first.len().saturating_sub(MAX_LISTED);
            let mut shown: Vec<String> = first.iter().take(MAX_LISTED).cloned().collect();
            if left_out > 0 {
                shown.push(format!("{left_out} more"));
            }
            format!("{} {word} {last}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let items = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        assert_eq!(list(&items(1), "or"), "0");
        assert_eq!(list(&items(3), "or"), "0, 1 or 2");
        assert!(list(&items(100), "and").ends_with("39, 59 more and 99"));
    }

    #[test]
    fn missing_mains() {
        let hint = |main: &str, service: &str, candidates: &[&str]| {
            let main = Spanned::new(main.to_owned(), Span::at(1, 1));
            let candidates: Vec<String> = candidates.iter().map(|c| c.to_string()).collect();
            missing_main(&main, service, &candidates)
                .hint
                .unwrap_or_default()
        };
        let found = ["cmd/api", "services/worker"];
        assert_eq!(hint("cmd/apo", "x", &found), "did you mean `./cmd/api`?");
        assert_eq!(
            hint("cmd/worker", "x", &found),
            "did you mean `./services/worker`?"
        );
        assert_eq!(
            hint("somewhere/else", "api", &found),
            "did you mean `./cmd/api`?"
        );
        assert_eq!(
            hint("somewhere/else", "x", &found),
            "main packages are in `./cmd/api` and `./services/worker`"
        );
        assert!(hint("cmd/api", "x", &[]).starts_with("the context holds no"));
    }
}
