//! Modules of a workspace that Go refuses: then it builds nothing there.
//!
//! In: a workspace and the index. Out: diagnostics for lines of `go.work`. Modules that are not there
//! are in `contradictions`.
//!
//! Rules of the `go` command: modload, `loadWorkFile`, `loadModFile` and `makeMainModules` of Go 1.26.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Rule};
use crate::scan::{Index, Module, Workspace, join, resolve};
use crate::versions::Go;

/// The version of a `go.work` that says none.
const NO_GO: &str = "1.18";

/// From this minor version on, a `go` line says what is needed at least.
const STRICT: u32 = 21;

/// A member: what the line says, the line, the module.
type Member<'a> = (&'a str, u32, &'a Module);

/// Calls `say` with each problem and its line.
pub(super) fn problems(
    workspace: &Workspace,
    index: &Index,
    say: &mut impl FnMut(u32, Diagnostic),
) {
    let lines = workspace.lines.iter();
    let members: Vec<Member<'_>> = lines
        .filter_map(|(written, line)| {
            let dir = resolve(&workspace.dir, written)?;
            let module = index.module_at(&index.place(&dir).path)?;
            Some((written.as_str(), *line, module))
        })
        .collect();
    for (written, line, _) in members.iter().filter(|(_, _, m)| m.path.is_empty()) {
        let message = format!("the `go.mod` in `{written}` has no `module` line");
        let problem = Diagnostic::new(Rule::NoSuchModule, message)
            .hint("`go mod edit -module=PATH` in that directory writes one");
        say(*line, problem);
    }
    repeated(&members, say);
    for replace in &workspace.replaces {
        let member = members.iter().find(|(_, _, m)| m.path == replace.path);
        if let Some((written, line, module)) = member.filter(|_| replace.version.is_empty()) {
            let message = format!(
                "`{}` is `{written}` by line {line}, and replaced here at all versions",
                module.path
            );
            let problem = Diagnostic::new(Rule::AmbiguousMember, message)
                .hint("leave one of the two lines out, or write the version that is replaced");
            say(replace.line, problem);
        }
    }
    let work = workspace.go.as_deref().unwrap_or(NO_GO);
    for (written, line, module) in &members {
        if let Some(go) = module.go.as_deref().filter(|go| is_too_new(go, work)) {
            let message = format!(
                "{} says `go {go}`, and `go.work` only `go {work}`",
                join(&module.dir, "go.mod")
            );
            let problem = Diagnostic::new(Rule::OldWorkspace, message).hint(format!(
                "write `go {go}` in `go.work`, or run `go work use {written}`"
            ));
            say(*line, problem);
        }
    }
}

/// Members that are one module.
fn repeated(members: &[Member<'_>], say: &mut impl FnMut(u32, Diagnostic)) {
    let mut first: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (written, line, module) in members.iter().filter(|(_, _, m)| !m.path.is_empty()) {
        let known = *first
            .entry(module.path.as_str())
            .or_insert((written, *line));
        if known.1 == *line {
            continue;
        }
        let message = format!(
            "`{written}` is module `{}`, as `{}` of line {} is",
            module.path, known.0, known.1
        );
        let problem = Diagnostic::new(Rule::AmbiguousMember, message)
            .hint("leave one of the two lines out, or give one of the modules another path");
        say(*line, problem);
    }
}

fn is_too_new(go: &str, work: &str) -> bool {
    match (Go::parse(go), Go::parse(work)) {
        (Some(go), Some(work)) => go.is_at_least(STRICT) && go > work,
        _ => false,
    }
}
