//! The steps that compile dependencies into layers, ahead of all builds.
//!
//! The standard library is compiled by a step that knows nothing of the repository, and packages
//! of other modules on top of it, a step for each module root and set of build tags. Both are
//! keyed by the builder image, flags and, the second one, the list of packages of all services:
//! no edit of sources runs them.
//!
//! Where a spec has several steps of the second kind they compile into one cache mount, in turns:
//! what they have in common is compiled once, and nothing of one is in the key of another.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{BindMount, Describe as _, Error, FileOp, Mount, Output, Platform, Sharing};

use super::caches;
use super::closures::Closures;
use super::constant::quiet;
use super::deps::COMPILED_MOUNT;
use super::fetch::{FRONTEND_DIR, MARKER_DIR, manifest_tree};
use super::go::{self, BUILD_CACHE, Builder, MODULE_CACHE, SOURCE_DIR};
use super::scan::PROGRAM;
use super::settings::StepSettings;
use super::tree;
use crate::closure::{Closure, ModuleRoot};
use crate::deps::{COMPILED_DIR, MODULES_DIR, STANDARD};
use crate::plan::{Build, go_target};
use crate::scan::{Index, is_inside, join};
use crate::share::COMPILE;

/// Lock of the steps that compile beside each other.
const TURN_DIR: &str = "/run/gofleet/slot";

/// What is compiled ahead for a service, and for all others with the same settings.
pub(super) struct Ahead<'a> {
    pub(super) builder: &'a Builder,
    pub(super) root: &'a ModuleRoot,
    pub(super) settings: StepSettings<'a>,
    /// The manifests are in it.
    pub(super) code: &'a Output,
    pub(super) index: &'a Index,
    /// Packed modules; `None` where nothing is fetched.
    pub(super) packed: Option<&'a Output>,
    pub(super) platform: &'a Platform,
    pub(super) build: &'a Build,
    /// Packages of other modules, vendored ones included.
    pub(super) imports: BTreeSet<&'a str>,
    pub(super) marker: &'a Output,
    /// Other steps that compile packages for the spec; `None` where this is the only one.
    pub(super) beside: Option<Beside<'a>>,
    /// Text in brackets in front of the steps' names.
    pub(super) label: String,
}

/// What steps have that compile beside others.
pub(super) struct Beside<'a> {
    /// The frontend's own image: its program takes out of the cache mount what a layer is for.
    pub(super) frontend: &'a Output,
    /// A module of the spec, for all of them the same one.
    pub(super) module: &'a str,
}

impl<'a> Beside<'a> {
    /// The steps of a spec, whatever is built of it: one for each module root and set of build
    /// tags whose services import packages of other modules.
    pub(super) fn of(all: &'a Closures, frontend: &'a Output) -> Option<Self> {
        let importing = all
            .with_tags()
            .filter(|(closure, _)| packages(closure).next().is_some());
        let steps: BTreeSet<_> = importing.map(|(c, tags)| (&c.root, tags)).collect();
        let (root, _) = steps.first()?;
        (steps.len() > 1).then(|| Self {
            frontend,
            module: &root.module,
        })
    }
}

/// The layers of compiled packages of a graph, by what decides them: services with the same
/// versions, build tags and `env` have one.
#[derive(Debug, Default)]
pub(super) struct Compiled(BTreeMap<Key, Output>);

type Key = (ModuleRoot, Vec<String>, BTreeMap<String, String>);

impl Compiled {
    /// The layer for a service, made by `make` when first asked for.
    pub(super) fn get<E>(
        &mut self,
        root: &ModuleRoot,
        build: &Build,
        make: impl FnOnce() -> Result<Output, E>,
    ) -> Result<Output, E> {
        let key = (root.clone(), build.tags.clone(), build.env.clone());
        match self.0.entry(key) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(new) => Ok(new.insert(make()?).clone()),
        }
    }
}

/// Packages of other modules that the services of a root import, with these build tags.
pub(super) fn imports<'a>(
    all: &'a Closures,
    root: &ModuleRoot,
    tags: &[String],
) -> BTreeSet<&'a str> {
    let same = all
        .with_tags()
        .filter(|(closure, own)| closure.root == *root && *own == tags);
    same.flat_map(|(closure, _)| packages(closure)).collect()
}

/// Packages of other modules in a closure, vendored ones included.
fn packages(closure: &Closure) -> impl Iterator<Item = &str> {
    let vendored = closure.directories.keys();
    let vendored = vendored.filter_map(|dir| closure.root.vendored_package(dir));
    closure.external.keys().map(String::as_str).chain(vendored)
}

impl Ahead<'_> {
    /// The layer of compiled packages. What does not compile is left out: the build that
    /// needs it says why.
    pub(super) fn compiled(&self) -> Result<Output, Error> {
        let std = Mount::scratch(COMPILED_MOUNT);
        let std = self.step("standard library", std, None, &STANDARD)?;
        let packages: Vec<&str> = self.imports.iter().copied().collect();
        if packages.is_empty() || (self.packed.is_none() && !self.root.vendored) {
            return Ok(std);
        }
        let mount = Mount::bind(COMPILED_MOUNT, &std);
        self.step("packages of modules", mount, Some(self.root), &packages)
    }

    /// A step that compiles packages: of a module root, or of no repository at all.
    fn step(
        &self,
        what: &str,
        compiled: BindMount,
        root: Option<&ModuleRoot>,
        packages: &[&str],
    ) -> Result<Output, Error> {
        let mut mounts: Vec<Mount> = vec![compiled.into()];
        if let (Some(_), Some(packed)) = (root, self.packed) {
            let modules = Mount::bind(MODULE_CACHE, packed);
            let modules = modules.selector(format!("/{MODULES_DIR}"));
            mounts.push(modules.readonly().into());
        }
        let Way {
            mut args,
            cache,
            more,
        } = match &self.beside {
            Some(beside) if root.is_some() => self.through_mount(beside),
            _ => Way::into_layer(),
        };
        mounts.extend(more);
        args.push("-trimpath".to_owned());
        args.extend(go::tags(self.build));
        args.push("--".to_owned());
        args.extend(packages.iter().map(|&package| package.to_owned()));
        let sources = match root {
            Some(root) => Mount::bind(SOURCE_DIR, &self.sources(root)),
            None => Mount::scratch(SOURCE_DIR),
        };
        let dir = root.map_or(SOURCE_DIR.to_owned(), go::work_dir);
        // The standard library is compiled alike for every repository.
        let env = self.env(root.unwrap_or(&ModuleRoot::default()), &cache);
        let exec = go::bare_go_exec(self.builder, mounts, args, &env)
            .mount(sources.no_output())
            .mount(Mount::bind(MARKER_DIR, self.marker).readonly())
            .cwd(dir)
            .name(format!("[{}] compile {what}", self.label(root)));
        let exec = self.settings.offline(exec).build();
        exec.output(COMPILED_MOUNT)
    }

    /// What is in brackets: with a directory where a spec may have several roots.
    fn label(&self, root: Option<&ModuleRoot>) -> String {
        match root.map(|root| root.dir.as_str()) {
            None | Some(".") => self.label.clone(),
            Some(dir) => format!("{} {dir}", self.label),
        }
    }

    /// Into the builds' cache mount, one step at a time, and from there into the layer.
    fn through_mount(&self, beside: &Beside<'_>) -> Way {
        let settings = self.settings;
        let [build, _] = settings.go_caches();
        let turn = format!("compile/{}", beside.module);
        let turn = caches::cache_id(settings.options, settings.owner, &turn);
        Way {
            args: vec![
                format!("{FRONTEND_DIR}{PROGRAM}"),
                "compile".to_owned(),
                format!("--layer={COMPILED_MOUNT}"),
                "--".to_owned(),
            ],
            cache: BUILD_CACHE.to_owned(),
            more: vec![
                Mount::cache(BUILD_CACHE, build).into(),
                Mount::bind(FRONTEND_DIR, beside.frontend).readonly().into(),
                Mount::cache(TURN_DIR, turn).sharing(Sharing::Locked).into(),
            ],
        }
    }

    /// What the packages of other modules come from: manifests, and a `vendor` directory.
    fn sources(&self, root: &ModuleRoot) -> Output {
        let manifests = manifest_tree(root, self.code);
        if !root.vendored {
            return manifests;
        }
        let vendor = join(&root.dir, "vendor");
        let op = FileOp::on(&manifests).copy(tree::below(self.code, &vendor));
        // Compiled here, a package has the key that it has in a build.
        let below = self.index.directories.iter();
        let below = below.filter(|directory| is_inside(&directory.path, &vendor));
        let op = below.fold(op, |op, directory| {
            tree::with_unhashed(op, &directory.path, self.index)
        });
        quiet(op, "vendored modules")
    }

    /// The environment of the build, as far as it decides how packages are compiled.
    fn env(&self, root: &ModuleRoot, cache: &str) -> BTreeMap<String, String> {
        let target = go_target(self.platform);
        let target = target.iter().map(|(name, value)| (*name, value.as_str()));
        let own = self.build.env.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut env: Vec<(&str, &str)> = target.chain(own).collect();
        env.extend([
            ("GOPROXY", "off"),
            ("GOCACHE", cache),
            // No index of modules: these are here in part.
            ("GODEBUG", "goindex=0"),
        ]);
        go::environment(self.builder, root, &env)
    }
}

/// How packages come to be in a layer.
struct Way {
    /// The first words of the step.
    args: Vec<String>,
    /// Go's build cache.
    cache: String,
    /// Mounts beside the layer and the modules.
    more: Vec<Mount>,
}

impl Way {
    /// Go itself writes the layer.
    fn into_layer() -> Self {
        let mut args = vec!["go".to_owned()];
        args.extend(COMPILE.map(str::to_owned));
        Self {
            args,
            cache: format!("{COMPILED_MOUNT}/{COMPILED_DIR}"),
            more: Vec::new(),
        }
    }
}
