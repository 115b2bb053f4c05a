//! Questions about a spec instead of a build: `--call NAME` and `--check`.
//!
//! In: a `requestid` and what the plan knows. Out: the metadata that clients
//! print. Pure; the plan's data is put in by the caller.
//!
//! | request | flag | function |
//! |---|---|---|
//! | `frontend.subrequests.describe` | `--call subrequests.describe` | [`describe`] |
//! | `frontend.targets` | `--call targets` | [`Targets::result`] |
//! | `frontend.outline` | `--call outline` | [`Outline::result`] |
//! | `frontend.lint` | `--check` | [`lint`] |
//! | `frontend.bake` | `--call bake` | [`bake`] |
//! | `frontend.affected` | `--call affected` | [`affected`] |
//!
//! Forms of BuildKit v0.32 (`frontend/subrequests`); `frontend.bake` and
//! `frontend.affected` are ours.
//! Their Go printers dereference locations and index `sources` without a look,
//! so every location here has both ends and a source that exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildkit_proto::errdefs::{Range, SourceInfo};
use serde::Serialize;

use super::error::{Error, SpecError, warn_ranges};
use super::result::FrontendResult;
use crate::diag::{self, Diagnostic, Span};

/// Version of the forms; clients format answers of versions they know.
const VERSION: &str = "1.0.0";

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subrequest {
    /// Which questions are answered.
    Describe,
    /// What can be built.
    Targets,
    /// What a target can be told.
    Outline,
    /// What is wrong with the spec.
    Lint,
    /// The bake file of all services.
    Bake,
    /// Which services differ from another context.
    Affected,
}

impl Subrequest {
    /// All questions, as `describe` lists them.
    pub const ALL: [Self; 6] = [
        Self::Affected,
        Self::Bake,
        Self::Lint,
        Self::Outline,
        Self::Targets,
        Self::Describe,
    ];

    /// Reads a `requestid`.
    ///
    /// # Errors
    ///
    /// We do not answer it.
    pub fn parse(request_id: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.id() == request_id);
        known.ok_or_else(|| Error::UnknownSubrequest(request_id.to_owned()))
    }

    /// The `requestid`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Describe => "frontend.subrequests.describe",
            Self::Targets => "frontend.targets",
            Self::Outline => "frontend.outline",
            Self::Lint => "frontend.lint",
            Self::Bake => "frontend.bake",
            Self::Affected => "frontend.affected",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Describe => "List available subrequest types",
            Self::Targets => "List all targets of the spec",
            Self::Outline => "List all parameters of a target",
            Self::Lint => "Check the spec",
            Self::Affected => "List the services that differ from the context `base`",
            Self::Bake => "Print a bake file that builds, tags and pushes every service",
        }
    }
}

/// A place in the spec.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    source_index: i32,
    ranges: Vec<Range>,
}

impl Location {
    /// A place in the only source; `None` is the file as a whole.
    #[must_use]
    pub fn new(span: Option<Span>) -> Self {
        Self::of(0, span)
    }

    /// A place in one of several sources.
    fn of(source_index: i32, span: Option<Span>) -> Self {
        Self {
            source_index,
            ranges: warn_ranges(span).iter().map(Range::from).collect(),
        }
    }
}

/// Answers `describe`.
#[must_use]
pub fn describe() -> FrontendResult {
    #[derive(Serialize)]
    struct Named {
        name: &'static str,
        description: &'static str,
    }
    #[derive(Serialize)]
    struct Request {
        name: &'static str,
        version: &'static str,
        r#type: &'static str,
        description: &'static str,
        opts: Vec<Named>,
        inputs: Vec<Named>,
        metadata: Vec<Named>,
        refs: Vec<Named>,
    }
    let named = |name, description| Named { name, description };
    let requests = Subrequest::ALL.map(|kind| Request {
        name: kind.id(),
        version: VERSION,
        r#type: "rpc",
        description: kind.description(),
        opts: match kind {
            Subrequest::Outline => vec![named("target", "Target of the spec")],
            Subrequest::Affected => vec![named("context:base", "What to compare with")],
            _ => Vec::new(),
        },
        inputs: Vec::new(),
        metadata: vec![named("result.json", ""), named("result.txt", "")],
        refs: Vec::new(),
    });
    let mut table = Table::new(["NAME", "VERSION", "DESCRIPTION"]);
    for request in &requests {
        let short = request.name.trim_start_matches("frontend.");
        table.row([short, request.version, request.description]);
    }
    answer(&requests, &table.render())
}

/// Answers `targets`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Targets {
    targets: Vec<Target>,
    sources: Vec<String>,
}

/// One thing that can be built.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Target {
    /// What `--target` takes.
    pub name: String,
    /// Whether it is built when no target is given.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// One line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its base image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub base: String,
    /// Its platforms, comma separated.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Where the spec says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Targets {
    /// The targets of a spec, in the order to list them.
    #[must_use]
    pub fn new(targets: Vec<Target>, spec: &[u8]) -> Self {
        Self {
            targets,
            sources: vec![STANDARD.encode(spec)],
        }
    }

    /// The answer.
    #[must_use]
    pub fn result(&self) -> FrontendResult {
        let mut table = Table::new(["TARGET", "DESCRIPTION"]);
        for target in &self.targets {
            let name = if target.default {
                format!("{} (default)", target.name)
            } else {
                target.name.clone()
            };
            table.row([&name, &target.description]);
        }
        answer(self, &table.render())
    }
}

/// Answers `outline`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outline {
    /// The target.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One line about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What `--build-arg` can set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Arg>,
    /// What `--secret` can give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// What `--ssh` can give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<Secret>,
}

/// A build argument.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Arg {
    /// Its name.
    pub name: String,
    /// One line about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its value or default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Where it is used first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// A secret, or an ssh agent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Secret {
    /// Its id.
    pub name: String,
    /// Whether the build fails without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Where the spec names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Outline {
    /// The answer; `spec` is the text that locations are about.
    #[must_use]
    pub fn result(&self, spec: &[u8]) -> FrontendResult {
        #[derive(Serialize)]
        struct Answer<'a> {
            #[serde(flatten)]
            outline: &'a Outline,
            sources: [String; 1],
        }
        let json = Answer {
            outline: self,
            sources: [STANDARD.encode(spec)],
        };
        let mut text = String::new();
        if !self.name.is_empty() {
            text.push_str(&format!("TARGET:      {}\n", self.name));
            if !self.description.is_empty() {
                text.push_str(&format!("DESCRIPTION: {}\n", self.description));
            }
            text.push('\n');
        }
        if !self.args.is_empty() {
            let mut table = Table::new(["BUILD ARG", "VALUE", "DESCRIPTION"]);
            for arg in &self.args {
                table.row([&arg.name, &arg.value, &arg.description]);
            }
            text.push_str(&table.render());
            text.push('\n');
        }
        for (head, list) in [("SECRET", &self.secrets), ("SSH", &self.ssh)] {
            if list.is_empty() {
                continue;
            }
            let mut table = Table::new([head, "REQUIRED"]);
            for secret in list {
                table.row([&secret.name, if secret.required { "true" } else { "" }]);
            }
            text.push_str(&table.render());
            text.push('\n');
        }
        answer(&json, &text)
    }
}

/// Answers `lint`: warnings one by one, errors together as the build error,
/// because with them there is nothing to build. The client ends with status 1
/// if there is either. The first file is the spec.
#[must_use]
pub fn lint(files: &[SpecError]) -> FrontendResult {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Warning {
        rule_name: &'static str,
        description: &'static str,
        url: String,
        detail: String,
        location: Location,
    }
    #[derive(Serialize)]
    struct BuildError {
        message: String,
        location: Location,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Results {
        warnings: Vec<Warning>,
        sources: Vec<SourceInfo>,
        #[serde(skip_serializing_if = "Option::is_none")]
        build_error: Option<BuildError>,
    }
    let detail = |d: &Diagnostic| match &d.hint {
        Some(hint) => format!("{}\nhint: {hint}", d.message),
        None => d.message.clone(),
    };
    let mut results = Results {
        warnings: Vec::new(),
        sources: Vec::new(),
        build_error: None,
    };
    let mut texts = Vec::new();
    let mut failed = Vec::new();
    for (index, SpecError { file, diagnostics }) in (0..).zip(files) {
        // The answer holds the file, for clients to print lines of it.
        let shown = diag::shows_lines(diagnostics);
        let location = |span: Option<Span>| Location::of(index, span.filter(|_| shown));
        let mut source = SourceInfo::from(file.as_ref());
        if !shown {
            source.data = Vec::new();
        }
        results.sources.push(source);
        let (errors, warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
            diagnostics.iter().partition(|d| d.is_error());
        results.warnings.extend(warnings.iter().map(|d| Warning {
            rule_name: d.rule.name(),
            description: d.rule.summary(),
            url: d.rule.url(),
            detail: detail(d),
            location: location(d.span),
        }));
        if let Some(first) = errors.first() {
            results.build_error.get_or_insert_with(|| BuildError {
                message: String::new(),
                location: location(first.span),
            });
            failed.push(SpecError {
                file: Arc::clone(file),
                diagnostics: errors.into_iter().cloned().collect(),
            });
        }
        if !diagnostics.is_empty() {
            let text = String::from_utf8_lossy(&file.data);
            let text = diag::render_with_source(diagnostics, &file.filename, &text);
            texts.push(text);
        }
    }
    if let Some(error) = &mut results.build_error {
        error.message = Error::Files(failed).to_string();
    }
    let status = if texts.is_empty() { "0" } else { "1" };
    let mut result = answer(&results, &texts.join("\n"));
    result.set("result.statuscode", status);
    result
}

/// Answers `bake` with a bake file, which `buildx bake` reads from a pipe as it
/// is; the JSON form answers `--call bake,format=json`.
#[must_use]
pub fn bake(hcl: String, json: String) -> FrontendResult {
    texts(hcl, json)
}

/// Answers `affected` with the report.
#[must_use]
pub fn affected(json: String, text: String) -> FrontendResult {
    texts(text, json)
}

fn texts(text: String, json: String) -> FrontendResult {
    FrontendResult::of_metadata(BTreeMap::from([
        ("result.txt".to_owned(), text.into_bytes()),
        ("result.json".to_owned(), json.into_bytes()),
        ("version".to_owned(), VERSION.as_bytes().to_vec()),
    ]))
}

fn answer(json: &impl Serialize, text: &str) -> FrontendResult {
    // Plain structs with string keys: there is nothing JSON cannot say.
    let json = serde_json::to_vec_pretty(json).unwrap_or_default();
    FrontendResult::of_metadata(BTreeMap::from([
        ("result.json".to_owned(), json),
        ("result.txt".to_owned(), text.as_bytes().to_vec()),
        ("version".to_owned(), VERSION.as_bytes().to_vec()),
    ]))
}

/// Text in columns.
struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    fn new(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned)],
        }
    }

    fn row(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(str::to_owned));
    }

    fn render(&self) -> String {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(&format!("{cell:width$}   "));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
#[path = "subrequest_tests.rs"]
mod tests;
