//! What of the manifests each service's build reads, and what of it cannot be had.
//!
//! In: a [`Request`] with what the services import, the manifests, a module cache and
//! a `go` command that may fetch. Out: an [`Answer`].

mod graph;
mod links;
mod part;
mod tried;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::cache::ModuleCache;
use super::download::{Failures, download, mismatches};
use super::follow::{Follower, Needed as Reached, Packages, Place};
use super::modfile::{ModFile, Module};
use super::request::{Answer, Needed, Request, ServiceModules, ServiceRequest};
use super::slice::{self, sum_of};
use super::unhashed;
use crate::fetch::{Go, Problem};
use crate::hex::hex;
use crate::scan::join;

use links::Links;
use part::Part;

/// How often what is missing is fetched: once what sums name, then what only
/// the imports of fetched packages lead to, one module behind the other.
const MAX_ROUNDS: usize = 50;

/// Finds out what each service of a request reads.
///
/// `src` holds the manifests at their paths; Go may add lines to `go.sum` there. What
/// cannot be found out leaves the manifests of a service whole, with the reason.
pub fn resolve(request: &Request, src: &Path, cache: &ModuleCache, go: &dyn Go) -> Answer {
    let texts: BTreeMap<String, String> = request
        .manifests
        .iter()
        .filter_map(|path| Some((path.clone(), fs::read_to_string(src.join(path)).ok()?)))
        .collect();
    let links = Links::of(request, &texts, src);
    let go_mod = texts.get(&join(&request.root, "go.mod"));
    let main = ModFile::parse(go_mod.map_or("", String::as_str));
    let mut resolver = Resolver {
        request,
        texts: &texts,
        links: &links,
        dir: src.join(&request.root),
        cache,
        go,
        packages: Packages::default(),
        failures: Failures::default(),
        problems: BTreeMap::new(),
    };
    let services = if request.workspace || !main.is_pruned() {
        resolver.by_graph()
    } else {
        resolver.by_list(&main)
    };
    Answer {
        services,
        problems: resolver.problems(),
        asked: None,
    }
}

struct Resolver<'a> {
    request: &'a Request,
    texts: &'a BTreeMap<String, String>,
    links: &'a Links,
    dir: PathBuf,
    cache: &'a ModuleCache,
    go: &'a dyn Go,
    packages: Packages,
    failures: Failures,
    /// What keeps services from being built.
    problems: BTreeMap<Module, Problem>,
}

/// Every module that may be looked into, by path: what is fetched for it, and where
/// that is.
type Places = BTreeMap<String, (Module, Place)>;

impl Resolver<'_> {
    /// Versions are those that `go.mod` lists; each service gets its part of them.
    fn by_list(&mut self, main: &ModFile) -> BTreeMap<String, ServiceModules> {
        let mut places: Places = main
            .requires
            .iter()
            .map(|(path, version)| (path.clone(), self.place(main.replaced(path, version))))
            .collect();
        // What is fetched may import the module that is being built.
        if let Some(path) = main.module() {
            let here = Module {
                path: path.clone(),
                version: String::new(),
            };
            places.insert(path.clone(), (here, Place::Local));
        }
        let reached = self.fetch(&mut places);
        self.report(&places, &reached);
        let versions = self.versions(&places);
        let services = self.request.services.iter().zip(reached).zip(versions);
        let cut: Vec<(&ServiceRequest, ServiceModules)> = services
            .map(|((service, reached), versions)| {
                let mut found = self.cut(main, service, reached, &places);
                found.needed.versions = versions;
                (service, found)
            })
            .collect();
        self.tried(main, cut)
    }

    /// Fetches what services look into, until nothing is missing that can be had.
    fn fetch(&mut self, places: &mut Places) -> Vec<Reached> {
        // Almost all of it at once: a tidy `go.sum` names what packages come from.
        let sums = self.texts.iter().filter(|(path, _)| path.ends_with(".sum"));
        let sums: BTreeSet<Module> = sums
            .flat_map(|(_, text)| text.lines().filter_map(sum_of))
            .map(|(path, version, _)| Module {
                path: path.to_owned(),
                version: version.to_owned(),
            })
            .collect();
        let absent = places
            .values()
            .filter(|(module, place)| *place == Place::Absent && sums.contains(module))
            .map(|(module, _)| module.clone())
            .collect();
        self.download(&absent, places);
        let mut reached = self.follow(places);
        for _ in 0..MAX_ROUNDS {
            let absent: BTreeSet<Module> = reached
                .iter()
                .flat_map(|r| &r.modules)
                .filter_map(|path| places.get(path))
                .filter(|(module, place)| *place == Place::Absent && !self.has_failed(module))
                .map(|(module, _)| module.clone())
                .collect();
            if absent.is_empty() || self.failures.silent || !self.download(&absent, places) {
                break;
            }
            reached = self.follow(places);
        }
        self.mark(places, &reached);
        reached
    }

    /// Completes Go's keys of what is reached, before Go itself reads any of it.
    fn mark(&self, places: &Places, reached: &[Reached]) {
        if !self.go.tries() {
            return;
        }
        let paths: BTreeSet<&String> = reached.iter().flat_map(|r| &r.modules).collect();
        for (module, place) in paths.into_iter().filter_map(|path| places.get(path)) {
            if matches!(place, Place::Dir(_)) {
                // What is not marked here is asked for in front of the build, where a reason counts.
                let _ = unhashed::mark(module, self.cache);
            }
        }
    }

    /// Fetches modules; whether that brought any.
    fn download(&mut self, absent: &BTreeSet<Module>, places: &mut Places) -> bool {
        let new = download(absent, &self.dir, self.go);
        self.failures.modules.extend(new.modules);
        self.failures.general = self.failures.general.take().or(new.general);
        self.failures.silent |= new.silent;
        let mut changed = false;
        for found in places.values_mut().filter(|(m, _)| absent.contains(m)) {
            *found = self.place(found.0.clone());
            changed |= found.1 != Place::Absent;
        }
        changed
    }

    fn has_failed(&self, module: &Module) -> bool {
        self.failures.modules.contains_key(module)
    }

    fn place(&self, module: Module) -> (Module, Place) {
        let place = match self.cache.dir(&module) {
            _ if module.version.is_empty() => Place::Local,
            Some(dir) => Place::Dir(dir),
            None => Place::Absent,
        };
        (module, place)
    }

    /// Keeps what is wrong with modules that services need. What nobody needs may
    /// fail: Go does not look into it either.
    fn report(&mut self, places: &Places, reached: &[Reached]) {
        let mut needed: BTreeMap<&Module, Vec<&str>> = BTreeMap::new();
        for (service, reached) in self.request.services.iter().zip(reached) {
            for (module, _) in reached.modules.iter().filter_map(|path| places.get(path)) {
                needed.entry(module).or_default().push(&service.key);
            }
        }
        let wrong = mismatches(needed.keys().copied(), self.texts, self.cache, self.go);
        let wrong: BTreeMap<Module, Problem> = wrong.into_iter().collect();
        for (module, services) in needed {
            let absent = !module.version.is_empty() && self.cache.dir(module).is_none();
            let failed = || {
                self.failures
                    .modules
                    .get(module)
                    .or(self.failures.general.as_ref())
            };
            let found = wrong.get(module).or_else(|| failed().filter(|_| absent));
            if let Some(problem) = found {
                let mut problem = problem.clone();
                problem.services = services.into_iter().map(str::to_owned).collect();
                self.problems.insert(module.clone(), problem);
            }
        }
    }

    /// All problems, each with its place.
    fn problems(self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.problems.into_values().collect();
        for problem in &mut problems {
            problem.locate(self.texts.iter());
        }
        problems.sort();
        problems.dedup();
        problems
    }

    fn follow(&mut self, places: &Places) -> Vec<Reached> {
        let places_by_path = places.iter().map(|(path, (_, place))| (path, place));
        let mut follower = Follower::new(places_by_path, &mut self.packages);
        let services = self.request.services.iter();
        services
            .map(|service| follower.follow(&service.imports, &service.tags))
            .collect()
    }

    fn cut(
        &self,
        main: &ModFile,
        service: &ServiceRequest,
        reached: Reached,
        places: &Places,
    ) -> ServiceModules {
        let needed = self.needed(&reached, places);
        let packages = packages(&reached, places);
        if let Some(import) = reached.unknown.first() {
            let reason = format!("`{import}` is in no module that is listed and at hand");
            return ServiceModules {
                back: reached.back,
                needed,
                packages,
                ..self.whole(reason)
            };
        }
        let mut modules = reached.modules;
        let versions = slice::versions(main, &modules);
        modules.extend(service.local.iter().cloned());
        let part = Part {
            root: &self.request.root,
            main,
            texts: self.texts,
            links: self.links,
        };
        let manifests = part.manifests(&modules, |text| slice::go_sum(text, main, &modules));
        ServiceModules {
            modules: versions,
            back: reached.back,
            whole: None,
            needed: Needed {
                manifests: self.links.with(&manifests),
                ..needed
            },
            manifests,
            packages,
        }
    }

    /// For each import of each service, what tells one version of it from another: the
    /// versions of all modules behind it.
    fn versions(&mut self, places: &Places) -> Vec<BTreeMap<String, String>> {
        let places_by_path = places.iter().map(|(path, (_, place))| (path, place));
        let mut follower = Follower::new(places_by_path, &mut self.packages);
        let mut known: BTreeMap<(&str, &[String]), String> = BTreeMap::new();
        let mut out = Vec::new();
        for service in &self.request.services {
            let mut versions = BTreeMap::new();
            for import in &service.imports {
                let key = (import.as_str(), service.tags.as_slice());
                let version = known.entry(key).or_insert_with(|| {
                    let one = BTreeSet::from([import.clone()]);
                    let reached = follower.follow(&one, &service.tags);
                    version_of(&reached, places)
                });
                versions.insert(import.clone(), version.clone());
            }
            out.push(versions);
        }
        out
    }

    /// What has to be at hand for the build of a service.
    fn needed(&self, reached: &Reached, places: &Places) -> Needed {
        let modules = reached.modules.iter().filter_map(|path| places.get(path));
        Needed {
            root: self.request.root.clone(),
            manifests: self.links.with(self.texts),
            modules: modules
                .filter(|(module, _)| !module.version.is_empty())
                .map(|(module, _)| module.clone())
                .collect(),
            graph: BTreeSet::new(),
            versions: BTreeMap::new(),
        }
    }

    fn whole(&self, reason: String) -> ServiceModules {
        ServiceModules {
            whole: Some(reason),
            manifests: self.texts.clone(),
            ..ServiceModules::default()
        }
    }
}

/// The fetched packages that were reached.
fn packages(reached: &Reached, places: &Places) -> BTreeMap<PathBuf, Module> {
    let packages = reached.packages.iter();
    packages
        .filter_map(|(dir, path)| Some((dir.clone(), places.get(path)?.0.clone())))
        .collect()
}

/// The versions of what was reached, in a few letters.
fn version_of(reached: &Reached, places: &Places) -> String {
    let mut hash = Sha256::new();
    for (module, _) in reached.modules.iter().filter_map(|path| places.get(path)) {
        hash.update(format!("{}@{}\n", module.path, module.version));
    }
    hex(&hash.finalize()[..16])
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
