//! Taking secrets out of text that people and logs get to see.
//!
//! Go and git leave out most passwords by themselves, not all. What is known to be
//! secret is replaced, wherever it stands, and so is whatever stands in the place of
//! a login in a URL.

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

/// The passwords in the URLs of a setting, as written and decoded. A password may hold
/// anything, and an address may hold `@` behind its host, so there can be two readings:
/// both are kept.
pub(super) fn passwords(value: &str) -> Vec<String> {
    let mut out = Vec::new();
    for url in value.split("://").skip(1) {
        for login in [url.split_once('@'), url.rsplit_once('@')]
            .into_iter()
            .flatten()
        {
            let login = login.0;
            let password = login
                .split_once(':')
                .map_or(login, |(_, password)| password);
            out.push(password.to_owned());
            out.extend(decoded(password));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// The part of a URL's authority in front of `@`.
fn login(authority: &str) -> Option<&str> {
    let end = authority
        .find(|c: char| c.is_whitespace() || "/?#,|'\"<>".contains(c))
        .unwrap_or(authority.len());
    authority[..end].rfind('@').map(|at| &authority[..at])
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
        assert_eq!(
            passwords("https://u:p%40ss@a.example,direct|https://tok@b"),
            ["p%40ss", "p@ss", "tok"]
        );
        assert!(passwords("https://proxy.example,direct").is_empty());
        assert!(passwords("https://u:a/b,c@h/").contains(&"a/b,c".to_owned()));
        assert!(passwords("https://u:pass@h/x@v1").contains(&"pass".to_owned()));
    }
}
