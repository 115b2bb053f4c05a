//! Parts of manifests that Go is content with.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use super::graph::nodes;
use super::part::Part;
use crate::fetch::{Go, GoError};
use crate::modules::modfile::{ModFile, Module};
use crate::modules::request::{Needed, ServiceModules, ServiceRequest};
use crate::modules::slice;
use crate::modules::verify::{Trial, each};

/// The texts of manifests, by path.
type Texts = BTreeMap<String, String>;

/// What became of a trial.
enum Outcome {
    /// The build reads the listed modules alone.
    Fits,
    /// It reads the module graph, of which this is all.
    Graph(Texts, BTreeSet<Module>),
    /// Go does not build with a part.
    Refused(String),
}

impl Resolver<'_> {
    /// Keeps the parts that Go is content with. Where it reads the module graph, a part has
    /// the sums of that graph; where it objects to that as well, the manifests stay whole.
    pub(super) fn tried(
        &self,
        main: &ModFile,
        services: Vec<(&ServiceRequest, ServiceModules)>,
    ) -> BTreeMap<String, ServiceModules> {
        let part = Part {
            root: &self.request.root,
            main,
            texts: self.texts,
            links: self.links,
        };
        let mut trials: BTreeMap<&Texts, (Trial, BTreeSet<String>)> = BTreeMap::new();
        for (service, found) in services.iter().filter(|(_, found)| found.whole.is_none()) {
            let (trial, keep) = trials.entry(&found.manifests).or_default();
            trial.manifests.clone_from(&found.manifests);
            trial.imports.extend(service.imports.iter().cloned());
            trial.back.extend(found.back.iter().cloned());
            trial.local.extend(part.dirs(&service.local));
            keep.extend(found.modules.keys().chain(&service.local).cloned());
        }
        for (trial, _) in trials.values_mut() {
            trial.root.clone_from(&self.request.root);
            trial.links.clone_from(&self.links.texts);
            trial.main = main.module().cloned().unwrap_or_default();
        }
        let unread = self.unread();
        let (manifests, list): (Vec<&Texts>, Vec<_>) = trials.into_iter().unzip();
        let outcomes = each(&list, |(trial, keep)| match &unread {
            Some(reason) => Outcome::Refused(reason.clone()),
            None => outcome(trial, keep, part, self.go),
        });
        let outcomes: BTreeMap<&Texts, Outcome> = manifests.into_iter().zip(outcomes).collect();
        // Whole manifests are the whole graph: Go reads the `go.mod` of every module in it.
        let graph = OnceCell::new();
        let answer = services.iter().map(|(service, found)| {
            let found = match outcomes.get(&found.manifests) {
                Some(Outcome::Graph(manifests, graph)) => ServiceModules {
                    manifests: manifests.clone(),
                    needed: Needed {
                        manifests: self.links.with(manifests),
                        graph: self.read_of(graph.clone()),
                        ..found.needed.clone()
                    },
                    ..found.clone()
                },
                Some(Outcome::Refused(reason)) if found.whole.is_none() => ServiceModules {
                    modules: found.modules.clone(),
                    back: found.back.clone(),
                    packages: found.packages.clone(),
                    needed: Needed {
                        manifests: self.links.with(self.texts),
                        graph: graph.get_or_init(|| self.read_of_graph()).clone(),
                        ..found.needed.clone()
                    },
                    ..self.whole(format!("Go does not build with a part of it: {reason}"))
                },
                _ => found.clone(),
            };
            (service.key.clone(), found)
        });
        answer.collect()
    }

    /// What Go says against the whole `go.mod`, whatever is built: that it cannot be read, that
    /// replacements conflict, that one module is required at two versions. A part of it may lack
    /// the line that is wrong, and would build what Go does not.
    fn unread(&self) -> Option<String> {
        // As builds load it; of a pruned module graph this alone, so nothing is fetched.
        let args = ["list", "-mod=readonly", "-m"];
        let error = self.go.tries().then(|| self.go.try_out(&self.dir, &args));
        match error?.err()? {
            GoError::NotRun => None,
            error => Some(error.to_string()),
        }
    }
}

fn outcome(trial: &Trial, keep: &BTreeSet<String>, part: Part<'_>, go: &dyn Go) -> Outcome {
    let Some(reason) = trial.objection(go) else {
        return Outcome::Fits;
    };
    let keep = part.with_required(keep.clone());
    let mut wider = Trial {
        manifests: part.manifests(&keep, str::to_owned),
        ..trial.clone()
    };
    let Ok(text) = wider.graph(go) else {
        return Outcome::Refused(reason);
    };
    let mut graph = nodes(&text);
    let replaced = graph
        .iter()
        .map(|m| part.main.replaced(&m.path, &m.version));
    graph.extend(replaced.collect::<Vec<_>>());
    wider.manifests = part.manifests(&keep, |text| slice::sums(text, &graph));
    match wider.objection(go) {
        None => Outcome::Graph(wider.manifests, graph),
        Some(_) => Outcome::Refused(reason),
    }
}
