//! Problems that only show when the spec meets the sources.

use super::links;
use crate::diag::{Diagnostic, Rule, Span};
use crate::ignore::Rules;
use crate::plan::{FileEntry, Service};
use crate::scan::{Index, ancestors, is_inside, join, select};

/// A main package that is in no module; or the link to a `go.mod` that leads nowhere.
pub(super) fn no_module(service: &Service, index: &Index) -> Diagnostic {
    let mut above = ancestors(&service.main.value);
    if let Some(link) = above.find_map(|dir| index.link_at(&join(dir, "go.mod"))) {
        let (message, hint) = links::problem(link);
        return Diagnostic::new(Rule::BrokenLink, message)
            .at(service.main.span)
            .hint(hint);
    }
    let message = format!(
        "the main package of service `{}` is in no module: there is no `go.mod` in `{}` or above",
        service.name, service.main.value
    );
    Diagnostic::new(Rule::NoModule, message)
        .at(service.main.span)
        .hint("is the context the root of the repository, and does the ignore file leave `go.mod` in?")
}

/// A source or a manifest that is no regular file.
pub(super) fn irregular(path: &str) -> Diagnostic {
    let what = match path.ends_with(select::PROFILE) {
        true => "no file",
        false => "a pipe, a device or a socket",
    };
    let message = format!("`{path}` is {what}, and a build would read it");
    Diagnostic::new(Rule::NotAFile, message)
        .hint("remove it, give it another name, or hide it in the ignore file")
}

/// An entry of `files` whose source is not there for a build.
///
/// `own` are the files that say how the context is built, and `name` is what people call the
/// ignore file.
#[must_use]
pub fn missing_file(entry: &FileEntry, own: &[String], ignore: &Rules, name: &str) -> Diagnostic {
    let source = &entry.source;
    if source.contains(['*', '?']) {
        let message = format!("`{source}` is a pattern, and `files` takes one path");
        return Diagnostic::new(Rule::InvalidPath, message)
            .at(entry.span)
            .hint("name the file, or the directory with everything in it");
    }
    if source.contains('\\') {
        let message = format!("`{source}` has a backslash");
        return Diagnostic::new(Rule::InvalidPath, message)
            .at(entry.span)
            .hint("separate directories with `/`");
    }
    let diagnostic = |message: String| Diagnostic::new(Rule::NoSuchFile, message).at(entry.span);
    if let Some(own) = own.iter().find(|own| is_inside(source, own)) {
        let what = match own.as_str() {
            ".git" => "Git's own directory",
            own if own.ends_with(".dockerignore") => "an ignore file",
            _ => "the spec",
        };
        return diagnostic(format!("`{source}` is {what}, and left out"))
            .hint(format!("to have it, write `!{own}` into `{name}`"));
    }
    if let Some(rule) = ignore.hidden_by(source) {
        return diagnostic(format!("`{source}` is hidden by {name}:{}", rule.line)).hint(format!(
            "write `!{source}` below `{}`, or remove that rule",
            rule.written
        ));
    }
    diagnostic(format!("`{source}` does not exist in the context"))
        .hint("paths are relative to the context")
}

/// A path that has to be a directory in the image below, or to lead through one.
pub(super) fn not_a_directory(path: &str, span: Span) -> Diagnostic {
    let message = format!("`{path}` is no directory in the image below");
    Diagnostic::new(Rule::InvalidPath, message)
        .at(span)
        .hint("choose another path, or another `base`")
}

/// A file for a path where the image below has a directory.
pub(super) fn is_a_directory(path: &str, source: &str, span: Span) -> Diagnostic {
    let name = source.rsplit('/').next().unwrap_or(source);
    let message = format!("`{path}` is a directory in the image below, and `{source}` is none");
    Diagnostic::new(Rule::InvalidPath, message)
        .at(span)
        .hint(format!("write `{path}/{name}` to put it inside"))
}

/// A base image in which a binary cannot have its place.
pub(super) fn no_place_for_binary(path: &str) -> Diagnostic {
    let message = format!("the base image has no place for the binary: look at its `{path}`");
    Diagnostic::new(Rule::InvalidPath, message).hint("choose another `base`")
}
