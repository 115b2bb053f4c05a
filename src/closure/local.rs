//! Which directories of the repository stand for modules, in the builds of one module root.
//!
//! Rules of the `go` command (modload: `replacementFrom`, `readModGraph`, `importFromModules`
//! of Go 1.26):
//!
//! - a main module stands for its path, whatever replaces it;
//! - a `replace` counts in the main modules and in `go.work`, nowhere else; `go.work` goes
//!   first, and in each file a line with a version before one without;
//! - a `replace` stands for nothing unless something requires the module, and the version
//!   that is replaced is the one that is chosen;
//! - what requires a version that a main module excludes does not count;
//! - since Go 1.17 the main module's own list has the chosen versions; in a workspace, and
//!   before, they are the highest of the module graph.
//!
//! Modules that are fetched may raise a version of that graph, which the repository does not
//! say. Then each directory that may be the one is taken: a closure may be too wide.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::{Index, Module, Replace, Require, With};
use crate::versions;

/// A directory that stands for a module.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// The module's path.
    pub path: String,
    /// The directory.
    pub dir: String,
    /// Whether nothing else can stand for it.
    pub sure: bool,
}

/// The `replace` lines that count, by file: that of `go.work` first, if there is one.
pub(super) struct Replaces<'a> {
    pub(super) workspace: &'a [Replace],
    pub(super) mains: Vec<&'a [Replace]>,
}

impl<'a> Replaces<'a> {
    /// All lines.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Replace> {
        let mains = self.mains.iter().copied().flatten();
        self.workspace.iter().chain(mains)
    }

    /// What stands for a module at a version; nothing if it is the module itself. Go takes
    /// but one, or says that main modules contradict each other.
    fn of(&self, path: &str, version: &str) -> BTreeSet<&'a With> {
        if let Some(with) = replaced(self.workspace, path, version) {
            return BTreeSet::from([with]);
        }
        let mains = self.mains.iter();
        mains
            .filter_map(|lines| replaced(lines, path, version))
            .collect()
    }

    /// The lines that some version of a module may meet.
    fn lines(&self, path: &str) -> Vec<&'a Replace> {
        let of = |lines: &'a [Replace]| lines.iter().filter(|r| r.path == path);
        let mut out: Vec<&Replace> = of(self.workspace).collect();
        if out.iter().all(|r| !r.version.is_empty()) {
            out.extend(self.mains.iter().flat_map(|lines| of(lines)));
        }
        out
    }
}

/// What stands for a module in one file.
fn replaced<'a>(lines: &'a [Replace], path: &str, version: &str) -> Option<&'a With> {
    let of = |version: &str| {
        let mut lines = lines.iter();
        lines.find(|r| r.path == path && r.version == version)
    };
    of(version).or_else(|| of("")).map(|r| &r.with)
}

/// The directories that stand for modules, those of longer paths first; and the paths of modules
/// for which a directory that is not in the context surely stands.
pub(super) fn modules(
    mains: &[&Module],
    replaces: &Replaces<'_>,
    workspace: bool,
    index: &Index,
) -> (Vec<Local>, Vec<String>) {
    let mut out: Vec<Local> = mains
        .iter()
        .map(|module| local(&module.path, &module.dir, true))
        .collect();
    let mut outside = Vec::new();
    let is_main = |path: &str| mains.iter().any(|module| module.path == path);
    let graph = match mains {
        [main] if !workspace && main.is_pruned() => Graph::listed(main),
        _ => Graph::of(mains, replaces, index),
    };
    let paths: BTreeSet<&str> = replaces.all().map(|r| r.path.as_str()).collect();
    for path in paths.into_iter().filter(|path| !is_main(path)) {
        let (found, known) = graph.chosen(path, replaces);
        let sure = known && found.len() == 1;
        if sure && matches!(found.first(), Some(With::Outside(_))) {
            outside.push(path.to_owned());
        }
        let dirs = found.into_iter().filter_map(|with| match with {
            With::Dir(dir) => {
                // What is not there is looked for where the line says it is.
                let place = index.place(dir).path;
                let is_there = index.module_at(&place).is_some();
                Some(local(path, if is_there { &place } else { dir }, sure))
            }
            With::Outside(_) | With::Module(_) => None,
        });
        out.extend(dirs);
    }
    out.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.cmp(b)));
    (out, outside)
}

fn local(path: &str, dir: &str, sure: bool) -> Local {
    Local {
        path: path.to_owned(),
        dir: dir.to_owned(),
        sure,
    }
}

/// The module graph, as far as the repository has it.
#[derive(Default)]
struct Graph<'a> {
    /// The highest version of each module that is surely in the graph.
    least: BTreeMap<&'a str, &'a str>,
    /// The highest one of all that may be.
    most: BTreeMap<&'a str, &'a str>,
    /// Whether fetched modules are in it, with requirements that nobody knows here.
    open: bool,
}

impl<'a> Graph<'a> {
    /// The versions that a `go.mod` lists.
    fn listed(main: &'a Module) -> Self {
        let mut out = Self::default();
        raise(&mut out.least, main, &Excluded::of(&[main]));
        out.most.clone_from(&out.least);
        out
    }

    /// What is reached from main modules through directories. Which of the modules behind
    /// the nearest ones Go reads depends on more than is asked here.
    fn of(mains: &[&'a Module], replaces: &Replaces<'a>, index: &'a Index) -> Self {
        let mut out = Self::default();
        let mut seen: BTreeSet<&str> = mains.iter().map(|m| m.dir.as_str()).collect();
        let mut level: Vec<&Module> = mains.to_vec();
        let mut depth = 0;
        let excluded = Excluded::of(mains);
        while !level.is_empty() {
            let mut next = Vec::new();
            for module in level {
                raise(&mut out.most, module, &excluded);
                if depth < 2 {
                    raise(&mut out.least, module, &excluded);
                }
                for require in excluded.others(module) {
                    if mains.iter().any(|main| main.path == require.path) {
                        continue;
                    }
                    let with = replaces.of(&require.path, &require.version);
                    out.open |= with.is_empty();
                    for with in with {
                        match with {
                            With::Dir(dir) => match index.module_at(&index.place(dir).path) {
                                Some(module) if seen.insert(&module.dir) => next.push(module),
                                Some(_) => {}
                                None => out.open = true,
                            },
                            With::Outside(_) | With::Module(_) => out.open = true,
                        }
                    }
                }
            }
            level = next;
            depth += 1;
        }
        out
    }

    /// What may stand for a replaced module, and whether it is sure that this does.
    fn chosen<'r>(&self, path: &str, replaces: &Replaces<'r>) -> (BTreeSet<&'r With>, bool) {
        let least = self.least.get(path).copied();
        let most = self.most.get(path).copied();
        if !self.open && (least == most || most.is_none()) {
            let found = least.map(|version| replaces.of(path, version));
            return (found.unwrap_or_default(), true);
        }
        let lines = replaces.lines(path).into_iter().filter(|r| {
            let is_lower = |least| versions::modules(&r.version, least).is_lt();
            r.version.is_empty() || !least.is_some_and(is_lower)
        });
        let for_all = lines.clone().all(|r| r.version.is_empty());
        let found = lines.map(|r| &r.with).collect();
        (found, for_all && least.is_some())
    }
}

/// The versions that `exclude` lines of main modules take out: Go does not see who requires
/// them.
struct Excluded<'a>(BTreeSet<&'a Require>);

impl<'a> Excluded<'a> {
    fn of(mains: &[&'a Module]) -> Self {
        Self(mains.iter().flat_map(|main| &main.excludes).collect())
    }

    /// What a module requires beside them.
    fn others<'m>(&self, module: &'m Module) -> impl Iterator<Item = &'m Require> {
        let requires = module.requires.iter();
        requires.filter(|require| !self.0.contains(require))
    }
}

/// Raises versions to those that a module requires.
fn raise<'a>(
    versions: &mut BTreeMap<&'a str, &'a str>,
    module: &'a Module,
    excluded: &Excluded<'_>,
) {
    for require in excluded.others(module) {
        let version = versions.entry(&require.path).or_default();
        if versions::modules(version, &require.version).is_lt() || version.is_empty() {
            *version = &require.version;
        }
    }
}
