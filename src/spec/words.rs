//! Command lines and linker flags as words.
//!
//! A line is split before its `${ARG}` expressions are expanded: the value of a build arg is part
//! of one word, whatever it holds, and can never become a word, an option or a command of its own.

use super::node::Scalar;
use super::template::Text;
use super::tokens::{Token, TokenKind, tokens};
use crate::diag::{Diagnostic, Rule, Span};

/// Splits a command line as Compose and a POSIX shell do, without a shell's other powers.
///
/// White space separates; single quotes keep everything; double quotes keep all but `\` before
/// `"`, `\`, `$`, a backtick and a line end; outside of quotes `\` takes the next character
/// literally. What only a shell could do (`|`, `>`, `;` …) is an error, where Compose would
/// silently drop the rest of the line.
pub(crate) fn shell(scalar: &Scalar, span: Span) -> Result<Vec<Text>, Diagnostic> {
    let mut line = Line::new(scalar, span)?;
    while let Some(token) = line.next() {
        match token.kind {
            TokenKind::Char(c) if c.is_whitespace() => line.end_word(),
            TokenKind::Char('\'') => {
                line.start_word(&token);
                loop {
                    match line.next() {
                        None => return Err(line.unclosed(&token, '\'')),
                        Some(t) if matches!(t.kind, TokenKind::Char('\'')) => {
                            line.reach(&t);
                            break;
                        }
                        Some(t) => line.push(t),
                    }
                }
            }
            TokenKind::Char('"') => {
                line.start_word(&token);
                line.double_quoted(&token)?;
            }
            TokenKind::Char('\\') => match line.next() {
                None => {
                    let d = line.error(Rule::InvalidWords, &token, "a backslash ends the text");
                    return Err(d.hint("write `\\\\` for a backslash"));
                }
                Some(next) => {
                    line.not_an_escape(&token, &next)?;
                    // A backslash at the end of a line joins it with the next one.
                    if !matches!(next.kind, TokenKind::Char('\n')) {
                        line.push(next);
                    }
                }
            },
            TokenKind::Char(c @ ('|' | '&' | ';' | '<' | '>' | '(' | ')' | '`')) => {
                return Err(line.needs_shell(&token, c));
            }
            _ => line.push(token),
        }
    }
    line.end_word();
    Ok(line.words)
}

/// Splits linker flags as the go command does: quotes count at the start of a word only.
///
/// Facts: `cmd/internal/quoted` of Go 1.26, `Split`.
pub(crate) fn go_flags(scalar: &Scalar, span: Span) -> Result<Vec<Text>, Diagnostic> {
    let mut line = Line::new(scalar, span)?;
    while let Some(token) = line.next() {
        match token.kind {
            TokenKind::Char(c) if c.is_ascii_whitespace() => line.end_word(),
            TokenKind::Char(quote @ ('\'' | '"')) if line.word.is_none() => {
                line.start_word(&token);
                loop {
                    match line.next() {
                        None => {
                            let mut d = line.unclosed(&token, quote);
                            d.rule = Rule::InvalidFlags;
                            return Err(d);
                        }
                        Some(t) if matches!(t.kind, TokenKind::Char(c) if c == quote) => {
                            line.reach(&t);
                            break;
                        }
                        Some(t) => line.push(t),
                    }
                }
                line.end_word();
            }
            _ => line.push(token),
        }
    }
    line.end_word();
    Ok(line.words)
}

/// Joins words so that the go command splits them again into the same words.
///
/// `None` when a word holds white space or quotes that no quoting can carry: both kinds of quotes.
/// Facts: `cmd/internal/quoted` of Go 1.26, `Join`.
pub(crate) fn join_go_flags(words: &[String]) -> Option<String> {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        let has = |c: char| word.contains(c);
        let space = word.is_empty() || word.contains(|c: char| c.is_ascii_whitespace());
        match (space || has('\'') || has('"'), has('\''), has('"')) {
            (false, ..) => out.push_str(word),
            (true, false, _) => {
                out.push('\'');
                out.push_str(word);
                out.push('\'');
            }
            (true, true, false) => {
                out.push('"');
                out.push_str(word);
                out.push('"');
            }
            (true, true, true) => return None,
        }
    }
    Some(out)
}

/// A line that is being split.
struct Line<'a> {
    scalar: &'a Scalar,
    chars: Vec<char>,
    span: Span,
    rest: std::vec::IntoIter<Token>,
    words: Vec<Text>,
    word: Option<Word>,
}

struct Word {
    tokens: Vec<Token>,
    from: usize,
    to: usize,
}

impl<'a> Line<'a> {
    fn new(scalar: &'a Scalar, span: Span) -> Result<Self, Diagnostic> {
        Ok(Self {
            scalar,
            chars: scalar.text.chars().collect(),
            span,
            rest: tokens(scalar, span)?.into_iter(),
            words: Vec::new(),
            word: None,
        })
    }

    fn next(&mut self) -> Option<Token> {
        self.rest.next()
    }

    /// Makes the open word reach to the end of a token that adds nothing to it.
    fn reach(&mut self, token: &Token) {
        if let Some(word) = &mut self.word {
            word.to = token.to;
        }
    }

    /// Begins a word unless one is open; an empty pair of quotes is a word.
    fn start_word(&mut self, token: &Token) -> &mut Word {
        self.word.get_or_insert_with(|| Word {
            tokens: Vec::new(),
            from: token.from,
            to: token.to,
        })
    }

    fn push(&mut self, token: Token) {
        let word = self.start_word(&token);
        word.to = token.to;
        word.tokens.push(token);
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            let raw = self.chars[word.from..word.to].iter().collect();
            let span = self.scalar.locate(word.from, word.to, self.span);
            self.words.push(Text::from_tokens(raw, span, word.tokens));
        }
    }

    /// Reads up to the closing `"`.
    fn double_quoted(&mut self, open: &Token) -> Result<(), Diagnostic> {
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Char('"') => {
                    self.reach(&token);
                    return Ok(());
                }
                TokenKind::Char('`') => return Err(self.needs_shell(&token, '`')),
                TokenKind::Char('\\') => {
                    let Some(next) = self.next() else { break };
                    self.not_an_escape(&token, &next)?;
                    match next.kind {
                        TokenKind::Char('\n') => {}
                        TokenKind::Char('"' | '\\' | '`') | TokenKind::Dollar => self.push(next),
                        _ => {
                            self.push(token);
                            self.push(next);
                        }
                    }
                }
                _ => self.push(token),
            }
        }
        Err(self.unclosed(open, '"'))
    }

    fn error(&self, rule: Rule, token: &Token, message: impl Into<String>) -> Diagnostic {
        let at = self.scalar.locate(token.from, token.to, self.span);
        Diagnostic::new(rule, message).at(at)
    }

    fn unclosed(&self, open: &Token, quote: char) -> Diagnostic {
        self.error(
            Rule::InvalidWords,
            open,
            format!("the quote `{quote}` is not closed"),
        )
        .hint("close the quote, or write a list of words")
    }

    fn needs_shell(&self, token: &Token, c: char) -> Diagnostic {
        let shown = match c {
            '`' => "a backtick".to_owned(),
            c => format!("`{c}`"),
        };
        self.error(
            Rule::ShellSyntax,
            token,
            format!("{shown} needs a shell, and no shell runs this"),
        )
        .hint("quote it when it is meant literally, or write a list of words")
    }

    /// `\$NAME` is not `$NAME`: expressions are found before words are.
    fn not_an_escape(&self, backslash: &Token, next: &Token) -> Result<(), Diagnostic> {
        match &next.kind {
            TokenKind::Var(_) => Err(self
                .error(
                    Rule::InvalidTemplate,
                    backslash,
                    "a backslash does not make a `$` literal",
                )
                .hint("write `$$` for a dollar sign")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::diag::Pos;
    use crate::spec::node::Layout;
    use crate::spec::template::{Args, Scope};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn scalar(text: &str) -> Scalar {
        Scalar::new(text.into(), true, Layout::Exact(Pos { line: 1, column: 1 }))
    }

    fn expand(words: &[Text], value: &str) -> Vec<String> {
        let given = BTreeMap::from([("A".to_owned(), value.to_owned())]);
        let args = Args::new(&given);
        let scope = Scope::global(&args);
        words.iter().map(|w| w.expand(&scope).unwrap()).collect()
    }

    fn shell_words(line: &str) -> Result<Vec<String>, Rule> {
        let words = shell(&scalar(line), Span::at(1, 1)).map_err(|d| d.rule)?;
        Ok(expand(&words, "x y; 'z"))
    }

    fn go_words(line: &str) -> Result<Vec<String>, Rule> {
        let words = go_flags(&scalar(line), Span::at(1, 1)).map_err(|d| d.rule)?;
        Ok(expand(&words, "x y; 'z"))
    }

    #[test]
    fn shell_lines() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(shell_words(line).unwrap(), expected, "{line}");
        };
        check("", &[]);
        check(" a  b\tc\n", &["a", "b", "c"]);
        check("a 'b  c' \"d e\"f'g'", &["a", "b  c", "d efg"]);
        check("'' \"\"", &["", ""]);
        check("a\\ b \\' \\\\", &["a b", "'", "\\"]);
        check("\"a\\\"b\\n\\\\\"", &["a\"b\\n\\"]);
        check("'a\\'", &["a\\"]);
        check("a\\\nb", &["ab"]);
        check("--x=${A}", &["--x=x y; 'z"]);
        check("'${A}'b \"$A\"", &["x y; 'zb", "x y; 'z"]);
        check("a $$HOME \"\\$$\"", &["a", "$HOME", "$"]);
        check("# no comment *", &["#", "no", "comment", "*"]);
        check("'|' \"a;b\" \\&", &["|", "a;b", "&"]);
    }

    #[test]
    fn shell_errors() {
        assert_eq!(shell_words("a 'b"), Err(Rule::InvalidWords));
        assert_eq!(shell_words("a \"b\\"), Err(Rule::InvalidWords));
        assert_eq!(shell_words("a \\"), Err(Rule::InvalidWords));
        assert_eq!(shell_words("a && b"), Err(Rule::ShellSyntax));
        assert_eq!(shell_words("a > /dev/null"), Err(Rule::ShellSyntax));
        assert_eq!(shell_words("\"`id`\""), Err(Rule::ShellSyntax));
        assert_eq!(shell_words("\\$A"), Err(Rule::InvalidTemplate));
    }

    #[test]
    fn words_keep_their_places() {
        let words = shell(&scalar("ab  'c d'${A} e"), Span::at(1, 1)).unwrap();
        let at: Vec<_> = words
            .iter()
            .map(|w| {
                (
                    w.span().start.column,
                    w.span().end.column,
                    w.raw().to_owned(),
                )
            })
            .collect();
        assert_eq!(
            at,
            [
                (1, 3, "ab".to_owned()),
                (5, 14, "'c d'${A}".to_owned()),
                (15, 16, "e".to_owned())
            ]
        );
    }

    #[test]
    fn go_lines() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(go_words(line).unwrap(), expected, "{line}");
        };
        check("-s -w", &["-s", "-w"]);
        check(
            "-X 'main.v=a b' -Y=\"c d\"",
            &["-X", "main.v=a b", "-Y=\"c", "d\""],
        );
        check("'a'b", &["a", "b"]);
        check("-X main.v=${A}", &["-X", "main.v=x y; 'z"]);
        assert_eq!(go_words("'a"), Err(Rule::InvalidFlags));
    }

    #[test]
    fn joined_flags() {
        let join = |words: &[&str]| {
            join_go_flags(&words.iter().map(|w| w.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(join(&["-s", "-X", "v=1"]).unwrap(), "-s -X v=1");
        assert_eq!(join(&["v=a b", "it's", ""]).unwrap(), "'v=a b' \"it's\" ''");
        assert_eq!(join(&["a'b\"c"]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Another implementation of POSIX words agrees wherever no shell is needed.
        #[test]
        fn agrees_with_shlex(line in "[a-c '\"\\\\\\t]{0,12}") {
            let ours = shell(&scalar(&line), Span::at(1, 1)).ok().map(|w| expand(&w, ""));
            prop_assert_eq!(ours, shlex::split(&line));
        }

        /// What is joined splits into the same words again.
        #[test]
        fn join_then_split(words in proptest::collection::vec("[a-c '\"=é]{0,5}", 0..5)) {
            if let Some(line) = join_go_flags(&words) {
                prop_assert_eq!(go_words(&line).unwrap(), words);
            }
        }
    }
}
