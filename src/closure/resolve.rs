//! From an import path to a directory of the repository.
//!
//! Rules of the `go` command (go-build-facts §C4): every module whose path is a
//! prefix is a candidate, and the longest one that holds the package wins. Where Go
//! would call an import ambiguous, the build fails whatever is chosen here.

use std::collections::BTreeSet;

use super::local::Local;
use super::root::ModuleRoot;
use crate::scan::{Index, is_inside, join, parent};

/// Where a package may come from: one place, unless the repository alone does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Directories of the repository.
    pub(super) local: Vec<Found>,
    /// Whether it may be in a module that is fetched.
    pub(super) external: bool,
    /// It should be in this directory, and is not.
    pub(super) missing: Option<String>,
}

/// A directory of the repository with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) dir: String,
    /// The links on the way to it.
    pub(super) links: Vec<String>,
}

/// Looks up imports of one module root.
pub(super) struct Resolver<'a> {
    index: &'a Index,
    root: &'a ModuleRoot,
    /// Directories that links stand for, by the link.
    links: Vec<(&'a str, &'a str)>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(index: &'a Index, root: &'a ModuleRoot) -> Self {
        let links = index
            .links
            .iter()
            .filter_map(|l| Some((l.path.as_str(), l.target.as_deref()?)))
            .collect();
        Self { index, root, links }
    }

    /// Finds the package of an import path.
    pub(super) fn package(&self, import: &str) -> Package {
        let mut out = Package::default();
        let mut missing = None;
        for module in &self.root.local {
            let Some(below) = below(import, &module.path) else {
                continue;
            };
            let candidate = join(&module.dir, below);
            if !self.is_in_module(&candidate, &module.dir) {
                continue;
            }
            match self.find(&candidate) {
                Some(found) => {
                    out.local.push(found);
                    if module.sure {
                        return out;
                    }
                }
                None => _ = missing.get_or_insert((module, candidate)),
            }
        }
        let vendored = join(&join(&self.root.dir, "vendor"), import);
        if self.root.vendored
            && let Some(found) = self.find(&vendored)
        {
            out.local.push(found);
            return out;
        }
        // A module that is not this directory may hold it.
        let missing = missing.filter(|(module, _)| !self.is_required(import, module));
        match missing {
            Some((_, candidate)) => out.missing = Some(candidate),
            None if self.root.vendored => out.missing = Some(vendored),
            None => out.external = true,
        }
        out
    }

    /// Local modules that may hold a package, by their paths.
    pub(super) fn modules(&self, import: &str) -> Vec<String> {
        let local = self.root.local.iter();
        let candidates = local.filter(move |l| below(import, &l.path).is_some());
        candidates.map(|l| l.path.clone()).collect()
    }

    /// Whether a module that is not this directory may hold a package.
    fn is_required(&self, import: &str, module: &Local) -> bool {
        let mut required = self.root.required.iter();
        required.any(|path| path.len() >= module.path.len() && below(import, path).is_some())
    }

    /// Whether no other module begins between a module and a package of it.
    fn is_in_module(&self, dir: &str, module: &str) -> bool {
        self.index
            .module_of(dir)
            .is_none_or(|owner| owner.dir == module || !is_inside(&owner.dir, module))
    }

    /// The directory that holds the package, through links if need be.
    pub(super) fn find(&self, dir: &str) -> Option<Found> {
        let mut dir = dir.to_owned();
        let mut links = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            if self.index.directory(&dir).is_some_and(|d| d.is_package()) {
                return Some(Found { dir, links });
            }
            let (link, target) = self.link_above(&dir)?;
            if !seen.insert(link) {
                return None;
            }
            links.push(link.to_owned());
            let rest = dir[link.len()..].trim_start_matches('/');
            dir = join(target, if rest.is_empty() { "." } else { rest });
        }
    }

    /// The link at a directory or above it.
    fn link_above(&self, dir: &str) -> Option<(&'a str, &'a str)> {
        let mut at = Some(dir);
        while let Some(dir) = at {
            if let Ok(i) = self.links.binary_search_by(|(path, _)| (*path).cmp(dir)) {
                return Some(self.links[i]);
            }
            at = parent(dir);
        }
        None
    }
}

/// What of an import path is below a module path; `.` for the module itself.
fn below<'a>(import: &'a str, module: &str) -> Option<&'a str> {
    match import.strip_prefix(module)? {
        "" => Some("."),
        rest => rest.strip_prefix('/').filter(|rest| !rest.is_empty()),
    }
}
