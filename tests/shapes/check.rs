//! Compares what gofleet says of a repository, and what is built of it, with the `go`
//! command.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gofleet::fetch::GoCommand;
use gofleet::fleet::Fleet;
use gofleet::ignore::Rules;
use gofleet::local::Local;
use gofleet::modules::{self, ModuleCache, Request, ServiceRequest};

use crate::draft::Main;
use crate::edit::{bump, editable};
use crate::features::{self, Feature};
use crate::finding::{Finding, Kind, finding};
use crate::go::{Built, Go};
use crate::places::pipe;
use crate::rng::Rng;
use crate::toolchain;
use crate::tree::{Entry, Tree};
use crate::world::World;

/// Edits of each repository.
const EDITS: usize = 3;

/// What a build of one service is made of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Names and contents; of manifests the part that a build gets.
    pub(crate) tree: Tree,
    root: String,
    vendored: bool,
}

/// The checks of one run.
pub(crate) struct Check {
    scratch: PathBuf,
    pub(crate) go: Go,
    pub(crate) world: World,
    pub(crate) counts: RefCell<Counts>,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) mains: usize,
    pub(crate) built: usize,
    pub(crate) edits: usize,
    pub(crate) changed: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            mains,
            built,
            edits,
            changed,
        } = self;
        write!(
            f,
            "{mains} services, {built} of them build; {edits} edits changed {changed} programs"
        )
    }
}

impl Check {
    /// `warm` is a build cache that several runs share.
    pub(crate) fn new(scratch: &Path, warm: &Path) -> Self {
        let world = World::new(scratch.join("proxy"));
        Self {
            go: Go::new(scratch, warm, &world),
            scratch: scratch.to_owned(),
            world,
            counts: RefCell::default(),
        }
    }

    /// Where the modules are that the tool fetches; the environment names it too.
    pub(crate) fn fetched(scratch: &Path) -> PathBuf {
        scratch.join("fetched")
    }

    /// Everything that can be checked without a daemon; of a finding that is looked for again
    /// only what it is about.
    pub(crate) fn host(
        &self,
        seed: u64,
        features: &[(usize, Feature)],
        again: Option<&Finding>,
    ) -> Result<(), Finding> {
        let _ = fs::remove_dir_all(Self::fetched(&self.scratch));
        self.go.forget();
        let draft = features::draft(features);
        let tree = self.go.materialised(&draft, "nonce", &self.world);
        let of = |main: &&Main| {
            let named = again.and_then(|found| found.main.as_ref());
            named.is_none_or(|name| *name == main.name)
        };
        let mains: Vec<&Main> = draft.mains.iter().filter(of).collect();
        let mut before: BTreeMap<String, (Built, Option<Sources>)> = BTreeMap::new();
        let mut closures = BTreeSet::new();
        for main in &mains {
            let compared = self.compare(&tree, main);
            let (clean, sources) = compared.map_err(|found| found.of(main))?;
            self.counts.borrow_mut().mains += 1;
            self.counts.borrow_mut().built += usize::from(clean.is_ok());
            if let Some(sources) = sources.as_ref().filter(|_| clean.is_ok()) {
                closures.extend(sources.tree.0.keys().cloned());
            }
            before.insert(main.name.clone(), (clean, sources));
        }
        // What is discovered may be more than that.
        let all = mains.len() == draft.mains.len() && !draft.discovers;
        if all && before.values().all(|(clean, _)| clean.is_ok()) {
            self.objects(&tree)?;
        }
        if again.is_some_and(|found| !found.edited) {
            return Ok(());
        }
        let mut rng = Rng::new(seed);
        let editable: Vec<&String> = editable(&tree).collect();
        let (inside, outside): (Vec<&String>, Vec<&String>) = editable
            .into_iter()
            .partition(|path| closures.contains(*path));
        let mut edits: Vec<&String> = Vec::new();
        for _ in 0..EDITS.min(inside.len()) {
            edits.push(*rng.pick(&inside));
        }
        // Go's build cache does not see all of them.
        edits.extend(inside.iter().filter(|path| !path.ends_with(".go")));
        edits.sort();
        edits.dedup();
        if !outside.is_empty() {
            edits.push(*rng.pick(&outside));
        }
        for path in edits {
            let mut edited = tree.clone();
            bump(&mut edited, path);
            self.counts.borrow_mut().edits += 1;
            for main in mains.iter().filter(|main| before[&main.name].0.is_ok()) {
                let (was, old) = &before[&main.name];
                let compared = self.compare_edited(&edited, main, was, old.as_ref(), path);
                let edited = |found: Finding| Finding {
                    edited: true,
                    ..found.of(main)
                };
                let (clean, new) = compared.map_err(edited)?;
                self.counts.borrow_mut().changed += usize::from(clean);
                if !clean && new && !closures.contains(path) {
                    let text = format!("{path} is in its closure");
                    return finding(Kind::Wide, text).map_err(edited);
                }
            }
        }
        Ok(())
    }

    /// Where all services build, `gofleet check` has no errors.
    fn objects(&self, tree: &Tree) -> Result<(), Finding> {
        let (context, _) = self.places(tree);
        match Local::new(context.join("fleet.yaml"), context).check() {
            Ok(_) => Ok(()),
            Err(problem) => finding(Kind::Refused, format!("check: {problem}")),
        }
    }

    /// Whether the program changed, and whether the closure did.
    fn compare_edited(
        &self,
        tree: &Tree,
        main: &Main,
        was: &Built,
        old: Option<&Sources>,
        path: &str,
    ) -> Result<(bool, bool), Finding> {
        let (context, whole) = self.places(tree);
        if tree.0.keys().any(|path| path.ends_with(".s")) {
            // Go's build cache does not see every header.
            self.go.forget();
        }
        let clean = self.go.build(&whole, main);
        let sources = self.sources(&context, main).ok();
        let changed = clean != *was;
        if sources.as_ref() == old {
            return match changed {
                true => finding(Kind::Stale, format!("{path} was edited")),
                false => Ok((false, false)),
            };
        }
        let alone = match &sources {
            Some(sources) => self.alone(main, sources),
            None => Err("no closure".to_owned()),
        };
        same(&clean, &alone)?;
        Ok((changed, true))
    }

    /// The context, and the same without what its ignore file hides.
    pub(crate) fn places(&self, tree: &Tree) -> (PathBuf, PathBuf) {
        let (context, whole) = (self.scratch.join("context"), self.scratch.join("whole"));
        tree.put(&context);
        // It may be a link.
        let Ok(text) = fs::read(context.join(".dockerignore")) else {
            return (context.clone(), context);
        };
        let rules = Rules::parse(&text);
        let mut visible = tree.clone();
        visible.0.retain(|path, _| rules.hidden_by(path).is_none());
        visible.put(&whole);
        (context, whole)
    }

    fn compare(&self, tree: &Tree, main: &Main) -> Result<(Built, Option<Sources>), Finding> {
        let (context, whole) = self.places(tree);
        if tree.0.keys().any(|path| path.ends_with(".s")) {
            // Go's build cache does not see every header.
            self.go.forget();
        }
        let clean = self.go.build(&whole, main);
        let local = Local::new(context.join("fleet.yaml"), context.clone());
        if let Some(pipe) = pipe(&whole, main) {
            return match local.check() {
                Err(_) => Ok((clean, None)),
                Ok(_) => finding(Kind::OnlyTheClosureBuilds, format!("{pipe} is no file")),
            };
        }
        let sources = match catch_unwind(AssertUnwindSafe(|| self.sources(&context, main))) {
            Ok(sources) => sources,
            Err(_) => return finding(Kind::Panic, "the closure"),
        };
        let sources = match (sources, &clean) {
            (Ok(sources), _) => sources,
            (Err(_), Err(_)) => return Ok((clean, None)),
            (Err(problem), Ok(_)) => {
                return finding(Kind::Refused, problem.to_string());
            }
        };
        let Ok(graph) = catch_unwind(|| local.graph(Some(main.name.clone()))) else {
            return finding(Kind::Panic, "the graph");
        };
        if let (Ok(graph), Some(Entry::File(spec))) = (&graph, tree.0.get("fleet.yaml"))
            && !String::from_utf8_lossy(spec).contains("\ngo:")
        {
            toolchain::check(&self.go, &whole, main, graph)?;
        }
        if clean.is_err() && graph.is_err() {
            return Ok((clean, None));
        }
        let alone = self.alone(main, &sources);
        if clean.is_ok() {
            if let Err(problem) = graph {
                return finding(Kind::Refused, problem.to_string());
            }
            self.lists(&context, &whole, main, &sources)?;
        }
        same(&clean, &alone)?;
        if clean.is_ok() {
            let wide = sources.tree.0.keys().find(|path| {
                path.contains("unrelated/")
                    && !path.ends_with("go.mod")
                    && !path.ends_with("unrelated/x.go")
            });
            if let Some(path) = wide {
                return finding(Kind::Wide, format!("{path} is in its closure"));
            }
        }
        Ok((clean, Some(sources)))
    }

    /// The closure holds what `go list` names, on the daemon's platform and on another.
    fn lists(
        &self,
        context: &Path,
        whole: &Path,
        main: &Main,
        sources: &Sources,
    ) -> Result<(), Finding> {
        let context = fs::canonicalize(context).unwrap();
        let ours: BTreeSet<String> = sources
            .tree
            .0
            .keys()
            .filter_map(|path| fs::canonicalize(context.join(path)).ok())
            .filter_map(|path| Some(path.strip_prefix(&context).ok()?.to_str()?.to_owned()))
            .collect();
        for arch in ["amd64", "arm64"] {
            let named = self.go.list(whole, main, arch);
            let missed: Vec<&String> = named.difference(&ours).collect();
            if !missed.is_empty() {
                return finding(
                    Kind::Missed,
                    format!("{missed:?}, which go list names for {arch}"),
                );
            }
        }
        Ok(())
    }

    /// What gofleet gives to a build.
    fn sources(&self, context: &Path, main: &Main) -> Result<Sources, String> {
        let local = Local::new(context.join("fleet.yaml"), context.to_owned());
        let mut manifests: BTreeMap<String, String> = BTreeMap::new();
        // What is fetched may import packages of the repository.
        for _ in 0..4 {
            let fleet = Fleet::of_service(&local, &main.name).map_err(|p| p.to_string())?;
            let member = &fleet.services[&main.name];
            let closure = member.closure.as_ref().ok_or("in no module")?;
            let from = &closure.root;
            let mut tree = Tree::default();
            for path in member.files.keys() {
                let entry = Tree::entry(context, path);
                tree.0.extend(entry.map(|entry| (path.clone(), entry)));
            }
            let known = manifests.clone();
            if from.is_fetching() {
                let src = self.scratch.join("manifests");
                let _ = fs::remove_dir_all(&src);
                fs::create_dir_all(&src).unwrap();
                fs::create_dir_all(src.join(&from.dir)).unwrap();
                for path in &from.manifests {
                    let to = src.join(path);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(context.join(path), to).map_err(|e| e.to_string())?;
                }
                for path in &from.links {
                    let to = src.join(path);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    let target = fs::read_link(context.join(path)).map_err(|e| e.to_string())?;
                    symlink(target, to).map_err(|e| e.to_string())?;
                }
                let service = ServiceRequest::new("app".to_owned(), closure, &main.tags);
                let request = Request::new(from, vec![service]);
                let cache = ModuleCache::of_environment();
                let answer = modules::resolve(&request, &src, &cache, &GoCommand::default());
                if let Some(problem) = answer.problems.first() {
                    return Err(format!("{problem:?}"));
                }
                manifests = answer
                    .services
                    .into_values()
                    .next()
                    .map_or(BTreeMap::new(), |part| part.manifests);
            }
            let sources = Sources {
                tree,
                root: from.dir.clone(),
                vendored: from.vendored,
            };
            if manifests == known {
                let mut sources = sources;
                for (path, text) in manifests {
                    // The build sees a file, whatever it was.
                    sources.tree.write(path, text);
                }
                return Ok(sources);
            }
        }
        Err("no end of packages that modules import".to_owned())
    }

    /// A build that sees the closure and nothing else.
    fn alone(&self, main: &Main, sources: &Sources) -> Built {
        let dir = self.scratch.join("alone");
        sources.tree.put(&dir);
        if sources.tree.0.keys().any(|path| path.ends_with(".s")) {
            self.go.forget();
        }
        let root = dir.join(&sources.root);
        fs::create_dir_all(&root).unwrap();
        let below = match sources.root.as_str() {
            "." => main.dir.as_str(),
            root => main.dir.strip_prefix(root).unwrap_or(&main.dir),
        };
        let package = match below.trim_start_matches('/') {
            "" | "." => ".".to_owned(),
            below => format!("./{below}"),
        };
        let fetched = Self::fetched(&self.scratch);
        self.go
            .build_alone(&root, &package, main, sources.vendored, &fetched)
    }
}

fn same(clean: &Built, alone: &Built) -> Result<(), Finding> {
    match (clean, alone) {
        (Ok(clean), Ok(alone)) if clean == alone => Ok(()),
        (Err(_), Err(_)) => Ok(()),
        (Ok(_), Ok(_)) => finding(Kind::Differs, "another program than go build's"),
        (Ok(_), Err(error)) => finding(Kind::ClosureFails, error),
        (Err(error), Ok(_)) => finding(Kind::OnlyTheClosureBuilds, error),
    }
}
