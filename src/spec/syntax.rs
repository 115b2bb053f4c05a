//! What the YAML parser says, in our words and with our places.

use super::yaml::MAX_DEPTH;
use crate::diag::{Diagnostic, Pos, Rule, Span};
use granit_parser::{ErrorKind, Marker};

/// The limit on nesting was hit.
pub(super) fn too_deep(at: Span) -> Diagnostic {
    Diagnostic::new(
        Rule::TooLarge,
        format!("the spec is nested more than {MAX_DEPTH} levels deep"),
    )
    .at(at)
    .hint("a spec needs four levels")
}

/// The parser's error in our words, for the usual mistakes.
pub(super) fn syntax(kind: &ErrorKind, marker: Marker) -> Diagnostic {
    let at = pos(marker);
    let at = Span { start: at, end: at };
    let (message, hint) = match kind {
        ErrorKind::RecursionLimitExceeded => return too_deep(at),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => ("a tab in the indentation", "indent with spaces"),
        ErrorKind::UnknownAnchor => (
            "an alias without an anchor before it",
            "`*name` repeats what `&name` marks; quote a value that starts with `*`",
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::SimpleKeyExpected => (
            "a `:` where no key can be",
            "quote a value that holds `: ` or ends with `:`, and check the indentation",
        ),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => (
            "a quoted string that is not closed",
            "close the quote before this place",
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement => (
            "a bracket that is not closed, or a missing comma",
            "close the bracket, and separate its items with commas",
        ),
        ErrorKind::UnexpectedCharacter { .. } => (
            "a value that starts with a special character",
            "quote the value",
        ),
        other => {
            // Upstream's sentences start with what was being read; the last clause says what is
            // wrong.
            let text = other.to_string();
            let text = text.rsplit(", ").next().unwrap_or(&text);
            return Diagnostic::new(Rule::YamlSyntax, format!("not valid YAML: {text}"))
                .at(at)
                .hint("check the indentation and the quotes on this line and the one before");
        }
    };
    Diagnostic::new(Rule::YamlSyntax, message).at(at).hint(hint)
}

fn pos(marker: Marker) -> Pos {
    Pos {
        line: u32::try_from(marker.line()).unwrap_or(u32::MAX).max(1),
        // Upstream counts columns from 0.
        column: u32::try_from(marker.col())
            .unwrap_or(u32::MAX - 1)
            .saturating_add(1),
    }
}

/// The parser's span in our counting.
pub(super) fn span(raw: &granit_parser::Span) -> Span {
    Span {
        start: pos(raw.start),
        end: pos(raw.end),
    }
}
