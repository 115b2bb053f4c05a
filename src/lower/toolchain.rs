//! Which Go builds a service, and where: module, workspace, builder image.
//!
//! In: plan and scan index. Out: one [`Toolchain`] per service. Pure.

use std::collections::BTreeMap;

use buildkit_llb::Platform;

use super::problems;
use crate::closure::{ModuleRoot, workspace};
use crate::diag::{Diagnostic, Rule, Span};
use crate::plan::{self, GoSetting, Plan, Service};
use crate::scan::{Index, Module, Workspace, gomod, join};
use crate::versions::Go;

/// The official images.
const OFFICIAL: &str = "golang:";

/// The smallest official image of a version. It has the same Go, so programs without cgo are
/// the same, and it is a quarter of what a fresh builder has to pull.
const SMALL: &str = "-alpine";

/// Builder image when neither the spec nor the module says which Go it needs.
const ANY_GO: &str = "golang:1";

/// How one service is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// What compiles: an image reference as a user would type it, such as
    /// `golang:1.26-alpine`.
    pub(super) builder: String,
    /// What fetches modules: it has git and ssh.
    pub(super) fetcher: String,
    /// What the service's build takes its versions from.
    pub(super) root: ModuleRoot,
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
    if index.has_file(dir) {
        return Err(plan::main_is_file(&service.main));
    }
    check_main(plan, service, index)?;
    let Some(module) = index.module_of(dir) else {
        return Err(problems::no_module(service, index));
    };
    let workspace = workspace(dir, index);
    let Some(root) = ModuleRoot::of(dir, index) else {
        return Err(problems::no_module(service, index));
    };
    let fetcher = image(&plan.go, module, workspace);
    Ok(Toolchain {
        builder: match &plan.go {
            GoSetting::Image(_) => fetcher.clone(),
            GoSetting::Version(_) | GoSetting::FromModule => format!("{fetcher}{SMALL}"),
        },
        fetcher,
        root,
    })
}

/// Whether an image is one that services of a plan are compiled in, or fetch modules in.
pub(crate) fn is_builder(plan: &Plan, index: &Index, reference: &str) -> bool {
    let mut services = plan.platforms.iter().flat_map(|p| &p.services);
    services.any(|service| {
        let toolchain = of_service(plan, service, index);
        toolchain.is_ok_and(|t| t.builder == reference || t.fetcher == reference)
    })
}

/// Checks that there is a main package on every platform that the service is built for.
fn check_main(plan: &Plan, service: &Service, index: &Index) -> Result<(), Diagnostic> {
    let (dir, tags) = (service.main.value.as_str(), &service.build.tags);
    let is_ours =
        |s: &Service| s.place == service.place && s.main == service.main && s.build.tags == *tags;
    let platforms = plan
        .platforms
        .iter()
        .filter(|p| p.services.iter().any(is_ours));
    let platforms: Vec<_> = platforms.map(|p| &p.platform).collect();
    let lacks = |p: &&Platform| !index.is_main(dir, tags, &p.os, &p.arch);
    let Some(first) = platforms.iter().copied().find(lacks) else {
        return Ok(());
    };
    let constraints = index.directory(dir).map(|d| d.mains.as_slice());
    Err(match constraints.unwrap_or_default() {
        [] => plan::missing_main(&service.main, &service.name, &index.suggestions()),
        constraints => plan::constrained_main(&service.main, &service.name, first, constraints),
    })
}

/// The image that a small official one leaves things out of, where we chose it.
pub(crate) fn whole_of<'a>(plan: &Plan, reference: &'a str) -> Option<&'a str> {
    match &plan.go {
        GoSetting::Image(_) => None,
        GoSetting::Version(_) | GoSetting::FromModule => {
            let whole = reference.strip_suffix(SMALL)?;
            whole.starts_with(OFFICIAL).then_some(whole)
        }
    }
}

/// What compiles a service: the builder image, and the lines of the manifests that
/// choose the version of the language, such as `1.26.2`.
pub(crate) fn go_of(plan: &Plan, service: &Service, index: &Index) -> Option<(String, String)> {
    let builder = of_service(plan, service, index).ok()?.builder;
    let module = index.module_of(&service.main.value)?;
    let (toolchain, go) = match workspace(&service.main.value, index) {
        Some(w) => (&w.toolchain, &w.go),
        None => (&module.toolchain, &module.go),
    };
    let lines: Vec<&str> = go
        .as_deref()
        .into_iter()
        .chain(toolchain.as_deref())
        .collect();
    Some((builder, lines.join(", toolchain ")))
}

/// The spec's word, or the newest Go that the manifests ask for.
fn image(go: &GoSetting, module: &Module, workspace: Option<&Workspace>) -> String {
    match go {
        GoSetting::Image(reference) => reference.value.clone(),
        GoSetting::Version(version) => format!("{OFFICIAL}{}", version.value),
        GoSetting::FromModule => match GoLine::of(module, workspace) {
            Some(line) => format!("{OFFICIAL}{}", line.served_by),
            None => ANY_GO.to_owned(),
        },
    }
}

/// The line of a manifest that chooses the builder image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoLine {
    /// The manifest.
    pub(crate) file: String,
    /// `go` or `toolchain`.
    pub(crate) verb: &'static str,
    /// The version that it asks for.
    pub(crate) asks: String,
    /// The version that serves it: a later one where no build step runs with that.
    pub(crate) served_by: String,
}

impl GoLine {
    fn of(module: &Module, workspace: Option<&Workspace>) -> Option<Self> {
        let (file, go, toolchain) = match workspace {
            Some(w) => (join(&w.dir, "go.work"), &w.go, &w.toolchain),
            None => (join(&module.dir, "go.mod"), &module.go, &module.toolchain),
        };
        // A `toolchain` line names the very release that developers use, unless it is
        // older than what the `go` line asks for: then Go passes it by. A `go` line is
        // a minimum: the newest patch of that release serves it, and has its security
        // fixes.
        let lowest = go.as_deref().and_then(Go::parse);
        let counts = |name: &&str| is_release(name) && Go::of_toolchain(name) > lowest;
        let (verb, asks) = match (toolchain.as_deref().filter(counts), go.as_deref()) {
            (Some(toolchain), _) => ("toolchain", toolchain),
            (None, Some(go)) => ("go", without_patch(go)),
            (None, None) => return None,
        };
        let oldest = match toolchain {
            // Before, a `toolchain` line is an error.
            Some(_) => "1.21",
            None => plan::OLDEST_GO,
        };
        let serves = Go::parse(asks).is_none_or(|go| Some(go) >= Go::parse(oldest));
        Some(Self {
            file,
            verb,
            asks: asks.to_owned(),
            served_by: if serves { asks } else { oldest }.to_owned(),
        })
    }

    /// Whether the Go that compiles is the one that is asked for.
    pub(crate) fn is_served(&self) -> bool {
        self.asks == self.served_by
    }

    /// What is said where another Go than the asked one compiles: no image would serve the line.
    /// `text` is the manifest, `spec` the name of the spec.
    pub(crate) fn note(&self, text: &str, spec: &str) -> Diagnostic {
        let message = format!(
            "build steps need Go {}, which builds what asks for {} as well",
            self.served_by, self.asks
        );
        let place = Span::at(gomod::line_of(text, self.verb), 1);
        let hint = format!("`go:` in {spec} names another version or image");
        Diagnostic::new(Rule::OldGo, message).at(place).hint(hint)
    }
}

/// The lines that choose the builder images of a plan, each with its image, where no word of
/// the spec does.
#[must_use]
pub(crate) fn go_lines(plan: &Plan, index: &Index) -> BTreeMap<GoLine, Vec<String>> {
    let mut out = BTreeMap::new();
    if plan.go != GoSetting::FromModule {
        return out;
    }
    for service in plan.platforms.iter().flat_map(|p| &p.services) {
        let line = index.module_of(&service.main.value).and_then(|module| {
            let workspace = index.workspace_of(&module.dir);
            GoLine::of(module, workspace.filter(|w| w.uses.contains(&module.dir)))
        });
        if let (Some(line), Ok(toolchain)) = (line, of_service(plan, service, index)) {
            out.insert(line, vec![toolchain.builder, toolchain.fetcher]);
        }
    }
    out
}

/// `1.26.8` or `1.27rc1`, not `default` or `1.26.8-custom`.
fn is_release(version: &str) -> bool {
    let is_part = |c: char| c == '.' || c.is_ascii_digit() || c.is_ascii_lowercase();
    version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(is_part)
}

/// `1.26.3` → `1.26`; release candidates are kept: no newer patch exists.
fn without_patch(version: &str) -> &str {
    match version.match_indices('.').nth(1) {
        Some((dot, _)) => &version[..dot],
        None => version,
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
        let builder = |m: &Module| image(&GoSetting::FromModule, m, None);
        assert_eq!(builder(&module(".", "1.26")), "golang:1.26");
        assert_eq!(builder(&module(".", "1.26.3")), "golang:1.26");
        assert_eq!(builder(&module(".", "1.27rc1")), "golang:1.27rc1");
        assert_eq!(builder(&Module::default()), "golang:1");
        // Older ones do not know what build steps ask for.
        assert_eq!(builder(&module(".", "1.17")), "golang:1.18");
        assert_eq!(builder(&module(".", "1.9.4")), "golang:1.18");
        assert_eq!(builder(&module(".", "1.18rc1")), "golang:1.18");
        assert_eq!(builder(&module(".", "1.20.3")), "golang:1.20");
        let mut pinned = module(".", "1.20");
        for no_release in ["default", "1.26.8-custom", "1/other", "1.26@sha256:0"] {
            pinned.toolchain = Some(no_release.into());
            assert_eq!(builder(&pinned), "golang:1.21");
        }
        pinned.toolchain = Some("1.20.4".into());
        assert_eq!(builder(&pinned), "golang:1.21");
        let mut pinned = module(".", "1.25.0");
        pinned.toolchain = Some("1.26.8".into());
        assert_eq!(builder(&pinned), "golang:1.26.8");
        for passed_by in ["default", "1.24.9", "1.25rc1", "1.25.0"] {
            pinned.toolchain = Some(passed_by.into());
            assert_eq!(builder(&pinned), "golang:1.25", "{passed_by}");
        }
    }
}
