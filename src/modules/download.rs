//! Fetching modules into the module cache, and what keeps them from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::cache::ModuleCache;
use super::modfile::Module;
use super::sent::instead_of_manifest;
use super::slice::sum_of;
use crate::fetch::{Go, GoError, Kind, Problem, is_about, problem};

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
            Err(error @ GoError::Silent(_)) => silent(&names, &error, dir, go, failures),
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

/// Says what a server kept to itself: about the modules that were asked for, and about those
/// that were still to come.
fn silent(names: &[String], error: &GoError, dir: &Path, go: &dyn Go, failures: &mut Failures) {
    let GoError::Silent(silence) = error else {
        return;
    };
    let mut first = None;
    for (path, version) in names.iter().filter_map(|name| name.split_once('@')) {
        if let Some(text) = silence.about(path, version) {
            let found = problem((path, version), &text, go);
            let module = Module {
                path: path.to_owned(),
                version: version.to_owned(),
            };
            first.get_or_insert_with(|| found.clone());
            failures.modules.insert(module, found);
        }
    }
    failures.general = Some(first.unwrap_or_else(|| failed(error, dir, go)));
    failures.silent = true;
}

/// The problem of a command that is about no module of its own.
pub(super) fn failed(error: &GoError, dir: &Path, go: &dyn Go) -> Problem {
    match error {
        GoError::Silent(silence) => {
            let (path, version) = silence.module().unwrap_or_default();
            let text = silence.about(&path, &version);
            let text = text.unwrap_or_else(|| silence.to_string());
            problem((&path, &version), &text, go)
        }
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn modules_are_found_in_messages() {
        let name = |text| named(text).map(|m| format!("{} {}", m.path, m.version));
        assert_eq!(
            name("go: a.org/x@v1.0.0: reading https://u@h/x@v1: 401").as_deref(),
            Some("a.org/x v1.0.0")
        );
        assert_eq!(
            name("verifying a.org/x@v1.0.0/go.mod: checksum mismatch").as_deref(),
            Some("a.org/x v1.0.0")
        );
        assert_eq!(
            name("go: a.org/x@v1.0.0 requires\n\tb.org/y@v1.1.0: reading https://h/: 401")
                .as_deref(),
            Some("b.org/y v1.1.0")
        );
        assert_eq!(
            name("go: a.org/x@v1.0.0 requires go >= 1.99 (running go 1.26.8)").as_deref(),
            Some("a.org/x v1.0.0")
        );
        assert_eq!(name("go: no module"), None);
    }

    /// Keeps what it was asked to run.
    #[derive(Default)]
    struct Asked(Mutex<Vec<Vec<String>>>);

    impl Go for Asked {
        fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
            let args = args.iter().map(|arg| (*arg).to_owned()).collect();
            self.0.lock().unwrap().push(args);
            Ok(Vec::new())
        }
    }

    #[test]
    fn modules_are_names_however_they_look_and_however_many_they_are() {
        let go = Asked::default();
        let module = |path: String| Module {
            path,
            version: "v1.0.0".to_owned(),
        };
        let long = "x".repeat(100);
        let mut modules: BTreeSet<Module> = (0..30_000)
            .map(|i| module(format!("a.org/{long}/{i}")))
            .collect();
        modules.insert(module("-modfile=/x".to_owned()));
        download(&modules, Path::new("."), &go);
        let asked = go.0.into_inner().unwrap();
        assert!(asked.len() > 10);
        let mut names = 0;
        for args in asked {
            assert_eq!(args[..4], ["mod", "download", "-json", "--"]);
            assert!(args.iter().map(String::len).sum::<usize>() < 300_000);
            names += args.len() - 4;
        }
        assert_eq!(names, modules.len());
    }

    /// Refuses one module in the way of a wrong checksum, without a word about the others.
    struct Fatal(Mutex<Vec<usize>>);

    impl Go for Fatal {
        fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
            self.0.lock().unwrap().push(args.len() - 4);
            if !args.contains(&"b.org/y@v1.0.0") {
                return Ok(Vec::new());
            }
            let stderr = "verifying b.org/y@v1.0.0: checksum mismatch\n".to_owned();
            let answered = ["a.org/x", "b.org/y"];
            Err(GoError::Failed {
                stdout: Vec::new(),
                stderr,
                answered: answered
                    .map(|path| format!("https://p.example/{path}/@v/v1.0.0.zip"))
                    .to_vec(),
            })
        }
    }

    #[test]
    fn a_wrong_checksum_keeps_no_other_module_from_being_fetched() {
        let go = Fatal(Mutex::default());
        let modules = ["a.org/x", "b.org/y", "c.org/z"].map(|path| Module {
            path: path.to_owned(),
            version: "v1.0.0".to_owned(),
        });
        let failures = download(&modules.into(), Path::new("."), &go);
        assert_eq!(*go.0.lock().unwrap(), [3, 2]);
        let found: Vec<&Problem> = failures.modules.values().collect();
        assert_eq!((found.len(), found[0].module.as_str()), (1, "b.org/y"));
        // Whose file it was, Go leaves out.
        assert_eq!(found[0].host, "p.example");
        assert!(failures.general.is_none());
    }

    #[test]
    fn errors_are_read_one_by_one() {
        let json = br#"{"Path":"a.org/x","Version":"v1.0.0","Dir":"/d"}
            {"Path":"b.org/y","Version":"v1.1.0","Error":"no"}"#;
        let found = errors(json);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.path, "b.org/y");
    }
}
