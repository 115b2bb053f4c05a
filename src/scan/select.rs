//! Which files of a repository a scan reads, as names and as patterns.
//!
//! The same rules stand here twice on purpose: as patterns for a client that sends
//! the sources, and as functions for a walk over a directory. So the command-line
//! tool sees what a build sees.

use std::collections::BTreeSet;

use super::index::{ancestors, is_inside};

/// Extensions of files that the `go` command reads in a package directory, besides
/// `.go` (go-build-facts §A1).
const NATIVE: [&str; 16] = [
    "s", "S", "sx", "c", "cc", "cpp", "cxx", "m", "f", "F", "for", "f90", "h", "hh", "hpp", "hxx",
];

/// More of them, which name no other files.
const OPAQUE: [&str; 3] = ["syso", "swig", "swigcxx"];

/// Files with a meaning of their own, by name.
pub(crate) const MANIFESTS: [&str; 4] = ["go.mod", "go.sum", "go.work", "go.work.sum"];

/// The profile that a main package is compiled with.
pub(crate) const PROFILE: &str = "default.pgo";

/// The list of vendored packages, below a `vendor` directory.
pub(crate) const VENDOR_LIST: &str = "modules.txt";

/// What a client sends for a scan, in the syntax of `.dockerignore`.
#[must_use]
pub(crate) fn include_patterns() -> Vec<String> {
    let extensions = ["go"].into_iter().chain(NATIVE).chain(OPAQUE);
    let mut out: Vec<String> = extensions.map(|e| format!("**/*.{e}")).collect();
    out.extend(MANIFESTS.map(|name| format!("**/{name}")));
    out.push(format!("**/{PROFILE}"));
    // A `vendor` that is a link: nothing else says that modules are vendored there. Of a
    // directory with that name this takes nothing.
    out.splice(0..0, ["**/vendor".to_owned(), "!**/vendor/**".to_owned()]);
    out.push(format!("**/vendor/{VENDOR_LIST}"));
    out
}

/// The source files of one directory, without those below it.
#[must_use]
pub(crate) fn patterns_of(dir: &str) -> Vec<String> {
    let extensions = ["go"].into_iter().chain(NATIVE).chain(OPAQUE);
    let patterns = extensions.map(|e| super::join(&escape(dir), &format!("*.{e}")));
    patterns.collect()
}

/// Directories that a scan passes over unless something leads into them, as patterns of
/// their names: those of Go's `./...`, and one that holds thousands of packages of another
/// language and hardly ever one of Go.
const PASSED_OVER: [&str; 4] = [".*", "_*", "node_modules", "testdata"];

/// Tests, which no build reads.
const TESTS: &str = "_test.go";

/// What a client leaves out whatever an ignore file takes back in. `reach` are paths
/// that a build needs all the same.
#[must_use]
pub(crate) fn exclude_patterns(reach: &[String]) -> Vec<String> {
    let mut out = match reach {
        [] => hidden_patterns(reach),
        _ => Vec::new(),
    };
    out.push(format!("**/*{TESTS}"));
    let tests = reach.iter().filter(|path| path.ends_with(TESTS));
    out.extend(tests.map(|path| format!("!{}", escape(path))));
    out
}

/// What a client leaves out unless an ignore file takes it back in, where a build
/// reaches paths that are passed over: what an ignore file hides of those stays hidden.
#[must_use]
pub(crate) fn leave_out_patterns(reach: &[String]) -> Vec<String> {
    match reach {
        [] => Vec::new(),
        _ => hidden_patterns(reach),
    }
}

fn hidden_patterns(reach: &[String]) -> Vec<String> {
    let mut out: Vec<String> = PASSED_OVER.iter().map(|n| format!("**/{n}")).collect();
    // What is above may be a link, which is sent, or a directory, of which nothing else is.
    let above: BTreeSet<&str> = reach.iter().flat_map(|path| hidden_above(path)).collect();
    for dir in above.into_iter().map(escape) {
        out.extend([format!("!{dir}"), format!("{dir}/**")]);
    }
    // The matcher forgets of a directory what it did not have to look at, so what is below it
    // has a pattern of its own.
    for path in reach.iter().map(|path| escape(path)) {
        out.extend([format!("!{path}"), format!("!{path}/**")]);
    }
    out
}

/// The directories above a path that a scan passes over.
fn hidden_above(path: &str) -> impl Iterator<Item = &str> {
    let top = passed_over(path);
    let above = ancestors(path).skip(1);
    above.take_while(move |dir| top.is_some_and(|top| is_inside(dir, top)))
}

/// Makes a path match only itself in a pattern of a copy or a local source.
#[must_use]
pub(crate) fn escape(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    with_edges(&out)
}

/// The same for a path that is followed through links: what names it has to look like a pattern,
/// or it would be looked up as it is written.
#[must_use]
pub(crate) fn escape_followed(path: &str) -> String {
    escape(path).replace("\\[", "[[]")
}

/// Go's pattern of an embed line in the syntax of `.dockerignore`, which is the same but for a few
/// characters.
#[must_use]
pub(crate) fn of_embed(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next();
                // A letter behind a backslash has a meaning there.
                if next.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace()) {
                    out.push('\\');
                }
                out.extend(next);
            }
            '^' => out.push_str("\\^"),
            '[' => {
                let class = class(&mut chars);
                // Between brackets these two are expanded there.
                out.push_str(match class.contains(['*', '?']) {
                    true => "?",
                    false => &class,
                });
            }
            c => out.push(c),
        }
    }
    with_edges(&out)
}

/// The rest of a class of characters, with both brackets.
fn class(chars: &mut std::str::Chars<'_>) -> String {
    let mut out = String::from("[");
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            ']' => break,
            _ => {}
        }
    }
    out
}

/// Blanks around a pattern are cut off, and an exclamation mark in front of it has a meaning.
fn with_edges(pattern: &str) -> String {
    let inner = pattern.trim();
    let (before, after) = match pattern.split_once(inner) {
        Some(edges) if !inner.is_empty() => edges,
        _ => (pattern, ""),
    };
    let bracketed = |blanks: &str| -> String { blanks.chars().map(|c| format!("[{c}]")).collect() };
    let mark = match inner.starts_with('!') && before.is_empty() {
        true => "\\",
        false => "",
    };
    format!("{}{mark}{inner}{}", bracketed(before), bracketed(after))
}

/// What a file is to a scan, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Go file that is no test.
    Go,
    /// Assembly, C and the like, which may include other files.
    Native,
    /// An object or a profile: read by the build, naming nothing.
    Opaque,
    /// `go.mod` and its like.
    Manifest,
}

/// The kind of a file; `None` for files that no scan reads.
#[must_use]
pub(crate) fn kind(name: &str) -> Option<Kind> {
    if MANIFESTS.contains(&name) {
        return Some(Kind::Manifest);
    }
    if name.starts_with(['.', '_']) || name.ends_with("_test.go") {
        return None;
    }
    if name == PROFILE {
        return Some(Kind::Opaque);
    }
    let (_, extension) = name.rsplit_once('.')?;
    if extension == "go" {
        Some(Kind::Go)
    } else if NATIVE.contains(&extension) {
        Some(Kind::Native)
    } else if OPAQUE.contains(&extension) {
        Some(Kind::Opaque)
    } else {
        None
    }
}

/// Whether a pattern of source files matches a directory of this name.
#[must_use]
pub(crate) fn looks_like_file(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_source = extension == "go" || NATIVE.contains(&extension) || OPAQUE.contains(&extension);
    is_source || name == PROFILE
}

/// Whether a scan passes over a directory of this name.
#[must_use]
pub(crate) fn is_passed_over(name: &str) -> bool {
    PASSED_OVER.iter().any(|p| match p.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *p,
    })
}

/// The part of a path that a scan passes over, such as `web/node_modules` of
/// `web/node_modules/x/y`.
#[must_use]
pub(crate) fn passed_over(dir: &str) -> Option<&str> {
    let mut end = 0;
    for part in dir.split('/') {
        end += part.len();
        if part != "." && is_passed_over(part) {
            return Some(&dir[..end]);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_name() {
        assert_eq!(kind("a.go"), Some(Kind::Go));
        assert_eq!(kind("a_test.go"), None);
        assert_eq!(kind("_a.go"), None);
        assert_eq!(kind(".a.go"), None);
        assert_eq!(kind("a_amd64.s"), Some(Kind::Native));
        assert_eq!(kind("rsrc_windows.syso"), Some(Kind::Opaque));
        assert_eq!(kind("default.pgo"), Some(Kind::Opaque));
        assert_eq!(kind("go.work.sum"), Some(Kind::Manifest));
        assert_eq!(kind("README.md"), None);
        assert_eq!(kind("go"), None);
    }

    #[test]
    fn hidden_parts_of_a_path() {
        assert_eq!(
            passed_over("web/node_modules/x/y"),
            Some("web/node_modules")
        );
        assert_eq!(passed_over("testdata"), Some("testdata"));
        assert_eq!(passed_over("a/_b/c"), Some("a/_b"));
        assert_eq!(passed_over("."), None);
        assert_eq!(passed_over("a/b"), None);
    }

    #[test]
    fn of_what_is_above_a_path_only_links_are_sent() {
        let reach = ["_a/b/c".to_owned(), "x/real_test.go".to_owned()];
        assert_eq!(
            leave_out_patterns(&reach)[PASSED_OVER.len()..],
            [
                "!_a",
                "_a/**",
                "!_a/b",
                "_a/b/**",
                "!_a/b/c",
                "!_a/b/c/**",
                "!x/real_test.go",
                "!x/real_test.go/**"
            ]
        );
        assert_eq!(
            exclude_patterns(&reach),
            ["**/*_test.go", "!x/real_test.go"]
        );
        assert_eq!(leave_out_patterns(&[]), [""; 0]);
        assert_eq!(exclude_patterns(&[]).len(), PASSED_OVER.len() + 1);
    }

    #[test]
    fn a_pattern_of_a_path_matches_that_path() {
        for (path, pattern) in [
            ("a[1]/*.go", "a\\[1\\]/\\*.go"),
            ("a\\b/c d", "a\\\\b/c d"),
            ("!a/!b", "\\!a/!b"),
            (" a/b ", "[ ]a/b[ ]"),
            (" !a\u{a0}", "[ ]!a[\u{a0}]"),
            ("  ", "[ ][ ]"),
            ("#a", "#a"),
        ] {
            assert_eq!(escape(path), pattern, "{path}");
        }
        assert_eq!(escape_followed("a[1]/b"), "a[[]1\\]/b");
    }

    #[test]
    fn patterns_of_embed_lines_mean_the_same() {
        for (pattern, expected) in [
            ("a/*.txt", "a/*.txt"),
            ("!a", "\\!a"),
            ("end ", "end[ ]"),
            ("end\\ ", "end[ ]"),
            ("\\[id\\]/[a-c]?", "\\[id\\]/[a-c]?"),
            ("^a*[^b]", "\\^a*[^b]"),
            ("[*b].txt", "?.txt"),
            ("\\d\\!x", "d\\!x"),
            ("[a\\]b]c", "[a\\]b]c"),
        ] {
            assert_eq!(of_embed(pattern), expected, "{pattern}");
        }
    }
}
