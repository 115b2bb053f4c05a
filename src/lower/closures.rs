//! The closures of the services of a plan, and what they need of a client.

use std::collections::{BTreeMap, BTreeSet};

use super::{fetch, image_settings, problems, tree};
use crate::closure::{self, Closure, ModuleRoot, Outlines, Wanted};
use crate::diag::Diagnostic;
use crate::modules::ServiceModules;
use crate::plan::{self, Plan, Request, Service};
use crate::scan::select::{self, Kind};
use crate::scan::{self, Index, assembly, join, parent};
use crate::spec::Spec;

/// One closure per main package and set of build tags.
#[derive(Debug, Clone, Default)]
pub struct Closures(BTreeMap<(String, Vec<String>), Closure>);

/// Words of build constraints that the platforms and tags of a plan make possible, for
/// [`Index::open`].
#[must_use]
pub fn open_words(plan: &Plan) -> Vec<String> {
    let platforms = plan.platforms.iter().map(|p| &p.platform);
    let platforms = platforms.flat_map(|p| [p.os.as_str(), p.arch.as_str()]);
    let services = plan.platforms.iter().flat_map(|p| &p.services);
    let tags = services.flat_map(|s| &s.build.tags).map(String::as_str);
    scan::open_words(platforms, tags)
}

/// What a graph takes from the context beyond the files that were scanned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assets {
    /// Patterns in the syntax of `.dockerignore`.
    pub include: Vec<String>,
    /// Paths that may be symbolic links to something else.
    pub follow: Vec<String>,
}

impl Closures {
    /// Computes the closures of all services of a plan. A service outside of every
    /// module has none.
    #[must_use]
    pub fn of(plan: &Plan, index: &Index) -> Self {
        let mut out = Self::default();
        for key in services(plan).map(key) {
            if !out.0.contains_key(&key)
                && let Some(closure) = closure::closure(&key.0, &key.1, index)
            {
                out.0.insert(key, closure);
            }
        }
        out
    }

    /// The closures of a plan and of all other services of its spec, as far as those
    /// can be planned: what is wrong with them is no concern of this build. They do not
    /// say what led to what, which nobody asks of them.
    #[must_use]
    pub fn of_all(&self, spec: &Spec, request: &Request, index: &Index) -> Self {
        let request = Request {
            target: Some("binaries".to_owned()),
            ..request.clone()
        };
        let mut keys: BTreeSet<_> = self.0.keys().cloned().collect();
        if let Ok(plan) = plan::plan(spec, &request) {
            keys.extend(services(&plan).map(key));
        }
        let mut outlines = Outlines::new(index);
        let closures = keys.into_iter().filter_map(|key| {
            let closure = outlines.of(&key.0, &key.1)?;
            Some((key, closure))
        });
        Self(closures.collect())
    }

    /// The closure of a service.
    #[must_use]
    pub fn of_service(&self, service: &Service) -> Option<&Closure> {
        self.0.get(&key(service))
    }

    /// All closures, in the order of their main packages.
    pub fn iter(&self) -> impl Iterator<Item = &Closure> {
        self.0.values()
    }

    /// All closures with the build tags that they are for.
    pub(super) fn with_tags(&self) -> impl Iterator<Item = (&Closure, &[String])> {
        self.0
            .iter()
            .map(|((_, tags), closure)| (closure, tags.as_slice()))
    }

    /// Adds what fetched modules import of the repository, as downloads found it;
    /// whether that made any closure larger.
    pub fn follow_back(
        &mut self,
        root: &ModuleRoot,
        found: &BTreeMap<String, ServiceModules>,
        index: &Index,
    ) -> bool {
        let mut changed = false;
        for ((main, tags), closure) in &mut self.0 {
            let answer = found.get(&fetch::key(closure, tags));
            let back = answer.map(|a| &a.back).filter(|back| !back.is_empty());
            if let (Some(back), true) = (back, closure.root == *root)
                && let Some(more) = closure::closure_with(main, tags, index, back)
                && more.directories.len() > closure.directories.len()
            {
                *closure = more;
                changed = true;
            }
        }
        changed
    }

    /// The services of a root, by their keys in a question about its modules.
    #[must_use]
    pub fn keys(&self, root: &ModuleRoot) -> BTreeSet<String> {
        let closures = self.with_tags().filter(|(c, _)| c.root == *root);
        closures.map(|(c, tags)| fetch::key(c, tags)).collect()
    }

    /// Whose manifests count whole in a root, and why, in words.
    #[must_use]
    pub fn whole_manifests(
        &self,
        root: &ModuleRoot,
        found: &BTreeMap<String, ServiceModules>,
    ) -> Vec<String> {
        let closures = self.with_tags().filter(|(c, _)| c.root == *root);
        let texts = closures.filter_map(|(closure, tags)| {
            let reason = found.get(&fetch::key(closure, tags))?.whole.as_ref()?;
            let go_mod = join(&root.dir, "go.mod");
            Some(format!(
                "{go_mod}: counts whole for ./{}: {reason}",
                closure.main
            ))
        });
        texts.collect()
    }

    /// Files that builds would read and that are no files, each with what is wrong.
    #[must_use]
    pub fn irregular(&self, index: &Index) -> BTreeMap<String, Diagnostic> {
        let is_read = |path: &str, closure: &Closure| {
            let dir = parent(path).unwrap_or(".");
            let name = path.rsplit('/').next().unwrap_or(path);
            if name == select::PROFILE {
                // Go looks for it beside main packages alone.
                return index.place(&closure.main).path == dir;
            }
            match select::kind(name) {
                Some(Kind::Manifest) => closure.root.dir == dir,
                // What assembly includes; what is embedded is looked at by name.
                None => closure.files.contains_key(path),
                _ => closure.directories.contains_key(dir),
            }
        };
        let read = index.irregular.iter();
        read.filter(|path| self.iter().any(|closure| is_read(path, closure)))
            .map(|path| (path.clone(), problems::irregular(path)))
            .collect()
    }

    /// What the services of a plan lead to and was not scanned.
    #[must_use]
    pub fn wanted(&self, plan: &Plan, index: &Index) -> Wanted {
        let mut wanted = Wanted::of(self.iter(), index);
        for service in services(plan) {
            wanted.main(&service.main.value, index);
        }
        wanted
    }

    /// Files that assembly includes and that the scan did not see: they may include others.
    #[must_use]
    pub fn unread(&self, index: &Index) -> BTreeSet<String> {
        let files = self.iter().flat_map(|closure| &closure.files);
        let included = files.filter(|(_, reason)| reason.file.ends_with(assembly::SOURCE));
        included
            .map(|(path, _)| path)
            .filter(|path| !index.is_scanned(path))
            .cloned()
            .collect()
    }

    /// Whether a service embeds a file.
    #[must_use]
    pub fn embed(&self, path: &str) -> bool {
        self.iter().any(|c| c.embeds.iter().any(|e| e.covers(path)))
    }

    /// What the graph of a plan takes from the context beyond scanned files.
    #[must_use]
    pub fn assets(&self, plan: &Plan, index: &Index) -> Assets {
        let mut include: BTreeSet<String> = BTreeSet::new();
        for closure in self.iter() {
            include.extend(tree::asset_patterns(closure));
            let files = tree::asset_files(closure, index);
            include.extend(files.iter().map(|path| select::escape(path)));
        }
        let files = plan
            .platforms
            .iter()
            .flat_map(|p| image_settings(plan, p))
            .flat_map(|settings| &settings.files);
        let follow: BTreeSet<String> = files.map(|f| select::escape_followed(&f.source)).collect();
        Assets {
            include: include.into_iter().collect(),
            follow: follow.into_iter().collect(),
        }
    }
}

impl Assets {
    /// Whether nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.follow.is_empty()
    }
}

fn services(plan: &Plan) -> impl Iterator<Item = &Service> {
    plan.platforms.iter().flat_map(|p| &p.services)
}

fn key(service: &Service) -> (String, Vec<String>) {
    (service.main.value.clone(), service.build.tags.clone())
}
