//! The module root of a main package: where its build takes versions from.

use std::collections::BTreeSet;

use super::local::{self, Local, Replaces};
use crate::scan::{Index, Link, Module, With, Workspace, is_inside, join};

/// The directory whose manifests decide the versions of all modules of a build,
/// which is also the directory that `go build` runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleRoot {
    /// Relative to the context; `.` is the context itself.
    pub dir: String,
    /// Path of a module in it: what tells one repository from another.
    pub module: String,
    /// Manifests that the `go` command reads there: `go.mod`, `go.sum`, `go.work`
    /// of the module or workspace and of everything it takes from directories,
    /// those that exist.
    pub manifests: Vec<String>,
    /// Whether it is a workspace.
    pub workspace: bool,
    /// Whether modules come from a `vendor` directory: then nothing is fetched.
    pub vendored: bool,
    /// Whether any module is required at all.
    pub has_requirements: bool,
    /// Directories that stand for modules, those of longer paths first: what an import
    /// path is looked up in.
    pub local: Vec<Local>,
    /// Paths of required modules that come from elsewhere.
    pub required: Vec<String>,
    /// Paths of modules for which a directory outside of the context surely stands.
    pub outside: Vec<String>,
    /// Paths of modules that stand for others.
    pub forks: Vec<String>,
    /// Symbolic links on the way to modules.
    pub links: Vec<String>,
    /// Manifests that are symbolic links, and the files that they stand for.
    pub linked: Vec<(String, String)>,
    /// Directories that stand for modules and hold no `go.mod` that was scanned.
    pub absent: Vec<String>,
    /// Links on the way to the modules of a workspace that lead nowhere.
    pub lost: Vec<String>,
}

impl ModuleRoot {
    /// The file with the content of a manifest.
    #[must_use]
    pub fn content_of<'a>(&'a self, manifest: &'a str) -> &'a str {
        let mut linked = self.linked.iter();
        let found = linked.find(|(link, _)| link == manifest);
        found.map_or(manifest, |(_, file)| file)
    }

    /// Whether its builds take modules from elsewhere: then they are downloaded, and
    /// may import packages of the repository. Even with one module they may, if it is
    /// published: they know an older version of it.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.has_requirements && !self.vendored
    }

    /// The import path of a directory with a vendored package; `None` for any other.
    #[must_use]
    pub fn vendored_package<'a>(&self, dir: &'a str) -> Option<&'a str> {
        match self.vendored {
            true => below_vendor(&self.dir, dir),
            false => None,
        }
    }

    /// The root of the module that a package directory belongs to; `None` outside
    /// of every module.
    #[must_use]
    pub fn of(dir: &str, index: &Index) -> Option<Self> {
        let module = index.module_of(dir)?;
        Some(match workspace(dir, index) {
            Some(workspace) => of_workspace(workspace, index),
            None => of_module(module, index),
        })
    }

    /// A directory as the `go` command is to name it, relative to the root: links on the
    /// way stay, unless they lead into the root.
    #[must_use]
    pub fn relative(&self, dir: &str, index: &Index) -> String {
        let place = index.place(dir);
        let inside = [dir, &place.path].into_iter();
        let mut inside = inside.filter(|dir| is_inside(dir, &self.dir));
        let dir = inside.next().unwrap_or(dir);
        let below = match self.dir.as_str() {
            "." => dir,
            root => dir
                .strip_prefix(root)
                .unwrap_or(dir)
                .trim_start_matches('/'),
        };
        match below {
            "" => ".".to_owned(),
            below => below.to_owned(),
        }
    }
}

/// The workspace that the module of a directory is built in: the nearest `go.work` at or
/// above it, if it uses the module.
#[must_use]
pub(crate) fn workspace<'a>(dir: &str, index: &'a Index) -> Option<&'a Workspace> {
    let (at, module) = index.module_above(dir)?;
    let uses = |w: &&Workspace| w.uses.iter().any(|dir| index.place(dir).path == module.dir);
    let found = index.workspace_of(at).filter(uses);
    found.or_else(|| index.workspace_of(&module.dir).filter(uses))
}

/// The rest of a directory below the `vendor` directory of a module root, which is the import
/// path of its package.
pub(crate) fn below_vendor<'a>(root: &str, dir: &'a str) -> Option<&'a str> {
    let below = dir.strip_prefix(join(root, "vendor").as_str())?;
    below.strip_prefix('/')
}

fn of_module(module: &Module, index: &Index) -> ModuleRoot {
    let root = ModuleRoot {
        dir: module.dir.clone(),
        module: module.path.clone(),
        vendored: module.vendored,
        ..ModuleRoot::default()
    };
    let replaces = Replaces {
        workspace: &[],
        mains: vec![&module.replaces],
    };
    fill(root, &[module], &replaces, Places::new(index))
}

fn of_workspace(workspace: &Workspace, index: &Index) -> ModuleRoot {
    let mut places = Places::new(index);
    let dirs: Vec<String> = workspace
        .uses
        .iter()
        .map(|dir| places.module(dir))
        .collect();
    let used: Vec<&Module> = dirs.iter().filter_map(|dir| index.module_at(dir)).collect();
    // Of other modules Go reads those alone that imports lead to.
    let links = places.links.iter();
    let lost = links.filter(|path| index.link_at(path).is_some_and(Link::is_lost));
    let lost: Vec<String> = lost.cloned().collect();
    let root = ModuleRoot {
        dir: workspace.dir.clone(),
        module: used.first().map(|m| m.path.clone()).unwrap_or_default(),
        workspace: true,
        vendored: workspace.vendored,
        lost,
        ..ModuleRoot::default()
    };
    let replaces = Replaces {
        workspace: &workspace.replaces,
        mains: used.iter().map(|m| m.replaces.as_slice()).collect(),
    };
    let mut root = fill(root, &used, &replaces, places);
    let own = ["go.work", "go.work.sum"].map(|name| join(&workspace.dir, name));
    root.manifests
        .extend(own.into_iter().filter(|path| exists(path, index)));
    root.manifests.sort();
    root.linked = linked(&root.manifests, index);
    root
}

/// The manifests that are links.
fn linked(manifests: &[String], index: &Index) -> Vec<(String, String)> {
    let links = manifests.iter().filter_map(|path| index.link_at(path));
    let links = links.filter_map(|link| Some((link.path.clone(), link.file()?.to_owned())));
    links.collect()
}

/// Fills in what follows from the main modules and the replacements.
fn fill(
    mut root: ModuleRoot,
    mains: &[&Module],
    replaces: &Replaces<'_>,
    mut places: Places<'_>,
) -> ModuleRoot {
    let index = places.index;
    (root.local, root.outside) = local::modules(mains, replaces, root.workspace, index);
    // With vendored modules, replacements come from the vendor directory as well.
    if root.vendored {
        root.local.retain(|l| mains.iter().any(|m| m.dir == l.dir));
        root.outside.clear();
    }
    let mut dirs: BTreeSet<String> = mains.iter().map(|m| m.dir.clone()).collect();
    for replace in replaces.all() {
        match &replace.with {
            With::Dir(dir) if root.local.iter().any(|l| l.path == replace.path) => {
                dirs.insert(places.module(dir));
            }
            With::Dir(dir) => _ = dirs.insert(index.place(dir).path),
            With::Module(path) => root.forks.push(path.clone()),
            With::Outside(_) => {}
        }
    }
    root.forks.sort();
    root.forks.dedup();
    let modules: Vec<&Module> = dirs.iter().filter_map(|dir| index.module_at(dir)).collect();
    let is_local = |path: &str| root.local.iter().any(|l| l.sure && l.path == path);
    let required: BTreeSet<&str> = modules
        .iter()
        .flat_map(|m| &m.requires)
        .map(|r| r.path.as_str())
        .filter(|path| !is_local(path))
        .collect();
    root.required = required.into_iter().map(str::to_owned).collect();
    root.has_requirements = modules.iter().any(|m| !m.requires.is_empty());
    root.manifests = manifests(&dirs, index);
    root.linked = linked(&root.manifests, index);
    root.links = places.links.into_iter().collect();
    root.absent = places.absent.into_iter().collect();
    root
}

/// Looks up the directories of modules.
struct Places<'a> {
    index: &'a Index,
    links: BTreeSet<String>,
    absent: BTreeSet<String>,
}

impl<'a> Places<'a> {
    fn new(index: &'a Index) -> Self {
        Self {
            index,
            links: BTreeSet::new(),
            absent: BTreeSet::new(),
        }
    }

    /// The directory of a module, without links.
    fn module(&mut self, dir: &str) -> String {
        let place = self.index.place(dir);
        self.links
            .extend(place.links.into_iter().map(str::to_owned));
        if self.index.module_at(&place.path).is_none() {
            self.absent.insert(place.path.clone());
        }
        place.path
    }
}

fn manifests(dirs: &BTreeSet<String>, index: &Index) -> Vec<String> {
    let mut out: Vec<String> = dirs
        .iter()
        .flat_map(|dir| ["go.mod", "go.sum"].map(|name| join(dir, name)))
        .filter(|path| exists(path, index))
        .collect();
    out.sort();
    out
}

fn exists(manifest: &String, index: &Index) -> bool {
    index.manifests.binary_search(manifest).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    /// An index of modules, each a directory with what its `go.mod` has beside its path.
    fn index(modules: &[(&str, &str, &str)], work: Option<&str>) -> Index {
        let mut files = Vec::new();
        for (dir, path, lines) in modules {
            files.push((join(dir, "go.mod"), format!("module {path}\n{lines}\n")));
            files.push((join(dir, "go.sum"), String::new()));
        }
        files.extend(work.map(|text| ("go.work".to_owned(), text.to_owned())));
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (&**p, &**t)).collect();
        crate::scan::scan(tree(&files).path(), &[]).unwrap()
    }

    /// `path=dir` of what stands for modules; with `?` where something else may.
    fn local(root: &ModuleRoot) -> Vec<String> {
        let text = |l: &Local| format!("{}={}{}", l.path, l.dir, if l.sure { "" } else { "?" });
        root.local.iter().map(text).collect()
    }

    #[test]
    fn replacements_of_the_main_module_alone_count() {
        let index = index(
            &[
                (
                    "api",
                    "m/api",
                    "go 1.26\nrequire m/lib v0.0.0\nreplace m/lib => ../lib",
                ),
                ("base", "m/base", ""),
                (
                    "lib",
                    "m/lib",
                    "require m/base v0.0.0\nrequire x.org/y v1.0.0\nreplace m/base => ../base",
                ),
            ],
            None,
        );
        let root = ModuleRoot::of("api/cmd", &index).unwrap();
        let manifests = ["api/go.mod", "api/go.sum", "lib/go.mod", "lib/go.sum"];
        assert_eq!(root.manifests, manifests);
        assert!(root.has_requirements);
        assert_eq!(local(&root), ["m/api=api", "m/lib=lib"]);
        assert_eq!(root.required, ["m/base", "x.org/y"]);
    }

    #[test]
    fn the_listed_version_decides_what_is_replaced() {
        let lib = |go: &str, required: &str| {
            let lines = format!(
                "{go}\nrequire (\nm/lib {required}\nx.org/y v1.0.0\n)\nreplace (\n\
                 m/lib v1.1.0 => ./old\nm/lib v1.2.0 => ./new\nm/unused => ./unused\n\
                 m/far v1.0.0 => x.org/fork v1.0.0\n)"
            );
            let old = ("old", "m/lib", "");
            let modules = [(".", "m", lines.as_str()), ("new", "m/lib", ""), old];
            local(&ModuleRoot::of(".", &index(&modules, None)).unwrap())
        };
        assert_eq!(lib("go 1.17", "v1.2.0"), ["m/lib=new", "m=."]);
        assert_eq!(lib("go 1.17", "v1.1.0"), ["m/lib=old", "m=."]);
        assert_eq!(lib("go 1.17", "v1.0.0"), ["m=."]);
        let excluded = "go 1.17\nexclude m/lib v1.2.0\nrequire m/lib v1.1.0";
        assert_eq!(lib(excluded, "v1.2.0"), ["m/lib=old", "m=."]);
        // Before, whatever `x.org/y` requires may raise the version.
        let both = ["m/unused=unused?", "m/lib=new?", "m/lib=old?", "m=."];
        assert_eq!(lib("go 1.16", "v1.1.0"), both);
        assert_eq!(lib("", "v1.2.0"), ["m/unused=unused?", "m/lib=new?", "m=."]);
    }

    #[test]
    fn the_workspace_goes_before_its_modules_and_these_before_replacements() {
        let app = "go 1.26\nrequire m/lib v1.0.0\nreplace m/lib => ../lib\n\
                   replace m/tool v0.1.0 => ../lib";
        let modules = [
            ("app", "m/app", app),
            ("lib", "m/lib", "go 1.26\nrequire m/deep v1.1.0"),
            (
                "other",
                "m/lib",
                "go 1.26\nrequire m/deep v1.1.0\nrequire m/tool v0.1.0",
            ),
            ("tool", "m/tool", "go 1.26\nrequire m/deep v1.0.0"),
        ];
        let found = |work: &str| {
            let index = index(&modules, Some(&format!("go 1.26\nuse ./app\n{work}\n")));
            local(&ModuleRoot::of("app", &index).unwrap())
        };
        // `m/deep` is fetched, and may require `m/tool`.
        assert_eq!(found(""), ["m/tool=lib?", "m/app=app", "m/lib=lib"]);
        assert_eq!(
            found("replace m/lib => ./other\nuse ./tool"),
            ["m/tool=tool", "m/app=app", "m/lib=other"]
        );
        assert_eq!(
            found("replace m/lib v1.0.0 => ./other\nreplace m/deep => ./tool"),
            ["m/deep=tool", "m/tool=lib", "m/app=app", "m/lib=other"]
        );
        assert_eq!(
            found("replace m/lib v1.1.0 => ./other\nreplace m/deep => ./tool"),
            ["m/deep=tool", "m/app=app", "m/lib=lib"]
        );
        assert_eq!(
            found("replace m/lib => x.org/fork v1.0.0"),
            ["m/tool=lib?", "m/app=app"]
        );
        // The highest version of all that is required, whoever does.
        let deep = "replace m/lib => ./other\nuse ./tool\n\
                    replace (\nm/deep v1.0.0 => ./lib\nm/deep v1.1.0 => ./other\n)";
        assert_eq!(
            found(deep),
            ["m/deep=other", "m/tool=tool", "m/app=app", "m/lib=other"]
        );
    }
}
