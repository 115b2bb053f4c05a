//! A netrc file: logins by host.

use std::fmt::Write as _;

/// One login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// The host, with a port that is not the usual one; empty is every host.
    pub(super) host: String,
    /// The password.
    pub(super) password: String,
}

/// The logins of a file, as far as they can be read: it is Go's and git's to use, and
/// read here to know which hosts have one and what must not be shown.
pub(super) fn logins(text: &str) -> Vec<Login> {
    let mut out: Vec<Login> = Vec::new();
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace);
    while let Some(word) = words.next() {
        match word {
            "machine" => out.push(Login {
                host: words.next().unwrap_or_default().to_owned(),
                password: String::new(),
            }),
            "default" => out.push(Login {
                host: String::new(),
                password: String::new(),
            }),
            "password" => {
                let password = words.next().unwrap_or_default();
                if let Some(login) = out.last_mut() {
                    password.clone_into(&mut login.password);
                }
            }
            _ => {}
        }
    }
    out
}

/// A file with further logins in front of it: the first of a host counts.
pub(super) fn with_tokens<'a>(
    text: &str,
    tokens: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut out = String::new();
    for (host, token) in tokens {
        // The name that hosting services take for any kind of token.
        let _ = writeln!(out, "machine {host} login x-access-token password {token}");
    }
    out + text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found() {
        let text = "# a\nmachine a.example login u password p1\n\
            machine b.example:8443\n  login v\n  password p2 # c\nmacdef x\ndefault login w password p3\n";
        let found = logins(text);
        let pairs: Vec<(&str, &str)> = found
            .iter()
            .map(|l| (l.host.as_str(), l.password.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [("a.example", "p1"), ("b.example:8443", "p2"), ("", "p3")]
        );
    }

    #[test]
    fn tokens_come_first() {
        let text = with_tokens("machine a login u password p\n", [("a", "t")]);
        assert_eq!(
            text,
            "machine a login x-access-token password t\nmachine a login u password p\n"
        );
    }
}
