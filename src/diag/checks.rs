//! Which warnings are shown, and whether one of them ends the build.
//!
//! In: `skip=RULE,RULE;error=true`, as the line `# check=` of a spec or the build arg
//! `BUILDKIT_DOCKERFILE_CHECK` says it. Errors are not up for choice.
//!
//! Facts of BuildKit v0.32 (`frontend/dockerfile/linter`): the build arg replaces the line,
//! names of unknown rules mean nothing, and there are three settings.

use std::collections::BTreeSet;

use super::{Diagnostic, Rule, Severity};

/// Most settings; what follows belongs to the last one.
const MAX_SETTINGS: usize = 3;

/// What is done with warnings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    skip_all: bool,
    skip: BTreeSet<String>,
    /// Whether a warning ends the build.
    pub error: bool,
}

impl Checks {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut checks = Self::default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(checks);
        }
        for setting in text.splitn(MAX_SETTINGS, ';') {
            let form = || {
                format!(
                    "expected `skip=RULE,RULE` or `error=true`, separated by `;`, found `{setting}`"
                )
            };
            let (name, value) = setting.split_once('=').ok_or_else(form)?;
            let value = value.trim();
            match name.trim() {
                "skip" if value == "all" => checks.skip_all = true,
                "skip" => checks.skip = value.split(',').map(|n| n.trim().to_owned()).collect(),
                // There are no rules that have to be asked for.
                "experimental" => {}
                "error" => {
                    checks.error = boolean(value).ok_or_else(|| {
                        format!("expected `error=true` or `error=false`, found `{setting}`")
                    })?
                }
                _ => return Err(form()),
            }
        }
        Ok(checks)
    }

    /// Whether warnings of a rule are not shown.
    #[must_use]
    pub fn skips(&self, rule: Rule) -> bool {
        self.skip_all || self.skip.contains(rule.name())
    }

    /// Takes out the warnings that are not to be shown, and makes errors of the others if they
    /// are to end the build.
    pub fn decide(&self, diagnostics: &mut Vec<Diagnostic>) {
        self.apply(diagnostics);
        if self.error {
            for diagnostic in diagnostics {
                diagnostic.severity = Severity::Error;
            }
        }
    }

    /// Takes out the warnings that are not to be shown.
    pub fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.retain(|d| d.is_error() || !self.skips(d.rule));
    }
}

/// A boolean as Go reads it.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings() {
        let checks = Checks::parse(" skip = UnusedArg , Other;error=1; experimental=all ").unwrap();
        assert!(checks.skips(Rule::UnusedArg) && !checks.skips(Rule::NothingDiscovered));
        assert!(checks.error);
        let all = Checks::parse("skip=all").unwrap();
        assert!(all.skips(Rule::NothingDiscovered) && !all.error);
        assert_eq!(Checks::parse(" ").unwrap(), Checks::default());
        for wrong in ["x", "skip", "error=maybe", "error=true;", "warn=all", ";"] {
            assert!(Checks::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn errors_stay() {
        let checks = Checks::parse("skip=all").unwrap();
        let mut diagnostics = vec![
            Diagnostic::new(Rule::UnusedArg, "a warning"),
            Diagnostic::new(Rule::NoServices, "an error"),
        ];
        checks.apply(&mut diagnostics);
        assert_eq!(diagnostics.len(), 1);
        assert!(diagnostics[0].is_error());
    }

    #[test]
    fn a_warning_becomes_an_error_unless_it_is_skipped() {
        let warning = || vec![Diagnostic::new(Rule::UnusedArg, "a warning")];
        let decided = |text: &str| {
            let mut diagnostics = warning();
            Checks::parse(text).unwrap().decide(&mut diagnostics);
            diagnostics
                .iter()
                .map(Diagnostic::is_error)
                .collect::<Vec<_>>()
        };
        assert_eq!(decided("error=true"), [true]);
        assert_eq!(decided("error=true;skip=UnusedArg"), [true; 0]);
        assert_eq!(decided("error=false"), [false]);
    }
}
