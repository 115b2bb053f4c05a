//! Paths: `main` and sources below the context, destinations inside the image.

use crate::diag::{Diagnostic, Rule, Span};

/// The directory of a main package, clean: `cmd/api`, or `.`.
pub(super) fn main(text: &str, span: Span) -> Result<String, Diagnostic> {
    let error = |rule, message: String, hint: String| {
        Err(Diagnostic::new(rule, message).at(span).hint(hint))
    };
    if text.contains("...") {
        let directory = text.trim_end_matches(['.', '/']);
        let directory = if directory.is_empty() { "." } else { directory };
        return error(
            Rule::InvalidMain,
            format!("`{text}` is a pattern, and `main` is one directory"),
            format!("name each service: `NAME: {directory}/NAME`"),
        );
    }
    if let Some(directory) = import_path(text) {
        return error(
            Rule::InvalidMain,
            format!("`{text}` is an import path, and `main` is a directory"),
            format!("write the directory below the context, such as `./{directory}`"),
        );
    }
    relative(text, span, Rule::InvalidMain, "main")
}

/// A path below the context, clean. `rule` is that of malformed paths.
pub(super) fn relative(
    text: &str,
    span: Span,
    rule: Rule,
    field: &str,
) -> Result<String, Diagnostic> {
    let error =
        |rule, message: String, hint: &str| Err(Diagnostic::new(rule, message).at(span).hint(hint));
    if text.trim().is_empty() {
        return error(
            rule,
            format!("`{field}` is empty"),
            "`.` is the context itself",
        );
    }
    if text.contains('\\') && rule != Rule::InvalidPath {
        let message = format!("`{text}` has a backslash");
        return error(rule, message, "separate directories with `/`");
    }
    if text.contains(char::is_control) {
        let message = format!("a path of `{field}` has a control character");
        return error(rule, message, "write the path on one line");
    }
    if text.starts_with('/') || text.starts_with("~/") {
        return error(
            Rule::OutsideContext,
            format!("`{text}` is not below the context"),
            "write it relative to the context: `./dir`",
        );
    }
    match clean(text) {
        Some(path) => Ok(path),
        None => error(
            Rule::OutsideContext,
            format!("`{text}` leaves the context"),
            "build with a context that holds it, and write the path from there",
        ),
    }
}

/// A path of the context for `files`.
pub(super) fn source(text: &str, span: Span) -> Result<String, Diagnostic> {
    relative(text, span, Rule::InvalidPath, "files")
}

/// An absolute path inside the image, clean.
pub(super) fn absolute(text: &str, span: Span, field: &str) -> Result<String, Diagnostic> {
    let error = |message: String, hint: String| {
        Err(Diagnostic::new(Rule::InvalidPath, message)
            .at(span)
            .hint(hint))
    };
    if text.contains('\\') || text.contains(char::is_control) {
        let message = format!("`{}` cannot be a path in an image", text.escape_debug());
        return error(message, "separate directories with `/`".into());
    }
    if !text.starts_with('/') {
        let path = text.trim_start_matches("./");
        return error(
            format!("`{field}` takes absolute paths of the image, found `{text}`"),
            format!("write `/{path}`"),
        );
    }
    if text.split('/').any(|part| part == "..") {
        return error(
            format!("`{text}` has `..`"),
            "write the path without it".into(),
        );
    }
    let parts: Vec<&str> = parts(text).collect();
    Ok(format!("/{}", parts.join("/")))
}

/// The destination of an entry of `files`.
pub(super) fn dest(text: &str, source: &str, span: Span) -> Result<String, Diagnostic> {
    let path = absolute(text, span, "files")?;
    if path == "/" || text.ends_with('/') || text.ends_with("/.") {
        let parent = path.trim_end_matches('/');
        let name = source.rsplit('/').find(|p| !p.is_empty() && *p != ".");
        let inside = format!("{parent}/{}", name.unwrap_or("NAME"));
        let hint = if path == "/" {
            format!("write `{inside}`")
        } else {
            format!("write `{path}` for the source itself, or `{inside}` to put it inside")
        };
        return Err(Diagnostic::new(
            Rule::InvalidPath,
            format!("`{text}` is a directory, and a destination is the path that the source gets"),
        )
        .at(span)
        .hint(hint));
    }
    Ok(path)
}

/// Removes `.`, `..` and empty parts; `None` when the path leaves its start.
fn clean(text: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for part in parts(text) {
        match part {
            ".." => {
                kept.pop()?;
            }
            part => kept.push(part),
        }
    }
    Some(if kept.is_empty() {
        ".".to_owned()
    } else {
        kept.join("/")
    })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('/').filter(|p| !p.is_empty() && *p != ".")
}

/// The last parts of an import path such as `github.com/acme/shop/cmd/api`; `None` for a directory.
///
/// The first part of an import path from elsewhere is a host name. A directory can look like one,
/// but then `./` in front of it says what is meant.
pub(super) fn import_path(text: &str) -> Option<&str> {
    let (host, rest) = text.split_once('/')?;
    let (_, top) = host.rsplit_once('.')?;
    let is_host = !host.starts_with('.')
        && top.len() >= 2
        && top.chars().all(|c| c.is_ascii_alphabetic())
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    if !is_host {
        return None;
    }
    // `owner/repository/cmd/api`: what follows the repository is likely the directory.
    let mut directory = rest;
    for _ in 0..2 {
        directory = directory.split_once('/').map_or(directory, |(_, d)| d);
    }
    Some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Span {
        Span::at(1, 1)
    }

    #[test]
    fn mains() {
        let check = |text: &str, expected: Result<&str, Rule>| {
            let found = main(text, at()).map_err(|d| d.rule);
            assert_eq!(found.as_deref().map_err(|r| *r), expected, "{text}");
        };
        check("./cmd/api", Ok("cmd/api"));
        check("cmd//api/", Ok("cmd/api"));
        check(".", Ok("."));
        check("./", Ok("."));
        check("a/../b", Ok("b"));
        check("./github.com/x/y", Ok("github.com/x/y"));
        check("v1.2/api", Ok("v1.2/api"));
        check("..hidden/api", Ok("..hidden/api"));
        check("../api", Err(Rule::OutsideContext));
        check("a/../../b", Err(Rule::OutsideContext));
        check("/src/api", Err(Rule::OutsideContext));
        check("~/api", Err(Rule::OutsideContext));
        check("cmd\\api", Err(Rule::InvalidMain));
        check("", Err(Rule::InvalidMain));
        check(" ", Err(Rule::InvalidMain));
        check("./...", Err(Rule::InvalidMain));
        check("./cmd/nats.go", Ok("cmd/nats.go"));
        check("github.com/acme/shop/cmd/api", Err(Rule::InvalidMain));
        check("a\nb", Err(Rule::InvalidMain));
    }

    #[test]
    fn hints_name_the_way_out() {
        let hint = |text: &str| main(text, at()).err().and_then(|d| d.hint);
        assert_eq!(
            hint("github.com/acme/shop/cmd/api").as_deref(),
            Some("write the directory below the context, such as `./cmd/api`")
        );
        assert_eq!(
            hint("./cmd/...").as_deref(),
            Some("name each service: `NAME: ./cmd/NAME`")
        );
    }

    #[test]
    fn image_paths() {
        let path = |text: &str| absolute(text, at(), "working_dir").ok();
        assert_eq!(path("/a//b/./c/").as_deref(), Some("/a/b/c"));
        assert_eq!(path("/").as_deref(), Some("/"));
        for text in ["", "a", "./a", "/a/../b", "C:\\a", "/a\n"] {
            assert_eq!(path(text), None, "{text}");
        }
        let hint = |dest_text: &str, source: &str| {
            dest(dest_text, source, at()).err().and_then(|d| d.hint)
        };
        assert_eq!(hint("/etc/app.conf", "x"), None);
        assert_eq!(hint("/", "./a/b.txt").as_deref(), Some("write `/b.txt`"));
        assert_eq!(
            hint("/srv/", "db/migrations/").as_deref(),
            Some("write `/srv` for the source itself, or `/srv/migrations` to put it inside")
        );
    }
}
