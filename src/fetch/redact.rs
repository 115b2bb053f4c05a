//! Taking secrets out of text that people and logs get to see.
//!
//! Go and git leave out most passwords by themselves, not all. What is known to be
//! secret is replaced, wherever it stands, and so is whatever stands in the place of
//! a login in a URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a login ends that was not meant to: behind each of these something else begins.
const ENDS: [char; 6] = ['/', '?', '#', ',', '|', ' '];

/// In front of what Go takes for a port.
const WRONG_PORT: &str = "invalid port \":";

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Shorter secrets are found in the place of a login alone: anywhere else they would
/// hide half of every message, and be no more of a secret for it.
const SHORTEST: usize = 4;

/// Texts that must not be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Redactor {
    /// The longest first, so that none is hidden in part.
    secrets: Vec<String>,
}

impl Redactor {
    /// Hides these texts.
    #[must_use]
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets
            .into_iter()
            .flat_map(|secret| [quoted(&secret), secret])
            .filter(|secret| secret.len() >= SHORTEST)
            .collect();
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// The text without secrets.
    #[must_use]
    pub(super) fn redact(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.secrets {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), HIDDEN);
            }
        }
        without_logins(&out)
    }
}

/// What must not be shown of the URLs in a setting: passwords as written and decoded, the
/// pieces that a reader of URLs makes of them, and logins as they go over the wire.
///
/// A password may hold anything, and an address may hold `@` behind its host, so there can
/// be two readings: both are kept. The scheme may be missing.
pub(super) fn passwords(value: &str) -> Vec<String> {
    let mut out = Vec::new();
    for url in value.split("://") {
        let readings = [url.split_once('@'), url.rsplit_once('@')];
        for (login, _) in readings.into_iter().flatten() {
            let (user, password) = login.split_once(':').unwrap_or(("", login));
            let decoded = decoded(password);
            let plain = decoded.as_deref().unwrap_or(password);
            out.push(on_the_wire(user, plain));
            out.extend(password.split(ENDS).map(str::to_owned));
            out.push(password.to_owned());
            out.extend(decoded);
        }
    }
    out.sort();
    out.dedup();
    out
}

/// A login in the form of the header `Authorization`, which servers may send back.
pub(super) fn on_the_wire(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// A text as Go and others quote it.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The part of a URL's authority in front of `@`.
fn login(authority: &str) -> Option<&str> {
    let end = authority
        .find(|c: char| c.is_whitespace() || "/?#,|'\"<>".contains(c))
        .unwrap_or(authority.len());
    let authority = &authority[..end];
    if let Some(at) = authority.rfind('@') {
        return Some(&authority[..at]);
    }
    // `user:pass`, where what followed was cut off; a port is a number.
    let (_, port) = authority.rsplit_once(':')?;
    let port = port.trim_end_matches(|c: char| !c.is_alphanumeric());
    let is_port = port.chars().all(|c| c.is_ascii_digit());
    (!is_port && !authority.starts_with('[')).then_some(authority)
}

fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find("://") {
        let (before, after) = rest.split_at(i + 3);
        out.push_str(before);
        rest = match login(after) {
            // `git@host` is how everybody logs in, and no secret.
            Some(name) if name != "git" && name != HIDDEN => {
                out.push_str(HIDDEN);
                &after[name.len()..]
            }
            _ => after,
        };
    }
    out.push_str(rest);
    without_port(&out)
}

/// `invalid port ":pass" after host` is how Go reads a login with `/` or `#` in it.
fn without_port(text: &str) -> String {
    let mut parts = text.split(WRONG_PORT);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(WRONG_PORT);
        match part.find("\" after host") {
            Some(end) => {
                out.push_str(HIDDEN);
                out.push_str(&part[end..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// A text with `%XX` decoded, if that changes it.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
    }
    let out = String::from_utf8(out).ok()?;
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_are_hidden_anywhere() {
        let redactor = Redactor::new(["token-1".to_owned(), "token-12".to_owned(), "x".to_owned()]);
        assert_eq!(redactor.redact("a token-12, token-1 x"), "a ***, *** x");
    }

    #[test]
    fn logins_of_urls_are_hidden() {
        let redact = |text: &str| Redactor::default().redact(text);
        assert_eq!(
            redact("get https://u:p@ss@proxy.example/x@v1: 401, ssh://git@h/r"),
            "get https://***@proxy.example/x@v1: 401, ssh://git@h/r"
        );
        assert_eq!(redact("'https://tok@h' no"), "'https://***@h' no");
        assert_eq!(redact("https://h/a@v1.0.0"), "https://h/a@v1.0.0");
        assert_eq!(redact("://"), "://");
    }

    #[test]
    fn passwords_are_found_in_lists() {
        let found = passwords("https://u:p%40ss@a.example,direct|https://tok@b");
        for text in ["p%40ss", "p@ss", "tok"] {
            assert!(found.contains(&text.to_owned()), "{text}");
        }
        assert!(passwords("https://proxy.example,direct").is_empty());
        assert!(passwords("https://u:a/b,c@h/").contains(&"a/b,c".to_owned()));
        assert!(passwords("https://u:pass@h/x@v1").contains(&"pass".to_owned()));
        assert!(passwords("u:pass@h:3128").contains(&"pass".to_owned()));
    }

    /// What Go 1.26 says of proxies with such passwords.
    #[test]
    fn passwords_that_are_not_escaped_are_hidden_too() {
        for (password, said) in [
            (
                "pa#word",
                r#"parse "https://u:pa": invalid port ":pa" after host"#,
            ),
            (
                "pa,word",
                r#"parse "https://u:pa": invalid port ":pa" after host"#,
            ),
            (
                "pa/word",
                r#"parse "https://u:pa/word@h": invalid port ":pa" after host"#,
            ),
            (
                "pa\"wo\\rd",
                r#"parse "https://u:pa\"wo\\rd@h": net/url: invalid userinfo"#,
            ),
            (
                "pa%word",
                r#"parse "https://u:pa%word@h": invalid URL escape "%wo""#,
            ),
        ] {
            let redactor = Redactor::new(passwords(&format!("https://u:{password}@h")));
            let shown = redactor.redact(said);
            assert!(!shown.contains("pa\\") && !shown.contains(":pa"), "{shown}");
            assert!(
                !shown.contains("rd@") && shown.starts_with("parse"),
                "{shown}"
            );
        }
        let text = r#"dial "https://h:8080", https://h:443: no, https://[::1]:80/"#;
        assert_eq!(Redactor::default().redact(text), text);
    }

    #[test]
    fn what_a_server_sends_back_of_a_login_is_hidden() {
        let redactor = Redactor::new(passwords("https://user:p%40ss@h"));
        let sent = STANDARD.encode("user:p@ss");
        assert_eq!(
            redactor.redact(&format!("server response: Basic {sent}")),
            "server response: Basic ***"
        );
    }
}
