//! Command lines and linker flags as words.
//!
//! A line is split before its `${ARG}` expressions are expanded: the value of a build arg is part
//! of one word, whatever it holds, and can never become a word, an option or a command of its own.
//! What the spec writes on the right side of an operator is part of the line: white space
//! separates words there, and quotes are quotes.

use super::node::Scalar;
use super::template::{Piece, Text};
use super::tokens::{Token, TokenKind, push, tokens};
use crate::diag::{Diagnostic, Rule, Span};

/// Splits a command line as Compose and a POSIX shell do, without a shell's other powers.
///
/// White space separates; single quotes keep everything; double quotes keep all but `\` before
/// `"`, `\`, `$`, a backtick and a line end; outside of quotes `\` takes the next character
/// literally. What only a shell could do (`|`, `>`, `;` …) is an error, where Compose would
/// silently drop the rest of the line.
pub(crate) fn shell(scalar: &Scalar, span: Span) -> Result<Vec<Text>, Diagnostic> {
    let line = Line { scalar, span };
    let parts = line.shell(tokens(scalar, span)?)?;
    Ok(line.words(parts))
}

/// Splits linker flags as the go command does: quotes count at the start of a word only.
///
/// Facts: `cmd/internal/quoted` of Go 1.26, `Split`.
pub(crate) fn go_flags(scalar: &Scalar, span: Span) -> Result<Vec<Text>, Diagnostic> {
    let line = Line { scalar, span };
    let parts = line.go_flags(tokens(scalar, span)?, true)?;
    Ok(line.words(parts))
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

/// Splits text as the go command and its linker do; `None` when a quote is not closed.
///
/// Facts: `cmd/internal/quoted` of Go 1.26, `Split`.
pub(crate) fn split_go_flags(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let word = match first {
            '\'' | '"' => {
                let (word, behind) = rest[1..].split_once(first)?;
                rest = behind;
                word
            }
            _ => {
                let end = rest.find(is_space);
                let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
                rest = behind;
                word
            }
        };
        words.push(word.to_owned());
        rest = rest.trim_start_matches(is_space);
    }
    Some(words)
}

/// A line that is being split; for the places of what is in it.
struct Line<'a> {
    scalar: &'a Scalar,
    span: Span,
}

/// A piece of a word or the end of one, with its place in the text in characters.
struct Part {
    from: usize,
    to: usize,
    piece: Piece,
}

type Tokens = std::vec::IntoIter<Token>;
type Parts = Result<Vec<Part>, Diagnostic>;

impl Part {
    fn new(token: &Token, piece: Piece) -> Self {
        Part {
            from: token.from,
            to: token.to,
            piece,
        }
    }

    /// A quote: no text, and yet there is a word.
    fn quote(token: &Token) -> Self {
        Part::new(token, Piece::Literal(String::new()))
    }

    fn end_of_word(token: &Token) -> Self {
        Part::new(token, Piece::Break)
    }
}

fn pieces(parts: Vec<Part>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in parts {
        push(&mut pieces, part.piece);
    }
    pieces
}

impl Line<'_> {
    /// Cuts where words end.
    fn words(&self, parts: Vec<Part>) -> Vec<Text> {
        let chars: Vec<char> = self.scalar.text.chars().collect();
        let mut words = Vec::new();
        let mut word = Vec::new();
        let mut end = |word: &mut Vec<Part>| {
            let word = std::mem::take(word);
            let ends = word.first().zip(word.last());
            let Some((from, to)) = ends.map(|(first, last)| (first.from, last.to)) else {
                return;
            };
            let raw = chars[from..to].iter().collect();
            let span = self.scalar.locate(from, to, self.span);
            words.push(Text::from_pieces(raw, span, pieces(word)));
        };
        for part in parts {
            match part.piece {
                Piece::Break => end(&mut word),
                Piece::Literal(_) | Piece::Var(_) => word.push(part),
            }
        }
        end(&mut word);
        words
    }

    /// Text outside of quotes.
    fn shell(&self, tokens: Vec<Token>) -> Parts {
        let mut parts = Vec::new();
        let mut rest = tokens.into_iter();
        while let Some(token) = rest.next() {
            match token.kind {
                TokenKind::Char(c) if c.is_whitespace() => parts.push(Part::end_of_word(&token)),
                TokenKind::Char('\'') => {
                    self.quoted((&token, '\'', Rule::InvalidWords), &mut rest, &mut parts)?;
                }
                TokenKind::Char('"') => self.double_quoted(&token, &mut rest, &mut parts)?,
                TokenKind::Char('\\') => match rest.next() {
                    None => {
                        let d = self.error(Rule::InvalidWords, &token, "a backslash ends the text");
                        return Err(d.hint("write `\\\\` for a backslash"));
                    }
                    Some(next) => {
                        self.not_an_escape(&token, &next)?;
                        // A backslash at the end of a line joins it with the next one.
                        if !matches!(next.kind, TokenKind::Char('\n')) {
                            parts.push(self.part(next, |_| Ok(Vec::new()))?);
                        }
                    }
                },
                TokenKind::Char(c @ ('|' | '&' | ';' | '<' | '>' | '(' | ')' | '`')) => {
                    return Err(self.needs_shell(&token, c));
                }
                _ => parts.push(self.part(token, |right| self.shell(right))?),
            }
        }
        Ok(parts)
    }

    /// Reads up to the closing quote what stands between quotes that keep everything; the
    /// closing one. `rule` is broken when there is none.
    fn quoted(
        &self,
        (open, quote, rule): (&Token, char, Rule),
        rest: &mut Tokens,
        parts: &mut Vec<Part>,
    ) -> Result<Token, Diagnostic> {
        parts.push(Part::quote(open));
        for token in rest {
            if matches!(token.kind, TokenKind::Char(c) if c == quote) {
                parts.push(Part::quote(&token));
                return Ok(token);
            }
            parts.push(self.in_quotes(token, quote)?);
        }
        Err(self.unclosed(open, quote, rule))
    }

    /// Reads up to the closing `"`.
    fn double_quoted(
        &self,
        open: &Token,
        rest: &mut Tokens,
        parts: &mut Vec<Part>,
    ) -> Result<(), Diagnostic> {
        parts.push(Part::quote(open));
        while let Some(token) = rest.next() {
            if matches!(token.kind, TokenKind::Char('"')) {
                parts.push(Part::quote(&token));
                return Ok(());
            }
            self.within_double_quotes(open, token, rest, parts)?;
        }
        Err(self.unclosed(open, '"', Rule::InvalidWords))
    }

    fn within_double_quotes(
        &self,
        open: &Token,
        token: Token,
        rest: &mut Tokens,
        parts: &mut Vec<Part>,
    ) -> Result<(), Diagnostic> {
        match token.kind {
            TokenKind::Char('`') => return Err(self.needs_shell(&token, '`')),
            TokenKind::Char('\\') => {
                let Some(next) = rest.next() else {
                    return Err(self.unclosed(open, '"', Rule::InvalidWords));
                };
                self.not_an_escape(&token, &next)?;
                match next.kind {
                    TokenKind::Char('\n') => {}
                    TokenKind::Char('"' | '\\' | '`') | TokenKind::Dollar => {
                        parts.push(self.part(next, |_| Ok(Vec::new()))?);
                    }
                    _ => {
                        parts.push(self.part(token, |_| Ok(Vec::new()))?);
                        parts.push(self.part(next, |_| Ok(Vec::new()))?);
                    }
                }
            }
            _ => {
                let right = |right: Vec<Token>| {
                    let mut parts = Vec::new();
                    let mut rest = right.into_iter();
                    while let Some(token) = rest.next() {
                        if matches!(token.kind, TokenKind::Char('"')) {
                            return Err(self.quote_of_another(&token, '"'));
                        }
                        self.within_double_quotes(open, token, &mut rest, &mut parts)?;
                    }
                    Ok(parts)
                };
                parts.push(self.part(token, right)?);
            }
        }
        Ok(())
    }

    /// A token between quotes that keep everything.
    fn in_quotes(&self, token: Token, quote: char) -> Result<Part, Diagnostic> {
        self.part(token, |right| {
            let is_quote = |t: &&Token| matches!(t.kind, TokenKind::Char(c) if c == quote);
            if let Some(token) = right.iter().find(is_quote) {
                return Err(self.quote_of_another(token, quote));
            }
            right
                .into_iter()
                .map(|t| self.in_quotes(t, quote))
                .collect()
        })
    }

    /// Linker flags; `start` says whether they begin a word.
    fn go_flags(&self, tokens: Vec<Token>, mut start: bool) -> Parts {
        let mut parts = Vec::new();
        let mut rest = tokens.into_iter();
        while let Some(token) = rest.next() {
            match token.kind {
                TokenKind::Char(c) if c.is_ascii_whitespace() => {
                    parts.push(Part::end_of_word(&token));
                    start = true;
                }
                TokenKind::Char(quote @ ('\'' | '"')) if start => {
                    let end =
                        self.quoted((&token, quote, Rule::InvalidFlags), &mut rest, &mut parts)?;
                    parts.push(Part::end_of_word(&end));
                }
                _ => {
                    parts.push(self.part(token, |right| self.go_flags(right, start))?);
                    start = false;
                }
            }
        }
        Ok(parts)
    }

    /// A token that means itself; `right` reads the right side of an expression.
    fn part(
        &self,
        token: Token,
        right: impl FnOnce(Vec<Token>) -> Parts,
    ) -> Result<Part, Diagnostic> {
        let (from, to) = (token.from, token.to);
        let piece = match token.kind {
            TokenKind::Char(c) => Piece::Literal(c.to_string()),
            TokenKind::Dollar => Piece::Literal('$'.to_string()),
            TokenKind::Expression(expression) => {
                Piece::Var(expression.into_var(|tokens| right(tokens).map(pieces))?)
            }
        };
        Ok(Part { from, to, piece })
    }

    fn error(&self, rule: Rule, token: &Token, message: impl Into<String>) -> Diagnostic {
        let at = self.scalar.locate(token.from, token.to, self.span);
        Diagnostic::new(rule, message).at(at)
    }

    fn unclosed(&self, open: &Token, quote: char, rule: Rule) -> Diagnostic {
        self.error(rule, open, format!("the quote `{quote}` is not closed"))
            .hint("close the quote, or write a list of words")
    }

    fn quote_of_another(&self, token: &Token, quote: char) -> Diagnostic {
        let message = format!("the quote `{quote}` would end the one around the expression");
        self.error(Rule::InvalidWords, token, message)
            .hint("use the other kind of quotes inside, or write a list of words")
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
            TokenKind::Expression(_) => Err(self
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
        let words = words.iter().map(|w| w.expand_words(&scope).unwrap());
        words.flatten().collect()
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
    fn words_that_expand_to_nothing() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(shell_words(line).unwrap(), expected, "{line}");
        };
        check("${D:+--debug} --port 80", &["--port", "80"]);
        check("a ${D:-}${E:-} b", &["a", "b"]);
        check("a \"${D:-}\" '${D:-}' b", &["a", "", "", "b"]);
        check("a ${D:-''} ${D:-\"\"}", &["a", "", ""]);
        check("--x=${D:-}", &["--x="]);
        check("''${D:-}", &[""]);
        check("${A:+--debug} b", &["--debug", "b"]);
        assert_eq!(go_words("${R:+-v} -X m.v=1").unwrap(), ["-X", "m.v=1"]);
        assert_eq!(go_words("'${R:+-v}' -w").unwrap(), ["", "-w"]);
    }

    #[test]
    fn right_sides_are_part_of_the_line() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(shell_words(line).unwrap(), expected, "{line}");
        };
        check("-p 80 ${N:-'a b'}", &["-p", "80", "a b"]);
        check("${N:-a b}", &["a", "b"]);
        check("x${N:- a b }y", &["x", "a", "b", "y"]);
        check("x${N:-\"a $A\" b}y", &["xa x y; 'z", "by"]);
        check("${N:-$A ${M:-c d}}", &["x y; 'z", "c", "d"]);
        check("\"${N:-a 'b' c}\" '${N:-a \"b\"}'", &["a 'b' c", "a \"b\""]);
        check("\"${N:-a\\\"b\\n}\"", &["a\"b\\n"]);
        check("${N:-a\\ b}", &["a b"]);
        assert_eq!(shell_words("${N:-'a} b'"), Err(Rule::InvalidWords));
        assert_eq!(shell_words("'${N:-it's}'"), Err(Rule::InvalidWords));
        assert_eq!(shell_words("\"${N:-\"a\"}\""), Err(Rule::InvalidWords));
        assert_eq!(shell_words("${N:-a; b}"), Err(Rule::ShellSyntax));

        let check = |line: &str, expected: &[&str]| {
            assert_eq!(go_words(line).unwrap(), expected, "{line}");
        };
        check("${N:-'a b' c}", &["a b", "c"]);
        check("-X=${N:-'a'}", &["-X='a'"]);
        check("${N:+-v} ${A:+-s -w}", &["-s", "-w"]);
        assert_eq!(go_words("${N:-'a}"), Err(Rule::InvalidFlags));
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
