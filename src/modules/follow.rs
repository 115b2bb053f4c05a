//! From the packages that a service imports to the modules that its build looks into.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::scan::{constraint, gofile, select};

/// Most bytes read of a Go file for its imports.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// First bytes read; most heads end before them.
const HEAD_BYTES: u64 = 16 * 1024;

/// Where a listed module's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In this directory.
    Dir(PathBuf),
    /// In the repository: its packages were followed by the scan.
    Local,
    /// Nowhere on this machine.
    Absent,
}

/// What a service's build looks into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needed {
    /// Paths of listed modules: those that hold a package, and those that Go has to
    /// look into because their path begins a package's path.
    pub(super) modules: BTreeSet<String>,
    /// Packages of the repository that fetched packages import.
    pub(super) back: BTreeSet<String>,
    /// Imports that no listed module holds, or whose module is absent.
    pub(super) unknown: BTreeSet<String>,
    /// Directories of fetched packages, each with the path of its listed module.
    pub(super) packages: BTreeMap<PathBuf, String>,
}

/// Fetched packages that were read, by directory. What is fetched never changes, so one
/// reading serves all services and rounds.
#[derive(Debug, Default)]
pub(super) struct Packages(HashMap<PathBuf, Rc<Vec<Import>>>);

/// Follows imports through listed modules.
pub(super) struct Follower<'a> {
    modules: BTreeMap<&'a str, &'a Place>,
    packages: &'a mut Packages,
}

#[derive(Debug)]
struct Import {
    path: String,
    constraint: Option<String>,
}

impl<'a> Follower<'a> {
    /// `modules` are all modules that the manifests list, by path.
    pub(super) fn new(
        modules: impl Iterator<Item = (&'a String, &'a Place)>,
        packages: &'a mut Packages,
    ) -> Self {
        Self {
            modules: modules
                .map(|(path, place)| (path.as_str(), place))
                .collect(),
            packages,
        }
    }

    /// Everything behind a set of imports, with these build tags.
    pub(super) fn follow(&mut self, imports: &BTreeSet<String>, tags: &[String]) -> Needed {
        let mut needed = Needed::default();
        let mut seen: BTreeSet<String> = imports.clone();
        let mut pending: Vec<String> = imports.iter().cloned().collect();
        while let Some(import) = pending.pop() {
            let Some(dir) = self.find(&import, &mut needed) else {
                continue;
            };
            let found = self.imports(&dir);
            for next in found.iter() {
                let counts = next
                    .constraint
                    .as_deref()
                    .is_none_or(|c| constraint::may_hold(c, tags));
                if counts && !seen.contains(&next.path) {
                    seen.insert(next.path.clone());
                    pending.push(next.path.clone());
                }
            }
        }
        needed
    }

    /// The directory of a package in a fetched module. Every module whose path
    /// begins the import path is needed: Go looks into all of them.
    fn find(&self, import: &str, needed: &mut Needed) -> Option<PathBuf> {
        let mut found = None;
        let mut candidates = 0;
        let mut is_local = false;
        let mut path = import;
        loop {
            if let Some(place) = self.modules.get(path) {
                candidates += 1;
                needed.modules.insert(path.to_owned());
                let below = import[path.len()..].trim_start_matches('/');
                match place {
                    // A package that two modules have is an error, which Go finds.
                    Place::Dir(dir) => {
                        let dir = dir.join(below);
                        if has_go_files(&dir) {
                            needed.packages.insert(dir.clone(), path.to_owned());
                            found = found.or(Some(dir));
                        }
                    }
                    Place::Local => is_local = true,
                    Place::Absent => {
                        needed.unknown.insert(import.to_owned());
                    }
                }
            }
            match path.rsplit_once('/') {
                Some((above, _)) => path = above,
                None => break,
            }
        }
        if is_local && found.is_none() {
            needed.back.insert(import.to_owned());
        }
        let std = !import.split('/').next().unwrap_or(import).contains('.');
        if found.is_none() && !needed.back.contains(import) && !(std && candidates == 0) {
            needed.unknown.insert(import.to_owned());
        }
        found
    }

    fn imports(&mut self, dir: &Path) -> Rc<Vec<Import>> {
        if let Some(known) = self.packages.0.get(dir) {
            return Rc::clone(known);
        }
        let read = Rc::new(read_package(dir));
        self.packages.0.insert(dir.to_path_buf(), Rc::clone(&read));
        read
    }
}

fn has_go_files(dir: &Path) -> bool {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .any(|name| name.ends_with(".go") && !name.starts_with(['.', '_']))
}

/// The imports of all Go files of a directory that are no tests.
fn read_package(dir: &Path) -> Vec<Import> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if select::kind(&name) != Some(select::Kind::Go) {
            continue;
        }
        let Some(head) = read_head(&entry.path()) else {
            continue;
        };
        let constraint = head.constraint.filter(|c| constraint::has_custom_tag(c));
        for (path, _) in head.imports {
            if path != "C" && path != "unsafe" {
                out.push(Import {
                    path,
                    constraint: constraint.clone(),
                });
            }
        }
    }
    out.sort_by(|a, b| (&a.path, &a.constraint).cmp(&(&b.path, &b.constraint)));
    out.dedup_by(|a, b| a.path == b.path && a.constraint == b.constraint);
    out
}

fn read_head(path: &Path) -> Option<gofile::GoFile> {
    let mut file = File::open(path).ok()?;
    let mut text = Vec::new();
    (&mut file).take(HEAD_BYTES).read_to_end(&mut text).ok()?;
    let whole = (text.len() as u64) < HEAD_BYTES;
    if let Some(head) = gofile::head(&text, whole) {
        return Some(head);
    }
    (&mut file).take(MAX_BYTES).read_to_end(&mut text).ok()?;
    gofile::head(&text, true)
}
