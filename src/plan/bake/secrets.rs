//! Entries of `secrets` and `ssh` in the bake file's language.
//!
//! They are the strings that `--secret` and `--ssh` take: buildx reads those in every version.
//! It does not know `~`, but its language has `homedir()`.

use super::super::{Agent, Secret, SecretSource};
use super::{Part, Value};

/// One string of `secret`.
pub(super) fn secret(secret: &Secret) -> Value {
    let id = &secret.id;
    let mut parts = vec![Part::Literal(format!("id={id}"))];
    match &secret.source {
        SecretSource::Id => {}
        SecretSource::Variable(name) => {
            parts.push(Part::Literal(format!(",{}", field(&format!("env={name}")))));
        }
        SecretSource::File(path) => match path.strip_prefix('~') {
            None => parts.push(Part::Literal(format!(",{}", field(&format!("src={path}"))))),
            Some(rest) => {
                // As CSV, a field has quotes around all of it.
                let (open, close) = match field(rest).strip_prefix('"') {
                    Some(quoted) => (",\"src=", quoted.to_owned()),
                    None => (",src=", rest.to_owned()),
                };
                parts.push(Part::Literal(open.to_owned()));
                parts.push(Part::Home);
                parts.push(Part::Literal(close));
            }
        },
    }
    Value(parts)
}

/// One string of `ssh`.
pub(super) fn agent(agent: &Agent) -> Value {
    let mut parts = vec![Part::Literal(crate::fetch::AGENT.to_owned())];
    for (i, path) in agent.paths.iter().enumerate() {
        let separator = if i == 0 { "=" } else { "," };
        parts.push(Part::Literal(separator.to_owned()));
        match path.strip_prefix('~') {
            None => parts.push(Part::Literal(path.clone())),
            Some(rest) => parts.extend([Part::Home, Part::Literal(rest.to_owned())]),
        }
    }
    Value(parts)
}

/// An entry with variables, where `~/` at the start of a path is the home directory.
pub(super) fn with_home(entry: Value) -> Value {
    let mut parts = Vec::new();
    for part in entry.0 {
        match part {
            Part::Literal(text) => {
                let mut rest = text.as_str();
                while let Some(at) = rest.find("~/") {
                    let (before, after) = rest.split_at(at);
                    let starts_path = before.is_empty() || before.ends_with(['=', ',']);
                    let (kept, home) = if starts_path {
                        (before.to_owned(), Some(Part::Home))
                    } else {
                        (format!("{before}~"), None)
                    };
                    parts.extend([Part::Literal(kept)].into_iter().chain(home));
                    rest = &after[1..];
                }
                parts.push(Part::Literal(rest.to_owned()));
            }
            Part::IfSet(name, set, unset) => {
                parts.push(Part::IfSet(name, with_home(set), with_home(unset)));
            }
            other => parts.push(other),
        }
    }
    Value(parts)
}

/// A field of CSV.
fn field(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
