//! What a build needs and an ignore file hides.

use std::collections::BTreeSet;

use super::Closure;
use crate::ignore::Rules;
use crate::scan::join;

/// What these closures need and an ignore file hides, in words, each with the line
/// that hides it. `name` is what people call the ignore file.
#[must_use]
pub fn hidden<'a>(
    closures: impl IntoIterator<Item = &'a Closure>,
    rules: &Rules,
    name: &str,
) -> BTreeSet<(u32, String)> {
    let mut out = BTreeSet::new();
    let mut check = |path: &str, needed: String| {
        if let Some(rule) = rules.hidden_by(path) {
            let text = format!("`{}` hides `{path}`, which {needed}", rule.text);
            let place = format!("{name}:{}", rule.line);
            out.insert((rule.line, format!("{place}: {text}")));
        }
    };
    for closure in closures {
        for (dir, reason) in &closure.missing {
            check(dir, needed_by(&reason.file, reason.line, "imports"));
        }
        for embed in &closure.embeds {
            let path = join(&embed.dir, &embed.pattern);
            let reason = &embed.reason;
            check(&path, needed_by(&reason.file, reason.line, "embeds"));
        }
        for (file, reason) in &closure.files {
            check(file, needed_by(&reason.file, reason.line, "names"));
        }
        if closure.root.has_requirements && !closure.root.vendored {
            let sum = join(&closure.root.dir, "go.sum");
            check(&sum, "the build reads".to_owned());
        }
    }
    out
}

fn needed_by(file: &str, line: u32, verb: &str) -> String {
    match file {
        "" => "is a main package".to_owned(),
        file => format!("{file}:{line} {verb}"),
    }
}
