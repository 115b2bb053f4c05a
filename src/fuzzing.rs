//! Readers of untrusted bytes, for the fuzz targets and the tests that run them.
//!
//! Each function must end and must not panic, whatever it is given; what else holds
//! is asserted in it.

use crate::closure::glob;
use crate::scan::{constraint, gofile, gomod, native};

/// A Go file, or assembly, or C.
pub fn go_file(bytes: &[u8]) {
    let whole = gofile::head(bytes, true).unwrap_or_default();
    // What is read of the beginning is what is read of the whole. Every end of a
    // small file is tried, because few of them cut a word or a comment.
    let ends = if bytes.len() > 20_000 { 3 } else { 200 };
    let step = 1 + bytes.len() / ends;
    for end in (0..bytes.len()).rev().step_by(step) {
        if let Some(part) = gofile::head(&bytes[..end], false) {
            assert_eq!(part, whole);
        }
    }
    for (path, line) in gofile::embeds(bytes) {
        assert!(line > 0, "{path}");
        embed_pattern(&path, "name.txt");
    }
    if let Some(text) = &whole.constraint {
        build_constraint(text);
    }
    for (preamble, line) in &whole.preambles {
        native::includes(preamble, *line);
        native::cgo_flags(preamble, *line);
    }
    native::includes(bytes, 1);
}

/// A `go.mod` or `go.work`.
pub fn manifest(text: &str) {
    let read = gomod::parse_go_mod(text);
    assert!(read.replaces.len() <= text.len());
    let uses = gomod::parse_go_work(text).uses;
    assert!(uses.len() <= text.len());
    for (verb, _) in gomod::directives(text) {
        assert!(!verb.contains('\n'));
    }
}

/// The expression of a `//go:build` line.
pub fn build_constraint(text: &str) {
    let tags = ["special".to_owned()];
    // Tags decide nothing where there are none.
    if !constraint::has_custom_tag(text) {
        let without = constraint::may_hold(text, &[]);
        assert_eq!(constraint::may_hold(text, &tags), without);
    }
}

/// One element of an embed pattern, and of a path.
pub fn embed_pattern(pattern: &str, name: &str) {
    if glob::matches(pattern, name) {
        assert!(glob::matches(&format!("*{pattern}*"), name));
    }
    assert!(glob::matches("*", name));
    let mut literal = String::new();
    for c in name.chars() {
        literal.push('\\');
        literal.push(c);
    }
    assert!(glob::matches(&literal, name));
    assert!(glob::matches(&format!("*{literal}*"), name));
}

/// Whether a path element matches an element of an embed pattern.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    glob::matches(pattern, name)
}
