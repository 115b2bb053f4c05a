//! Diagnostics: what is wrong with a spec, where, and what to do about it.
//!
//! Parsing, planning and lowering give a value and a list of [`Diagnostic`]s rather than the first
//! error, so that one run reports everything. A diagnostic names a [`Rule`]; the table of rules is
//! in `rules`, `docs/diagnostics.md` is generated from it, and [`render()`] turns diagnostics into
//! the text people read. Sending them to the daemon is left to the gateway.

mod checks;
mod render;
mod rules;
mod suggest;

pub use checks::Checks;
pub use render::{render, render_with_source};
pub use rules::{Rule, page};
pub use suggest::did_you_mean;

/// A place in the spec text.
///
/// Lines and columns count from 1. A column counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A range of the spec text: from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First character.
    pub start: Pos,
    /// One past the last character.
    pub end: Pos,
}

impl Span {
    /// The empty span at a line and column, both from 1.
    pub fn at(line: u32, column: u32) -> Self {
        let pos = Pos { line, column };
        Self {
            start: pos,
            end: pos,
        }
    }
}

/// A value together with the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where the spec says it.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// The build goes on.
    Warning,
}

impl Severity {
    /// The word that opens the rendered diagnostic.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A second place that explains a diagnostic, such as the first of two definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// One problem: a rule, a message, a place and a next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that was broken.
    pub rule: Rule,
    /// Error or warning; the rule's own unless changed.
    pub severity: Severity,
    /// One fact, lowercase start, no full stop, the user's own text in backticks.
    pub message: String,
    /// Where; `None` for things that no place in the spec stands for, such as a command-line flag.
    pub span: Option<Span>,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do.
    pub hint: Option<String>,
}

/// Longest message or hint, in characters: a value may be as long as the spec.
const MAX_TEXT: usize = 2000;

/// Cuts a text that is too long.
fn clipped(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Diagnostic {
    /// A diagnostic of a rule, with the rule's severity, without a place.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity(),
            message: clipped(message.into()),
            span: None,
            labels: Vec::new(),
            hint: None,
        }
    }

    /// Says where the problem is.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(clipped(hint.into()));
        self
    }

    /// Whether this stops the build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Whether any of the diagnostics is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// Whether lines of the spec may be shown beside the diagnostics: not when one of them found
/// a credential there.
pub fn shows_lines(diagnostics: &[Diagnostic]) -> bool {
    !diagnostics
        .iter()
        .any(|d| d.rule == Rule::PlainCredentials && d.is_error())
}

/// Most problems that one run shows.
const MAX_SHOWN: usize = 50;

/// Sorts by place, drops repeats, and cuts what nobody would read.
///
/// A value of `defaults` is checked once per service, so the same finding can turn up many times.
/// Diagnostics without a place come last.
pub fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    let key = |d: &Diagnostic| (d.span.is_none(), d.span, d.severity, d.rule.name());
    diagnostics.sort_by(|a, b| {
        key(a)
            .cmp(&key(b))
            .then_with(|| a.message.cmp(&b.message))
            .then_with(|| a.hint.cmp(&b.hint))
    });
    diagnostics.dedup();
    if diagnostics.len() > MAX_SHOWN {
        let hidden = &diagnostics[MAX_SHOWN..];
        let mut more = Diagnostic::new(
            Rule::TooManyProblems,
            format!("{} more problems are not shown", hidden.len()),
        );
        if !has_errors(hidden) {
            more.severity = Severity::Warning;
        }
        diagnostics.truncate(MAX_SHOWN);
        diagnostics.push(more.hint("mend those above first"));
    }
}
