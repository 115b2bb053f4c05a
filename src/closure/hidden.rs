//! What a build needs and an ignore file hides.

use std::collections::{BTreeMap, BTreeSet};

use super::Closure;
use crate::ignore::Rules;
use crate::scan::{join, select};

/// What these closures need and an ignore file hides, in words, each with the line
/// that hides it. `name` is what people call the ignore file; what is in `known` was said
/// before.
#[must_use]
pub fn hidden<'a>(
    closures: impl IntoIterator<Item = &'a Closure>,
    rules: &Rules,
    name: &str,
    known: &BTreeSet<&str>,
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
        let missing = closure.missing.iter();
        for (dir, reason) in missing.filter(|(dir, _)| !known.contains(dir.as_str())) {
            check(dir, needed_by(&reason.file, reason.line, "imports"));
        }
        for embed in &closure.embeds {
            let path = join(&embed.dir, &embed.pattern);
            let reason = &embed.reason;
            check(&path, needed_by(&reason.file, reason.line, "embeds"));
        }
        for (file, reason) in closure.absent.iter().chain(&closure.linked) {
            check(file, format!("{} is a link to", reason.file));
        }
        for (file, reason) in &closure.files {
            check(file, needed_by(&reason.file, reason.line, "names"));
        }
        if closure.root.is_fetching() {
            let sum = join(&closure.root.dir, "go.sum");
            check(&sum, "the build reads".to_owned());
        }
    }
    out
}

/// Directories of closures in which a rule may hide single source files. A closure
/// cannot tell: what is hidden was not scanned.
#[must_use]
pub fn doubtful_directories<'a>(
    closures: impl IntoIterator<Item = &'a Closure>,
    rules: &Rules,
) -> BTreeSet<String> {
    let names: Vec<(u32, String)> = rules
        .iter()
        .filter_map(|rule| Some((rule.line, source_name(&rule.text)?)))
        .collect();
    if names.is_empty() {
        return BTreeSet::new();
    }
    let dirs = closures.into_iter().flat_map(|c| c.directories.keys());
    let hides = |dir: &&String| {
        names.iter().any(|(line, name)| {
            let rule = rules.hidden_by(&join(dir, name));
            rule.is_some_and(|rule| rule.line == *line)
        })
    };
    dirs.filter(hides).cloned().collect()
}

/// A name of a source file that the last element of a pattern matches.
fn source_name(pattern: &str) -> Option<String> {
    let last = pattern.rsplit('/').next()?;
    let name = last.replace("**", "x").replace(['*', '?'], "x");
    let is_source = |name: &str| select::kind(name).is_some();
    if is_source(&name) {
        return Some(name);
    }
    last.ends_with('*').then(|| format!("{name}.go"))
}

/// The source files among names in directories that a rule hides, in words, each with
/// the line that hides it.
#[must_use]
pub fn hidden_sources(
    names: &BTreeMap<String, Vec<String>>,
    rules: &Rules,
    ignore: &str,
) -> BTreeSet<(u32, String)> {
    let mut out = BTreeSet::new();
    for (dir, names) in names {
        for name in names.iter().filter(|name| select::kind(name).is_some()) {
            let path = join(dir, name);
            if let Some(rule) = rules.hidden_by(&path) {
                let text = format!(
                    "`{}` hides `{path}`, a file of a package that is built",
                    rule.text
                );
                out.insert((rule.line, format!("{ignore}:{}: {text}", rule.line)));
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::Reason;

    #[test]
    fn rules_that_may_hide_source_files_are_found() {
        let mut closure = Closure::default();
        for dir in [".", "internal/db", "gen"] {
            closure
                .directories
                .insert(dir.to_owned(), Reason::default());
        }
        let doubtful = |text: &str| -> Vec<String> {
            let rules = Rules::parse(text.as_bytes());
            doubtful_directories([&closure], &rules)
                .into_iter()
                .collect()
        };
        assert_eq!(
            doubtful("node_modules\n*.md\n**/*_test.go\ndist\n"),
            [""; 0]
        );
        assert_eq!(doubtful("**/*_gen.go\n"), [".", "gen", "internal/db"]);
        assert_eq!(doubtful("gen/schema.go\n"), ["gen"]);
        assert_eq!(doubtful("*\n!gen\n!internal\n"), ["."]);
    }

    #[test]
    fn hidden_sources_are_named_with_the_rule() {
        let rules = Rules::parse(b"# x\n**/*_gen.go\n");
        let names = BTreeMap::from([(
            "gen".to_owned(),
            vec![
                "a.go".to_owned(),
                "b_gen.go".to_owned(),
                "c_gen.md".to_owned(),
            ],
        )]);
        let found = hidden_sources(&names, &rules, ".dockerignore");
        let text = "`**/*_gen.go` hides `gen/b_gen.go`, a file of a package that is built";
        assert_eq!(
            found,
            BTreeSet::from([(2, format!(".dockerignore:2: {text}"))])
        );
    }
}
