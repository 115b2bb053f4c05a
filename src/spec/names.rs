//! Service names.

use crate::diag::{Diagnostic, Rule, Spanned};

/// The targets that are no services: no service can have these names.
pub const RESERVED: [&str; 3] = ["all", "binaries", "deps"];

/// Longest name, as for host names: the name often becomes one.
const MAX_LEN: usize = 63;

/// Checks a service name: it becomes a target, a file name and an image name.
pub(crate) fn check(name: &Spanned<String>) -> Option<Diagnostic> {
    let text = name.value.as_str();
    let error = |rule, message: String| Some(Diagnostic::new(rule, message).at(name.span));
    if RESERVED.contains(&text) {
        let hint = match suggestion(text) {
            Some(other) => format!("name the service differently, such as `{other}`"),
            None => "name the service differently".to_owned(),
        };
        return error(
            Rule::ReservedName,
            format!("`{text}` is a target of its own"),
        )
        .map(|d| d.hint(hint));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if text.len() > MAX_LEN {
        let message = format!("a service name has at most {MAX_LEN} characters");
        return error(Rule::IllegalName, message).map(|d| d.hint("shorten it"));
    }
    if text.starts_with(fits)
        && text
            .chars()
            .all(|c| fits(c) || matches!(c, '-' | '_' | '.'))
    {
        return None;
    }
    let hint = match suggestion(text) {
        Some(other) => format!("did you mean `{other}`?"),
        None => "a name has a-z, 0-9, `-`, `_` and `.`, and starts with a letter or digit".into(),
    };
    error(Rule::IllegalName, format!("`{text}` is no service name")).map(|d| d.hint(hint))
}

/// A legal name near an illegal one: its characters replaced, or a word added to a target's name.
pub(crate) fn suggestion(text: &str) -> Option<String> {
    if RESERVED.contains(&text) {
        return Some(format!("{text}-service"));
    }
    let replaced: String = text
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    let trimmed = replaced.trim_matches(['-', '_', '.']);
    (!trimmed.is_empty() && !RESERVED.contains(&trimmed)).then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Span;

    fn rule_and_hint(name: &str) -> Option<(Rule, String)> {
        let name = Spanned::new(name.to_owned(), Span::at(1, 1));
        check(&name).map(|d| (d.rule, d.hint.unwrap_or_default()))
    }

    #[test]
    fn names() {
        for name in [
            "api",
            "a",
            "9p",
            "api-v1.2_x",
            "context",
            "dockerfile",
            "default",
            "test",
            "generate",
        ] {
            assert_eq!(rule_and_hint(name), None, "{name}");
        }
        let hint = |name| rule_and_hint(name).map(|(_, hint)| hint);
        assert_eq!(hint("API"), Some("did you mean `api`?".into()));
        assert_eq!(hint("my api/v1"), Some("did you mean `my-api-v1`?".into()));
        assert_eq!(hint("-x"), Some("did you mean `x`?".into()));
        for name in ["", "-", "ALL "] {
            assert_eq!(
                rule_and_hint(name).map(|(r, _)| r),
                Some(Rule::IllegalName),
                "{name}"
            );
        }
        for name in RESERVED {
            assert_eq!(
                rule_and_hint(name).map(|(r, _)| r),
                Some(Rule::ReservedName)
            );
        }
        assert!(rule_and_hint(&"a".repeat(64)).is_some());
    }
}
