//! The spec: `fleet.yaml` as it is written, with the place of every value.
//!
//! # Steps
//!
//! 1. `directive`: the lines that speak to BuildKit;
//! 2. `yaml`: text → node tree (`node`), with limits on size, depth and aliases;
//! 3. `read` and `values`: node tree → [`Spec`], by the table in `fields`;
//! 4. `tokens`, `template` and `words`: strings → [`Text`] with `${ARG}` expressions, lines → words.
//!
//! `reference` and `schema` make the documentation from the same table.
//!
//! In: the text. Out: a [`Spec`] and all problems of form: syntax, unknown and duplicate fields,
//! wrong types, malformed expressions, illegal names. Expanding build args, joining services with
//! `defaults` and checking values is left to [`plan`](crate::plan).

mod directive;
mod fields;
mod foreign;
mod merge;
mod names;
mod node;
mod read;
mod reference;
mod schema;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod words;
mod yaml;

pub use names::RESERVED;
pub use reference::reference;
pub use schema::json_schema;
pub use template::{PREDEFINED, Text};

pub(crate) use names::{check as check_name, suggestion as legal_name};
pub(crate) use read::MAX_SERVICES;
pub(crate) use template::{Args, Op, Piece, Scope, default_image};
pub(crate) use words::{join_go_flags, split_go_flags};

use crate::diag::{Checks, Diagnostic, Span, Spanned};
use std::collections::BTreeMap;

/// Reads the text of a spec.
///
/// The spec is `None` when the text is no mapping with services at all. With errors among the
/// diagnostics it holds what could be read, so that the caller can look for more problems; it is
/// not to be built.
pub fn parse(text: &str) -> (Option<Spec>, Vec<Diagnostic>) {
    read::spec(text)
}

/// The spec as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Where `services` is written, or else `discover`.
    pub span: Span,
    /// What the line `# check=` says about warnings.
    pub checks: Checks,
    /// `go`.
    pub go: Option<Text>,
    /// `default_target`.
    pub default_target: Option<Text>,
    /// `attest`.
    pub attest: Option<Attest>,
    /// `cache`: where modules and compiled dependencies come from.
    pub cache: Option<Text>,
    /// `parallel`: how many builds run side by side.
    pub parallel: Option<Text>,
    /// `modules`: settings of fetching.
    pub modules: Variables,
    /// `secrets`: what `--secret` takes, one each.
    pub secrets: Vec<Text>,
    /// `ssh`: what `--ssh` takes, one each.
    pub ssh: Vec<Text>,
    /// `defaults`.
    pub defaults: Settings,
    /// The services in the order of the text.
    pub services: Vec<ServiceEntry>,
    /// `discover`: patterns of main packages that are services too. Finding them takes the sources:
    /// see [`plan::complete`](crate::plan::complete).
    pub discover: Vec<Text>,
    /// `exclude`: patterns of what `discover` does not find.
    pub exclude: Vec<Text>,
}

/// One entry of `services`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// The name, at its place.
    pub name: Spanned<String>,
    /// `main`; `None` after an error, and while it is still to be discovered.
    pub main: Option<Text>,
    /// The other fields.
    pub settings: Settings,
}

/// The value of `attest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attest {
    /// `true` leaves it to buildx, `false` turns provenance off.
    Flag(bool),
    /// Values for `--attest`.
    Entries(Vec<Text>),
}

/// The fields that a service and `defaults` share.
///
/// A list or mapping is `None` when the field is absent, and empty when it is written empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `build_tags`.
    pub build_tags: Option<Vec<Text>>,
    /// `ldflags`, split.
    pub ldflags: Option<Vec<Text>>,
    /// `env`.
    pub env: Variables,
    /// `image`.
    pub image: Option<Text>,
    /// `base`.
    pub base: Option<Text>,
    /// `entrypoint`, split.
    pub entrypoint: Option<Vec<Text>>,
    /// `command`, split.
    pub command: Option<Vec<Text>>,
    /// `environment`.
    pub environment: Variables,
    /// `expose`.
    pub expose: Option<Vec<Text>>,
    /// `labels`.
    pub labels: Variables,
    /// `user`.
    pub user: Option<Text>,
    /// `working_dir`.
    pub working_dir: Option<Text>,
    /// `files`: destination to source.
    pub files: Variables,
    /// `platforms`.
    pub platforms: Option<Vec<Text>>,
    /// `tzdata`.
    pub tzdata: Option<bool>,
}

/// A mapping of names to values, by name, with the place of each name.
pub type Variables = BTreeMap<String, Spanned<Text>>;

/// A build arg that the spec uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgUse {
    /// Its name.
    pub name: String,
    /// The first place that uses it.
    pub span: Span,
    /// The default at that place, when it is plain text.
    pub default: Option<String>,
}

/// The build args of some texts, by name; not the predefined ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArgUses(pub(crate) BTreeMap<String, ArgUse>);

impl ArgUses {
    pub(crate) fn add(&mut self, text: &Text) {
        text.each_var(&mut |var| {
            if PREDEFINED.contains(&var.name.as_str()) {
                return;
            }
            let default = match &var.op {
                Op::Default { value, .. } => plain(value),
                _ => None,
            };
            let new = ArgUse {
                name: var.name.clone(),
                span: var.span,
                default,
            };
            let first = (self.0)
                .entry(var.name.clone())
                .or_insert_with(|| new.clone());
            if new.span.start < first.span.start {
                *first = new;
            }
        });
    }
}

impl Spec {
    /// The build args that the spec uses anywhere, by name; not the predefined ones.
    pub fn args(&self) -> Vec<ArgUse> {
        let mut uses = ArgUses::default();
        self.each_text(&mut |text| uses.add(text));
        uses.0.into_values().collect()
    }

    /// Calls `visit` for every string that may hold expressions.
    fn each_text<'s>(&'s self, visit: &mut impl FnMut(&'s Text)) {
        self.go
            .iter()
            .chain(&self.default_target)
            .chain(&self.cache)
            .chain(&self.parallel)
            .chain(&self.discover)
            .chain(&self.exclude)
            .chain(self.modules.values().map(|v| &v.value))
            .chain(&self.secrets)
            .chain(&self.ssh)
            .for_each(&mut *visit);
        if let Some(Attest::Entries(entries)) = &self.attest {
            entries.iter().for_each(&mut *visit);
        }
        self.defaults.each_text(visit);
        for service in &self.services {
            service.main.iter().for_each(&mut *visit);
            service.settings.each_text(visit);
        }
    }
}

/// The text of pieces that hold no expression.
fn plain(pieces: &[Piece]) -> Option<String> {
    match pieces {
        [] => Some(String::new()),
        [Piece::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

impl Settings {
    /// Calls `visit` for every string that may hold expressions.
    pub(crate) fn each_text<'s>(&'s self, visit: &mut impl FnMut(&'s Text)) {
        // Spelled out, so that a new field is not forgotten.
        let Self {
            build_tags,
            ldflags,
            env,
            image,
            base,
            entrypoint,
            command,
            environment,
            expose,
            labels,
            user,
            working_dir,
            files,
            platforms,
            tzdata: _,
        } = self;
        for text in [image, base, user, working_dir].into_iter().flatten() {
            visit(text);
        }
        for list in [build_tags, ldflags, entrypoint, command, expose, platforms] {
            list.iter().flatten().for_each(&mut *visit);
        }
        for map in [env, environment, labels, files] {
            map.values().for_each(|v| visit(&v.value));
        }
    }
}
