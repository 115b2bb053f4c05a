//! Entries of `secrets` and `ssh`, as `--secret` and `--ssh` take them.
//!
//! In: an expanded entry. Out: a [`Secret`] or an [`Agent`], whose id means something to the
//! download of modules. No message repeats a value: somebody may have put the secret there.
//!
//! Facts of docker/buildx v0.36.1: `util/buildflags/secrets.go` and `ssh.go`; a secret with
//! neither file nor variable is looked up in `session/secrets/secretsprovider/store.go` of
//! BuildKit v0.33.

use super::credentials;
use crate::diag::{Diagnostic, Rule, Span, did_you_mean};
use crate::fetch;
use crate::options::csv;

/// An entry of `secrets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its id.
    pub id: String,
    /// Where the client takes it from.
    pub source: SecretSource,
    /// Where the entry is written.
    pub span: Span,
}

/// Where a client takes a secret from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The variable of the secret's name, or else the file.
    Id,
    /// A variable.
    Variable(String),
    /// A file; `~/` at its beginning is the home directory.
    File(String),
}

/// An entry of `ssh`: the agent of the id `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// A socket or keys; empty means the agent of the environment. `~/` at the beginning is the
    /// home directory.
    pub paths: Vec<String>,
    /// Where the entry is written.
    pub span: Span,
}

/// Reads an entry of `secrets`.
pub(super) fn secret(text: &str, span: Span) -> Result<Secret, Diagnostic> {
    let error = |message: String, hint: &str| {
        Err(Diagnostic::new(Rule::InvalidSecret, message)
            .at(span)
            .hint(hint))
    };
    let form = "write `id=netrc,src=~/.netrc`, or `id=GIT_AUTH_TOKEN,env=GITHUB_TOKEN`";
    let named = text
        .split_once('=')
        .filter(|(name, _)| credentials::is_token(name));
    if credentials::in_url(text) || named.is_some() {
        let id = named.map_or("GOPROXY", |(name, _)| name);
        return Err(credentials::in_spec("an entry of `secrets`", id, span));
    }
    if text.contains(char::is_control) {
        return error(
            "an entry of `secrets` holds a control character".into(),
            form,
        );
    }
    let fields = match csv(text) {
        Ok(fields) if text.contains('=') => fields,
        // An id alone.
        Ok(_) => vec![format!("id={text}")],
        Err(_) => {
            let message = "an entry of `secrets` has quotes around a part of a field".into();
            return error(message, "quote a whole field: `\"src=a,b\"`");
        }
    };
    let (mut id, mut file, mut variable, mut is_variable) = (None, None, None, false);
    for field in &fields {
        let Some((key, value)) = field.split_once('=') else {
            let message = "a field of `secrets` is no `KEY=VALUE`".into();
            return error(message, form);
        };
        if value.is_empty() {
            let message = format!("`{}` of `secrets` is empty", key.escape_debug());
            return error(message, "write a value; is a build arg empty?");
        }
        match key.to_ascii_lowercase().as_str() {
            "id" => id = Some(value),
            "src" | "source" => file = Some(value),
            "env" => variable = Some(value),
            "type" if matches!(value, "env" | "file") => is_variable = value == "env",
            "type" => {
                return error(
                    "a secret has an unknown `type`".into(),
                    "write `type=file` or `type=env`",
                );
            }
            _ if fetch::is_secret(key) => {
                let hint = format!("a spec holds no secret; write `id={key},env={key}`");
                return error("an entry of `secrets` has no `id`".into(), &hint);
            }
            _ => {
                let message = format!("unknown key `{}` in `secrets`", key.escape_debug());
                return error(message, "the keys are `id`, `src`, `env` and `type`");
            }
        }
    }
    let Some(id) = id else {
        return error("an entry of `secrets` has no `id`".into(), form);
    };
    if !fetch::is_secret(id) {
        let message = format!("`{}` is no secret of fetching modules", id.escape_debug());
        return error(message, &near(id));
    }
    if is_variable && variable.is_none() {
        variable = file.take();
    }
    let source = match (file, variable) {
        (None, None) => SecretSource::Id,
        (None, Some(name)) => SecretSource::Variable(name.to_owned()),
        (Some(path), None) => SecretSource::File(path.to_owned()),
        (Some(_), Some(_)) => {
            let message = format!("secret `{id}` has both a file and a variable");
            return error(message, "remove `src` or `env`");
        }
    };
    if let SecretSource::File(path) = &source
        && other_home(path)
    {
        return error(
            format!("the file of secret `{id}` starts with `~`"),
            HOME_HINT,
        );
    }
    Ok(Secret {
        id: id.to_owned(),
        source,
        span,
    })
}

const HOME_HINT: &str = "`~/` is the home directory; write the whole path of any other";

/// Whether a path starts with a `~` that has no meaning.
fn other_home(path: &str) -> bool {
    path.starts_with('~') && !path.starts_with("~/")
}

/// What to write instead of an id.
fn near(id: &str) -> String {
    if let Some(near) = did_you_mean(id, fetch::secrets()) {
        return format!("did you mean `{near}`?");
    }
    if id.to_ascii_uppercase().contains("TOKEN") {
        return format!("write `id={},env=…`", fetch::TOKEN);
    }
    let ids: Vec<String> = fetch::secrets().map(|id| format!("`{id}`")).collect();
    format!("the ids are {} and `{}.HOST`", ids.join(", "), fetch::TOKEN)
}

/// Reads an entry of `ssh`.
pub(super) fn agent(text: &str, span: Span) -> Result<Agent, Diagnostic> {
    let error = |message: String, hint: &str| {
        Err(Diagnostic::new(Rule::InvalidSsh, message)
            .at(span)
            .hint(hint))
    };
    let (id, paths) = match text.split_once('=') {
        Some((id, paths)) => (id, paths.split(',').map(str::to_owned).collect()),
        None => (text, Vec::new()),
    };
    if id != fetch::AGENT {
        return error(
            format!(
                "`{}` is no ssh agent of fetching modules",
                id.escape_debug()
            ),
            "only `default` is used: write `default`, or `default=PATH`",
        );
    }
    if paths
        .iter()
        .any(|p| p.is_empty() || p.contains(char::is_control))
    {
        return error(
            "a path of `ssh` is empty, or holds a control character".into(),
            "write `default`, or `default=PATH`",
        );
    }
    if paths.iter().any(|path| other_home(path)) {
        return error("a path of `ssh` starts with `~`".into(), HOME_HINT);
    }
    Ok(Agent { paths, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Span {
        Span::at(1, 1)
    }

    #[test]
    fn secrets_are_read_as_buildx_reads_them() {
        let source = |text: &str| secret(text, at()).map(|s| (s.id, s.source));
        let file = |id: &str, path: &str| Ok((id.into(), SecretSource::File(path.into())));
        let variable = |id: &str, name: &str| Ok((id.into(), SecretSource::Variable(name.into())));
        assert_eq!(source("netrc"), Ok(("netrc".into(), SecretSource::Id)));
        assert_eq!(source("id=netrc"), Ok(("netrc".into(), SecretSource::Id)));
        assert_eq!(source("id=netrc,src=~/.netrc"), file("netrc", "~/.netrc"));
        assert_eq!(source("ID=ca,Source=a,type=file"), file("ca", "a"));
        assert_eq!(source("id=ca,\"src=a,b\""), file("ca", "a,b"));
        assert_eq!(
            source("type=env,id=GOPROXY,src=P"),
            variable("GOPROXY", "P")
        );
        assert_eq!(
            source("id=GIT_AUTH_TOKEN.git.example.com,env=T"),
            variable("GIT_AUTH_TOKEN.git.example.com", "T")
        );
    }

    #[test]
    fn wrong_secrets() {
        let hint = |text: &str| secret(text, at()).err().and_then(|d| d.hint);
        assert_eq!(hint("nettrc").as_deref(), Some("did you mean `netrc`?"));
        assert_eq!(
            hint("id=goproxy").as_deref(),
            Some("did you mean `GOPROXY`?")
        );
        assert_eq!(
            hint("id=CI_JOB_TOKEN").as_deref(),
            Some("write `id=GIT_AUTH_TOKEN,env=…`")
        );
        for text in [
            "",
            "=",
            "id=",
            "src=a",
            "id=netrc,src",
            "id=netrc,src=",
            "id=netrc,src=~a",
            "id=x,a=b",
            "id=netrc,src=a,env=b",
            "id=netrc,type=x",
            "id=netrc,src=\"a\"",
            "GOPROXY=x",
            "a,b",
            "id=GIT_AUTH_TOKEN.",
            "id=ca,src=a\nb",
        ] {
            assert!(hint(text).is_some(), "{text}");
        }
    }

    #[test]
    fn agents_are_read_as_buildx_reads_them() {
        let paths = |text: &str| agent(text, at()).ok().map(|a| a.paths);
        assert_eq!(paths("default"), Some(vec![]));
        assert_eq!(
            paths("default=~/a,b"),
            Some(vec!["~/a".to_owned(), "b".to_owned()])
        );
        for text in ["", "github", "default=", "default=a,,b", "default=~a"] {
            assert_eq!(paths(text), None, "{text}");
        }
    }
}
