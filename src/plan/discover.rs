//! `discover` and `exclude`: main packages of the sources become services.
//!
//! # Steps
//!
//! 1. the patterns of both are read;
//! 2. the main packages that they leave are found, without those that an entry of `services` names;
//! 3. each gets the name that `go build` gives its binary;
//! 4. each becomes a service, or the `main` of the entry with its name.
//!
//! In: a spec that discovers, and the scan's index. Out: a spec whose services are complete, as if
//! somebody had written them all down, and diagnostics. What is unclear is an error: new code never
//! renames an image, and never changes what is in one.

use super::pattern::Pattern;
use super::target::{dirs, main_packages, shown};
use super::{Check, Request, path, service};
use crate::diag::{Diagnostic, Rule, Span, Spanned, did_you_mean};
use crate::scan::Index;
use crate::scan::select::passed_over;
use crate::spec::{
    Args, MAX_SERVICES, Scope, ServiceEntry, Settings, Spec, Text, check_name, legal_name,
};
use buildkit_llb::Platform;
use std::collections::{BTreeMap, BTreeSet};

/// With so many problems no more are looked for.
const ENOUGH: usize = 100;
/// Most patterns of `discover`, and of `exclude`.
const MAX_PATTERNS: usize = 1000;

/// Completes the services of a spec.
pub(super) fn discover(spec: &Spec, index: &Index, request: &Request) -> (Spec, Vec<Diagnostic>) {
    let args = Args::new(&request.build_args);
    let mut check = Check::new(&args);
    let wanted = patterns(&spec.discover, "discover", &mut check);
    let unwanted = patterns(&spec.exclude, "exclude", &mut check);
    for (patterns, field) in [(&wanted, "discover"), (&unwanted, "exclude")] {
        let files = patterns.iter().filter_map(|p| p.is_file(field, index));
        check.diagnostics.extend(files);
    }
    let mut complete = spec.clone();
    if check.diagnostics.is_empty() {
        let mains = mains(spec, index, request, &args);
        let found = find(index, &mains, &wanted, &unwanted);
        let warnings = unmatched(&wanted, &mains, index);
        name_services(&mut complete, &found, &mains, index, &mut check);
        if check.diagnostics.is_empty() && complete.services.is_empty() {
            check.push(nothing(spec, &wanted, &unwanted, &mains, index));
        } else {
            check.diagnostics.extend(warnings);
        }
    }
    (complete, check.diagnostics)
}

/// Where the patterns of a spec look for main packages, as far as a scan may pass over it:
/// directories that are named as such, and those below which patterns look. A service may name
/// by a link what patterns find.
pub(super) fn starts(spec: &Spec, request: &Request) -> Vec<String> {
    let args = Args::new(&request.build_args);
    let patterns = patterns(&spec.discover, "discover", &mut Check::new(&args));
    let starts = patterns.iter().filter(|pattern| {
        let start = pattern.start();
        pattern.is_exact() || passed_over(start).is_some()
    });
    let starts = starts.map(|pattern| pattern.start().to_owned());
    let named = spec
        .services
        .iter()
        .filter_map(|entry| dir_of(entry, &args));
    starts.chain(named).collect()
}

fn patterns(texts: &[Text], field: &str, check: &mut Check<'_>) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for text in texts {
        let Some(value) = check.expand(text, &Scope::global(check.args)) else {
            continue;
        };
        // As in other lists; import paths have neither commas nor spaces.
        let parts = value.split([',', ' ', '\t', '\n']);
        for part in parts.filter(|p| !p.is_empty()) {
            if patterns.len() == MAX_PATTERNS {
                let message = format!("`{field}` has more than {MAX_PATTERNS} patterns");
                check.push(
                    Diagnostic::new(Rule::TooLarge, message)
                        .at(text.span())
                        .hint("name a directory above them: `./dir/...`"),
                );
                return patterns;
            }
            let pattern = Pattern::parse(part, text.span(), field);
            patterns.extend(check.noted(pattern));
        }
    }
    patterns
}

/// Directories that hold a main package for what their services would be built for, by path.
fn mains<'i>(spec: &Spec, index: &'i Index, request: &Request, args: &Args<'_>) -> Vec<&'i str> {
    let defaults = service::builds("", &spec.defaults, request, args);
    let is_main = |dir: &str, builds: &[(Platform, Vec<String>)]| {
        let mut builds = builds.iter();
        builds.any(|(p, tags)| index.is_main(dir, tags, &p.os, &p.arch))
    };
    // An entry without `main` has tags and platforms of its own.
    let entries = spec.services.iter().filter(|entry| entry.main.is_none());
    let entries: BTreeMap<&str, _> = entries
        .map(|entry| {
            let name = entry.name.value.as_str();
            let settings = service::merged(&spec.defaults, &entry.settings);
            (name, service::builds(name, &settings, request, args))
        })
        .collect();
    let directories = index.directories.iter().filter(|d| !d.mains.is_empty());
    let paths = directories.map(|d| d.path.as_str());
    paths
        .filter(|dir| {
            let own = name_of(dir, index).and_then(|name| entries.get(name));
            is_main(dir, own.unwrap_or(&defaults))
        })
        .collect()
}

/// A main package, and the pattern that found it first.
struct Found<'i> {
    dir: &'i str,
    span: Span,
}

/// The main packages that are wanted, by path.
fn find<'i>(
    index: &Index,
    mains: &[&'i str],
    wanted: &'i [Pattern],
    unwanted: &[Pattern],
) -> Vec<Found<'i>> {
    let matching = |patterns: &[Pattern], dir: &str| {
        let first = patterns.iter().find(|p| matches(p, dir, index));
        first.map(|p| p.span)
    };
    // `...` finds no links, and a directory that is named may be one.
    let named = wanted.iter().filter(|p| p.is_exact()).map(Pattern::start);
    let named = named.filter(|dir| is_linked_main(dir, mains, index));
    let mains: BTreeSet<&str> = mains.iter().copied().chain(named).collect();
    let mains = mains.into_iter().filter_map(|dir| {
        let span = matching(wanted, dir)?;
        matching(unwanted, dir)
            .is_none()
            .then_some(Found { dir, span })
    });
    mains.collect()
}

/// Whether a pattern finds a directory; `...` passes over what `go.mod` ignores.
fn matches(pattern: &Pattern, dir: &str, index: &Index) -> bool {
    pattern.matches(dir) && (pattern.is_exact() || !index.is_ignored(dir))
}

/// Adds what was found to the services; what has no name of its own is an error.
fn name_services(
    spec: &mut Spec,
    found: &[Found<'_>],
    mains: &[&str],
    index: &Index,
    check: &mut Check<'_>,
) {
    let taken: BTreeSet<String> = spec
        .services
        .iter()
        .filter_map(|entry| dir_of(entry, check.args))
        // By whichever name, it is the same package.
        .flat_map(|dir| [index.place(&dir).path, dir])
        .collect();
    let mut by_name: BTreeMap<&str, Vec<&Found<'_>>> = BTreeMap::new();
    for one in found.iter().filter(|one| !taken.contains(one.dir)) {
        match name_of(one.dir, index) {
            Some(name) => by_name.entry(name).or_default().push(one),
            None => check.push(nameless(one)),
        }
    }
    let entries = spec.services.iter().map(|entry| entry.name.value.as_str());
    let names: BTreeSet<String> = entries
        .chain(by_name.keys().copied())
        .map(str::to_owned)
        .collect();
    for entry in &mut spec.services {
        if check.diagnostics.len() > ENOUGH {
            return;
        }
        let group = by_name.remove(entry.name.value.as_str());
        match (&entry.main, &group.unwrap_or_default()[..]) {
            (None, [only]) => entry.main = Some(main_of(only)),
            (None, group) => check.push(no_main(entry, group, found, mains, index)),
            (Some(main), group) => {
                for one in group {
                    check.push(name_taken(one, entry, main));
                }
            }
        }
    }
    let mut new: Vec<(&str, &Found<'_>)> = Vec::new();
    for (name, group) in by_name {
        match &group[..] {
            [only] => match check_name(&Spanned::new(name.to_owned(), only.span)) {
                Some(problem) => check.push(illegal(only, name, &names, problem)),
                None => new.push((name, only)),
            },
            group => check.push(one_name(name, group)),
        }
    }
    // By path, so that the order does not depend on how names are made.
    new.sort_by_key(|(_, one)| one.dir);
    let total = spec.services.len() + new.len();
    if let (Some((_, one)), true) = (new.first(), total > MAX_SERVICES) {
        let message = format!("the spec has {total} services, the limit is {MAX_SERVICES}");
        check.push(
            Diagnostic::new(Rule::TooLarge, message)
                .at(one.span)
                .hint("split the spec: a context can have several"),
        );
        return;
    }
    let new = new.into_iter().map(|(name, one)| ServiceEntry {
        name: Spanned::new(name.to_owned(), one.span),
        main: Some(main_of(one)),
        settings: Settings::default(),
    });
    spec.services.extend(new);
}

/// The directory that an entry names, when it is the same on every platform and known now.
fn dir_of(entry: &ServiceEntry, args: &Args<'_>) -> Option<String> {
    let text = entry.main.as_ref()?;
    let scope = Scope::global(args).with("SERVICE", entry.name.value.as_str());
    let value = text.expand(&scope).ok()?;
    path::main(&value, text.span()).ok()
}

fn main_of(one: &Found<'_>) -> Text {
    Text::literal(shown(one.dir), one.span)
}

/// What `go build` names the binary: the last element of the import path, but for a version.
///
/// Directories stand for import paths, so that the names can be read off the tree; the module path
/// decides where the directory says nothing.
fn name_of<'a>(dir: &'a str, index: &'a Index) -> Option<&'a str> {
    if let Some(name) = last(dir) {
        return Some(name);
    }
    // The root of the context, or a version of it.
    let module = index.module_of(dir)?;
    last(&module.path).or(Some(module.path.as_str()).filter(|path| !path.is_empty()))
}

/// The last element of a path that is not a version.
fn last(path: &str) -> Option<&str> {
    let mut elements = path.rsplit('/').filter(|e| !matches!(*e, "" | "."));
    let last = elements.next()?;
    if is_version(last) {
        elements.next()
    } else {
        Some(last)
    }
}

/// `v2` and up, as modules have it: there is no `v0` and no `v1` in import paths.
fn is_version(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
            && digits != "1"
    })
}

/// Whether a directory is a main package by a link.
fn is_linked_main(dir: &str, mains: &[&str], index: &Index) -> bool {
    mains.contains(&index.place(dir).path.as_str())
}

/// A warning for each pattern that matches nothing, excluded or not.
fn unmatched(wanted: &[Pattern], mains: &[&str], index: &Index) -> Vec<Diagnostic> {
    let nothing = |p: &&Pattern| {
        let is_named = p.is_exact() && is_linked_main(p.start(), mains, index);
        !is_named && !mains.iter().any(|dir| matches(p, dir, index))
    };
    let warnings = wanted.iter().filter(nothing).map(|pattern| {
        let message = format!("no main package matches `{}`", pattern.shown());
        Diagnostic::new(Rule::NothingDiscovered, message)
            .at(pattern.span)
            .hint(instead(pattern, index))
    });
    warnings.collect()
}

/// What to write instead of a pattern that matches nothing.
fn instead(pattern: &Pattern, index: &Index) -> String {
    let hidden = index.mains.iter().find(|dir| pattern.fits(dir));
    if let Some(part) = hidden.and_then(|dir| pattern.passed_over(dir)) {
        return format!("`...` passes over `{part}`, as in Go; name the directory itself");
    }
    let shown_mains: Vec<String> = index.suggestions().iter().map(|d| shown(d)).collect();
    let written = pattern.shown();
    if pattern.is_exact() {
        let below = format!("{written}/");
        if shown_mains.iter().any(|dir| dir.starts_with(&below)) {
            return format!("did you mean `{below}...`?");
        }
        if let Some(near) = did_you_mean(&written, shown_mains.iter().map(String::as_str)) {
            return format!("did you mean `{near}`?");
        }
    }
    main_packages(&index.suggestions())
}

/// A spec that ends up without any service.
fn nothing(
    spec: &Spec,
    wanted: &[Pattern],
    unwanted: &[Pattern],
    mains: &[&str],
    index: &Index,
) -> Diagnostic {
    let before = find(index, mains, wanted, &[]);
    if let (false, Some(exclude)) = (before.is_empty(), unwanted.first()) {
        let all: Vec<&str> = before.iter().map(|one| one.dir).collect();
        return Diagnostic::new(
            Rule::NoServices,
            "`exclude` leaves nothing of what `discover` finds",
        )
        .at(exclude.span)
        .hint(format!("leave one of them in: {}", dirs(&all, "or")));
    }
    let hint = match wanted.first() {
        Some(pattern) => instead(pattern, index),
        None => "`discover: ./...` finds every main package".to_owned(),
    };
    Diagnostic::new(Rule::NoServices, "`discover` finds no main package")
        .at(wanted.first().map_or(spec.span, |pattern| pattern.span))
        .hint(hint)
}

/// A main package in the root, where the module path is the only name there could be.
fn nameless(one: &Found<'_>) -> Diagnostic {
    let dir = shown(one.dir);
    let message = format!("the main package in `{dir}` has no name: it is in no module");
    Diagnostic::new(Rule::NoModule, message).at(one.span).hint(
        "is the context the root of the repository, and does the ignore file leave `go.mod` in?",
    )
}

/// An entry without `main` for which not exactly one directory was found.
fn no_main(
    entry: &ServiceEntry,
    group: &[&Found<'_>],
    found: &[Found<'_>],
    mains: &[&str],
    index: &Index,
) -> Diagnostic {
    let name = entry.name.value.as_str();
    let error = |message: String, hint: String| {
        Diagnostic::new(Rule::MissingMain, message)
            .at(entry.name.span)
            .hint(hint)
    };
    if let [first, ..] = group {
        return error(
            format!(
                "service `{name}` has no `main`, and could be {}",
                dirs(&group.iter().map(|one| one.dir).collect::<Vec<_>>(), "or")
            ),
            format!("write one of them: `main: {}`", shown(first.dir)),
        );
    }
    let of_that_name = |dir: &&&str| name_of(dir, index) == Some(name);
    let hint = match mains.iter().find(of_that_name) {
        // It is not found, or excluded, or another entry has it.
        Some(dir) => format!("write `main: {}`", shown(dir)),
        None => {
            let names = found.iter().filter_map(|one| name_of(one.dir, index));
            match did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write the directory of its `package main`: `main: ./cmd/{name}`"),
            }
        }
    };
    error(
        format!("service `{name}` has no `main`, and `discover` finds none of its name"),
        hint,
    )
}

/// A directory whose name is that of a service with another main package.
fn name_taken(one: &Found<'_>, entry: &ServiceEntry, main: &Text) -> Diagnostic {
    let name = &entry.name.value;
    let dir = shown(one.dir);
    let new = other_name(one.dir, name, &[main.raw().trim_start_matches("./")]);
    Diagnostic::new(
        Rule::DuplicateName,
        format!(
            "`{dir}` would be the service `{name}`, which is `{}`",
            main.raw()
        ),
    )
    .at(one.span)
    .label(entry.name.span, "the service")
    .hint(format!(
        "name it under `services`, such as `{new}: {dir}`, or leave it out: `exclude: {dir}`"
    ))
}

/// Directories that would be one service.
fn one_name(name: &str, group: &[&Found<'_>]) -> Diagnostic {
    let all: Vec<&str> = group.iter().map(|one| one.dir).collect();
    // Two show the form.
    let lines = group.iter().filter_map(|one| {
        let others: Vec<&str> = all.iter().copied().filter(|d| *d != one.dir).collect();
        let new = other_name(one.dir, name, &others);
        (new != name).then(|| format!("{new}: {}", shown(one.dir)))
    });
    let lines: Vec<String> = lines.take(2).collect();
    let span = group.iter().map(|one| one.span).max();
    let diagnostic = Diagnostic::new(
        Rule::DuplicateName,
        format!("{} would be one service, `{name}`", dirs(&all, "and")),
    )
    .hint(format!(
        "name all but one under `services`: `services: {{{}}}`",
        lines.join(", ")
    ));
    match span {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    }
}

/// A directory whose name no service can have.
fn illegal(
    one: &Found<'_>,
    name: &str,
    names: &BTreeSet<String>,
    problem: Diagnostic,
) -> Diagnostic {
    let dir = shown(one.dir);
    let free = legal_name(name).filter(|new| !names.contains(new));
    let new = free.unwrap_or_else(|| "NAME".to_owned());
    Diagnostic::new(
        problem.rule,
        format!("`{dir}` needs a name: {}", problem.message),
    )
    .at(one.span)
    .hint(format!(
        "name it under `services`: `services: {{{new}: {dir}}}`, or leave it out: `exclude: {dir}`"
    ))
}

/// Another name for a directory: the nearest directory above it that the others do not have at
/// the same place, before its own name.
fn other_name(dir: &str, name: &str, others: &[&str]) -> String {
    let from_end = |dir: &str| -> Vec<String> { dir.rsplit('/').map(str::to_owned).collect() };
    let own = from_end(dir);
    if own.first().is_some_and(|last| is_version(last)) {
        return format!("{name}-{}", own[0]);
    }
    let others: Vec<Vec<String>> = others.iter().map(|dir| from_end(dir)).collect();
    let differs = |at: &usize| others.iter().all(|other| other.get(*at) != own.get(*at));
    let nearest = (1..own.len()).find(differs).and_then(|at| own.get(at));
    match nearest {
        Some(above) => {
            let new = format!("{above}-{name}");
            if check_name(&Spanned::new(new.clone(), Span::at(1, 1))).is_none() {
                return new;
            }
            legal_name(&new).unwrap_or_else(|| "NAME".to_owned())
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
