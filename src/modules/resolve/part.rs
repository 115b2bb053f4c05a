//! The manifests of one module root, cut to some of its modules.

use std::collections::{BTreeMap, BTreeSet};

use super::links::Links;
use crate::modules::modfile::ModFile;
use crate::modules::slice;
use crate::scan::join;

/// What manifests are cut from.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Directory of the main module.
    pub(super) root: &'a str,
    /// Its `go.mod`.
    pub(super) main: &'a ModFile,
    /// Texts of all manifests, by path.
    pub(super) texts: &'a BTreeMap<String, String>,
    /// Links on the way to modules.
    pub(super) links: &'a Links,
}

impl Part<'_> {
    /// The lines of these modules, and their own `go.mod` where they stand in directories:
    /// what those require counts as it is. `sums` cuts `go.sum`.
    pub(super) fn manifests(
        &self,
        keep: &BTreeSet<String>,
        sums: impl Fn(&str) -> String,
    ) -> BTreeMap<String, String> {
        let root = |name: &str| join(self.root, name);
        let mut out = BTreeMap::from([(root("go.mod"), slice::go_mod(self.main, keep))]);
        if let Some(text) = self.texts.get(&root("go.sum")) {
            out.insert(root("go.sum"), sums(text));
        }
        for dir in self.dirs(keep).into_values() {
            let path = join(&dir, "go.mod");
            if let Some(text) = self.texts.get(&path) {
                out.insert(path, text.clone());
            }
        }
        out
    }

    /// The directories that stand for modules, by module path.
    pub(super) fn dirs(&self, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
        let dirs = modules.iter().filter_map(|path| {
            let dir = self.main.directory(path, self.root)?;
            Some((path.clone(), self.links.real(&dir)))
        });
        dirs.collect()
    }

    /// Adds the modules in directories that are required by those which are there already:
    /// where Go reads the module graph, it reads them too.
    pub(super) fn with_required(&self, mut keep: BTreeSet<String>) -> BTreeSet<String> {
        let mut pending: Vec<String> = keep.iter().cloned().collect();
        while let Some(path) = pending.pop() {
            let dir = self.main.directory(&path, self.root);
            let dir = dir.map(|dir| self.links.real(&dir));
            let text = dir.and_then(|dir| self.texts.get(&join(&dir, "go.mod")));
            let required = text.map(|text| ModFile::parse(text).requires);
            for path in required.into_iter().flatten().map(|(path, _)| path) {
                if self.main.directory(&path, self.root).is_some() && keep.insert(path.clone()) {
                    pending.push(path);
                }
            }
        }
        keep
    }
}
