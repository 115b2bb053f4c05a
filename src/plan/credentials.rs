//! Credentials in plain text: URLs with a user or a token in them.
//!
//! The spec and build args end up in provenance, in the build history and in the daemon's
//! record of the build. What holds a credential is a secret. Messages name the setting, never
//! its value, and have no place in the spec: clients print the lines around a place.

use super::Request;
use crate::diag::{Diagnostic, Rule, Severity, Span};
use crate::fetch;
use std::collections::BTreeSet;

/// Whether a name is that of a token; its value is a credential, whatever it looks like.
pub(super) fn is_token(name: &str) -> bool {
    name.starts_with(fetch::TOKEN) && fetch::is_secret(name)
}

/// Whether a text has a URL with credentials in it: `scheme://user:password@host` or
/// `scheme://token@host`, anywhere in a list.
#[must_use]
pub fn in_url(text: &str) -> bool {
    text.match_indices("://").any(|(at, separator)| {
        let scheme = &text[..at];
        let rest = &text[at + separator.len()..];
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        match rest[..end].rsplit_once('@') {
            // An ssh address needs its user, which is nobody's secret.
            Some((user, _)) if scheme.ends_with("ssh") => user.contains(':'),
            Some((user, _)) => !user.is_empty(),
            None => password_with_slash(&rest[..end], &rest[end..]),
        }
    })
}

/// Whether the value of a setting has credentials. In `GOPROXY`, Go adds schemes that are
/// missing.
pub(super) fn in_setting(name: &str, value: &str) -> bool {
    let bare = |entry: &str| !entry.contains("://") && in_url(&format!("https://{}", entry.trim()));
    in_url(value) || name == "GOPROXY" && value.split([',', '|']).any(bare)
}

/// Whether the text before a slash is a user and the beginning of a password rather than a
/// host and a port.
fn password_with_slash(before: &str, after: &str) -> bool {
    let Some((_, port)) = before.rsplit_once(':') else {
        return false;
    };
    let next = after.split([',', '|', ' ']).next();
    let digits = port.chars().all(|c| c.is_ascii_digit());
    !digits && !before.contains([',', '|', ']']) && next.is_some_and(|next| next.contains('@'))
}

/// Whether the value of a proxy variable has credentials; its scheme may be missing.
fn in_proxy(value: &str) -> bool {
    in_url(value) || !value.contains("://") && in_url(&format!("http://{value}"))
}

/// Says that something in the spec holds credentials; `id` is the secret to use instead.
pub(super) fn in_spec(what: &str, id: &str, span: Span) -> Diagnostic {
    let line = span.start.line;
    // A variable has no dots: `GIT_AUTH_TOKEN.HOST` is the id alone.
    let env = id.split('.').next().unwrap_or(id);
    Diagnostic::new(
        Rule::PlainCredentials,
        format!("{what} in line {line} holds credentials"),
    )
    .hint(format!(
        "take them out, and pass the value as a secret: `--secret id={id},env={env}`"
    ))
}

/// Build args that hold credentials: errors for settings of fetching and tokens, warnings for proxies,
/// which Docker's client adds by itself.
pub(super) fn in_build_args(request: &Request) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // A client gives each proxy in both cases.
    let mut proxies = BTreeSet::new();
    for (name, value) in &request.build_args {
        let setting = fetch::SETTINGS.contains(&name.as_str());
        let proxy = proxy_secret(name).filter(|id| *id != "NO_PROXY");
        let (id, holds) = match proxy {
            Some(id) => (id, in_proxy(value) && proxies.insert(id)),
            None if is_token(name) => (name.as_str(), !value.is_empty()),
            None => (name.as_str(), setting && in_setting(name, value)),
        };
        if !holds {
            continue;
        }
        let env = name.split('.').next().unwrap_or(name);
        let mut diagnostic = Diagnostic::new(
            Rule::PlainCredentials,
            format!("build arg `{name}` holds credentials"),
        )
        .hint(format!("pass it as a secret: `--secret id={id},env={env}`"));
        if proxy.is_some() {
            diagnostic.severity = Severity::Warning;
        }
        found.push(diagnostic);
    }
    found
}

/// The secret that stands for a proxy variable.
pub(super) fn proxy_secret(name: &str) -> Option<&'static str> {
    match name.to_ascii_uppercase().as_str() {
        "HTTP_PROXY" => Some("HTTP_PROXY"),
        "NO_PROXY" => Some("NO_PROXY"),
        "HTTPS_PROXY" | "ALL_PROXY" | "FTP_PROXY" => Some("HTTPS_PROXY"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for text in [
            "https://u:p@h",
            "https://token@h/path",
            "https://proxy.example.com|https://u:p@h,direct",
            "https://:p@h",
            "sum.golang.org+abc+def https://u:p@h",
            "https://u:a,b@h",
            "https://u:a/b@h/",
            "ssh://git:p@h",
            "HTTPS://U:P@H",
        ] {
            assert!(in_url(text), "{text}");
        }
        for text in [
            "",
            "direct",
            "https://h:8080,https://i/a@b|off",
            "https://h/?a=b@c",
            "https://[::1]:8080/a@b",
            "ssh://git@h",
            "git@h:a/b",
            "://",
            "https://@h",
        ] {
            assert!(!in_url(text), "{text}");
        }
    }

    #[test]
    fn settings() {
        for value in ["https://u:p@h", "u:p@h", "token@h/x", "direct,u:p@h|off"] {
            assert!(in_setting("GOPROXY", value), "{value}");
        }
        for value in ["https://h/a@b,direct", "h/a@b", "file:///x", "/x@y", "off"] {
            assert!(!in_setting("GOPROXY", value), "{value}");
        }
        assert!(!in_setting("GOAUTH", "command u@h"));
    }

    #[test]
    fn proxies() {
        assert!(in_proxy("u:p@proxy:3128") && in_proxy("http://u:p@proxy"));
        assert!(!in_proxy("proxy:3128") && !in_proxy("localhost,.example.com"));
    }
}
