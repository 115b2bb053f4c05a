//! An example whose services are all built, edited and built again.
//!
//! Every build is one `docker buildx bake` of all services, as in CI. Each run of
//! the tests writes something of its own into every main package first: so no
//! build step of an earlier run can stand in for one that should not have been
//! asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bake;
use super::command::Tool;
use super::engine::{engine, heavy};
use super::progress::Progress;
use super::repo::Repo;

/// Names of services.
pub(crate) type Services = BTreeSet<String>;
type Digests = BTreeMap<String, String>;

/// An example of this repository, and places in it to edit.
pub(crate) struct Example {
    /// `GOFLEET_CACHE`.
    pub(crate) cache: &'static str,
    pub(crate) path: &'static str,
    /// Name and main package of each service.
    pub(crate) services: &'static [(&'static str, &'static str)],
    /// A file of a main package.
    pub(crate) leaf: &'static str,
    /// Files of packages that some services import.
    pub(crate) shared: &'static [&'static str],
    /// A directory with an `//go:embed`, and a file that it embeds.
    pub(crate) embedded: (&'static str, &'static str),
    /// Files for another system, there or not.
    pub(crate) other_system: &'static [&'static str],
    /// A test file.
    pub(crate) test: &'static str,
    /// A directory that no service imports.
    pub(crate) unrelated: &'static str,
    /// Where a service could be added, in a module that exists.
    pub(crate) new_service: &'static str,
    /// Sums of a module that services are in.
    pub(crate) sums: &'static str,
    pub(crate) base: OnceLock<Base>,
}

/// What all copies of an example start from.
pub(crate) struct Base {
    nonce: String,
    digests: Digests,
}

/// A copy of an example, and what is known about its last build.
pub(crate) struct Fleet {
    pub(crate) repo: Repo,
    cache: &'static str,
    services: Vec<(String, String)>,
    digests: Digests,
    failures: Vec<String>,
}

/// What one build of all services did.
pub(crate) struct After<'a> {
    fleet: &'a mut Fleet,
    edit: String,
    progress: Progress,
    built: Services,
    changed: Services,
}

/// A set of services.
pub(crate) fn services<const N: usize>(names: [&str; N]) -> Services {
    names.into_iter().map(str::to_owned).collect()
}

impl Example {
    /// A copy of which everything is built already.
    pub(crate) fn built(&'static self) -> Fleet {
        let base = self.base.get_or_init(|| {
            let _heavy = heavy();
            let fleet = self.copy();
            let nonce = fleet.repo.nonce.clone();
            self.sign(&fleet, &nonce);
            let (_, digests) = fleet.bake();
            Base { nonce, digests }
        });
        let mut fleet = self.copy();
        self.sign(&fleet, &base.nonce);
        fleet.digests.clone_from(&base.digests);
        fleet
    }

    fn copy(&self) -> Fleet {
        Fleet {
            repo: Repo::copy_of(self.path),
            cache: self.cache,
            services: self
                .services
                .iter()
                .map(|(name, main)| ((*name).to_owned(), (*main).to_owned()))
                .collect(),
            digests: Digests::new(),
            failures: Vec::new(),
        }
    }

    fn sign(&self, fleet: &Fleet, nonce: &str) {
        for (_, main) in self.services {
            fleet.change_code(&format!("{main}/main.go"), nonce);
        }
    }
}

impl Fleet {
    /// Appends to a file.
    pub(crate) fn append(&self, path: &str, text: &str) {
        self.repo
            .write(path, &format!("{}{text}", self.repo.read(path)));
    }

    /// Appends code to a Go file that changes every program it is in.
    fn change_code(&self, path: &str, text: &str) {
        self.append(
            path,
            &format!("\nfunc init() {{\n\tprintln(\"{path} {text}\")\n}}\n"),
        );
    }

    /// The same, with something that no other copy has.
    pub(crate) fn edit_code(&self, path: &str) {
        self.change_code(path, &self.repo.nonce);
    }

    /// Adds a service to the spec and to what is built.
    pub(crate) fn add_service(&mut self, name: &str, main: &str) {
        self.append("fleet.yaml", &format!("  {name}: ./{main}\n"));
        self.services.push((name.to_owned(), main.to_owned()));
    }

    /// Services whose program has a package of this directory, as the Go command
    /// says for Linux.
    pub(crate) fn importers(&self, dir: &str) -> Services {
        let dir = self.repo.file(dir).canonicalize().unwrap();
        self.with_dependency("{{.Dir}}", |line| Path::new(line) == dir)
    }

    /// Services whose program has a package of a module.
    pub(crate) fn containing(&self, module: &str) -> Services {
        self.with_dependency("{{with .Module}}{{.Path}}{{end}}", |line| line == module)
    }

    fn with_dependency(&self, format: &str, wanted: impl Fn(&str) -> bool) -> Services {
        let listed = |main: &str| {
            Tool::new("go")
                .args(["list", "-deps", "-f", format, &format!("./{main}")])
                .env("CGO_ENABLED", "0")
                .env("GOOS", "linux")
                .dir(self.repo.path().canonicalize().unwrap())
                .ok()
                .text()
        };
        self.services
            .iter()
            .filter(|(_, main)| listed(main).lines().any(&wanted))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Runs the Go command in a directory of the copy.
    pub(crate) fn go(&self, dir: &str, args: &[&str]) {
        Tool::new("go").args(args).dir(self.repo.file(dir)).ok();
    }

    /// Builds all services after an edit.
    pub(crate) fn after(&mut self, edit: &str) -> After<'_> {
        let (progress, digests) = self.bake();
        let built = progress
            .go_steps()
            .into_iter()
            .filter_map(built_service)
            .collect();
        let changed = digests
            .iter()
            .filter(|(name, digest)| self.digests.get(*name) != Some(digest))
            .map(|(name, _)| name.clone())
            .collect();
        self.digests = digests;
        After {
            fleet: self,
            edit: edit.to_owned(),
            progress,
            built,
            changed,
        }
    }

    /// Fails if a build did what it should not have done.
    pub(crate) fn finish(self) {
        assert!(self.failures.is_empty(), "\n{}", self.failures.join("\n"));
    }

    fn bake(&self) -> (Progress, Digests) {
        let meta = TempDir::new().unwrap();
        let meta = meta.path().join("meta.json");
        let services = self.services.iter().map(|(name, _)| name.as_str());
        let args = json!({"GOFLEET_CACHE": self.cache});
        let file = bake::file(services, &args, "type=image,push=false");
        let output = bake::bake(&self.repo, &file)
            .args(["--builder", &engine().builder, "--metadata-file"])
            .arg(&meta)
            .ok();
        let text = std::fs::read_to_string(&meta).unwrap();
        let meta: Value = serde_json::from_str(&text).unwrap();
        let digests = self
            .services
            .iter()
            .map(|(name, _)| {
                let digest = meta[name]["containerimage.digest"].as_str();
                let digest = digest.unwrap_or_else(|| panic!("no digest of {name} in {text}"));
                (name.clone(), digest.to_owned())
            })
            .collect();
        (Progress::parse(&output.stderr), digests)
    }
}

impl After<'_> {
    /// Expects build steps of exactly these services.
    pub(crate) fn builds(self, expected: &Services) -> Self {
        let built = self.built.clone();
        self.same("built", &built, expected)
    }

    /// Expects build steps of these services or fewer.
    pub(crate) fn builds_at_most(self, expected: &Services) -> Self {
        let more: Services = self.built.difference(expected).cloned().collect();
        self.same("built besides those that may be", &more, &Services::new())
    }

    /// Says how many build steps there were, where their number is a finding.
    pub(crate) fn count(self) -> Self {
        eprintln!(
            "after {}: {} build steps {:?}, {} images changed {:?}",
            self.edit,
            self.built.len(),
            self.built,
            self.changed.len(),
            self.changed
        );
        self
    }

    /// Expects new images of exactly these services.
    pub(crate) fn changes(self, expected: &Services) -> Self {
        let changed = self.changed.clone();
        self.same("changed images", &changed, expected)
    }

    /// Expects that no module was asked for.
    pub(crate) fn downloads_nothing(self) -> Self {
        let downloads: Services = self
            .progress
            .go_steps()
            .into_iter()
            .filter(|step| built_service(step).is_none())
            .map(str::to_owned)
            .collect();
        self.same("other Go steps", &downloads, &Services::new())
    }

    /// Expects that nothing happened at all.
    pub(crate) fn does_nothing(self) -> Self {
        let none = Services::new();
        self.builds(&none).changes(&none).downloads_nothing()
    }

    fn same(self, what: &str, found: &Services, expected: &Services) -> Self {
        if found != expected {
            let unexpected: Vec<_> = found.difference(expected).collect();
            let missing: Vec<_> = expected.difference(found).collect();
            self.fleet.failures.push(format!(
                "after {}: {what}: unexpected {unexpected:?}, missing {missing:?}; \
                 expected {expected:?}\n  steps that ran: {:?}",
                self.edit,
                self.progress.executed()
            ));
        }
        self
    }
}

/// The service of `[api] go build ./cmd/api`; bake puts the target before it, as in
/// `[api api] …`.
fn built_service(step: &str) -> Option<String> {
    let (label, command) = step.strip_prefix('[')?.split_once("] ")?;
    command.strip_prefix("go build ")?;
    let mut words = label.split(' ').filter(|word| !word.contains('/'));
    words.next_back().map(str::to_owned)
}
