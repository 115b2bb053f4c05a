//! Where the whole module graph decides: in workspaces, and before Go 1.17.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Places, Resolver, packages};
use crate::fetch::GoError;
use crate::modules::download::failed;
use crate::modules::modfile::Module;
use crate::modules::request::{Needed, ServiceModules, ServiceRequest};
use crate::modules::slice;

impl Resolver<'_> {
    /// Versions are chosen over the whole module graph, so all `go.mod` files count;
    /// sums of modules outside of the graph do not.
    pub(super) fn by_graph(&mut self) -> BTreeMap<String, ServiceModules> {
        let (graph, mut places) = match self.graph() {
            Ok(found) => found,
            Err(error) => {
                let asks = |service: &&ServiceRequest| self.asks_graph(service);
                let asking: Vec<&ServiceRequest> =
                    self.request.services.iter().filter(asks).collect();
                if error != GoError::NotRun && !asking.is_empty() {
                    let mut problem = failed(&error, &self.dir, self.go);
                    problem.services = asking.into_iter().map(|s| s.key.clone()).collect();
                    let module = Module {
                        path: problem.module.clone(),
                        version: problem.version.clone(),
                    };
                    self.problems.insert(module, problem);
                }
                let services = self.request.services.iter();
                let whole = || self.whole("the module graph could not be read".to_owned());
                return services.map(|s| (s.key.clone(), whole())).collect();
            }
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
        let reached = self.fetch(&mut places);
        self.report(&places, &reached);
        let read = self.read_of(graph);
        let versions = self.versions(&places);
        let services = self.request.services.iter().zip(reached).zip(versions);
        services
            .map(|((service, reached), versions)| {
                let version = |path: &String| {
                    let (module, _) = places.get(path)?;
                    Some((path.clone(), module.version.clone()))
                };
                let found = ServiceModules {
                    modules: reached.modules.iter().filter_map(version).collect(),
                    whole: None,
                    manifests: manifests.clone(),
                    needed: Needed {
                        graph: read.clone(),
                        versions,
                        ..self.needed(&reached, &places)
                    },
                    packages: packages(&reached, &places),
                    back: reached.back,
                };
                (service.key.clone(), found)
            })
            .collect()
    }

    /// Whether the build of a service reads the graph. Among the modules of a workspace Go looks
    /// first, and these may require each other at versions that nobody has published.
    fn asks_graph(&self, service: &ServiceRequest) -> bool {
        !self.request.workspace || !service.imports.is_empty()
    }

    /// The modules of the graph whose `go.mod` Go reads; none when it cannot be had.
    pub(super) fn read_of_graph(&self) -> BTreeSet<Module> {
        let graph = self.graph().map(|(graph, _)| graph);
        self.read_of(graph.unwrap_or_default())
    }

    /// What is replaced is in the graph, and never read.
    pub(super) fn read_of(&self, graph: BTreeSet<Module>) -> BTreeSet<Module> {
        let modules = graph.into_iter();
        modules
            .filter(|module| self.cache.has_manifest(module))
            .collect()
    }

    /// All modules of the graph, and the chosen ones with their places.
    fn graph(&self) -> Result<(BTreeSet<Module>, Places), GoError> {
        let edges = self.go.run(&self.dir, &["mod", "graph"])?;
        let mut graph = nodes(&String::from_utf8_lossy(&edges));
        let list = self.go.run(&self.dir, &["list", "-m", "-json", "all"])?;
        let mut chosen = Places::new();
        for module in serde_json::Deserializer::from_slice(&list).into_iter::<Listed>() {
            let module = module.map_err(|error| GoError::Io(error.to_string()))?;
            let path = module.path.clone();
            let with = match module.replace {
                Some(replace) => *replace,
                None => module,
            };
            let found = Module {
                path: with.path,
                version: with.version,
            };
            graph.insert(found.clone());
            chosen.insert(path, self.place(found));
        }
        Ok((graph, chosen))
    }
}

/// The modules in what `go mod graph` prints; main modules have no version there.
pub(super) fn nodes(edges: &str) -> BTreeSet<Module> {
    let nodes = edges.split_whitespace().filter_map(|node| {
        let (path, version) = node.split_once('@')?;
        Some(Module {
            path: path.to_owned(),
            version: version.to_owned(),
        })
    });
    nodes.collect()
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
