//! The modules of a build: fetched before anything else is decided.
//!
//! The answer of a download says which part of the manifests each build reads, which
//! packages of the repository fetched modules import, and what cannot be had: that ends
//! the build here, before anything is compiled.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::Session;
use super::lookup::LookedUp;
use super::sources::Sources;
use crate::diag::Rule;
use crate::fetch::{self, Problem};
use crate::gateway::{Error, SpecError, Warning};
use crate::lower::{self, ByFile, Closures, Download, KEPT_ATTEMPTS};
use crate::modules::{Answer, MODULES_FILE};
use crate::plan::Plan;
use crate::survey::MAX_SCANS;

impl Session<'_> {
    /// Fetches the modules of a plan, and adds to the closures what they import of the
    /// repository. `all` are the closures of all services of the spec: one download serves
    /// them all.
    pub(super) async fn fetch_modules(
        &self,
        plan: &Plan,
        sources: &mut Sources,
        all: &mut Closures,
        looked_up: &LookedUp,
    ) -> Result<(), Error> {
        let mut warnings = BTreeSet::new();
        for _ in 0..MAX_SCANS {
            let found = self.answers(plan, sources, all, looked_up).await?;
            let mut changed = false;
            warnings.clear();
            for (Download { root, .. }, answer) in found {
                let index = &sources.scanned.index;
                changed |= sources.closures.follow_back(&root, &answer.services, index);
                changed |= all.follow_back(&root, &answer.services, index);
                warnings.extend(sources.closures.whole_manifests(&root, &answer.services));
            }
            if !changed {
                break;
            }
            sources.assets = self
                .assets(plan, &sources.scanned, &sources.closures)
                .await?;
        }
        let warnings = warnings.into_iter();
        self.show(warnings.map(|text| Warning::new(Rule::WholeManifest, text)))
            .await
    }

    /// The answers of all downloads, when nothing is missing that the plan needs.
    ///
    /// A download does not fail, so its result is in the daemon's cache, with what could not
    /// be had: good for a build that does not need it. One that does asks again, unless the
    /// answer is from now; and once more when a server may have been out of order for a moment.
    async fn answers(
        &self,
        plan: &Plan,
        sources: &mut Sources,
        all: &Closures,
        looked_up: &LookedUp,
    ) -> Result<Vec<(Download, Answer)>, Error> {
        let mut asked_twice = BTreeSet::new();
        loop {
            let downloads = self.with_inputs(plan, sources, all, looked_up, lower::downloads)?;
            let found = self.read_answers(downloads).await?;
            let is_missed = |(download, answer): &&(Download, Answer)| {
                let keys = sources.closures.keys(&download.root);
                answer.problems.iter().any(|p| concerns(p, &keys))
            };
            let missed: Vec<_> = found.iter().filter(is_missed).collect();
            if missed.is_empty() {
                return Ok(found);
            }
            let mut again = Vec::new();
            for (Download { root, .. }, answer) in &missed {
                let asked = sources.attempts.get(&root.dir).copied().unwrap_or(0);
                let is_old = answer.is_older_than(self.began) && asked <= KEPT_ATTEMPTS;
                let may_pass = answer.problems.iter().any(|p| p.kind.may_pass());
                if is_old || may_pass && asked_twice.insert(root.dir.clone()) {
                    again.push((root.dir.clone(), asked + 1));
                }
            }
            if again.is_empty() {
                return Err(Error::Files(self.problems(sources, &missed).await?));
            }
            sources.attempts.extend(again);
        }
    }

    async fn read_answers(
        &self,
        downloads: Vec<Download>,
    ) -> Result<Vec<(Download, Answer)>, Error> {
        let found = downloads.into_iter().map(async |download| {
            let tree = self.solve_output(&download.output).await?;
            let json = self.gateway.read_file(&tree, MODULES_FILE).await?;
            let answer = serde_json::from_slice(&json).map_err(|error| {
                Error::Internal(format!("the download wrote no answer: {error}"))
            })?;
            Ok((download, answer))
        });
        try_join_all(found).await
    }

    /// What keeps the services of the plan from being built, by manifest.
    async fn problems(
        &self,
        sources: &Sources,
        missed: &[&(Download, Answer)],
    ) -> Result<Vec<SpecError>, Error> {
        let mut by_file = ByFile::new();
        for (download, answer) in missed {
            let keys = sources.closures.keys(&download.root);
            for problem in answer.problems.iter().filter(|p| concerns(p, &keys)) {
                let diagnostic = fetch::advice(problem, &download.builder);
                let file = by_file.entry(problem.manifest.clone()).or_default();
                file.push(diagnostic);
            }
        }
        self.with_files(sources, by_file).await
    }
}

/// Whether services with these keys cannot be built; without names of services none can.
fn concerns(problem: &Problem, keys: &BTreeSet<String>) -> bool {
    problem.services.is_empty() || problem.services.iter().any(|key| keys.contains(key))
}
