//! The module step: what of the manifests each service's build reads.
//!
//! In: a [`Request`] with what the services import, the manifests, a module cache.
//! Out: per service its manifests, and `modules.json` with what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::ModuleCache;
use super::follow::{Follower, Needed, Place};
use super::modfile::{ModFile, Module};
use super::slice;
use super::verify::{Trial, objections};
use crate::closure::{Closure, ModuleRoot};
use crate::scan::join;

/// Name of the file with what was found.
pub const MODULES_FILE: &str = "modules.json";

/// What a module step is asked. Two equal requests are one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Directory that the `go` command runs in.
    pub root: String,
    /// Whether a `go.work` is in it.
    pub workspace: bool,
    /// All manifests of the root, those that exist.
    pub manifests: Vec<String>,
    /// The services.
    pub services: Vec<ServiceRequest>,
}

/// One service of a [`Request`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// Directory in the output: the main package and its tags.
    pub key: String,
    /// Packages of other modules that it imports.
    pub imports: BTreeSet<String>,
    /// Its build tags.
    pub tags: Vec<String>,
    /// Module paths that directories stand for and whose packages it may import.
    pub local: BTreeSet<String>,
}

impl Request {
    /// The question about services of one module root.
    #[must_use]
    pub fn new(root: &ModuleRoot, services: Vec<ServiceRequest>) -> Self {
        Self {
            root: root.dir.clone(),
            workspace: root.workspace,
            manifests: root.manifests.clone(),
            services,
        }
    }
}

impl ServiceRequest {
    /// The question about a service that sees a closure.
    #[must_use]
    pub fn new(key: String, closure: &Closure, tags: &[String]) -> Self {
        Self {
            key,
            imports: closure.external.keys().cloned().collect(),
            tags: tags.to_vec(),
            local: closure.local_modules.clone(),
        }
    }
}

/// What the build of one service reads of the manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceModules {
    /// The modules that its build looks into, with their versions.
    pub modules: BTreeMap<String, String>,
    /// Packages of the repository that fetched packages import.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub back: BTreeSet<String>,
    /// Why its manifests are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Text of its manifests by path.
    #[serde(skip)]
    pub manifests: BTreeMap<String, String>,
}

/// The `go` command, where there is one.
pub trait Go: Sync {
    /// Runs it in a directory; its standard output.
    ///
    /// # Errors
    ///
    /// There is none, or it failed.
    fn run(&self, dir: &Path, args: &[&str]) -> io::Result<Vec<u8>>;
}

/// Finds out what each service of a request reads.
///
/// `src` holds the manifests at their paths. Whatever cannot be found out leaves the
/// manifests of a service whole, with the reason.
pub fn resolve(
    request: &Request,
    src: &Path,
    cache: &ModuleCache,
    go: &dyn Go,
) -> BTreeMap<String, ServiceModules> {
    let texts: BTreeMap<String, String> = request
        .manifests
        .iter()
        .filter_map(|path| Some((path.clone(), fs::read_to_string(src.join(path)).ok()?)))
        .collect();
    let go_mod = texts.get(&join(&request.root, "go.mod"));
    let main = ModFile::parse(go_mod.map_or("", String::as_str));
    let resolver = Resolver {
        request,
        texts: &texts,
        dir: src.join(&request.root),
        cache,
        go,
    };
    if request.workspace || !main.is_pruned() {
        resolver.by_graph()
    } else {
        resolver.by_list(&main)
    }
}

/// Writes the answer of [`resolve`] into a directory.
///
/// # Errors
///
/// The directory cannot be written.
pub fn write(answer: &BTreeMap<String, ServiceModules>, out: &Path) -> io::Result<()> {
    for (key, service) in answer {
        let dir = out.join("services").join(key);
        for (path, text) in &service.manifests {
            let path = dir.join(path);
            if let Some(above) = path.parent() {
                fs::create_dir_all(above)?;
            }
            fs::write(path, text)?;
        }
    }
    fs::write(out.join(MODULES_FILE), serde_json::to_vec(answer)?)
}

struct Resolver<'a> {
    request: &'a Request,
    texts: &'a BTreeMap<String, String>,
    dir: PathBuf,
    cache: &'a ModuleCache,
    go: &'a dyn Go,
}

impl Resolver<'_> {
    /// Versions are those that `go.mod` lists; each service gets its part of them.
    fn by_list(&self, main: &ModFile) -> BTreeMap<String, ServiceModules> {
        let mut places = self.listed(main);
        let mut needed = self.follow(&places);
        let absent = |n: &Needed| {
            n.modules
                .iter()
                .any(|m| places.get(m) == Some(&Place::Absent))
        };
        // The cache may have been emptied behind a download that is not repeated.
        if needed.iter().any(absent) && self.go.run(&self.dir, &["mod", "download"]).is_ok() {
            places = self.listed(main);
            needed = self.follow(&places);
        }
        let services = self.request.services.iter().zip(needed);
        let cut: Vec<(&ServiceRequest, ServiceModules)> = services
            .map(|(service, needed)| (service, self.cut(main, service, needed)))
            .collect();
        self.tried(cut)
    }

    /// Keeps the parts that Go is content with.
    fn tried(
        &self,
        services: Vec<(&ServiceRequest, ServiceModules)>,
    ) -> BTreeMap<String, ServiceModules> {
        let mut trials: BTreeMap<&BTreeMap<String, String>, Trial> = BTreeMap::new();
        for (service, found) in services.iter().filter(|(_, found)| found.whole.is_none()) {
            let trial = trials.entry(&found.manifests).or_default();
            trial.manifests.clone_from(&found.manifests);
            trial.imports.extend(service.imports.iter().cloned());
        }
        let list: Vec<Trial> = trials.into_values().collect();
        let answers = objections(&list, &self.request.root, self.go);
        let refused: BTreeMap<&BTreeMap<String, String>, String> = list
            .iter()
            .zip(answers)
            .filter_map(|(trial, answer)| Some((&trial.manifests, answer?)))
            .collect();
        let answer = services.into_iter().map(|(service, found)| {
            let found = match refused.get(&found.manifests) {
                Some(reason) if found.whole.is_none() => ServiceModules {
                    modules: found.modules,
                    back: found.back,
                    ..self.whole(format!("Go does not build with a part of it: {reason}"))
                },
                _ => found,
            };
            (service.key.clone(), found)
        });
        answer.collect()
    }

    fn listed(&self, main: &ModFile) -> BTreeMap<String, Place> {
        let place = |(path, version): (&String, &String)| {
            let module = main.replaced(path, version);
            let place = match self.cache.dir(&module) {
                _ if module.version.is_empty() => Place::Local,
                Some(dir) => Place::Dir(dir),
                None => Place::Absent,
            };
            (path.clone(), place)
        };
        let mut places: BTreeMap<String, Place> = main.requires.iter().map(place).collect();
        // What is fetched may import the module that is being built.
        if let Some(path) = main.module() {
            places.insert(path.clone(), Place::Local);
        }
        places
    }

    fn follow(&self, places: &BTreeMap<String, Place>) -> Vec<Needed> {
        let mut follower = Follower::new(places);
        let services = self.request.services.iter();
        services
            .map(|service| follower.follow(&service.imports, &service.tags))
            .collect()
    }

    fn cut(&self, main: &ModFile, service: &ServiceRequest, needed: Needed) -> ServiceModules {
        if let Some(import) = needed.unknown.first() {
            let reason = format!("`{import}` is in no module that is listed and at hand");
            return ServiceModules {
                back: needed.back,
                ..self.whole(reason)
            };
        }
        let mut modules = needed.modules;
        let versions = slice::versions(main, &modules);
        modules.extend(service.local.iter().cloned());
        let root = |name: &str| join(&self.request.root, name);
        let mut manifests = BTreeMap::new();
        manifests.insert(root("go.mod"), slice::go_mod(main, &modules));
        if let Some(text) = self.texts.get(&root("go.sum")) {
            manifests.insert(root("go.sum"), slice::go_sum(text, main, &modules));
        }
        // Modules in directories: what they require counts as it is.
        for (path, text) in self.texts {
            let dir = path
                .strip_suffix("go.mod")
                .map(|dir| dir.trim_end_matches('/'));
            let needed = dir.is_some_and(|dir| {
                let dir = if dir.is_empty() { "." } else { dir };
                modules
                    .iter()
                    .any(|m| main.is_replaced_by(m, dir, &self.request.root))
            });
            if needed {
                manifests.insert(path.clone(), text.clone());
            }
        }
        ServiceModules {
            modules: versions,
            back: needed.back,
            whole: None,
            manifests,
        }
    }

    /// Versions are chosen over the whole module graph, so all `go.mod` files count;
    /// sums of modules outside of the graph do not.
    fn by_graph(&self) -> BTreeMap<String, ServiceModules> {
        let Some((graph, places)) = self.graph() else {
            let services = self.request.services.iter();
            let whole = || self.whole("the module graph could not be read".to_owned());
            return services.map(|s| (s.key.clone(), whole())).collect();
        };
        let manifests: BTreeMap<String, String> = self
            .texts
            .iter()
            .map(|(path, text)| {
                let is_sum = path.ends_with("go.sum") || path.ends_with("go.work.sum");
                let text = if is_sum {
                    slice::sums(text, &graph)
                } else {
                    text.clone()
                };
                (path.clone(), text)
            })
            .collect();
        let by_path: BTreeMap<String, Place> = places
            .iter()
            .map(|(path, (_, place))| (path.clone(), place.clone()))
            .collect();
        let services = self.request.services.iter().zip(self.follow(&by_path));
        services
            .map(|(service, needed)| {
                let version = |path: &String| Some((path.clone(), places.get(path)?.0.clone()));
                let found = ServiceModules {
                    modules: needed.modules.iter().filter_map(version).collect(),
                    back: needed.back,
                    whole: None,
                    manifests: manifests.clone(),
                };
                (service.key.clone(), found)
            })
            .collect()
    }

    /// All modules of the graph, and the chosen ones with their places.
    #[allow(clippy::type_complexity)]
    fn graph(&self) -> Option<(BTreeSet<Module>, BTreeMap<String, (String, Place)>)> {
        let edges = self.go.run(&self.dir, &["mod", "graph"]).ok()?;
        let edges = String::from_utf8_lossy(&edges);
        let mut graph: BTreeSet<Module> = edges
            .split_whitespace()
            .filter_map(|node| {
                let (path, version) = node.split_once('@')?;
                Some(Module {
                    path: path.to_owned(),
                    version: version.to_owned(),
                })
            })
            .collect();
        let list = self
            .go
            .run(&self.dir, &["list", "-m", "-json", "all"])
            .ok()?;
        let mut chosen = BTreeMap::new();
        for module in serde_json::Deserializer::from_slice(&list).into_iter::<Listed>() {
            let module = module.ok()?;
            let path = module.path.clone();
            let with = match module.replace {
                Some(replace) => *replace,
                None => module,
            };
            let found = Module {
                path: with.path,
                version: with.version,
            };
            let place = match self.cache.dir(&found) {
                _ if found.version.is_empty() => Place::Local,
                Some(dir) => Place::Dir(dir),
                None => Place::Absent,
            };
            chosen.insert(path, (found.version.clone(), place));
            graph.insert(found);
        }
        Some((graph, chosen))
    }

    fn whole(&self, reason: String) -> ServiceModules {
        ServiceModules {
            whole: Some(reason),
            manifests: self.texts.clone(),
            ..ServiceModules::default()
        }
    }
}

/// One object of `go list -m -json`; without a version it is a directory.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    path: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    replace: Option<Box<Listed>>,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
