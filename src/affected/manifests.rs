//! What of the manifests differs for a service.
//!
//! The only place that decides whether an edit of `go.mod` or `go.sum` touches a
//! service. Modules that a build looks into are known where the module cache of this
//! machine holds them (see [`crate::modules`]); one side is enough: on the way from
//! the service's imports to a module that only the other side looks into, there is
//! one with another version that both look into. Where neither side is known, the
//! manifests count whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::compare::{Side, change};
use super::{Change, Reason};
use crate::modules::listed_versions;
use crate::scan::{gomod, is_inside, join, parent};

/// Lines of `go.mod` and `go.work` that a build depends on besides versions.
const VERBS: [&str; 4] = ["module", "go", "toolchain", "godebug"];

/// Versions of modules, by path.
type Versions = BTreeMap<String, String>;

/// Why the manifests may change the build of a service.
pub(super) fn manifest_changes(base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
    let whole = whole(base, head);
    if whole.is_empty() {
        return whole;
    }
    match versions(base, head) {
        Some([from, to]) => parts(base, head, &from, &to),
        None => whole,
    }
}

/// Manifests as whole files.
fn whole(base: Side<'_>, head: Side<'_>) -> Vec<Reason> {
    let [before, now] = [base, head].map(|side| -> BTreeSet<&String> {
        let closure = side.member.closure.iter();
        closure.flat_map(|c| &c.manifests).collect()
    });
    let paths = before.union(&now);
    let changed = paths.filter_map(|path| {
        let change = change(base, head, path, before.contains(path), now.contains(path))?;
        let path = (*path).clone();
        Some(Reason::Manifest { path, change })
    });
    changed.collect()
}

/// The modules that the builds of both sides look into, with the versions there.
fn versions(base: Side<'_>, head: Side<'_>) -> Option<[Versions; 2]> {
    let [from, to] = [base, head].map(|side| side.member.closure.as_ref().map(|c| &c.root));
    let (from, to) = (from?, to?);
    if (&from.dir, from.workspace, from.vendored) != (&to.dir, to.workspace, to.vendored) {
        return None;
    }
    if to.vendored {
        return Some([base, head].map(vendored));
    }
    let known = [base, head].map(found);
    if !to.workspace {
        let needed: BTreeSet<String> = known
            .iter()
            .flatten()
            .flat_map(|v| v.keys().cloned())
            .collect();
        let listed = [base, head].map(|side| {
            let text = text(side, &join(&to.dir, "go.mod"));
            listed_versions(&text, &needed)
        });
        if let ([Some(from), Some(to)], true) = (&listed, known.iter().any(Option::is_some)) {
            return Some([from.clone(), to.clone()]);
        }
    }
    let [from, to] = known;
    Some([from?, to?])
}

/// What was found in the module cache.
fn found(side: Side<'_>) -> Option<Versions> {
    let closure = side.member.closure.as_ref()?;
    let modules = &side.member.modules;
    let nothing = !closure.root.has_requirements || closure.external.is_empty();
    if nothing {
        return Some(Versions::new());
    }
    if modules.is_empty() || modules.iter().any(|m| m.whole.is_some()) {
        return None;
    }
    let all = modules.iter().flat_map(|m| m.modules.clone());
    Some(all.collect())
}

/// The modules of the vendored directories that are in the closure, as the list of
/// vendored packages names them.
fn vendored(side: Side<'_>) -> Versions {
    let mut out = Versions::new();
    let Some(closure) = &side.member.closure else {
        return out;
    };
    let vendor = join(&closure.root.dir, "vendor");
    let list = text(side, &join(&vendor, "modules.txt"));
    let mut last = None;
    for line in list.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (path, version) = rest.split_once(' ').unwrap_or((rest, ""));
            let dir = join(&vendor, path);
            let is_read = closure.directories.keys().any(|d| is_inside(d, &dir));
            last = is_read.then(|| path.to_owned());
            if is_read {
                out.insert(path.to_owned(), version.to_owned());
            }
        } else if let (Some(rest), Some(last)) = (line.strip_prefix("## "), &last)
            && let Some(version) = out.get_mut(last)
        {
            // The version of the language.
            let go = rest
                .split(';')
                .map(str::trim)
                .find(|part| part.starts_with("go "));
            if let Some(go) = go {
                version.push_str(&format!(" ({go})"));
            }
        }
    }
    out
}

/// Versions that differ, then sums and other lines.
fn parts(base: Side<'_>, head: Side<'_>, from: &Versions, to: &Versions) -> Vec<Reason> {
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let mut out: Vec<Reason> = paths
        .into_iter()
        .filter(|path| from.get(*path) != to.get(*path))
        .map(|path| Reason::Module {
            path: path.clone(),
            from: from.get(path).cloned(),
            to: to.get(path).cloned(),
            via: via(head, path).or_else(|| via(base, path)),
        })
        .collect();
    let manifests = |side: Side<'_>| -> BTreeSet<String> {
        let closure = side.member.closure.iter();
        closure.flat_map(|c| c.manifests.iter().cloned()).collect()
    };
    for path in manifests(base).union(&manifests(head)) {
        let same = match path.rsplit('/').next() {
            Some("go.mod" | "go.work") => lines(base, path) == lines(head, path),
            Some("go.sum" | "go.work.sum") => {
                sums(&text(base, path), from, to) == sums(&text(head, path), from, to)
            }
            // What it says about a build was compared.
            _ => true,
        };
        // A version more has sums more.
        if !same && (out.is_empty() || !path.ends_with(".sum")) {
            let path = path.clone();
            let change = Change::Modified;
            out.push(Reason::Manifest { path, change });
        }
    }
    out
}

fn text(side: Side<'_>, path: &str) -> String {
    fs::read_to_string(side.fleet.root.join(path)).unwrap_or_default()
}

/// The package of the repository that imports a module.
fn via(side: Side<'_>, module: &str) -> Option<String> {
    let closure = side.member.closure.as_ref()?;
    let inside = |import: &str| is_inside(import, module);
    let (_, reason) = closure.external.iter().find(|(import, _)| inside(import))?;
    parent(&reason.file).map(str::to_owned)
}

/// The sums of modules at their versions on either side.
fn sums(text: &str, from: &Versions, to: &Versions) -> BTreeSet<String> {
    let name = |(path, version): (&String, &String)| match version.contains(' ') {
        // A replacement, with its own path.
        true => version.clone(),
        false => format!("{path} {version}"),
    };
    let wanted: BTreeSet<String> = from.iter().chain(to).map(name).collect();
    let is_wanted = |line: &&str| {
        let mut words = line.split_whitespace();
        let (Some(path), Some(version)) = (words.next(), words.next()) else {
            return false;
        };
        let version = version.strip_suffix("/go.mod").unwrap_or(version);
        wanted.contains(&format!("{path} {version}"))
    };
    text.lines().filter(is_wanted).map(str::to_owned).collect()
}

/// The lines of a `go.mod` or `go.work` that count, of modules that the service has
/// code of.
fn lines(side: Side<'_>, path: &str) -> Vec<String> {
    let Some(closure) = &side.member.closure else {
        return Vec::new();
    };
    let dir = parent(path).unwrap_or(".");
    let has_code = |d: &String| {
        let module = side.fleet.index.module_of(d);
        module.is_some_and(|module| module.dir == dir)
    };
    if path.ends_with("go.mod") && !closure.directories.keys().any(has_code) {
        return Vec::new();
    }
    let counting = gomod::directives(&text(side, path))
        .into_iter()
        .filter(|(verb, _)| VERBS.contains(&verb.as_str()));
    counting
        .map(|(verb, args)| format!("{verb} {}", args.join(" ")))
        .collect()
}
