//! One repository from download to verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use gofleet::closure::{Closure, Source, closure, files};
use gofleet::fetch::GoCommand;
use gofleet::modules::{self, ModuleCache, Request, ServiceRequest};
use gofleet::scan::scan;
use gofleet::survey::{Survey, survey};

use crate::build::{Outcome, compare};
use crate::exact::{self, Exact};
use crate::modules::{HIDDEN, Repo};
use crate::prepare::prepare;
use crate::report::{Main, Verdict};
use crate::{Result, fail};

/// Prepares a repository, compares all closures, builds some, and cleans up.
pub(crate) fn judge(repo: &Repo, scratch: &Path, lists_only: bool) -> Result<Verdict> {
    let _ = fs::remove_dir_all(scratch);
    let root = scratch.join("tree");
    prepare(repo, &root)?;
    // The `go` command names directories by their real paths.
    let verdict = verdict(repo, &root.canonicalize()?, scratch, lists_only);
    fs::remove_dir_all(scratch)?;
    verdict
}

fn verdict(repo: &Repo, root: &Path, scratch: &Path, lists_only: bool) -> Result<Verdict> {
    let mut out = Verdict::new(repo.name);
    let began = Instant::now();
    let index = scan(root, &[])?;
    let mains = index.suggestions();
    let closures = mains.iter().filter_map(|main| closure(main, &[], &index));
    std::hint::black_box(closures.count());
    out.closures_took = began.elapsed();
    let hidden = HIDDEN.iter().filter(|(name, _)| *name == repo.name);
    let wanted: Vec<(String, Vec<String>)> = mains
        .iter()
        .cloned()
        .chain(hidden.map(|(_, dir)| (*dir).to_owned()))
        .map(|dir| (dir, Vec::new()))
        .collect();
    let found = survey(root, &wanted)?;
    out.go_files = found
        .index
        .directories
        .iter()
        .flat_map(|d| &d.files)
        .count();

    let bases = bases(&found);
    missing_mains(root, &found, &mains, &mut out)?;
    let mut exact = Exact::new();
    for (base, dirs) in &bases {
        let began = Instant::now();
        exact::list(root, base, dirs, &mut exact)?;
        out.lists_took += began.elapsed() / 8;
    }
    let mut sizes = Sizes {
        root,
        known: BTreeMap::new(),
    };
    for (main, closure) in &found.closures {
        let files = files(root, closure, &found.index);
        let Some(exact) = exact.get(main) else {
            return fail(format!("{main} was not listed"));
        };
        let missed = exact
            .iter()
            .filter(|file| !files.contains_key(*file))
            .cloned()
            .collect();
        let sources = files
            .iter()
            .filter(|(_, source)| **source != Source::Manifest)
            .filter(|(file, _)| !is_included(file) || exact.contains(*file));
        let mut surplus: BTreeMap<String, u64> = BTreeMap::new();
        for (file, _) in sources.clone().filter(|(file, _)| !exact.contains(*file)) {
            let dir = file.rsplit_once('/').map_or(".", |(dir, _)| dir);
            *surplus.entry(dir.to_owned()).or_default() += sizes.of(file);
        }
        out.mains.push(Main {
            dir: main.clone(),
            missed,
            bytes: sources.map(|(file, _)| sizes.of(file)).sum(),
            exact_bytes: exact.iter().map(|file| sizes.of(file)).sum(),
            surplus: surplus.into_iter().collect(),
            doubts: closure.doubts.clone(),
        });
    }
    if !lists_only {
        builds(repo, root, scratch, &found, &mut out)?;
    }
    Ok(out)
}

/// Main packages by the directory that their build runs in.
fn bases(found: &Survey) -> BTreeMap<String, Vec<&String>> {
    let mut bases: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for (main, closure) in &found.closures {
        bases
            .entry(closure.root.dir.clone())
            .or_default()
            .push(main);
    }
    bases
}

/// Main packages that the `go` command finds and the scan does not.
fn missing_mains(root: &Path, found: &Survey, mains: &[String], out: &mut Verdict) -> Result<()> {
    let mut expected = BTreeSet::new();
    for module in &found.index.modules {
        if !module.dir.split('/').any(|part| part == "vendor") {
            exact::mains(root, &module.dir, &mut expected)?;
        }
    }
    let unknown = expected.iter().filter(|dir| !mains.contains(dir));
    out.unknown_mains = unknown.cloned().collect();
    Ok(())
}

/// Builds as many mains as the list says, from the smallest to the largest.
fn builds(
    repo: &Repo,
    root: &Path,
    scratch: &Path,
    found: &Survey,
    out: &mut Verdict,
) -> Result<()> {
    let mut order: Vec<&Main> = out.mains.iter().filter(|m| m.exact_bytes > 0).collect();
    order.sort_by_key(|main| main.bytes);
    let count = repo.builds.min(order.len());
    let chosen: Vec<String> = (0..count)
        .map(|i| match count {
            1 => order[order.len() / 2],
            _ => order[(order.len() - 1) * i / (count - 1)],
        })
        .map(|main| main.dir.clone())
        .collect();
    for main in chosen {
        let closure = &found.closures[&main];
        let files = files(root, closure, &found.index);
        let sources = files.iter().filter(|(_, why)| **why != Source::Manifest);
        let sources = sources.map(|(path, _)| path);
        let mut cut = false;
        let manifests = || {
            let (texts, is_part) = manifests(root, closure)?;
            cut = is_part;
            Ok(texts)
        };
        let outcome = compare(root, &closure.root.dir, &main, sources, manifests, scratch)?;
        out.cut += usize::from(cut);
        match outcome {
            Outcome::Same => out.same.push(main),
            Outcome::NeitherBuilds => out.unbuildable.push(main),
            Outcome::Differs(text) => out.different.push(format!("{main}: {text}")),
        }
    }
    Ok(())
}

/// The manifests that a build step gets, and whether they are a part of the whole.
fn manifests(root: &Path, closure: &Closure) -> Result<(BTreeMap<String, String>, bool)> {
    let from = &closure.root;
    if from.is_fetching() {
        let service = ServiceRequest::new(closure.main.clone(), closure, &[]);
        let request = Request::new(from, vec![service]);
        let (cache, go) = (ModuleCache::of_environment(), GoCommand::default());
        let answer = modules::resolve(&request, root, &cache, &go);
        if let Some(part) = answer.services.into_values().next() {
            return Ok((part.manifests, part.whole.is_none()));
        }
    }
    let mut texts = BTreeMap::new();
    for path in &closure.manifests {
        texts.insert(path.clone(), fs::read_to_string(root.join(path))?);
    }
    Ok((texts, false))
}

/// Whether C code of other directories includes such files: `go list` names them
/// nowhere, so they count on neither side.
fn is_included(file: &str) -> bool {
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(
        extension,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "m"
    )
}

/// Sizes of files, each asked for once.
struct Sizes<'a> {
    root: &'a Path,
    known: BTreeMap<String, u64>,
}

impl Sizes<'_> {
    fn of(&mut self, file: &str) -> u64 {
        if let Some(size) = self.known.get(file) {
            return *size;
        }
        let size = fs::symlink_metadata(self.root.join(file)).map_or(0, |meta| meta.len());
        self.known.insert(file.to_owned(), size);
        size
    }
}
