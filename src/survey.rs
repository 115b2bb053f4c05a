//! A survey: the scan of a directory on this machine, and the closures of main
//! packages in it.
//!
//! In: a directory and main packages with their build tags. Out: the index and a
//! [`Closure`] each. A scan does not enter directories that `./...` passes over;
//! where something leads into one, the scan is repeated with that directory.
//!
//! Fetched modules may import packages of the repository. Those are found in the
//! module cache, if it holds the modules; else the build misses them, and says so.
//! Where only a difference to another directory is of interest, and manifests are the same there,
//! nothing is asked about modules.

mod offline;
mod same;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use crate::closure::{Closure, Wanted, closure_with};
use crate::ignore::Rules;
use crate::modules::{self, ModuleCache, Request, ServiceModules, ServiceRequest};
use crate::scan::{Index, Scope, scan_scope};

use offline::Offline;
use same::Same;

/// Most scans of one survey. Each one finds what the imports of the one before lead
/// to, so code that hides packages in packages that are hidden themselves needs more.
pub(crate) const MAX_SCANS: usize = 8;

/// What a survey found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// What the sources hold.
    pub index: Index,
    /// By directory of the main package. Those outside of every module are left out;
    /// one that was asked for with several sets of tags has what any of them reaches.
    pub closures: BTreeMap<String, Closure>,
}

/// A main package to survey.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Main {
    /// Its directory.
    pub dir: String,
    /// Build tags.
    pub tags: Vec<String>,
    /// Words of constraints that may hold (see [`crate::scan::open_words`]).
    pub open: Vec<String>,
}

/// Which modules a survey is to find out about.
#[derive(Debug, Clone, Copy)]
pub enum Modules<'a> {
    /// Those of every main package.
    All,
    /// Those whose manifests are others in this directory.
    Beside(&'a Path),
    /// None.
    None,
}

/// What a survey found, for each main package it was asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What the sources hold.
    pub index: Index,
    /// `None` outside of every module.
    pub closures: Vec<Option<Closure>>,
    /// What the builds read of the manifests; `None` where nothing is required, and
    /// with vendored modules.
    pub modules: Vec<Option<ServiceModules>>,
}

/// Scans `root` until the closures of `mains`, directories with build tags, hold all
/// that their imports lead to.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn survey(root: &Path, mains: &[(String, Vec<String>)]) -> io::Result<Survey> {
    let mains: Vec<Main> = mains
        .iter()
        .map(|(dir, tags)| Main {
            dir: dir.clone(),
            tags: tags.clone(),
            open: Vec::new(),
        })
        .collect();
    let found = find(root, &Rules::default(), &mains, Modules::All)?;
    Ok(Survey {
        index: found.index,
        closures: by_main(found.closures),
    })
}

/// The same, for each main package by itself; what `ignore` hides is not there.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn find(
    root: &Path,
    ignore: &Rules,
    mains: &[Main],
    modules: Modules<'_>,
) -> io::Result<Found> {
    let mut asking = Asking {
        root,
        modules,
        cache: ModuleCache::of_environment(),
        same: Same::default(),
        go: BTreeMap::new(),
    };
    let mut back = Back::new();
    let look = |index: &mut Index| {
        let (closures, modules) = closures(&mut asking, mains, index, &mut back);
        let mut wanted = Wanted::of(closures.iter().flatten(), index);
        for main in mains {
            wanted.main(&main.dir, index);
        }
        ((closures, modules), wanted)
    };
    let (index, (closures, modules)) = scan_until(root, ignore, look)?;
    Ok(Found {
        index,
        closures,
        modules,
    })
}

/// Scans `root` until what `look` finds in the index leads to nothing that was not scanned.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub(crate) fn scan_until<T>(
    root: &Path,
    ignore: &Rules,
    mut look: impl FnMut(&mut Index) -> (T, Wanted),
) -> io::Result<(Index, T)> {
    let mut asked = Wanted::default();
    let mut scans = 1;
    loop {
        let reach = &asked.paths();
        let mut index = scan_scope(root, Scope { reach, ignore })?;
        let (found, wanted) = look(&mut index);
        if !asked.extend(wanted.passed_over(), ignore) || scans == MAX_SCANS {
            return Ok((index, found));
        }
        scans += 1;
    }
}

/// Asks about modules.
struct Asking<'a> {
    root: &'a Path,
    modules: Modules<'a>,
    cache: ModuleCache,
    same: Same,
    /// By directory of the module root and its manifests: a later scan may find more of them.
    go: BTreeMap<(String, Vec<String>), Offline>,
}

/// Packages of the repository that fetched modules import, by position in the list of
/// main packages.
type Back = BTreeMap<usize, BTreeSet<String>>;

/// The closures of main packages, with what fetched modules import, and what they
/// read of the manifests.
fn closures(
    asking: &mut Asking<'_>,
    mains: &[Main],
    index: &mut Index,
    back: &mut Back,
) -> (Vec<Option<Closure>>, Vec<Option<ServiceModules>>) {
    let none = BTreeSet::new();
    loop {
        let mut closures = Vec::new();
        for (i, main) in mains.iter().enumerate() {
            index.open.clone_from(&main.open);
            let back = back.get(&i).unwrap_or(&none);
            closures.push(closure_with(&main.dir, &main.tags, index, back));
        }
        let modules = asking.modules_of(mains, &closures);
        // What comes in may import other modules, which import other packages.
        let known: usize = back.values().map(BTreeSet::len).sum();
        for (i, found) in modules.iter().enumerate() {
            let found = found.iter().flat_map(|found| found.back.iter().cloned());
            back.entry(i).or_default().extend(found);
        }
        if back.values().map(BTreeSet::len).sum::<usize>() == known {
            return (closures, modules);
        }
    }
}

impl Asking<'_> {
    fn modules_of(
        &mut self,
        mains: &[Main],
        closures: &[Option<Closure>],
    ) -> Vec<Option<ServiceModules>> {
        let mut requests: BTreeMap<&str, Request> = BTreeMap::new();
        for (i, closure) in closures.iter().enumerate() {
            let Some(closure) = closure else { continue };
            let from = &closure.root;
            if !from.is_fetching() || closure.external.is_empty() {
                continue;
            }
            let service = ServiceRequest::new(i.to_string(), closure, &mains[i].tags);
            let request = requests
                .entry(&from.dir)
                .or_insert_with(|| Request::new(from, Vec::new()));
            request.services.push(service);
        }
        let mut out = vec![None; mains.len()];
        for request in requests.values() {
            let answered = match self.modules {
                Modules::All => false,
                Modules::None => true,
                Modules::Beside(other) => {
                    (self.same).is_enough(request, [self.root, other], &self.cache)
                }
            };
            if answered {
                continue;
            }
            let go = (self.go)
                .entry((request.root.clone(), request.manifests.clone()))
                .or_insert_with(|| Offline::new(self.root, &request.manifests));
            let found = modules::resolve(request, self.root, &self.cache, go);
            for (key, found) in found.services {
                if let Some(slot) = key.parse().ok().and_then(|i: usize| out.get_mut(i)) {
                    *slot = Some(found);
                }
            }
        }
        out
    }
}

fn by_main(closures: Vec<Option<Closure>>) -> BTreeMap<String, Closure> {
    let mut out: BTreeMap<String, Closure> = BTreeMap::new();
    for new in closures.into_iter().flatten() {
        match out.get_mut(&new.main) {
            Some(old) => old.merge(new),
            None => {
                out.insert(new.main.clone(), new);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    #[test]
    fn hidden_directories_are_scanned_when_imports_lead_there() {
        let root = tree(&[
            ("go.mod", "module m\ngo 1.26\n"),
            ("main.go", "package main\nimport _ \"m/testdata/a\"\n"),
            ("testdata/a/a.go", "package a\nimport _ \"m/_b\"\n"),
            ("testdata/c/c.go", "package c\n"),
            ("_b/b.go", "package b\nimport _ \"m/_gone\"\n"),
            ("x/main.go", "package main\n"),
            (
                "x/t1.go",
                "//go:build t1\n\npackage main\nimport _ \"m/l1\"\n",
            ),
            (
                "x/t2.go",
                "//go:build t2\n\npackage main\nimport _ \"m/l2\"\n",
            ),
            ("l1/l.go", "package l\n"),
            ("l2/l.go", "package l\n"),
        ]);
        let main = |dir: &str, tag: &str| (dir.to_owned(), vec![tag.to_owned()]);
        let mains = [main(".", "x"), main("x", "t1"), main("x", "t2")];
        let found = survey(root.path(), &mains).unwrap();
        let dirs =
            |main: &str| -> Vec<&String> { found.closures[main].directories.keys().collect() };
        assert_eq!(dirs("."), [".", "_b", "testdata/a"]);
        assert_eq!(dirs("x"), ["l1", "l2", "x"]);
        let missing: Vec<_> = found.closures["."].missing.keys().collect();
        assert_eq!(missing, ["_gone"]);
        assert!(found.index.directory("testdata/c").is_none());
    }
}
