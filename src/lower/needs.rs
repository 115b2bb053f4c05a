//! What the services of a plan certainly need and the sources lack: said before anything is
//! compiled, at the line that says so.
//!
//! In: plan, index, ignore file, and which embed patterns match nothing. Out: diagnostics by
//! file.

use std::collections::{BTreeMap, BTreeSet};

use super::contradictions::of_manifests;
use crate::closure::{self, Asked, Certain, Embed, Far, Lack, ModuleRoot, Reason};
use crate::diag::{self, Diagnostic, Rule, Span};
use crate::ignore::Rules;
use crate::plan::Plan;
use crate::scan::{Index, Unsummed, join};

/// Diagnostics by the file that they are about.
pub type ByFile = BTreeMap<String, Vec<Diagnostic>>;

/// What the services of a plan certainly need.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Each service on each platform.
    builds: Vec<Certain>,
    /// Problems of the manifests that services are built with.
    manifests: ByFile,
}

impl Needs {
    /// Finds out what the services of a plan need.
    #[must_use]
    pub fn of(plan: &Plan, index: &Index) -> Self {
        let mut out = Self::default();
        let mut seen = BTreeSet::new();
        for platform in &plan.platforms {
            let (os, arch) = (&platform.platform.os, &platform.platform.arch);
            for service in &platform.services {
                let (main, tags) = (&service.main.value, &service.build.tags);
                if !seen.insert((main, tags, os, arch)) {
                    continue;
                }
                out.builds
                    .push(closure::certain(main, tags, (os, arch), index));
                if let Some(root) = ModuleRoot::of(main, index) {
                    out.manifests.extend(of_manifests(&root, index));
                }
            }
        }
        out
    }

    /// The embed patterns that have to match something.
    pub fn embeds(&self) -> impl Iterator<Item = &Embed> {
        self.builds.iter().flat_map(|build| &build.embeds)
    }

    /// Whether nothing can be missing.
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        self.manifests.is_empty() && self.builds.iter().all(Certain::is_satisfied)
    }

    /// Directories of packages that are needed and that an ignore file hides.
    #[must_use]
    pub fn hidden(&self, rules: &Rules) -> BTreeSet<&str> {
        let lacks = self.builds.iter().flat_map(|build| &build.lacks);
        lacks
            .filter_map(|lack| lack.dir.as_deref())
            .filter(|dir| hides_package(rules, dir).is_some())
            .collect()
    }

    /// What is missing. `ignore` is the ignore file with its name, `nothing` the patterns
    /// that match nothing.
    ///
    /// Not everything ends a build of many services: an import that leads nowhere is like any
    /// other mistake of one service, as long as there are others to build. With `all` that
    /// makes no difference.
    #[must_use]
    pub fn problems(&self, ignore: (&Rules, &str), nothing: &[&Embed], all: bool) -> ByFile {
        let mut out = self.manifests.clone();
        let all = all || !self.builds.iter().any(Certain::is_satisfied);
        let builds = self.builds.iter().filter(|_| all);
        for build in builds {
            for asked in &build.unsummed {
                add_asked(&mut out, &build.root, asked);
            }
            for far in &build.far {
                add_far(&mut out, far);
            }
        }
        for lack in self.builds.iter().flat_map(|build| &build.lacks) {
            add_lack(&mut out, lack, ignore, all);
        }
        for embed in nothing {
            add_embed(&mut out, embed, ignore);
        }
        out.retain(|_, diagnostics| {
            diag::tidy(diagnostics);
            !diagnostics.is_empty()
        });
        out
    }
}

fn add_lack(out: &mut ByFile, lack: &Lack, (rules, ignore): (&Rules, &str), all: bool) {
    let reason = &lack.reason;
    let at = Span::at(reason.line, 1);
    let names = &reason.names;
    let (file, diagnostic) = match &lack.dir {
        Some(dir) => match hides_package(rules, dir) {
            Some((line, rule)) => {
                let needed = format!("{}:{} imports", reason.file, reason.line);
                (ignore, hidden(&rule, dir, &needed, line))
            }
            None if !all => return,
            None => {
                let message = format!("there is no package `{names}`: `{dir}` holds no Go file");
                let diagnostic = Diagnostic::new(Rule::NoSuchImport, message)
                    .at(at)
                    .hint("is it misspelled, or made by a generator and not in the context?");
                (reason.file.as_str(), diagnostic)
            }
        },
        None => {
            let message = format!("package `{names}` is not in `vendor`");
            let diagnostic = Diagnostic::new(Rule::NotVendored, message)
                .at(at)
                .hint("run `go mod vendor` (`go work vendor` in a workspace) and commit `vendor`");
            (reason.file.as_str(), diagnostic)
        }
    };
    out.entry(file.to_owned()).or_default().push(diagnostic);
}

fn add_embed(out: &mut ByFile, embed: &Embed, (rules, ignore): (&Rules, &str)) {
    let reason = &embed.reason;
    let path = join(&embed.dir, &embed.pattern);
    let (file, diagnostic) = match rules.hidden_by(&path) {
        Some(rule) => {
            let needed = format!("{}:{} embeds", reason.file, reason.line);
            (ignore, hidden(&rule.text, &path, &needed, rule.line))
        }
        None => {
            let message = format!("`//go:embed {}` matches no file", reason.names);
            let diagnostic = Diagnostic::new(Rule::NothingEmbedded, message)
                .at(Span::at(reason.line, 1))
                .hint(format!(
                    "there is nothing to embed at `{path}` in the context: run what makes it before \
                     the build, and see that no ignore file hides it"
                ));
            (reason.file.as_str(), diagnostic)
        }
    };
    out.entry(file.to_owned()).or_default().push(diagnostic);
}

fn hidden(rule: &str, path: &str, needed: &str, line: u32) -> Diagnostic {
    Diagnostic::new(
        Rule::HiddenSource,
        format!("`{rule}` hides `{path}`, which {needed}"),
    )
    .at(Span::at(line, 1))
    .hint(format!(
        "take it back in with a line `!{path}` below, or remove the rule"
    ))
}

/// The rule that hides a package: the Go files in its directory.
fn hides_package(rules: &Rules, dir: &str) -> Option<(u32, String)> {
    let rule = rules.hidden_by(&join(dir, "x.go"))?;
    Some((rule.line, rule.text.clone()))
}

/// A module whose sums `go.sum` lacks, at its `require` line.
fn add_asked(out: &mut ByFile, root: &str, asked: &Asked) {
    let Unsummed {
        module,
        line,
        is_go_mod,
        ..
    } = &asked.module;
    let Reason { file, line: at, .. } = &asked.reason;
    let (path, version) = (&module.path, &module.version);
    let what = match is_go_mod {
        true => format!("`{path} {version}/go.mod`"),
        false => format!("`{path} {version}`"),
    };
    let message =
        format!("`go.sum` has no line of {what}, and {file}:{at} imports from that module");
    let diagnostic = Diagnostic::new(Rule::MissingSum, message)
        .at(Span::at(*line, 1))
        .hint("run `go mod tidy` and commit `go.sum`; a build adds nothing to it");
    out.entry(join(root, "go.mod"))
        .or_default()
        .push(diagnostic);
}

/// A module that only a directory outside of the context holds, at the `replace` line.
fn add_far(out: &mut ByFile, far: &Far) {
    let Reason { file, line, names } = &far.reason;
    let message = format!(
        "`{}` is outside of the context, and {file}:{line} imports `{names}` from it",
        far.with
    );
    let diagnostic = Diagnostic::new(Rule::OutsideContext, message)
        .at(Span::at(far.line, 1))
        .hint(
            "build with a directory above as the context, or have the module in the repository or \
             from a server",
        );
    out.entry(far.file.clone()).or_default().push(diagnostic);
}
