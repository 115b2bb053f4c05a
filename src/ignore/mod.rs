//! Ignore files: which rule hides a path.
//!
//! In: the bytes of `.dockerignore`. Out: patterns for the daemon, whose word
//! counts, and an answer of our own to "why is this file not there", for
//! messages.
//!
//! Rules of moby/patternmatcher v0.6, `ignorefile` and `MatchesOrParentMatches`.

mod glob;

use crate::diag::{self, Diagnostic, Span};
use glob::{Glob, Refused, refused};

/// Where those begin in [`build_files`] that are named after the spec.
pub const SPEC: usize = 2;

/// Files of a context that say how it is built and are in no image, unless an ignore
/// file takes them back in (`!NAME`): Git's directory, the spec and the ignore files.
#[must_use]
pub fn build_files(spec: &str) -> [String; 4] {
    [
        ".git".to_owned(),
        ".dockerignore".to_owned(),
        format!("{spec}.dockerignore"),
        spec.to_owned(),
    ]
}

/// The rules of one ignore file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// One line of an ignore file that is a rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The line, from 1.
    pub line: u32,
    /// The pattern as the daemon gets it: cleaned, relative, `!` in front when
    /// it takes files back in.
    pub text: String,
    /// The line as the user wrote it, without blanks around it.
    pub written: String,
    takes_back: bool,
    /// Why the daemon ends every build with it, if it does.
    refused: Option<Refused>,
    /// `None` for a pattern that the daemon refuses; it matches nothing here.
    glob: Option<Glob>,
}

impl Rules {
    /// Reads an ignore file: a pattern a line, `#` comments in the first column
    /// alone, paths cleaned and relative.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let rules = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.starts_with('#'))
            .filter_map(|(number, line)| {
                let written = line.trim();
                Some(Rule::new(number, written, daemon_pattern(written)?))
            })
            .collect();
        Self { rules }
    }

    /// The patterns for the daemon.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        self.rules.iter().map(|rule| rule.text.clone()).collect()
    }

    /// What the daemon does not take, each at its line. It ends a build with the first one,
    /// without saying where it is.
    #[must_use]
    pub fn problems(&self) -> Vec<Diagnostic> {
        let refused = |rule: &Rule| Some(rule.problem(rule.refused?));
        self.rules.iter().filter_map(refused).collect()
    }

    /// Whether a path that is left out otherwise was taken back in.
    #[must_use]
    pub fn takes_in(&self, path: &str) -> bool {
        let last = self.rules.iter().rfind(|rule| rule.covers(path));
        last.is_some_and(|rule| rule.takes_back)
    }

    /// The rules that hide something.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !rule.takes_back)
    }

    /// Whether a rule takes files back in: then a hidden directory may hold files
    /// that are not hidden.
    #[must_use]
    pub fn takes_back(&self) -> bool {
        self.rules.iter().any(|rule| rule.takes_back)
    }

    /// Whether a directory is hidden with everything below it.
    #[must_use]
    pub fn hides_all(&self, dir: &str) -> bool {
        !self.takes_back() && self.hidden_by(dir).is_some()
    }

    /// The rule that keeps a file or directory out of the context: the last one
    /// that matches the path or a directory above it, unless that one takes
    /// files back in.
    ///
    /// The path is relative to the context, clean, with slashes.
    #[must_use]
    pub fn hidden_by(&self, path: &str) -> Option<&Rule> {
        self.rules
            .iter()
            .rfind(|rule| rule.covers(path))
            .filter(|rule| !rule.takes_back)
    }
}

impl Rule {
    fn new(line: u32, written: &str, text: String) -> Self {
        // The matcher trims and cleans what it gets, and only then looks for the mark.
        let cleaned = clean(text.trim());
        let (takes_back, pattern) = match cleaned.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, cleaned.as_str()),
        };
        let glob = Glob::parse(pattern);
        let refused = match pattern {
            "" if takes_back => Some(Refused::Mark),
            pattern => refused(pattern),
        };
        Self {
            line,
            text,
            written: written.to_owned(),
            takes_back,
            refused,
            glob,
        }
    }

    fn problem(&self, why: Refused) -> Diagnostic {
        let width = u32::try_from(self.written.chars().count()).unwrap_or(0);
        let start = Span::at(self.line, 1).start;
        let end = Span::at(self.line, width.saturating_add(1)).start;
        let hint = match why {
            Refused::Mark => "`!` takes back in what follows it, as in `!README.md`",
            Refused::Set => {
                "a set is written `[a-z]`; a `[` that is meant literally has a backslash before it"
            }
            Refused::Backslash => "a backslash takes the next character literally",
        };
        Diagnostic::new(
            diag::Rule::InvalidIgnoreRule,
            format!("`{}` is no pattern of an ignore file", self.written),
        )
        .at(Span { start, end })
        .hint(hint)
    }

    fn covers(&self, path: &str) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.covers(path))
    }
}

/// The text for the daemon; `None` for an empty line.
fn daemon_pattern(line: &str) -> Option<String> {
    let (mark, pattern) = match line.strip_prefix('!') {
        Some(pattern) => ("!", pattern.trim()),
        None if line.is_empty() => return None,
        None => ("", line),
    };
    let cleaned = clean(pattern);
    let relative = match cleaned.strip_prefix('/') {
        Some(relative) if !relative.is_empty() => relative,
        _ => cleaned.as_str(),
    };
    Some(format!("{mark}{relative}"))
}

/// Go's `filepath.Clean`, except that nothing stays nothing.
fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hiding_line(file: &str, path: &str) -> Option<u32> {
        Rules::parse(file.as_bytes())
            .hidden_by(path)
            .map(|rule| rule.line)
    }

    #[test]
    fn ignore_files_are_read_as_docker_reads_them() {
        let text =
            "\u{feff}# comment\n\n  # not a comment\n/abs\n./a/../b/\n! !x\n!/keep \r\n..\n/\n!\n";
        let rules = Rules::parse(text.as_bytes());
        assert_eq!(
            rules.patterns(),
            [
                "# not a comment",
                "abs",
                "b",
                "!!x",
                "!keep",
                "..",
                "/",
                "!"
            ]
        );
        let lines: Vec<u32> = rules.rules.iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn patterns_are_cleaned_as_go_does() {
        for (pattern, cleaned) in [
            ("a//b", "a/b"),
            ("a/.", "a"),
            ("../a", "../a"),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("/", "/"),
            ("a/..", "."),
            ("**/x", "**/x"),
        ] {
            assert_eq!(clean(pattern), cleaned, "{pattern}");
        }
    }

    #[test]
    fn the_last_match_wins() {
        let file = "# sources\ninternal\n!internal/db\n\ninternal/db/*.go\n!**/keep.go\n";
        assert_eq!(hiding_line(file, "internal/log/log.go"), Some(2));
        assert_eq!(hiding_line(file, "internal/db/db.sql"), None);
        assert_eq!(hiding_line(file, "internal/db/db.go"), Some(5));
        assert_eq!(hiding_line(file, "internal/db/keep.go"), None);
        assert_eq!(hiding_line(file, "cmd/main.go"), None);
    }

    #[test]
    fn a_rule_says_what_the_daemon_got() {
        let rules = Rules::parse(b"\n/vendor/\n");
        let rule = rules.hidden_by("vendor/modules.txt").unwrap();
        assert_eq!((rule.line, rule.text.as_str()), (2, "vendor"));
    }

    #[test]
    fn a_mark_behind_a_slash_is_a_mark_too() {
        assert_eq!(hiding_line("*\n/!x\n", "x"), None);
        assert_eq!(hiding_line("!x\n", "x"), None);
    }

    #[test]
    fn what_the_daemon_refuses_is_said_at_its_line() {
        let file = "# rules\n  /a/../[z/ \n!\nok[a-c^]*\n!b\\\n[]x]\n\\[literal\\]\na\\";
        let problems = Rules::parse(file.as_bytes()).problems();
        let said: Vec<_> = problems
            .iter()
            .map(|d| (d.span.map(|s| s.start.line), d.message.clone()))
            .collect();
        let expected = [
            (2, "/a/../[z/"),
            (3, "!"),
            (5, "!b\\"),
            (6, "[]x]"),
            (8, "a\\"),
        ]
        .map(|(line, text)| {
            (
                Some(line),
                format!("`{text}` is no pattern of an ignore file"),
            )
        });
        assert_eq!(said, expected);
    }

    #[test]
    fn patterns_that_the_daemon_takes_are_no_problem() {
        let problems = |pattern: &str| Rules::parse(pattern.as_bytes()).problems().len();
        for pattern in [
            "[", "[]", "a\\", "!", "[b-a]", "[^]", "[a-]", "\\q", "[]-a]x",
        ] {
            assert_eq!(problems(pattern), 1, "{pattern}");
        }
        for pattern in [
            "/",
            "a|b",
            "{2}",
            "[[:alpha:]]",
            "\\d",
            "**",
            "[^a]",
            "a]",
            "\\[",
            "[\\]a]",
            "[*]",
            "..",
        ] {
            assert_eq!(problems(pattern), 0, "{pattern}");
        }
    }

    #[test]
    fn what_the_daemon_refuses_hides_nothing() {
        for pattern in ["[", "[]", "a\\", "!", "/", "[b-a]", "[^]", "[a-]"] {
            for path in ["a", "a\\", "[", "b", "!", "a/b"] {
                assert_eq!(hiding_line(pattern, path), None, "{pattern} on {path}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes: Vec<u8>, path in any::<String>()) {
            let rules = Rules::parse(&bytes);
            prop_assert_eq!(rules.patterns().len(), rules.rules.len());
            let _ = rules.hidden_by(&path);
        }

        #[test]
        fn any_pattern_is_tried(
            file in r"([ab!#/.*?\\\[\]^|{}1é-]{0,8}\n){0,4}",
            path in r"[ab!#/.*?\\\[\]^é]{0,8}",
        ) {
            let _ = Rules::parse(file.as_bytes()).hidden_by(&path);
        }

        #[test]
        fn a_plain_rule_hides_its_path_and_what_is_below(
            path in r"[a-z|{}^!é ][a-z.|{}^é ]{0,5}[a-z](/[a-z.]{0,5}[a-z]){0,3}",
            below in "[a-z]{1,5}",
        ) {
            let path = path.trim_start_matches(['!', ' ']);
            prop_assume!(!path.is_empty());
            prop_assert_eq!(hiding_line(path, path), Some(1));
            let inside = format!("{path}/{below}");
            prop_assert_eq!(hiding_line(path, &inside), Some(1));
            let beside = format!("{path}{below}");
            prop_assert_eq!(hiding_line(path, &beside), None);
        }
    }
}
