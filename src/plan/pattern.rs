//! Package patterns of the go command, for directories below the context.
//!
//! Facts: `go help packages` and `internal/search`, Go 1.26. `...` stands for any text, `/` included;
//! `/...` at the end may be absent altogether; the walk that `...` makes passes over some directories
//! (`scan::select` has the rule), the one it starts from included, so that `./testdata/...` matches
//! nothing and `./testdata/x/...` does.

use super::path;
use crate::diag::{Diagnostic, Rule, Span};
use crate::scan::Index;
use crate::scan::select::is_passed_over;

/// What stands for any text.
const ANY: &str = "...";

/// One pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Clean and relative to the context: `cmd/...`, `cmd/api`, `.`.
    text: String,
    pub(super) span: Span,
}

impl Pattern {
    /// Reads one pattern of `field`.
    pub(super) fn parse(text: &str, span: Span, field: &str) -> Result<Self, Diagnostic> {
        let error = |message: String, hint: String| {
            Err(Diagnostic::new(Rule::InvalidPattern, message)
                .at(span)
                .hint(hint))
        };
        if let Some(rest) = text.strip_prefix('!') {
            return error(
                format!("`{text}` takes away, and `{field}` has no `!`"),
                format!("write `exclude: {rest}`"),
            );
        }
        if text.contains(is_glob) {
            return error(
                format!("`{text}` is a glob, and `{field}` takes patterns of the go command"),
                format!(
                    "write `{}`: `{ANY}` stands for anything",
                    without_globs(text)
                ),
            );
        }
        if let Some(directory) = path::import_path(text) {
            return error(
                format!("`{text}` is an import path, and `{field}` takes directories"),
                format!("write the directories below the context, such as `./{directory}`"),
            );
        }
        let text = path::relative(text, span, Rule::InvalidPattern, field)?;
        Ok(Self { text, span })
    }

    /// The pattern as people write it.
    pub(super) fn shown(&self) -> String {
        super::target::shown(&self.text)
    }

    /// Says that the pattern names a file, if it does.
    pub(super) fn is_file(&self, field: &str, index: &Index) -> Option<Diagnostic> {
        index.has_file(&self.text).then(|| {
            let shown = self.shown();
            let message = format!("`{shown}` is a file, and `{field}` takes directories");
            Diagnostic::new(Rule::InvalidPattern, message)
                .at(self.span)
                .hint(super::target::instead_of_file(&self.text))
        })
    }

    /// Whether it is one directory.
    pub(super) fn is_exact(&self) -> bool {
        !self.text.contains(ANY)
    }

    /// The directory that it names, or else the one below which it looks.
    pub(super) fn start(&self) -> &str {
        match self.text.split_once(ANY) {
            None => &self.text,
            Some((before, _)) => before.rsplit_once('/').map_or(".", |(dir, _)| dir),
        }
    }

    pub(super) fn matches(&self, dir: &str) -> bool {
        self.fits(dir) && self.passed_over(dir).is_none()
    }

    /// The first part of a directory that `...` does not go into.
    pub(super) fn passed_over<'d>(&self, dir: &'d str) -> Option<&'d str> {
        let (before, _) = self.text.split_once(ANY)?;
        // The walk starts from the last whole directory before the first `...`.
        let start = before.matches('/').count().saturating_sub(1);
        dir.split('/').skip(start).find(|part| is_hidden(part))
    }

    /// Whether the text fits, hidden directories or not.
    pub(super) fn fits(&self, dir: &str) -> bool {
        let parent = self.text.strip_suffix("/...");
        is_like(&self.text, dir) || parent.is_some_and(|parent| is_like(parent, dir))
    }
}

fn is_hidden(part: &str) -> bool {
    part != "." && (is_passed_over(part) || part == "vendor")
}

fn is_glob(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}')
}

/// A pattern of the go command that matches what a glob was meant for, and perhaps more.
fn without_globs(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        let part = if part.contains(is_glob) { ANY } else { part };
        if part != ANY || parts.last() != Some(&ANY) {
            parts.push(part);
        }
    }
    let joined = parts.join("/");
    if joined.starts_with("./") || joined.starts_with("../") {
        joined
    } else {
        format!("./{joined}")
    }
}

/// Whether `dir` is `pattern` with any text for each `...`.
fn is_like(pattern: &str, dir: &str) -> bool {
    let parts: Vec<&str> = pattern.split(ANY).collect();
    match &parts[..] {
        [] => false,
        [only] => dir == *only,
        [first, between @ .., last] => {
            let Some(mut rest) = dir.strip_prefix(first) else {
                return false;
            };
            for part in between {
                let Some(at) = rest.find(part) else {
                    return false;
                };
                rest = &rest[at + part.len()..];
            }
            rest.ends_with(last)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Pattern, Diagnostic> {
        Pattern::parse(text, Span::at(1, 1), "discover")
    }

    /// What `go list` of Go 1.26 says of the same tree, but for nested modules.
    #[test]
    fn patterns_are_those_of_the_go_command() {
        let dirs = [
            ".",
            "_dev/tool",
            "cmd",
            "cmd/api",
            "cmd/api/v2",
            "cmdline",
            "svc/a/server",
            "svc/testdata/x",
            "testdata",
            "testdata/x",
            "testdata/x/_z",
            "testdata/x/y",
        ];
        let check = |pattern: &str, expected: &[&str]| {
            let pattern = parse(pattern).unwrap();
            let found: Vec<_> = dirs.into_iter().filter(|d| pattern.matches(d)).collect();
            assert_eq!(found, expected, "{pattern:?}");
        };
        let all = [
            ".",
            "cmd",
            "cmd/api",
            "cmd/api/v2",
            "cmdline",
            "svc/a/server",
        ];
        check("./...", &all);
        check("...", &all);
        check("./cmd/...", &["cmd", "cmd/api", "cmd/api/v2"]);
        check("cmd/...", &["cmd", "cmd/api", "cmd/api/v2"]);
        check("./cmd...", &["cmd", "cmd/api", "cmd/api/v2", "cmdline"]);
        check("./cmd/api", &["cmd/api"]);
        check("./cmd/api/", &["cmd/api"]);
        check(".", &["."]);
        check("./svc/.../server", &["svc/a/server"]);
        check("./.../server", &["svc/a/server"]);
        check("./.../.../server", &["svc/a/server"]);
        check("./svc/a/.../server", &[]);
        check("./_dev/tool", &["_dev/tool"]);
        check("./_dev/...", &[]);
        check("./testdata/...", &[]);
        check("./testdata/x...", &[]);
        check("./testdata/x/...", &["testdata/x", "testdata/x/y"]);
        check("./a/../cmd/api", &["cmd/api"]);
        check("./nothing/...", &[]);
    }

    #[test]
    fn other_patterns_are_refused_with_a_way_out() {
        let check = |text: &str, rule: Rule, hint: &str| {
            let error = parse(text).unwrap_err();
            assert_eq!(error.rule, rule, "{text}");
            assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
        };
        let check_pattern = |text: &str, hint: &str| check(text, Rule::InvalidPattern, hint);
        let any = "`...` stands for anything";
        check_pattern("./cmd/*", &format!("write `./cmd/...`: {any}"));
        check_pattern("cmd/*/server", &format!("write `./cmd/.../server`: {any}"));
        check_pattern("**", &format!("write `./...`: {any}"));
        check_pattern("./**/{a,b}", &format!("write `./...`: {any}"));
        check_pattern("!./cmd/x", "write `exclude: ./cmd/x`");
        check_pattern(
            "example.com/acme/shop/cmd/...",
            "write the directories below the context, such as `./cmd/...`",
        );
        check_pattern("cmd\\api", "separate directories with `/`");
        check(
            "../...",
            Rule::OutsideContext,
            "build with a context that holds it, and write the path from there",
        );
        check(
            "/src/...",
            Rule::OutsideContext,
            "write it relative to the context: `./dir`",
        );
    }
}
