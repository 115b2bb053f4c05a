//! A survey: the scan of a directory on this machine, and the closures of main
//! packages in it.
//!
//! In: a directory and main packages with their build tags. Out: the index and a
//! [`Closure`] each. A scan does not enter directories that `./...` passes over;
//! where an import leads into one, the scan is repeated with that directory.
//!
//! Fetched modules may import packages of the repository. Those are found in the
//! module cache, if it holds the modules; else the build misses them, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use crate::closure::{Closure, closure_with};
use crate::modules::{self, Go, GoCommand, Request, ServiceRequest};
use crate::scan::{Index, scan, select};

/// Most scans of one survey. Each one finds what the imports of the one before lead
/// to, so code that hides packages in packages that are hidden themselves needs more.
const MAX_SCANS: usize = 8;

/// What a survey found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// What the sources hold.
    pub index: Index,
    /// By directory of the main package. Those outside of every module are left out;
    /// one that was asked for with several sets of tags has what any of them reaches.
    pub closures: BTreeMap<String, Closure>,
}

/// Scans `root` until the closures of `mains`, directories with build tags, hold all
/// that their imports lead to.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn survey(root: &Path, mains: &[(String, Vec<String>)]) -> io::Result<Survey> {
    let hidden = |dir: &String| select::passed_over(dir).is_some();
    let dirs = mains.iter().map(|(dir, _)| dir);
    let mut reach: BTreeSet<String> = dirs.filter(|dir| hidden(dir)).cloned().collect();
    let mut back = Back::new();
    let mut scans = 1;
    loop {
        let index = scan(root, &reach.iter().cloned().collect::<Vec<_>>())?;
        let closures = closures(root, mains, &index, &mut back);
        let known = reach.len();
        let missing = closures.iter().flatten().flat_map(|c| c.missing.keys());
        reach.extend(missing.filter(|dir| hidden(dir)).cloned());
        if reach.len() == known || scans == MAX_SCANS {
            return Ok(Survey {
                index,
                closures: by_main(closures),
            });
        }
        scans += 1;
    }
}

/// The `go` command without downloads: asking what a build reads fetches nothing.
struct Offline(GoCommand);

impl Go for Offline {
    fn run(&self, dir: &Path, args: &[&str]) -> io::Result<Vec<u8>> {
        if args.starts_with(&["mod", "download"]) {
            return Err(io::Error::other("nothing is downloaded here"));
        }
        self.0.run(dir, args)
    }
}

/// Packages of the repository that fetched modules import, by position in the list of
/// main packages.
type Back = BTreeMap<usize, BTreeSet<String>>;

/// The closures of main packages, with what fetched modules import.
fn closures(
    root: &Path,
    mains: &[(String, Vec<String>)],
    index: &Index,
    back: &mut Back,
) -> Vec<Option<Closure>> {
    loop {
        let one = |(i, (main, tags)): (usize, &(String, Vec<String>))| {
            let none = BTreeSet::new();
            closure_with(main, tags, index, back.get(&i).unwrap_or(&none))
        };
        let closures: Vec<Option<Closure>> = mains.iter().enumerate().map(one).collect();
        let found = imported_back(root, mains, &closures);
        // What comes in may import other modules, which import other packages.
        let known: usize = back.values().map(BTreeSet::len).sum();
        for (i, imports) in found {
            back.entry(i).or_default().extend(imports);
        }
        if back.values().map(BTreeSet::len).sum::<usize>() == known {
            return closures;
        }
    }
}

fn imported_back(
    root: &Path,
    mains: &[(String, Vec<String>)],
    closures: &[Option<Closure>],
) -> Back {
    let (cache, go) = modules::of_environment();
    let go = Offline(go);
    let mut requests: BTreeMap<&str, Request> = BTreeMap::new();
    for (i, closure) in closures.iter().enumerate() {
        let Some(closure) = closure else { continue };
        let from = &closure.root;
        if from.vendored || !from.has_requirements || closure.external.is_empty() {
            continue;
        }
        let request = requests.entry(&from.dir).or_insert_with(|| Request {
            root: from.dir.clone(),
            workspace: from.workspace,
            manifests: from.manifests.clone(),
            services: Vec::new(),
        });
        request.services.push(ServiceRequest {
            key: i.to_string(),
            imports: closure.external.keys().cloned().collect(),
            tags: mains[i].1.clone(),
            local: closure.local_modules.clone(),
        });
    }
    let mut out = Back::new();
    for request in requests.values() {
        for (key, found) in modules::resolve(request, root, &cache, &go) {
            if let Ok(i) = key.parse() {
                out.insert(i, found.back);
            }
        }
    }
    out
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
    use std::fs;

    #[test]
    fn hidden_directories_are_scanned_when_imports_lead_there() {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
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
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
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
