//! The lines in front of a spec that speak to BuildKit: `# syntax=…` and `# check=…`.
//!
//! In JSON, which has no comments, they are `// syntax=…`, or a member `"syntax"`.
//!
//! Facts of BuildKit v0.32 (`frontend/dockerfile/parser/directives.go`): the lines are the first
//! ones; one that is no directive ends them; a value ends at a blank; `#!` in the first line is
//! passed over.

use crate::diag::{Checks, Diagnostic, Rule, Span};

/// Names of directives.
const NAMES: [&str; 3] = ["syntax", "escape", "check"];

/// The text with spaces in place of the leading lines that start with `//`, which are no YAML.
/// Lines and columns stay what they are.
pub(super) fn without_slashes(text: &str) -> Option<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    if !body.starts_with("//") {
        return None;
    }
    let mut rest = body;
    let mut out = mark.to_owned();
    while rest.starts_with("//") {
        let end = rest.find('\n').unwrap_or(rest.len());
        let is_end = |c: &char| *c == '\r';
        out.extend(
            rest[..end]
                .chars()
                .map(|c| if is_end(&c) { c } else { ' ' }),
        );
        out.extend(rest[end..].chars().next());
        rest = rest.get(end + 1..).unwrap_or("");
    }
    out.push_str(rest);
    Some(out)
}

/// What `check=` says about warnings.
pub(super) fn checks(text: &str) -> Result<Checks, Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = if text.starts_with("//") { "//" } else { "#" };
    let lines = (1..).zip(text.lines());
    for (number, line) in lines.skip_while(|(n, line)| *n == 1 && line.starts_with("#!")) {
        let Some((name, value)) = line.strip_prefix(mark).and_then(directive) else {
            break;
        };
        if name == "check" {
            let value = value.split(' ').next().unwrap_or_default();
            return Checks::parse(value).map_err(|message| {
                Diagnostic::new(Rule::InvalidCheck, format!("malformed `check`: {message}"))
                    .at(Span::at(number, 1))
                    .hint("as in `# check=skip=UnusedArg;error=true`")
            });
        }
    }
    Ok(Checks::default())
}

/// Name and value of a directive.
fn directive(comment: &str) -> Option<(String, &str)> {
    let (name, value) = comment.trim_start().split_once('=')?;
    let name = name.trim_end().to_lowercase();
    let value = value.trim();
    (NAMES.contains(&name.as_str()) && !value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_lines_say_what_is_checked() {
        let skips = |text: &str| checks(text).unwrap().skips(Rule::UnusedArg);
        for text in [
            "# check=skip=all\n",
            "#!/bin/x\n# syntax=a b\n#Check = skip=UnusedArg;error=true # c\nservices:\n",
            "\u{feff}// syntax=a\n// check=skip=all\n{}",
            "# syntax=a\r\n# check=skip=all\r\n",
        ] {
            assert!(skips(text), "{text}");
        }
        for text in [
            "",
            "# a comment\n# check=skip=all\n",
            "services: {}\n# check=skip=all\n",
            "\n# check=skip=all\n",
            "# check=\n",
        ] {
            assert!(!skips(text), "{text}");
        }
        let wrong = checks("# syntax=a\n# check=all\n").unwrap_err();
        assert_eq!(wrong.span, Some(Span::at(2, 1)));
    }

    #[test]
    fn slashes_are_blanks_and_places_stay() {
        let text = "// syntax=a é\r\n// b\n{} // c\n";
        assert_eq!(
            without_slashes(text).unwrap(),
            "             \r\n    \n{} // c\n"
        );
        assert_eq!(without_slashes("//").unwrap(), "  ");
        assert_eq!(without_slashes("# syntax=a\n// b\n"), None);
    }
}
