//! Fetching again what a module cache has lost.
//!
//! A download that is cached says nothing about what the cache mount holds now: it may
//! be another machine's, or pruned. So in front of every build that runs, it is made
//! sure that what the build needs is at hand. Almost always it is, and nothing runs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::cache::ModuleCache;
use super::download::{download, failed};
use super::modfile::Module;
use super::request::Needed;
use super::temporary::Temporary;
use super::unhashed;
use crate::fetch::{Go, GoError, Problem};

impl Needed {
    /// The modules that are needed in any way.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        let all = self.modules.iter().chain(&self.graph);
        all.map(|module| module.path.clone()).collect()
    }
}

/// Whether nothing has to be fetched.
#[must_use]
pub fn is_at_hand(needed: &Needed, cache: &ModuleCache) -> bool {
    let mut modules = needed.modules.iter();
    absent(needed, cache).is_empty()
        && has_graph(needed, cache)
        && modules.all(|module| unhashed::is_marked(module, cache))
}

/// Fetches what a build needs and the cache lacks; what could not be had.
///
/// # Errors
///
/// The manifests cannot be read or copied, or modules cannot be looked at.
pub fn ensure(
    needed: &Needed,
    src: &Path,
    cache: &ModuleCache,
    go: &dyn Go,
) -> io::Result<Vec<Problem>> {
    let dir = Temporary::copy("gofleet-fetch", src, &needed.manifests)?;
    let root = dir.path().join(&needed.root);
    let mut problems = Vec::new();
    let graph = match has_graph(needed, cache) {
        true => Ok(Vec::new()),
        false => go.run(&root, &["mod", "graph"]),
    };
    match &graph {
        Ok(_) | Err(GoError::NotRun) => {}
        Err(error) => problems.push(failed(error, &root, go)),
    }
    // The same server would be as silent again.
    if !matches!(graph, Err(GoError::Silent(_))) {
        let mut failures = download(&absent(needed, cache), &root, go);
        failures.modules.retain(|module, _| !cache.has(module));
        let general = failures.general.filter(|_| failures.modules.is_empty());
        problems.extend(failures.modules.into_values().chain(general));
    }
    for module in &needed.modules {
        unhashed::mark(module, cache)?;
    }
    let texts: Vec<(&String, String)> = needed
        .manifests
        .iter()
        .filter_map(|path| Some((path, fs::read_to_string(src.join(path)).ok()?)))
        .collect();
    for problem in &mut problems {
        problem.locate(texts.iter().map(|(path, text)| (*path, text)));
    }
    problems.sort();
    problems.dedup();
    Ok(problems)
}

fn absent(needed: &Needed, cache: &ModuleCache) -> BTreeSet<Module> {
    let modules = needed.modules.iter();
    modules.filter(|m| !cache.has(m)).cloned().collect()
}

fn has_graph(needed: &Needed, cache: &ModuleCache) -> bool {
    needed.graph.iter().all(|module| cache.has_manifest(module))
}
