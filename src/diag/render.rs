//! The text form of diagnostics: the message, the place, and optionally the line itself.

use super::{Diagnostic, Span, shows_lines};
use std::fmt::Write;

/// Renders diagnostics as text, without source lines.
///
/// This is the form for the gateway: the daemon's client prints the source lines itself.
///
/// ```text
/// error[UnknownField]: unknown field `mian` in service `api`
///  --> fleet.yaml:6:5
/// hint: did you mean `main`?
/// ```
pub fn render(diagnostics: &[Diagnostic], file_name: &str) -> String {
    render_all(diagnostics, file_name, None)
}

/// Renders diagnostics as text, each with the line of the spec it points at.
///
/// `text` is the spec that the spans were made from. Lines that may hold a credential are left
/// out: see [`shows_lines`].
pub fn render_with_source(diagnostics: &[Diagnostic], file_name: &str, text: &str) -> String {
    render_all(diagnostics, file_name, Some(text))
}

fn render_all(diagnostics: &[Diagnostic], file_name: &str, text: Option<&str>) -> String {
    let text = text.filter(|_| shows_lines(diagnostics));
    let lines: Option<Vec<&str>> = text.map(|t| t.lines().collect());
    let mut out = String::new();
    for (i, diagnostic) in diagnostics.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        render_one(&mut out, diagnostic, file_name, lines.as_deref());
    }
    out
}

fn render_one(out: &mut String, d: &Diagnostic, file_name: &str, lines: Option<&[&str]>) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}[{}]: {}",
        d.severity.name(),
        d.rule.name(),
        d.message
    );
    if let Some(span) = d.span {
        let Span { start, .. } = span;
        let _ = writeln!(out, " --> {file_name}:{}:{}", start.line, start.column);
        if let Some(lines) = lines {
            snippet(out, span, lines);
        }
    }
    for label in &d.labels {
        let Span { start, .. } = label.span;
        let _ = writeln!(
            out,
            " ::: {file_name}:{}:{}: {}",
            start.line, start.column, label.text
        );
        if let Some(lines) = lines {
            snippet(out, label.span, lines);
        }
    }
    if let Some(hint) = &d.hint {
        let _ = writeln!(out, "hint: {hint}");
    }
}

/// Longest part of a line that is shown, in characters.
const SNIPPET_WIDTH: usize = 120;

/// Writes the first line of the span, underlined.
fn snippet(out: &mut String, span: Span, lines: &[&str]) {
    let index = (span.start.line as usize).saturating_sub(1);
    let Some(line) = lines.get(index) else {
        return;
    };
    let start = (span.start.column as usize).saturating_sub(1);
    // A very long line is left out: its beginning does not show the place.
    if start >= SNIPPET_WIDTH {
        return;
    }
    let shown: String = line
        .chars()
        .take(SNIPPET_WIDTH)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let shown = shown.trim_end();
    let end = if span.end.line == span.start.line {
        (span.end.column as usize).saturating_sub(1)
    } else {
        shown.chars().count()
    };
    let end = end.min(SNIPPET_WIDTH).max(start + 1);
    let number = span.start.line.to_string();
    let gutter = " ".repeat(number.len());
    let marks = format!("{}{}", " ".repeat(start), "^".repeat(end - start));
    let _ = writeln!(out, "{gutter} |\n{number} | {shown}\n{gutter} | {marks}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Pos, Rule};

    fn span(line: u32, from: u32, to: u32) -> Span {
        Span {
            start: Pos { line, column: from },
            end: Pos { line, column: to },
        }
    }

    #[test]
    fn message_place_label_and_hint() {
        let d = Diagnostic::new(Rule::UnknownField, "unknown field `mian` in service `api`")
            .at(span(3, 5, 9))
            .label(span(2, 3, 6), "the service")
            .hint("did you mean `main`?");
        assert_eq!(
            render(std::slice::from_ref(&d), "fleet.yaml"),
            "error[UnknownField]: unknown field `mian` in service `api`\n \
             --> fleet.yaml:3:5\n \
             ::: fleet.yaml:2:3: the service\n\
             hint: did you mean `main`?\n"
        );
        let text = "services:\n  api:\n    mian: .\n";
        assert_eq!(
            render_with_source(&[d], "fleet.yaml", text),
            "error[UnknownField]: unknown field `mian` in service `api`\n \
             --> fleet.yaml:3:5\n  \
             |\n3 |     mian: .\n  |     ^^^^\n \
             ::: fleet.yaml:2:3: the service\n  \
             |\n2 |   api:\n  |   ^^^\n\
             hint: did you mean `main`?\n"
        );
    }

    #[test]
    fn a_place_outside_the_text_shows_no_line() {
        let d = Diagnostic::new(Rule::NoServices, "m").at(Span::at(9, 1));
        assert_eq!(
            render_with_source(&[d], "f", "a"),
            "error[NoServices]: m\n --> f:9:1\n"
        );
    }
}
