//! Hosts that modules come from, and which of them are private.

use crate::closure::glob;

/// The host of a module path: its first element.
#[must_use]
pub fn host_of(module: &str) -> &str {
    module.split('/').next().unwrap_or(module)
}

/// Whether a path can be fetched at all: its first element is the name of a host. A
/// `go.mod` may say anything, and this name gets into files that Go and git read.
///
/// Source: golang.org/x/mod/module, `CheckPath`.
#[must_use]
pub fn is_fetchable(module: &str) -> bool {
    let host = host_of(module);
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    host.contains('.') && !host.starts_with('-') && host.chars().all(usual)
}

/// Whether a module is private: a pattern of a comma-separated list matches its path or
/// the beginning of it, as `GOPRIVATE` and `GONOPROXY` are read.
///
/// Source: golang.org/x/mod/module, `MatchPrefixPatterns`.
pub(super) fn is_private(patterns: &str, module: &str) -> bool {
    patterns
        .split(',')
        .map(|pattern| pattern.trim_end_matches('/'))
        .filter(|pattern| !pattern.is_empty())
        .any(|pattern| {
            let mut elements = module.split('/');
            pattern
                .split('/')
                .all(|part| elements.next().is_some_and(|e| glob::matches(part, e)))
        })
}

/// The patterns of a list that name hosts. `*` and `*/…` say which way modules are
/// fetched; they are no reason to trust every server with a token.
pub(super) fn naming(patterns: &str) -> String {
    let names = |pattern: &&str| pattern.split('/').next() != Some("*");
    let named: Vec<&str> = patterns.split(',').filter(names).collect();
    named.join(",")
}

/// The host of the first URL in a text, without login and port.
pub(super) fn host_in(text: &str) -> Option<String> {
    let authority = text
        .split_once("://")
        .map(|(_, rest)| rest)
        .filter(|rest| !rest.is_empty())?;
    let end = authority
        .find(|c: char| c.is_whitespace() || "/?#,|'\"<>".contains(c))
        .unwrap_or(authority.len());
    let authority = &authority[..end];
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let host = host.trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']');
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_paths_are_matched_as_go_does() {
        assert!(is_private("*.corp.example,x.org/a", "git.corp.example/t/m"));
        assert!(is_private("x.org/a", "x.org/a/b"));
        assert!(is_private("x.org/*", "x.org/a/b"));
        assert!(!is_private("x.org/a", "x.org/ab"));
        assert!(!is_private("x.org/a/b", "x.org/a"));
        assert!(!is_private("", "x.org/a"));
        // A star takes dots, and no slashes.
        assert!(is_private("*.example", "git.corp.example"));
        assert!(!is_private("*/b/c", "x.org/a/b/c"));
    }

    #[test]
    fn a_star_alone_names_no_host() {
        assert_eq!(
            naming("*,a.example,*/x,*.b.example"),
            "a.example,*.b.example"
        );
    }

    #[test]
    fn hosts_are_found_in_messages() {
        assert_eq!(
            host_in("reading https://u@proxy.example:8443/x/@v/list: 401").as_deref(),
            Some("proxy.example:8443")
        );
        assert_eq!(
            host_in("for 'https://git.example': no").as_deref(),
            Some("git.example")
        );
        assert_eq!(host_in("nothing"), None);
        assert_eq!(host_of("a.example/b"), "a.example");
        assert!(is_fetchable("git-1.example/x") && !is_fetchable("m/lib"));
    }

    #[test]
    fn what_is_no_host_is_not_fetched_from() {
        for path in [
            "evil.example a b.corp.example/x",
            "evil.example\nmachine b.example/x",
            "evil.example\"]/x",
            "-oProxyCommand=x.example/x",
            "u@h.example/x",
            "h.example:22/x",
            "",
        ] {
            assert!(!is_fetchable(path), "{path:?}");
        }
    }
}
