//! A survey: the scan of a directory on this machine, and the closures of main
//! packages in it.
//!
//! In: a directory and main packages with their build tags. Out: the index and a
//! [`Closure`] each. A scan does not enter directories that `./...` passes over;
//! where an import leads into one, the scan is repeated with that directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use crate::closure::{Closure, closure};
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
    let mut scans = 1;
    loop {
        let index = scan(root, &reach.iter().cloned().collect::<Vec<_>>())?;
        let closures = closures(mains, &index);
        let known = reach.len();
        let missing = closures.values().flat_map(|c| c.missing.keys());
        reach.extend(missing.filter(|dir| hidden(dir)).cloned());
        if reach.len() == known || scans == MAX_SCANS {
            return Ok(Survey { index, closures });
        }
        scans += 1;
    }
}

fn closures(mains: &[(String, Vec<String>)], index: &Index) -> BTreeMap<String, Closure> {
    let mut out: BTreeMap<String, Closure> = BTreeMap::new();
    for (main, tags) in mains {
        let Some(new) = closure(main, tags, index) else {
            continue;
        };
        match out.get_mut(main) {
            Some(old) => old.merge(new),
            None => {
                out.insert(main.clone(), new);
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
