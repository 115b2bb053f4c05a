//! The module root of a main package: where its build takes versions from.

use crate::scan::{Index, Module, Workspace, join};

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
    /// Module paths that directories stand for, longest first: what an import
    /// path is looked up in.
    pub local: Vec<(String, String)>,
    /// Paths of required modules that come from elsewhere.
    pub required: Vec<String>,
    /// Paths of modules that stand for others.
    pub forks: Vec<String>,
}

impl ModuleRoot {
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
        let workspace = index
            .workspace_of(&module.dir)
            .filter(|w| w.uses.contains(&module.dir));
        Some(match workspace {
            Some(workspace) => of_workspace(workspace, index),
            None => of_module(module, index),
        })
    }
}

/// The rest of a directory below the `vendor` directory of a module root, which is the import
/// path of its package.
pub(crate) fn below_vendor<'a>(root: &str, dir: &'a str) -> Option<&'a str> {
    let below = dir.strip_prefix(join(root, "vendor").as_str())?;
    below.strip_prefix('/')
}

fn of_module(module: &Module, index: &Index) -> ModuleRoot {
    let main = vec![module.dir.clone()];
    let replaces = module
        .replaces
        .iter()
        .map(|r| (r.path.clone(), r.dir.clone()));
    let mut root = ModuleRoot {
        dir: module.dir.clone(),
        module: module.path.clone(),
        vendored: module.vendored,
        forks: module.forks.clone(),
        ..ModuleRoot::default()
    };
    fill(&mut root, main, replaces.collect(), index);
    root
}

fn of_workspace(workspace: &Workspace, index: &Index) -> ModuleRoot {
    let used = workspace.uses.iter().filter_map(|dir| index.module_at(dir));
    let replaces = used
        .flat_map(|m| &m.replaces)
        .chain(&workspace.replaces)
        .map(|r| (r.path.clone(), r.dir.clone()));
    let used = workspace.uses.iter().filter_map(|dir| index.module_at(dir));
    let forks = used.flat_map(|m| &m.forks).chain(&workspace.forks);
    let first = workspace.uses.iter().find_map(|dir| index.module_at(dir));
    let mut root = ModuleRoot {
        dir: workspace.dir.clone(),
        module: first.map(|module| module.path.clone()).unwrap_or_default(),
        workspace: true,
        vendored: workspace.vendored,
        forks: forks.cloned().collect(),
        ..ModuleRoot::default()
    };
    let replaces = replaces.collect();
    fill(&mut root, workspace.uses.clone(), replaces, index);
    let own = ["go.work", "go.work.sum"].map(|name| join(&workspace.dir, name));
    root.manifests
        .extend(own.into_iter().filter(|path| exists(path, index)));
    root.manifests.sort();
    root
}

/// Fills in what follows from the main modules and the replacements.
fn fill(root: &mut ModuleRoot, mains: Vec<String>, replaces: Vec<(String, String)>, index: &Index) {
    let mut local: Vec<(String, String)> = mains
        .iter()
        .filter_map(|dir| index.module_at(dir))
        .map(|m| (m.path.clone(), m.dir.clone()))
        .collect();
    // With vendored modules, replacements come from the vendor directory as well.
    if !root.vendored {
        local.extend(replaces);
    }
    local.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    local.dedup();
    let used = with_replacements(mains, index);
    let modules: Vec<&Module> = used.iter().filter_map(|dir| index.module_at(dir)).collect();
    root.required = modules
        .iter()
        .flat_map(|m| &m.requires)
        .filter(|path| !local.iter().any(|(l, _)| l == *path))
        .cloned()
        .collect();
    root.required.sort();
    root.required.dedup();
    root.forks.sort();
    root.forks.dedup();
    root.has_requirements = modules.iter().any(|m| !m.requires.is_empty());
    root.manifests = manifests(&used, index);
    root.local = local;
}

/// Adds the modules that local `replace` lines bring in, those of their own
/// included: a superset of what the `go` command reads.
fn with_replacements(mut dirs: Vec<String>, index: &Index) -> Vec<String> {
    let mut next = 0;
    while next < dirs.len() {
        let module = index.module_at(&dirs[next]);
        for replace in module.map(|m| m.replaces.as_slice()).unwrap_or_default() {
            if !dirs.contains(&replace.dir) {
                dirs.push(replace.dir.clone());
            }
        }
        next += 1;
    }
    dirs
}

fn manifests(dirs: &[String], index: &Index) -> Vec<String> {
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
    use crate::scan::Replace;

    #[test]
    fn manifests_follow_local_replaces() {
        let module = |dir: &str, path: &str| Module {
            dir: dir.into(),
            path: path.into(),
            ..Module::default()
        };
        let replace = |path: &str, dir: &str| Replace {
            path: path.into(),
            dir: dir.into(),
        };
        let mut api = module("api", "m/api");
        api.replaces = vec![replace("m/lib", "lib")];
        let mut lib = module("lib", "m/lib");
        lib.replaces = vec![replace("m/api", "api"), replace("m/base", "base")];
        lib.requires = vec!["x.org/y".into()];
        let found = [
            "api/go.mod",
            "api/go.sum",
            "base/go.mod",
            "lib/go.mod",
            "lib/go.sum",
        ];
        let index = Index {
            modules: vec![api, module("base", "m/base"), lib],
            manifests: found.map(str::to_owned).into(),
            ..Index::default()
        };
        let root = ModuleRoot::of("api/cmd", &index).unwrap();
        assert_eq!(root.manifests, found);
        assert!(root.has_requirements);
        // Replacements of the main module alone count.
        let local: Vec<&str> = root.local.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(local, ["m/api", "m/lib"]);
        assert_eq!(root.required, ["x.org/y"]);
    }
}
