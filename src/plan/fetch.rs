//! How modules are fetched: `modules`, `secrets` and `ssh`.
//!
//! In: the spec's texts and the build args. Out: [`Fetch`]. Which names there are is in
//! [`fetch`](crate::fetch). Secrets are of use to those who start a build: the bake file
//! carries them, and a message can say which flag is missing. A build itself takes what the
//! client gives, whatever the spec says.

use super::secrets::{Agent, Secret, agent, secret};
use super::{Check, Request, credentials, settings};
use crate::diag::{Diagnostic, Rule, Span};
use crate::fetch;
use crate::spec::{Scope, Spec, Text};
use std::collections::BTreeMap;

/// What fetching modules takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetch {
    /// Settings of the go command by name: those of the spec, and build args over them; and
    /// for how long servers may be silent. None of them holds credentials.
    pub settings: BTreeMap<String, String>,
    /// The secrets that the spec names, in its order.
    pub secrets: Vec<Secret>,
    /// The agent that the spec names; at most one.
    pub ssh: Vec<Agent>,
}

/// Expands and checks everything about fetching.
///
/// Without `strict`, a build arg of `secrets` and `ssh` may have no value: builds do not use
/// them, only bake files do.
pub(super) fn fetch(spec: &Spec, request: &Request, strict: bool, check: &mut Check<'_>) -> Fetch {
    let mut settings = from_spec(spec, check);
    for diagnostic in credentials::in_build_args(request) {
        check.push(diagnostic);
    }
    for name in fetch::SETTINGS {
        if let Some(value) = request.build_args.get(name) {
            settings.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(seconds) = timeout(request, check) {
        settings.insert(fetch::TIMEOUT.to_owned(), seconds.to_string());
    }
    check.lenient = !strict;
    let secrets = secrets(spec, check);
    let ssh = agents(spec, check);
    check.lenient = false;
    Fetch {
        settings,
        secrets,
        ssh,
    }
}

/// For how many seconds servers may be silent, if that is asked for. It is a fact of a runner
/// and its servers, and so no field of a spec.
fn timeout(request: &Request, check: &mut Check<'_>) -> Option<u32> {
    let name = fetch::TIMEOUT;
    // An empty build arg is what CI files pass for a variable that is not set.
    let given = request.build_args.get(name).filter(|v| !v.is_empty())?;
    let found = given
        .parse()
        .ok()
        .filter(|n| (1..=fetch::MAX_TIMEOUT).contains(n));
    check.noted(found.ok_or_else(|| {
        let max = fetch::MAX_TIMEOUT;
        let message = format!("build arg `{name}` is `{given}`, and takes seconds from 1 to {max}");
        Diagnostic::new(Rule::InvalidTimeout, message)
            .hint("leave it out: the default fits module proxies that fetch when they are asked")
    }))
}

fn from_spec(spec: &Spec, check: &mut Check<'_>) -> BTreeMap<String, String> {
    let scope = Scope::global(check.args);
    let mut found = BTreeMap::new();
    for (name, entry) in &spec.modules {
        let span = entry.span;
        let what = format!("`{name}` of `modules`");
        if credentials::is_token(name) {
            check.push(credentials::in_spec(&what, name, span));
            continue;
        }
        let checked = settings::setting(name, entry.value.raw(), span);
        let known = check.noted(checked).is_some();
        let Some(value) = check.expand(&entry.value, &scope) else {
            continue;
        };
        if credentials::in_setting(name, &value) {
            check.push(credentials::in_spec(
                &format!("`{name}` of `modules`"),
                name,
                span,
            ));
        } else if value.contains(char::is_control) {
            check.push(
                Diagnostic::new(
                    Rule::InvalidVariable,
                    format!("the value of `{name}` in `modules` holds a control character"),
                )
                .at(span)
                .hint("write it on one line"),
            );
        } else if known {
            found.insert(name.clone(), value);
        }
    }
    found
}

fn secrets(spec: &Spec, check: &mut Check<'_>) -> Vec<Secret> {
    let scope = Scope::global(check.args);
    let mut found: Vec<Secret> = Vec::new();
    for text in &spec.secrets {
        let Some(value) = check.expand(text, &scope) else {
            continue;
        };
        let read = secret(&value, text.span());
        let Some(secret) = check.noted(read) else {
            continue;
        };
        match found.iter().find(|other| other.id == secret.id) {
            Some(first) => {
                let d = twice(&format!("secret `{}`", secret.id), text, first.span);
                check.push(d);
            }
            None => found.push(secret),
        }
    }
    found
}

fn agents(spec: &Spec, check: &mut Check<'_>) -> Vec<Agent> {
    let scope = Scope::global(check.args);
    let mut found: Vec<Agent> = Vec::new();
    for text in &spec.ssh {
        let Some(value) = check.expand(text, &scope) else {
            continue;
        };
        let read = agent(&value, text.span());
        let Some(agent) = check.noted(read) else {
            continue;
        };
        match found.first() {
            Some(first) => {
                let d = twice("ssh agent `default`", text, first.span);
                check.push(d);
            }
            None => found.push(agent),
        }
    }
    found
}

fn twice(what: &str, text: &Text, first: Span) -> Diagnostic {
    Diagnostic::new(Rule::DuplicateKey, format!("{what} is given twice"))
        .at(text.span())
        .label(first, "first given here")
        .hint("remove one of the two")
}
