//! Fetching modules into the module cache, and what keeps them from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::cache::ModuleCache;
use super::modfile::Module;
use super::sent::instead_of_manifest;
use super::slice::sum_of;
use crate::fetch::{Go, GoError, Kind, Problem, Silence, host_of, is_about, problem};

/// What Go says where a path ends in `.git` and no protocol led to a repository; it
/// keeps to itself what the protocols said.
const NO_PROTOCOL: &str = "no secure protocol found";

/// Why modules could not be fetched.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// By module.
    pub(super) modules: BTreeMap<Module, Problem>,
    /// What ended the command before it came to single modules.
    pub(super) general: Option<Problem>,
    /// A server was silent: it is not asked for the rest.
    pub(super) silent: bool,
}

/// Most bytes of names in one command line: Linux takes 2 MiB with the environment, and
/// less under a smaller limit of the stack.
const MAX_NAMES: usize = 256 << 10;

/// Fetches modules. Each is named, because `go mod download` alone ends at the first
/// one whose `go.mod` cannot be had (seen with Go 1.26), needed or not.
pub(super) fn download(modules: &BTreeSet<Module>, dir: &Path, go: &dyn Go) -> Failures {
    let mut failures = Failures::default();
    let names = modules.iter().map(|m| format!("{}@{}", m.path, m.version));
    let names: Vec<String> = names.collect();
    let mut rest = names.as_slice();
    while !rest.is_empty() {
        let mut size = 0;
        let fits = rest.iter().take_while(|name| {
            size += name.len();
            size <= MAX_NAMES
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        some(now, dir, go, &mut failures);
        rest = later;
        if failures.silent {
            break;
        }
    }
    failures
}

/// Fetches as many modules as one command takes. A wrong checksum ends the command without a
/// word about the others, so it runs again without that module.
fn some(names: &[String], dir: &Path, go: &dyn Go, failures: &mut Failures) {
    let mut names = names.to_vec();
    while !names.is_empty() {
        // A `go.mod` may name a module like a flag.
        let mut args = vec!["mod", "download", "-json", "--"];
        args.extend(names.iter().map(String::as_str));
        match go.run(dir, &args) {
            Ok(_) | Err(GoError::NotRun) => {}
            Err(GoError::Io(text)) => {
                failures.general = Some(problem(("", ""), &text, go));
            }
            Err(GoError::Silent(silence)) => {
                if silent(&mut names, &silence, go, failures) {
                    continue;
                }
            }
            Err(GoError::Failed {
                stdout,
                stderr,
                answered,
            }) => {
                let found = errors(&stdout);
                if found.is_empty() {
                    let problem = general(&stderr, &answered, dir, go);
                    let name = format!("{}@{}", problem.module, problem.version);
                    if let Some(at) = names.iter().position(|asked| *asked == name) {
                        names.remove(at);
                        let (path, version) = (problem.module.clone(), problem.version.clone());
                        failures.modules.insert(Module { path, version }, problem);
                        continue;
                    }
                    failures.general = Some(problem);
                }
                for (module, text) in found {
                    let text = with_address(&module, &text, &answered);
                    let found = explained(&module, &text, dir, go);
                    failures.modules.insert(module, found);
                }
            }
        }
        return;
    }
}

/// Says what a server kept to itself, and takes the modules of that server out of those to
/// fetch; whether there were any. A module proxy is asked for all of them, so with one that is
/// silent it ends here.
fn silent(
    names: &mut Vec<String>,
    silence: &Silence,
    go: &dyn Go,
    failures: &mut Failures,
) -> bool {
    let hosts = silence.hosts();
    let before = names.len();
    let mut first = None;
    names.retain(|name| {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let is_theirs = hosts.iter().any(|host| host == host_of(path));
        let text = silence.about(path, version);
        if let Some(text) = text.or_else(|| is_theirs.then(|| silence.to_string())) {
            let found = problem((path, version), &text, go);
            let module = Module {
                path: path.to_owned(),
                version: version.to_owned(),
            };
            first.get_or_insert_with(|| found.clone());
            failures.modules.insert(module, found);
        }
        !is_theirs
    });
    let has_fewer = names.len() < before;
    if !has_fewer {
        // Also about those that were still to come.
        failures.general = Some(first.unwrap_or_else(|| of_silence(silence, go)));
        failures.silent = true;
    }
    has_fewer
}

fn of_silence(silence: &Silence, go: &dyn Go) -> Problem {
    let (path, version) = silence.module().unwrap_or_default();
    let text = silence.about(&path, &version);
    problem(
        (&path, &version),
        &text.unwrap_or_else(|| silence.to_string()),
        go,
    )
}

/// The problem of a command that is about no module of its own.
pub(super) fn failed(error: &GoError, dir: &Path, go: &dyn Go) -> Problem {
    match error {
        GoError::Silent(silence) => of_silence(silence, go),
        GoError::Failed {
            stderr, answered, ..
        } => general(stderr.trim(), answered, dir, go),
        other => problem(("", ""), &other.to_string(), go),
    }
}

/// A problem of a message that may name a module.
fn general(text: &str, answered: &[String], dir: &Path, go: &dyn Go) -> Problem {
    match named(text) {
        Some(module) => explained(&module, &with_address(&module, text, answered), dir, go),
        None => problem(("", ""), text, go),
    }
}

/// What Go says about a module, with the address that answered last when it says none: Go
/// leaves out whose file it does not like.
fn with_address(module: &Module, text: &str, answered: &[String]) -> String {
    let (path, version) = (&module.path, &module.version);
    let mut latest = answered.iter().rev();
    match latest.find(|asked| is_about(asked, path, version)) {
        Some(address) if !text.contains("://") => format!("{text}\nfrom {address}"),
        _ => text.to_owned(),
    }
}

fn explained(module: &Module, text: &str, dir: &Path, go: &dyn Go) -> Problem {
    let name = (module.path.as_str(), module.version.as_str());
    if let Some(sent) = instead_of_manifest(module, text, go) {
        return Problem {
            kind: Kind::NoModule,
            ..problem(name, &format!("{text}\n{sent}"), go)
        };
    }
    if !text.contains(NO_PROTOCOL) {
        return problem(name, text, go);
    }
    // As Go asks: https, then ssh.
    let end = module.path.find(".git").unwrap_or(module.path.len());
    let place = &module.path[..end];
    let mut said = String::new();
    for url in [format!("https://{place}"), format!("ssh://{place}")] {
        if url.starts_with("ssh") && !go.given().agent {
            continue;
        }
        let args = ["ls-remote", "-q", "--end-of-options", url.as_str(), "HEAD"];
        match go.git(dir, &args) {
            Err(GoError::Failed { stderr, .. }) => said += &format!("{url}: {stderr}\n"),
            Err(GoError::Silent(silence)) => said += &format!("{silence}\n"),
            Err(GoError::NotRun) => {
                return Problem {
                    kind: Kind::NoGit,
                    ..problem(name, text, go)
                };
            }
            _ => {}
        }
    }
    match said.as_str() {
        "" => problem(name, text, go),
        said => problem(name, said, go),
    }
}

/// The modules with errors in the output of `go mod download -json`.
fn errors(json: &[u8]) -> Vec<(Module, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Downloaded {
        path: String,
        #[serde(default)]
        version: String,
        #[serde(default)]
        error: Option<String>,
    }
    let list = serde_json::Deserializer::from_slice(json).into_iter::<Downloaded>();
    list.map_while(Result::ok)
        .filter_map(|found| {
            let module = Module {
                path: found.path,
                version: found.version,
            };
            Some((module, found.error?))
        })
        .collect()
}

/// The first `PATH@VERSION` in a message, but those that only require it:
/// `a@v1 requires`, `b@v1: reading …`.
fn named(text: &str) -> Option<Module> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().find_map(|(i, word)| {
        let next = [i + 1, i + 2].map(|i| words.get(i).copied());
        if next[0] == Some("requires") && next[1] != Some("go") {
            return None;
        }
        let word = word.trim_end_matches([':', ',']);
        let (path, version) = word.split_once('@')?;
        let version = version.trim_end_matches("/go.mod");
        (version.starts_with('v') && path.contains('.') && !path.contains("://")).then(|| Module {
            path: path.to_owned(),
            version: version.to_owned(),
        })
    })
}

/// Modules of the cache that are not what `go.sum` says.
pub(super) fn mismatches<'a>(
    modules: impl Iterator<Item = &'a Module>,
    texts: &BTreeMap<String, String>,
    cache: &ModuleCache,
    go: &dyn Go,
) -> Vec<(Module, Problem)> {
    let sums: Vec<&str> = texts
        .iter()
        .filter(|(path, _)| path.ends_with(".sum"))
        .flat_map(|(_, text)| text.lines())
        .collect();
    let mut known: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (path, version, sum) in sums.iter().filter_map(|line| sum_of(line)) {
        known.entry((path, version)).or_default().push(sum);
    }
    modules
        .filter_map(|module| {
            let name = (module.path.as_str(), module.version.as_str());
            let expected = known.get(&name)?;
            let found = cache.sum(module)?;
            if expected.contains(&found.as_str()) {
                return None;
            }
            let text = format!(
                "verifying {}@{}: checksum mismatch\ndownloaded: {found}\ngo.sum: {}",
                module.path, module.version, expected[0]
            );
            Some((module.clone(), problem(name, &text, go)))
        })
        .collect()
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
