//! Whether Go itself builds with a part of the manifests.
//!
//! Almost always the listed modules are all that Go looks into. In some shapes it reads
//! the whole module graph (a module that requires the main module is one), and then
//! it wants sums of modules that no package comes from. So every part is tried out
//! before a build step gets it.
//!
//! A trial loads what the build loads: a main package in the main module that imports
//! everything which the service does, and a package in each module that stands in a
//! directory. Go checks what a module requires when a package comes from it, and looks
//! at what the main module imports otherwise than at what it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::temporary::Temporary;
use crate::fetch::{Go, GoError};
use crate::scan::{is_inside, join};

/// Prints what is wrong with a package, and nothing otherwise.
const FORMAT: &str = "{{with .Error}}{{.}}{{end}}";

/// What says nothing about manifests: packages for other platforms and for cgo, and that the
/// main package of a trial may not import what another package of the repository may.
const HARMLESS: [&str; 4] = [
    "build constraints exclude",
    "when not using cgo",
    "use of internal package",
    "use of vendored package",
];

/// Directory of the packages that are made for a trial.
const PACKAGE: &str = "gofleet_trial";

/// One part of manifests, and what is built with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trial {
    /// Directory that the `go` command runs in: that of the main module.
    pub(super) root: String,
    /// Path of the main module.
    pub(super) main: String,
    /// Texts by path.
    pub(super) manifests: BTreeMap<String, String>,
    /// Links on the way to modules, and what they say.
    pub(super) links: BTreeMap<String, PathBuf>,
    /// Import paths of other modules.
    pub(super) imports: BTreeSet<String>,
    /// Directories of other modules that packages may come from, by module path.
    pub(super) local: BTreeMap<String, String>,
    /// Packages of the repository that other modules import.
    pub(super) back: BTreeSet<String>,
}

impl Trial {
    /// What Go says against it. Without a `go` command there is no objection: then nothing
    /// is built here either.
    pub(super) fn objection(&self, go: &dyn Go) -> Option<String> {
        match self.run(go) {
            Ok(text) => text
                .lines()
                .find(|line| !line.is_empty() && !HARMLESS.iter().any(|h| line.contains(h)))
                .map(|line| go.redact(line)),
            Err(GoError::NotRun) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    fn run(&self, go: &dyn Go) -> Result<String, GoError> {
        if self.imports.is_empty() && self.local.is_empty() {
            return Ok(String::new());
        }
        if !go.tries() {
            return Err(GoError::NotRun);
        }
        let dir = self.written()?;
        let package = format!("./{PACKAGE}");
        let args = [
            "list",
            "-mod=readonly",
            "-e",
            "-deps",
            "-f",
            FORMAT,
            &package,
        ];
        let output = go.try_out(&dir.path().join(&self.root), &args)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The module graph that Go reads with it, as `go mod graph` prints it.
    pub(super) fn graph(&self, go: &dyn Go) -> Result<String, GoError> {
        let dir = self.written()?;
        let output = go.try_out(&dir.path().join(&self.root), &["mod", "graph"])?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn written(&self) -> Result<Temporary, GoError> {
        let dir = Temporary::new("gofleet-modules")?;
        for (path, text) in &self.manifests {
            dir.write(path, text)?;
        }
        for (path, target) in &self.links {
            dir.link(path, target)?;
        }
        let local = self.local.keys().map(|path| format!("{path}/{PACKAGE}"));
        let imports: BTreeSet<String> = self.imports.iter().cloned().chain(local).collect();
        let mut main = "package main\n\n".to_owned();
        for import in imports {
            let _ = writeln!(main, "import _ \"{import}\"");
        }
        main.push_str("\nfunc main() {}\n");
        let file = |dir: &str| join(dir, "trial.go");
        dir.write(&file(&join(&self.root, PACKAGE)), &main)?;
        let own = self.local.values().map(|dir| join(dir, PACKAGE));
        let back = self.back.iter().filter_map(|import| self.dir_of(import));
        for package in own.chain(back) {
            dir.write(&file(&package), "package trial\n")?;
        }
        Ok(dir)
    }

    /// The directory of a package of the repository.
    fn dir_of(&self, import: &str) -> Option<String> {
        let main = (&self.main, &self.root);
        let modules = self.local.iter().chain([main]);
        let (path, dir) = modules
            .filter(|(path, _)| is_inside(import, path))
            .max_by_key(|(path, _)| path.len())?;
        let below = import[path.len()..].trim_start_matches('/');
        Some(join(dir, if below.is_empty() { "." } else { below }))
    }
}

/// Does something with each item, as many side by side as there are processors.
pub(super) fn each<T: Sync, R: Send>(items: &[T], call: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            match items.get(i) {
                Some(item) => answers.push((i, call(item))),
                None => return answers,
            }
        }
    };
    let mut answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(items.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let joined = workers.into_iter().flat_map(|worker| match worker.join() {
            Ok(answers) => answers,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Vec<_>>()
    });
    answers.sort_by_key(|(i, _)| *i);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
