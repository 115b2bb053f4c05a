//! A netrc file: logins by host.

use std::fmt::Write as _;

/// One login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// The host, with a port that is not the usual one; empty is every host.
    pub(super) host: String,
    /// Who logs in.
    pub(super) user: String,
    /// The password.
    pub(super) password: String,
}

impl Login {
    fn of(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            user: String::new(),
            password: String::new(),
        }
    }
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
            "machine" => out.push(Login::of(words.next().unwrap_or_default())),
            "default" => out.push(Login::of("")),
            "login" | "password" => {
                // git takes words in quotes, Go does not.
                let value = words.next().unwrap_or_default().trim_matches('"');
                if let Some(login) = out.last_mut() {
                    let field = match word {
                        "login" => &mut login.user,
                        _ => &mut login.password,
                    };
                    value.clone_into(field);
                }
            }
            _ => {}
        }
    }
    out
}

/// A file with further logins in front of it: the first of a host counts.
pub(super) fn with_tokens<'a>(
    text: &[u8],
    tokens: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<u8> {
    let mut out = String::new();
    for (host, token) in tokens {
        // The name that hosting services take for any kind of token.
        let _ = writeln!(out, "machine {host} login x-access-token password {token}");
    }
    [out.as_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found() {
        let text = "# a\nmachine a.example login u password \"p1\"\n\
            machine b.example:8443\n  login v\n  password p2 # c\nmacdef x\ndefault login w password p3\n";
        let found = logins(text);
        let found: Vec<[&str; 3]> = found
            .iter()
            .map(|l| [&l.host, &l.user, &l.password].map(String::as_str))
            .collect();
        assert_eq!(
            found,
            [
                ["a.example", "u", "p1"],
                ["b.example:8443", "v", "p2"],
                ["", "w", "p3"]
            ]
        );
    }

    #[test]
    fn tokens_come_first() {
        let text = with_tokens(b"machine a login u password p\xff\n", [("a", "t")]);
        assert_eq!(
            text,
            b"machine a login x-access-token password t\nmachine a login u password p\xff\n"
        );
    }
}
