//! Reader for the head of a Go file: build constraint and package clause.
//!
//! In: the first bytes of a file. Out: the package name, and whether the file is
//! kept out of every build by an `ignore` constraint. Imports and `//go:embed`
//! lines are not read yet: source closures will need them, and belong here.

/// The head of one Go file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// Name in the package clause.
    pub(super) package: &'a str,
    /// A constraint of `//go:build ignore`: by convention a script that is run by
    /// hand with `go run`, never part of a package.
    pub(super) ignored: bool,
}

/// Reads the head of a Go file; `None` when there is no package clause.
///
/// Tolerates whatever the `go` command would reject later.
#[must_use]
pub(super) fn head(text: &[u8]) -> Option<Head<'_>> {
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut ignored = false;
    loop {
        rest = rest.trim_ascii_start();
        if let Some(comment) = rest.strip_prefix(b"//") {
            let end = memchr(b'\n', comment).unwrap_or(comment.len());
            ignored |= is_ignore_constraint(&comment[..end]);
            rest = &comment[end..];
        } else if let Some(comment) = rest.strip_prefix(b"/*") {
            let end = comment.windows(2).position(|w| w == b"*/")?;
            rest = &comment[end + 2..];
        } else {
            break;
        }
    }
    let rest = rest.strip_prefix(b"package")?;
    let name = skip_blanks(rest)?;
    let end = name
        .iter()
        .position(|&b| !(b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80))
        .unwrap_or(name.len());
    let package = std::str::from_utf8(&name[..end]).ok()?;
    (!package.is_empty()).then_some(Head { package, ignored })
}

/// Blanks and comments may stand between `package` and the name.
fn skip_blanks(mut rest: &[u8]) -> Option<&[u8]> {
    let start = rest.len();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(comment) = rest.strip_prefix(b"/*") {
            rest = &comment[comment.windows(2).position(|w| w == b"*/")? + 2..];
        } else {
            return (rest.len() < start).then_some(rest);
        }
    }
}

fn is_ignore_constraint(comment: &[u8]) -> bool {
    comment
        .strip_prefix(b"go:build")
        .or_else(|| comment.trim_ascii_start().strip_prefix(b"+build"))
        .is_some_and(|expr| expr.trim_ascii() == b"ignore")
}

fn memchr(needle: u8, haystack: &[u8]) -> Option<usize> {
    haystack.iter().position(|&b| b == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> Option<&str> {
        head(text.as_bytes()).map(|h| h.package)
    }

    #[test]
    fn finds_the_package_clause() {
        assert_eq!(package("package main"), Some("main"));
        assert_eq!(
            package("\u{feff}// hi\n\n/* a\nb */ package\tmain // x"),
            Some("main")
        );
        assert_eq!(package("package /* odd */ main"), Some("main"));
        assert_eq!(package("package grün\n"), Some("grün"));
        assert_eq!(package("packagemain"), None);
        assert_eq!(package("/* never closed"), None);
        assert_eq!(package(""), None);
        assert_eq!(package("func main() {}"), None);
    }

    #[test]
    fn sees_ignored_files() {
        let ignored = |t: &str| head(t.as_bytes()).is_some_and(|h| h.ignored);
        assert!(ignored("//go:build ignore\n\npackage main"));
        assert!(ignored("// +build ignore\n\npackage main"));
        assert!(!ignored("//go:build linux\n\npackage main"));
        assert!(!ignored("//go:build !ignore\n\npackage main"));
    }
}
