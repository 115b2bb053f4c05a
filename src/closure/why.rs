//! The import chain behind a file.

use super::files::Source;
use super::{Closure, Reason};
use crate::scan::{Index, parent};

/// What leads from the main package to a file of the closure, first step first. It
/// is empty for files of the main package itself and for manifests.
#[must_use]
pub fn chain(closure: &Closure, source: &Source) -> Vec<Reason> {
    let mut out = Vec::new();
    let mut next = match source {
        Source::Manifest => return out,
        Source::Directory(dir) => closure.directories.get(dir).cloned(),
        Source::Named(reason) => Some(reason.clone()),
    };
    // Each step leads to a directory that was reached before, so this ends; the
    // bound holds even if an index was made by hand.
    while let Some(reason) = next.filter(|r| !r.file.is_empty()) {
        if out.len() > closure.directories.len() {
            break;
        }
        let dir = parent(&reason.file).unwrap_or(".");
        next = closure.directories.get(dir).cloned();
        out.push(reason);
    }
    out.reverse();
    out
}

/// The chain behind a file in words, one step each, such as
/// `cmd/api/main.go:7 imports example.com/shop/internal/db`. Never empty.
#[must_use]
pub fn in_words(closure: &Closure, index: &Index, path: &str, source: &Source) -> Vec<String> {
    let steps = chain(closure, source);
    if !steps.is_empty() {
        return steps.iter().map(|r| step(r, closure, index)).collect();
    }
    vec![match source {
        Source::Manifest => format!(
            "{path} says which modules a build in `{}` has",
            closure.root.dir
        ),
        Source::Named(_) => format!("{path} is a link on the way to an imported package"),
        Source::Directory(dir) => format!("{path} is in the main package `./{dir}`"),
    }]
}

fn step(reason: &Reason, closure: &Closure, index: &Index) -> String {
    let Reason { file, line, names } = reason;
    if *line == 0 {
        return format!("{file} is a link to {names}");
    }
    let dir = parent(file).and_then(|dir| index.directory(dir));
    let imports = dir.is_some_and(|d| d.imports.iter().any(|i| i.path == *names));
    let verb = if closure.embeds.iter().any(|e| e.reason == *reason) {
        "embeds"
    } else if file.ends_with(".go") && imports {
        "imports"
    } else if file.ends_with(".go") {
        "names"
    } else {
        "includes"
    };
    format!("{file}:{line} {verb} {names}")
}
