//! Names of `modules`: the settings of the go command about where modules come from.
//!
//! In: a name, and the value as far as it is known. Out: nothing, or where the name belongs.

use super::credentials::proxy_secret;
use super::toolchain;
use crate::diag::{Diagnostic, Rule, Span, did_you_mean};
use crate::fetch;

/// Checks a name of `modules`.
pub(super) fn setting(name: &str, value: &str, span: Span) -> Result<(), Diagnostic> {
    if fetch::SETTINGS.contains(&name) {
        return Ok(());
    }
    let (message, hint) = if let Some(told) = not_taken(name, value) {
        told
    } else if let Some(id) = proxy_secret(name) {
        (
            format!("`{name}` is a proxy of the machine, and no setting of the go command"),
            format!("pass `--build-arg {name}=…`, or `--secret id={id},env={name}`"),
        )
    } else if fetch::is_secret(name) {
        (
            format!("`{name}` is a credential, and a spec holds none"),
            format!("write it in `secrets`: `- id={name}`"),
        )
    } else if toolchain::is_known(name) {
        (
            format!("`{name}` is for compiling, and `modules` is for fetching"),
            "did you mean `env`?".to_owned(),
        )
    } else if let Some(instead) = toolchain::owned(name) {
        (format!("`{name}` is set by gofleet"), instead.to_owned())
    } else {
        let hint = match did_you_mean(name, fetch::SETTINGS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names = fetch::SETTINGS.map(|name| format!("`{name}`"));
                format!("the settings are {}", names.join(", "))
            }
        };
        (format!("`{name}` is no setting of fetching modules"), hint)
    };
    Err(Diagnostic::new(Rule::UnknownSetting, message)
        .at(span)
        .hint(hint))
}

/// Message and hint for variables about modules that no field and no build arg takes.
pub(super) fn not_taken(name: &str, value: &str) -> Option<(String, String)> {
    let hint = match name {
        "GOFLAGS" if value.contains("-mod=mod") => {
            "builds never change `go.mod`: run `go mod tidy` and commit what it writes"
        }
        "GOFLAGS" if value.contains("-mod=vendor") => {
            "leave it out: a `vendor` directory is used without being asked for"
        }
        "GOFLAGS" => "flags have fields of their own: `build_tags`, `ldflags`",
        "NETRC" => "give the file as a secret: `--secret id=netrc,src=FILE`",
        "GIT_ASKPASS" | "GIT_TERMINAL_PROMPT" => {
            "give a token as a secret: `--secret id=GIT_AUTH_TOKEN,env=GITHUB_TOKEN`"
        }
        _ => return None,
    };
    let message = match name {
        "GOFLAGS" => "`GOFLAGS` is not taken: the fields of the spec decide".to_owned(),
        _ => format!("`{name}` is not taken: credentials are secrets"),
    };
    Some((message, hint.to_owned()))
}
