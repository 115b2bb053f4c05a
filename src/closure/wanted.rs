//! What closures lead to and no scan has seen.
//!
//! A scan passes over directories as Go's `./...` does, and a client sends only files with
//! the names of sources. So where something leads into such a directory, or through a
//! symbolic link, the sources are scanned once more with what it names.

use std::collections::BTreeSet;

use super::Closure;
use crate::ignore::Rules;
use crate::scan::select::{self, Kind, MANIFESTS, passed_over};
use crate::scan::{Index, LinkEnd, ancestors, is_inside, join, parent};

/// Paths to scan beside what every scan reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Directories with source files, or links to such directories.
    pub dirs: BTreeSet<String>,
    /// Single files, whatever their names.
    pub files: BTreeSet<String>,
}

impl Wanted {
    /// What these closures lead to and the index does not have.
    #[must_use]
    pub fn of<'a>(closures: impl IntoIterator<Item = &'a Closure>, index: &Index) -> Self {
        let mut out = Self::default();
        for closure in closures {
            for dir in closure.missing.keys().chain(&closure.unscanned) {
                out.directory(dir);
            }
            out.files.extend(closure.absent.keys().cloned());
            let modules = closure.root.absent.iter();
            let manifests =
                modules.flat_map(|dir| ["go.mod", "go.sum"].map(|name| join(dir, name)));
            out.files.extend(manifests);
        }
        out.manifests(index);
        out
    }

    /// Adds the main package of a service, where a scan by itself does not find its module.
    pub fn main(&mut self, dir: &str, index: &Index) {
        if passed_over(dir).is_some() || index.module_of(dir).is_none() {
            self.directory(dir);
        }
    }

    /// Adds what main packages may be found in: directories that are named, and what source
    /// files that are links lead to.
    pub fn mains(&mut self, named: &[String], index: &Index) {
        for dir in named {
            if passed_over(dir).is_some() || !index.mains.contains(&index.place(dir).path) {
                self.directory(dir);
            }
        }
        for link in &index.links {
            if let LinkEnd::Absent(path) = &link.end
                && select::kind(name(&link.path)).is_some()
            {
                self.files.insert(path.clone());
            }
        }
    }

    /// Adds what another one has and an ignore file lets through; whether that is anything new.
    pub fn extend(&mut self, other: Self, ignore: &Rules) -> bool {
        let before = self.dirs.len() + self.files.len();
        // A hidden directory may hold files that are taken back in.
        let dirs = other.dirs.into_iter().filter(|p| !ignore.hides_all(p));
        self.dirs.extend(dirs);
        let files = other.files.into_iter();
        self.files
            .extend(files.filter(|p| ignore.hidden_by(p).is_none()));
        self.dirs.len() + self.files.len() > before
    }

    /// What of it a scan of a directory on this machine has not seen anyway.
    #[must_use]
    pub fn passed_over(mut self) -> Self {
        let is = |path: &String| passed_over(path).is_some();
        self.dirs.retain(is);
        self.files.retain(is);
        self
    }

    /// All paths.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.dirs.iter().chain(&self.files).collect();
        all.into_iter().cloned().collect()
    }

    /// A directory, and the manifests that say which module it belongs to.
    fn directory(&mut self, dir: &str) {
        self.dirs.insert(dir.to_owned());
        let Some(hidden) = passed_over(dir) else {
            return;
        };
        for above in ancestors(dir).filter(|above| is_inside(above, hidden)) {
            self.files.extend(MANIFESTS.map(|name| join(above, name)));
        }
    }

    /// Manifests that are links, and lists of vendored packages behind a link.
    fn manifests(&mut self, index: &Index) {
        for link in &index.links {
            let name = name(&link.path);
            match (&link.end, link.directory()) {
                (LinkEnd::Absent(path), _) if is_manifest(name) => {
                    self.files.insert(path.clone());
                }
                (_, Some(dir)) if name == "vendor" => {
                    let beside = parent(&link.path).unwrap_or(".");
                    let is_module = ["go.mod", "go.work"].map(|name| join(beside, name));
                    let has = |path: &String| index.manifests.binary_search(path).is_ok();
                    if is_module.iter().any(has) {
                        self.files.insert(join(dir, select::VENDOR_LIST));
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_manifest(name: &str) -> bool {
    name == select::VENDOR_LIST || select::kind(name) == Some(Kind::Manifest)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
