//! `${ARG}` in values: parsed once with the spec, expanded per service and platform.
//!
//! The grammar is Compose's: `$NAME`, `${NAME}`, the operators `:-` `-` `:?` `?` `:+` `+` whose
//! right side may hold further expressions, and `$$` for a dollar sign. Keys are not expanded.
//! The value of a build arg is inserted as it is and never parsed again.

use super::node::Scalar;
use super::tokens::{pieces, tokens};
use crate::diag::{Diagnostic, Rule, Span};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Most bytes that all expansions of one plan may produce together.
const MAX_EXPANSION: usize = 64 * 1024 * 1024;

/// Names that gofleet itself gives a value, in the values of services and of `defaults`.
pub const PREDEFINED: [&str; 4] = ["SERVICE", "TARGETPLATFORM", "TARGETOS", "TARGETARCH"];

/// A string of the spec that may hold `${ARG}` expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    raw: String,
    span: Span,
    pieces: Vec<Piece>,
}

/// A run of literal text or one expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// In a word of a command line, empty text is a pair of quotes: the word is there even when
    /// everything else in it expands to nothing.
    Literal(String),
    Var(Var),
    /// White space in the right side of an expression in a command line: one word ends.
    Break,
}

/// One `$` expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) span: Span,
}

/// What happens when the name has no value. `or_empty` is the colon: an empty value counts as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    /// `${A}`: an error.
    Plain,
    /// `${A:-x}`: this instead.
    Default { or_empty: bool, value: Vec<Piece> },
    /// `${A:?x}`: an error with this message.
    Required { or_empty: bool, message: Vec<Piece> },
    /// `${A:+x}`: nothing; this when there is a value.
    Other { or_empty: bool, value: Vec<Piece> },
}

/// The build args of a request, and what expansion may still cost.
#[derive(Debug)]
pub(crate) struct Args<'a> {
    given: &'a BTreeMap<String, String>,
    left: Cell<usize>,
}

impl<'a> Args<'a> {
    pub(crate) fn new(given: &'a BTreeMap<String, String>) -> Self {
        Self {
            given,
            left: Cell::new(MAX_EXPANSION),
        }
    }

    pub(crate) fn given(&self, name: &str) -> Option<&'a str> {
        self.given.get(name).map(String::as_str)
    }
}

/// The names that have a value at one place: the build args and what is predefined there.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    args: &'a Args<'a>,
    predefined: Vec<(&'static str, String)>,
}

impl<'a> Scope<'a> {
    /// A scope with the build args alone.
    pub(crate) fn global(args: &'a Args<'a>) -> Self {
        Self {
            args,
            predefined: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.predefined.push((name, value.into()));
        self
    }

    fn get(&self, name: &str) -> Option<&str> {
        let predefined = self.predefined.iter().find(|(n, _)| *n == name);
        match predefined {
            Some((_, value)) => Some(value),
            None => self.args.given(name),
        }
    }
}

/// The `image` of services that have none:
/// `${REGISTRY:+${REGISTRY}/}${SERVICE}:${TAG:-latest}`.
pub(crate) fn default_image() -> Text {
    let span = Span::at(1, 1);
    let var = |name: &str, op| {
        Piece::Var(Var {
            name: name.to_owned(),
            op,
            span,
        })
    };
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let or_empty = true;
    let registry = Op::Other {
        or_empty,
        value: vec![var("REGISTRY", Op::Plain), literal("/")],
    };
    let tag = Op::Default {
        or_empty,
        value: vec![literal("latest")],
    };
    Text {
        raw: "${REGISTRY:+${REGISTRY}/}${SERVICE}:${TAG:-latest}".to_owned(),
        span,
        pieces: vec![
            var("REGISTRY", registry),
            var("SERVICE", Op::Plain),
            literal(":"),
            var("TAG", tag),
        ],
    }
}

impl Text {
    /// A text without expressions, such as a name that was found; `span` is what it comes from.
    pub(crate) fn literal(text: String, span: Span) -> Self {
        Self {
            raw: text.clone(),
            span,
            pieces: vec![Piece::Literal(text)],
        }
    }

    /// The text as written, after YAML's own escapes.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Where it is written.
    pub fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Parses the text of a scalar.
    pub(crate) fn parse(scalar: &Scalar, span: Span) -> Result<Self, Diagnostic> {
        let pieces = pieces(tokens(scalar, span)?);
        Ok(Self::from_pieces(scalar.text.clone(), span, pieces))
    }

    /// Makes a text of pieces that were parsed before, such as one word of a command line.
    pub(crate) fn from_pieces(raw: String, span: Span, pieces: Vec<Piece>) -> Self {
        Self { raw, span, pieces }
    }

    /// The text as one word of a list, which is there whatever it expands to.
    pub(crate) fn item(mut self) -> Self {
        self.pieces.insert(0, Piece::Literal(String::new()));
        self
    }

    /// Replaces every expression by its value.
    pub(crate) fn expand(&self, scope: &Scope<'_>) -> Result<String, Diagnostic> {
        Ok(self.expand_words(scope)?.concat())
    }

    /// Expands one word of a command line. It can become none, when it is made of expressions
    /// alone, or several, when the right side of an expression holds white space.
    pub(crate) fn expand_words(&self, scope: &Scope<'_>) -> Result<Vec<String>, Diagnostic> {
        let mut out = Words::default();
        expand(&self.pieces, scope, self.span, &mut out)?;
        out.end();
        Ok(out.done)
    }

    /// Calls `visit` for every expression, nested ones included.
    pub(crate) fn each_var<'t>(&'t self, visit: &mut impl FnMut(&'t Var)) {
        each_var(&self.pieces, visit);
    }
}

fn each_var<'t>(pieces: &'t [Piece], visit: &mut impl FnMut(&'t Var)) {
    for piece in pieces {
        if let Piece::Var(var) = piece {
            visit(var);
            each_var(var.op.inner(), visit);
        }
    }
}

impl Op {
    /// The right side of the operator.
    pub(crate) fn inner(&self) -> &[Piece] {
        match self {
            Op::Plain => &[],
            Op::Default { value, .. } | Op::Other { value, .. } => value,
            Op::Required { message, .. } => message,
        }
    }
}

/// Words that are being expanded.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    open: Option<String>,
}

impl Words {
    fn push(&mut self, text: &str) {
        self.open.get_or_insert_default().push_str(text);
    }

    fn end(&mut self) {
        self.done.extend(self.open.take());
    }
}

fn expand(
    pieces: &[Piece],
    scope: &Scope<'_>,
    whole: Span,
    out: &mut Words,
) -> Result<(), Diagnostic> {
    for piece in pieces {
        let value = match piece {
            Piece::Literal(text) => text.as_str(),
            Piece::Break => {
                out.end();
                continue;
            }
            Piece::Var(var) => {
                let value = scope.get(&var.name);
                let present = |or_empty: bool| value.filter(|v| !(or_empty && v.is_empty()));
                match &var.op {
                    Op::Plain => value.ok_or_else(|| unset(var))?,
                    Op::Default { or_empty, value } => match present(*or_empty) {
                        Some(value) => value,
                        None => {
                            expand(value, scope, whole, out)?;
                            continue;
                        }
                    },
                    Op::Required { or_empty, message } => match present(*or_empty) {
                        Some(value) => value,
                        None => {
                            let mut text = Words::default();
                            expand(message, scope, whole, &mut text)?;
                            return Err(required(var, &text.open.unwrap_or_default()));
                        }
                    },
                    Op::Other { or_empty, value } => {
                        if present(*or_empty).is_some() {
                            expand(value, scope, whole, out)?;
                        }
                        continue;
                    }
                }
            }
        };
        let left = scope.args.left.get().checked_sub(value.len());
        let left = left.ok_or_else(|| {
            Diagnostic::new(
                Rule::TooLarge,
                "the values of build args make the spec too large",
            )
            .at(whole)
            .hint(format!(
                "all values together may have {MAX_EXPANSION} bytes"
            ))
        })?;
        scope.args.left.set(left);
        // A value of nothing begins no word.
        if !value.is_empty() || matches!(piece, Piece::Literal(_)) {
            out.push(value);
        }
    }
    Ok(())
}

fn unset(var: &Var) -> Diagnostic {
    let name = &var.name;
    if PREDEFINED.contains(&name.as_str()) {
        return Diagnostic::new(Rule::UnsetArg, format!("`{name}` has no value here"))
            .at(var.span)
            .hint(
                "`SERVICE` is set in the values of services and of `defaults`; `TARGETPLATFORM`, \
                 `TARGETOS` and `TARGETARCH` are too, but not in `image` and `platforms`",
            );
    }
    Diagnostic::new(Rule::UnsetArg, format!("build arg `{name}` is not set"))
        .at(var.span)
        .hint(format!(
            "pass `--build-arg {name}=…`, or give a default: `${{{name}:-…}}`"
        ))
}

fn required(var: &Var, message: &str) -> Diagnostic {
    let name = &var.name;
    if message.is_empty() {
        return unset(var);
    }
    Diagnostic::new(
        Rule::UnsetArg,
        format!("build arg `{name}` is required: {message}"),
    )
    .at(var.span)
    .hint(format!("pass `--build-arg {name}=…`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::diag::Pos;
    use crate::spec::node::Layout;

    fn text(raw: &str) -> Result<Text, Diagnostic> {
        let scalar = Scalar::new(raw.into(), true, Layout::Exact(Pos { line: 1, column: 1 }));
        Text::parse(&scalar, Span::at(1, 1))
    }

    fn expand_with(raw: &str, given: &[(&str, &str)]) -> Result<String, Diagnostic> {
        let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string()));
        let given = given.collect();
        let args = Args::new(&given);
        let scope = Scope::global(&args).with("SERVICE", "api");
        text(raw)?.expand(&scope)
    }

    fn check(raw: &str, expected: &str) {
        let given = [("A", "a"), ("EMPTY", ""), ("X", "${A}")];
        assert_eq!(expand_with(raw, &given).unwrap(), expected, "{raw}");
    }

    #[test]
    fn forms() {
        check("plain", "plain");
        check("${A}", "a");
        check("$A/$A.b", "a/a.b");
        check("$A-b${A}b", "a-bab");
    }

    #[test]
    fn operators() {
        check("${U:-d}${U-d}${EMPTY:-d}${EMPTY-d}${A:-d}", "ddda");
        check("${A:+o}${A+o}${EMPTY:+o}${EMPTY+o}${U:+o}${U+o}", "ooo");
        check("${A:?m}${A?m}${EMPTY?m}", "aa");
        check("${U:-${V:-${A}}}", "a");
        check("${U:-{x}}", "{x}");
        check("${U:-}", "");
        check("$$A $${A} ${U:-$$}", "$A ${A} $");
        check("${SERVICE}", "api");
    }

    #[test]
    fn values_are_not_parsed_again() {
        check("${X}", "${A}");
    }

    #[test]
    fn predefined_names_win() {
        let given = [("SERVICE", "other")];
        assert_eq!(expand_with("$SERVICE", &given).unwrap(), "api");
    }

    #[test]
    fn unset_names_point_at_the_expression() {
        let d = expand_with("ab${U}c", &[]).unwrap_err();
        assert_eq!(d.rule, Rule::UnsetArg);
        assert_eq!(d.span.unwrap().start.column, 3);
        let d = expand_with("${U:?set it}", &[]).unwrap_err();
        assert_eq!(d.message, "build arg `U` is required: set it");
        let d = expand_with("${TARGETOS}", &[]).unwrap_err();
        assert_eq!(d.message, "`TARGETOS` has no value here");
    }

    #[test]
    fn the_default_image_is_what_it_says() {
        let ours = default_image();
        let parsed = text(ours.raw()).unwrap();
        let names = |text: &Text| {
            let mut names = Vec::new();
            text.each_var(&mut |v| names.push((v.name.clone(), plain_op(&v.op))));
            names
        };
        assert_eq!(names(&ours), names(&parsed));
        let given = BTreeMap::from([("REGISTRY".to_owned(), "r".to_owned())]);
        for given in [BTreeMap::new(), given] {
            let args = Args::new(&given);
            let scope = Scope::global(&args).with("SERVICE", "api");
            assert_eq!(ours.expand(&scope), parsed.expand(&scope));
        }
    }

    fn plain_op(op: &Op) -> &'static str {
        match op {
            Op::Plain => "",
            Op::Default { .. } => "-",
            Op::Required { .. } => "?",
            Op::Other { .. } => "+",
        }
    }

    #[test]
    fn expansion_is_bounded() {
        let big = "x".repeat(1024 * 1024);
        let d = expand_with(&"$B".repeat(100), &[("B", &big)]).unwrap_err();
        assert_eq!(d.rule, Rule::TooLarge);
    }
}
