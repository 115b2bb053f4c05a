//! Whether Go itself builds with a part of the manifests.
//!
//! Almost always the listed modules are all that Go looks into. In some shapes it reads
//! the whole module graph (a dependency that requires the main module is one), and then
//! it wants sums of modules that no package comes from. So every part is tried out
//! before a build step gets it; where Go objects, the manifests stay whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::temporary::Temporary;
use crate::fetch::{Go, GoError};

/// Prints what is wrong with a package, and nothing otherwise.
const FORMAT: &str = "{{with .Error}}{{.}}{{end}}";

/// What says nothing about manifests: packages for other platforms, and for cgo.
const HARMLESS: [&str; 2] = ["build constraints exclude", "when not using cgo"];

/// One part of manifests, and what is imported with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    /// Texts by path.
    pub(super) manifests: BTreeMap<String, String>,
    /// Import paths of other modules.
    pub(super) imports: BTreeSet<String>,
}

/// What Go says against each trial. Without a `go` command there is no objection:
/// then nothing is built here either.
pub(super) fn objections(trials: &[Trial], root: &str, go: &dyn Go) -> Vec<Option<String>> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut out = vec![None; trials.len()];
    let answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(trials.len()))
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(trial) = trials.get(i) else {
                            return answers;
                        };
                        answers.push((i, objection(trial, root, go)));
                    }
                })
            })
            .collect();
        let joined = workers.into_iter().filter_map(|worker| worker.join().ok());
        joined.flatten().collect::<Vec<_>>()
    });
    for (i, answer) in answers {
        out[i] = answer;
    }
    out
}

fn objection(trial: &Trial, root: &str, go: &dyn Go) -> Option<String> {
    match try_out(trial, root, go) {
        Ok(text) => text
            .lines()
            .find(|line| !line.is_empty() && !HARMLESS.iter().any(|h| line.contains(h)))
            .map(|line| go.redact(line)),
        Err(GoError::NotRun) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn try_out(trial: &Trial, root: &str, go: &dyn Go) -> Result<String, GoError> {
    if trial.imports.is_empty() {
        return Ok(String::new());
    }
    let dir = Temporary::new("gofleet-modules")?;
    for (path, text) in &trial.manifests {
        dir.write(path, text)?;
    }
    let mut args = vec!["list", "-mod=readonly", "-e", "-deps", "-f", FORMAT, "--"];
    args.extend(trial.imports.iter().map(String::as_str));
    let output = go.run(&dir.path().join(root), &args)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}
