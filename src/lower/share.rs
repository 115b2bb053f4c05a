//! The step that compiles what a service shares with others, in front of its build step.
//!
//! It runs when the build step runs, because it is keyed by the same things, and its
//! result is a constant: that it ran is in no build step's key.

use std::collections::BTreeMap;

use buildkit_llb::{Describe as _, Error, FileOp, Mkfile, Mount, Output};

use super::closures::Closures;
use super::constant::{epoch, quiet};
use super::fetch::{Before, FRONTEND_DIR, MARKER_DIR, NEEDED_MOUNT};
use super::go::{self, Builder, SOURCE_DIR};
use super::scan::PROGRAM;
use super::settings::StepSettings;
use crate::closure::{Closure, ModuleRoot};
use crate::modules::NEEDED_FILE;
use crate::share::Shared;

const SHARED_DIR: &str = "/run/gofleet/shared";
const SHARED_FILE: &str = "shared.json";

/// How many services of a spec have a package, by module root.
#[derive(Debug, Default)]
pub(super) struct Counts<'a>(BTreeMap<&'a ModuleRoot, Count<'a>>);

#[derive(Debug, Default)]
struct Count<'a> {
    services: usize,
    dirs: BTreeMap<&'a str, usize>,
    imports: BTreeMap<&'a str, usize>,
}

impl<'a> Counts<'a> {
    /// Counts over all services of a spec, so that it is the same whatever is built.
    pub(super) fn new(all: &'a Closures) -> Self {
        let mut counts = Self::default();
        for closure in all.iter() {
            let count = counts.0.entry(&closure.root).or_default();
            count.services += 1;
            for dir in closure.directories.keys() {
                *count.dirs.entry(dir).or_default() += 1;
            }
            for import in closure.external.keys() {
                *count.imports.entry(import).or_default() += 1;
            }
        }
        counts
    }

    /// What a service has in common with others; `None` for the only one of its root. With
    /// dependencies in layers, only packages of the repository are left to compile.
    pub(super) fn shared(&self, closure: &Closure, layered: bool) -> Option<Shared> {
        let count = self.0.get(&closure.root).filter(|c| c.services > 1)?;
        let is_shared = |n: Option<&usize>| n.is_some_and(|n| *n > 1);
        let dirs = closure.directories.keys();
        let imports = closure.external.keys();
        Some(Shared {
            root: closure.root.dir.clone(),
            module: closure.root.module.clone(),
            standard: !layered,
            dirs: dirs
                .filter(|dir| is_shared(count.dirs.get(dir.as_str())))
                .filter(|dir| !layered || closure.root.vendored_package(dir).is_none())
                .cloned()
                .collect(),
            imports: imports
                .filter(|_| !layered)
                .filter(|import| is_shared(count.imports.get(import.as_str())))
                .cloned()
                .collect(),
        })
    }
}

/// What the step is made of.
pub(super) struct Share<'a> {
    pub(super) shared: Shared,
    pub(super) builder: &'a Builder,
    pub(super) root: &'a ModuleRoot,
    pub(super) frontend: &'a Output,
    pub(super) settings: StepSettings<'a>,
}

impl Share<'_> {
    /// The marker behind the step.
    pub(super) fn step(&self, before: &Before<'_>) -> Result<Output, Error> {
        let json = serde_json::to_vec(&self.shared).unwrap_or_default();
        let file = Mkfile::new(format!("/{SHARED_FILE}"), json)
            .mode(0o644)
            .timestamp(epoch());
        let shared = quiet(FileOp::new().mkfile(file), "shared packages");
        let mut args = vec![format!("{FRONTEND_DIR}{PROGRAM}"), "share".to_owned()];
        let needed = before.needed();
        if needed.is_some() {
            args.push(format!("--needed={NEEDED_MOUNT}/{NEEDED_FILE}"));
        }
        args.extend([
            format!("{SHARED_DIR}/{SHARED_FILE}"),
            SOURCE_DIR.to_owned(),
            "--".to_owned(),
        ]);
        args.extend(before.args.iter().cloned());
        let mut env = before.env.to_vec();
        env.push(("GOPROXY", "off"));
        let exec = go::go_exec(self.builder, self.root, self.settings, args, &env)
            .mounts(before.sources.iter().cloned())
            .mount(Mount::bind(FRONTEND_DIR, self.frontend).readonly())
            .mount(Mount::bind(SHARED_DIR, &shared).readonly())
            .mount(Mount::bind(MARKER_DIR, before.marker))
            .mount(before.turn.clone())
            .mounts(needed)
            .name(format!(
                "[internal] compile shared packages of {}",
                before.label
            ));
        self.settings.offline(exec).build().output(MARKER_DIR)
    }
}
