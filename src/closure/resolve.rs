//! From an import path to a directory of the repository.
//!
//! Rules of the `go` command (go-build-facts §C4): every module whose path is a
//! prefix is a candidate, and the longest one that holds the package wins. Where Go
//! would call an import ambiguous, the build fails whatever is chosen here.

use super::local::Local;
use super::root::ModuleRoot;
use crate::scan::select::passed_over;
use crate::scan::{Index, Place, is_inside, join};

/// Where a package may come from: one place, unless the repository alone does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package<'a> {
    /// Directories of the repository.
    pub(super) local: Vec<Place<'a>>,
    /// Whether it may be in a module that is fetched.
    pub(super) external: bool,
    /// It should be in this directory, and is not.
    pub(super) missing: Option<Place<'a>>,
    /// It may be in these directories, which were not scanned.
    pub(super) unscanned: Vec<Place<'a>>,
}

/// Looks up imports of one module root.
pub(super) struct Resolver<'a> {
    index: &'a Index,
    root: &'a ModuleRoot,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(index: &'a Index, root: &'a ModuleRoot) -> Self {
        Self { index, root }
    }

    /// Finds the package of an import path.
    pub(super) fn package(&self, import: &str) -> Package<'a> {
        let mut out = Package::default();
        let mut missing: Option<(&Local, Place<'_>)> = None;
        for module in &self.root.local {
            let Some(below) = below(import, &module.path) else {
                continue;
            };
            let candidate = join(&module.dir, below);
            if !self.is_in_module(&candidate, &module.dir) {
                continue;
            }
            match self.find(&candidate) {
                Ok(place) => {
                    out.local.push(place);
                    if module.sure {
                        return out;
                    }
                }
                Err(place) => {
                    if !module.sure && passed_over(&place.path).is_some() {
                        out.unscanned.push(place.clone());
                    }
                    missing.get_or_insert((module, place));
                }
            }
        }
        let mut vendored = None;
        if self.root.vendored {
            match self.find(&join(&join(&self.root.dir, "vendor"), import)) {
                Ok(place) => {
                    out.local.push(place);
                    return out;
                }
                Err(place) => vendored = Some(place),
            }
        }
        // A module that is not this directory may hold it.
        let missing = missing.filter(|(module, _)| !self.is_required(import, module));
        out.missing = missing.map(|(_, place)| place).or(vendored);
        out.external = out.missing.is_none();
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
        let above = self.index.module_above(dir);
        above.is_none_or(|(at, _)| at == module || !is_inside(at, module))
    }

    /// Where a package is; or where it should be.
    pub(super) fn find(&self, dir: &str) -> Result<Place<'a>, Place<'a>> {
        let place = self.index.place(dir);
        match self.index.directory(&place.path) {
            Some(directory) if place.broken.is_none() && directory.is_package() => Ok(place),
            _ => Err(place),
        }
    }
}

/// What of an import path is below a module path; `.` for the module itself.
fn below<'a>(import: &'a str, module: &str) -> Option<&'a str> {
    match import.strip_prefix(module)? {
        "" => Some("."),
        rest => rest.strip_prefix('/').filter(|rest| !rest.is_empty()),
    }
}
