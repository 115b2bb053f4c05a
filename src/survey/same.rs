//! Where nothing has to be asked about modules: their manifests are the same in two directories.
//!
//! What a build reads of modules is the same then, but for one thing: fetched modules may import
//! packages of the repository, and those belong to closures. A module that does says so in its
//! `go.mod`; one that has no `go.mod` of its own may do it without a word, and is searched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::modules::{ModuleCache, Request};
use crate::scan::{gomod, is_inside};

/// Remembers what modules in the cache say.
#[derive(Default)]
pub(super) struct Same {
    /// By a line of `go.sum`, path and version: paths of the modules that it requires; `None` for a
    /// module without a `go.mod` of its own.
    requires: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Which of those without one import a package of these modules.
    mentions: BTreeMap<(String, BTreeSet<String>), bool>,
    /// By path.
    manifests: BTreeMap<String, Manifest>,
}

/// A manifest in both directories.
struct Manifest {
    is_same: bool,
    /// The path of the module that it is of.
    module: Option<String>,
    /// Path and version of each module that it has sums of.
    sums: BTreeSet<String>,
}

impl Manifest {
    fn read(path: &str, sides: [&Path; 2]) -> Self {
        let [here, there] = sides.map(|side| fs::read(side.join(path)).ok());
        let text = String::from_utf8_lossy(here.as_deref().unwrap_or_default());
        let is_sum = path.ends_with(".sum");
        let sums = text.lines().filter(|_| is_sum).filter_map(|line| {
            let mut words = line.split_whitespace();
            let (module, version) = (words.next()?, words.next()?);
            let version = version.strip_suffix("/go.mod").unwrap_or(version);
            Some(format!("{module} {version}"))
        });
        let sums = sums.collect();
        let lines = gomod::directives(&text).into_iter();
        let mut names = lines.filter(|(verb, _)| verb == "module" && !is_sum);
        Self {
            module: names.next().and_then(|(_, args)| args.into_iter().next()),
            sums,
            is_same: here == there,
        }
    }
}

impl Same {
    /// Whether two directories have the same manifests, and no fetched module leads back into the
    /// repository.
    pub(super) fn is_enough(
        &mut self,
        request: &Request,
        sides: [&Path; 2],
        cache: &ModuleCache,
    ) -> bool {
        let mut own: BTreeSet<String> = BTreeSet::new();
        let mut sums = BTreeSet::new();
        for path in &request.manifests {
            // Roots that replace modules by each other have their manifests in common.
            let manifest = (self.manifests)
                .entry(path.clone())
                .or_insert_with(|| Manifest::read(path, sides));
            if !manifest.is_same {
                return false;
            }
            own.extend(manifest.module.clone());
            sums.extend(manifest.sums.iter().cloned());
        }
        own.extend(
            request
                .services
                .iter()
                .flat_map(|s| s.local.iter().cloned()),
        );
        !sums
            .iter()
            .any(|module| self.leads_back(module, &own, cache))
    }

    fn leads_back(&mut self, module: &str, own: &BTreeSet<String>, cache: &ModuleCache) -> bool {
        let Some((path, version)) = module.split_once(' ') else {
            return false;
        };
        let requires = (self.requires)
            .entry(module.to_owned())
            .or_insert_with(|| cache.required(path, version));
        match requires {
            Some(required) => required.iter().any(|path| own.contains(path)),
            None => *(self.mentions)
                .entry((module.to_owned(), own.clone()))
                .or_insert_with(|| {
                    let dir = cache.directory(path, version);
                    dir.is_some_and(|dir| mentions(&dir, own))
                }),
        }
    }
}

/// Whether a Go file below a directory holds an import path of a module.
fn mentions(dir: &Path, modules: &BTreeSet<String>) -> bool {
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|e| e == "go") {
                let text = fs::read(&path).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let mut strings = text.split(['"', '`']);
                if strings.any(|s| modules.iter().any(|module| is_inside(s, module))) {
                    return true;
                }
            }
        }
    }
    false
}
