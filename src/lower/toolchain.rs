//! Which Go builds a service, and where: module, workspace, builder image.
//!
//! In: plan and scan index. Out: one [`Toolchain`] per service. Pure.

use super::problems;
use crate::diag::Diagnostic;
use crate::plan::{self, GoSetting, Plan, Service};
use crate::scan::{Index, Module, Workspace};

/// Builder image when neither the spec nor the module says which Go it needs.
const ANY_GO: &str = "golang:1";

/// How one service is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Image reference as a user would type it, such as `golang:1.26`.
    pub(super) builder: String,
    /// What the service's build takes its versions from.
    pub(super) root: ModuleRoot,
}

/// The directory whose manifests decide the versions of all modules of a build,
/// which is also the directory that `go build` runs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ModuleRoot {
    /// Relative to the context; `.` is the context itself.
    pub(super) dir: String,
    /// Path of a module in it: what tells one repository from another.
    pub(super) module: String,
    /// Manifests that the `go` command reads there: `go.mod`, `go.sum`, `go.work`
    /// of the module or workspace and of everything it takes from directories.
    pub(super) manifests: Vec<String>,
    /// Whether modules come from a `vendor` directory: then nothing is fetched.
    pub(super) vendored: bool,
    /// Whether any module is required at all.
    pub(super) has_requirements: bool,
}

/// Finds the toolchain of a service.
///
/// # Errors
///
/// A located diagnostic when the main package does not exist, or is in no module.
pub(super) fn of_service(
    plan: &Plan,
    service: &Service,
    index: &Index,
) -> Result<Toolchain, Diagnostic> {
    let dir = service.main.value.as_str();
    if !index.mains.iter().any(|main| main == dir) {
        return Err(plan::missing_main(
            &service.main,
            &service.name,
            &index.suggestions(),
        ));
    }
    let Some(module) = index.module_of(dir) else {
        return Err(problems::no_module(service));
    };
    let workspace = index
        .workspace_of(&module.dir)
        .filter(|w| w.uses.contains(&module.dir));
    Ok(Toolchain {
        builder: builder(&plan.go, module, workspace),
        root: match workspace {
            Some(workspace) => workspace_root(workspace, index),
            None => module_root(module, index),
        },
    })
}

/// The spec's word, or the newest Go that the manifests ask for.
fn builder(go: &GoSetting, module: &Module, workspace: Option<&Workspace>) -> String {
    match go {
        GoSetting::Image(reference) => reference.value.clone(),
        GoSetting::Version(version) => format!("golang:{}", version.value),
        GoSetting::FromModule => {
            let (toolchain, go) = match workspace {
                Some(w) => (&w.toolchain, &w.go),
                None => (&module.toolchain, &module.go),
            };
            // A `toolchain` line names the very release that developers use. A `go`
            // line is a minimum: the newest patch of that release serves it, and
            // has its security fixes.
            match (
                toolchain.as_deref().filter(|t| is_release(t)),
                go.as_deref(),
            ) {
                (Some(toolchain), _) => format!("golang:{toolchain}"),
                (None, Some(go)) => format!("golang:{}", without_patch(go)),
                (None, None) => ANY_GO.to_owned(),
            }
        }
    }
}

/// `1.26.8` or `1.27rc1`, not `default` or `1.26.8-custom`.
fn is_release(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('-')
}

/// `1.26.3` → `1.26`; release candidates are kept: no newer patch exists.
fn without_patch(version: &str) -> &str {
    match version.match_indices('.').nth(1) {
        Some((dot, _)) => &version[..dot],
        None => version,
    }
}

fn module_root(module: &Module, index: &Index) -> ModuleRoot {
    let used = with_replacements(vec![module.dir.clone()], index);
    ModuleRoot {
        dir: module.dir.clone(),
        module: module.path.clone(),
        manifests: manifests(&used),
        vendored: module.vendored,
        has_requirements: requires_any(&used, index),
    }
}

fn workspace_root(workspace: &Workspace, index: &Index) -> ModuleRoot {
    let used = with_replacements(workspace.uses.clone(), index);
    let first = index
        .modules
        .iter()
        .find(|module| workspace.uses.first() == Some(&module.dir));
    let mut manifests = manifests(&used);
    manifests.extend(["go.work", "go.work.sum"].map(|name| join(&workspace.dir, name)));
    manifests.sort();
    ModuleRoot {
        dir: workspace.dir.clone(),
        module: first.map(|module| module.path.clone()).unwrap_or_default(),
        manifests,
        vendored: workspace.vendored,
        has_requirements: requires_any(&used, index),
    }
}

/// Adds the modules that local `replace` lines bring in, those of their own
/// included: a superset of what the `go` command reads.
fn with_replacements(mut dirs: Vec<String>, index: &Index) -> Vec<String> {
    let mut next = 0;
    while next < dirs.len() {
        let module = index.modules.iter().find(|m| m.dir == dirs[next]);
        for dir in module.map(|m| m.replaces.as_slice()).unwrap_or_default() {
            if !dirs.contains(dir) {
                dirs.push(dir.clone());
            }
        }
        next += 1;
    }
    dirs
}

fn manifests(dirs: &[String]) -> Vec<String> {
    let mut out: Vec<String> = dirs
        .iter()
        .flat_map(|dir| ["go.mod", "go.sum"].map(|name| join(dir, name)))
        .collect();
    out.sort();
    out
}

fn requires_any(dirs: &[String], index: &Index) -> bool {
    index
        .modules
        .iter()
        .any(|m| dirs.contains(&m.dir) && m.has_requirements)
}

/// Joins a directory of the context and a name, without a `./` in front.
pub(super) fn join(dir: &str, name: &str) -> String {
    if dir == "." {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(dir: &str, go: &str) -> Module {
        Module {
            dir: dir.into(),
            go: Some(go.into()),
            ..Module::default()
        }
    }

    #[test]
    fn the_go_line_is_a_minimum_and_the_toolchain_line_is_exact() {
        let builder = |m: &Module| builder(&GoSetting::FromModule, m, None);
        assert_eq!(builder(&module(".", "1.26")), "golang:1.26");
        assert_eq!(builder(&module(".", "1.26.3")), "golang:1.26");
        assert_eq!(builder(&module(".", "1.27rc1")), "golang:1.27rc1");
        assert_eq!(builder(&Module::default()), "golang:1");
        let mut pinned = module(".", "1.25.0");
        pinned.toolchain = Some("1.26.8".into());
        assert_eq!(builder(&pinned), "golang:1.26.8");
        pinned.toolchain = Some("default".into());
        assert_eq!(builder(&pinned), "golang:1.25");
    }

    #[test]
    fn manifests_follow_local_replaces() {
        let mut api = module("api", "1.26");
        api.replaces = vec!["lib".into()];
        let mut lib = module("lib", "1.26");
        lib.replaces = vec!["api".into(), "base".into()];
        lib.has_requirements = true;
        let index = Index {
            modules: vec![api.clone(), lib, module("base", "1.26")],
            ..Index::default()
        };
        let root = module_root(&api, &index);
        assert_eq!(
            root.manifests,
            [
                "api/go.mod",
                "api/go.sum",
                "base/go.mod",
                "base/go.sum",
                "lib/go.mod",
                "lib/go.sum"
            ]
        );
        assert!(root.has_requirements);
    }
}
