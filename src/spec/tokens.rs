//! The grammar of `${ARG}`: text → characters and expressions.
//!
//! The right side of an operator stays tokens: what a quote in it means is for those to say who
//! know whether the text is a command line.

use super::node::Scalar;
use super::template::{Op, Piece, Var};
use crate::diag::{Diagnostic, Rule, Span};
use std::convert::Infallible;

/// Deepest nesting of `${A:-${B:-…}}`.
const MAX_NESTING: usize = 16;

/// A character or an expression, with its place in the text in characters.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: TokenKind,
}

#[derive(Debug, Clone)]
pub(crate) enum TokenKind {
    Char(char),
    /// `$$`.
    Dollar,
    Expression(Expression),
}

/// One `$` expression.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    name: String,
    operator: Option<Operator>,
    span: Span,
}

#[derive(Debug, Clone)]
struct Operator {
    sign: char,
    or_empty: bool,
    right: Vec<Token>,
}

impl Expression {
    /// The expression, with `value` for the right side when that is a value and no message.
    pub(crate) fn into_var<E>(
        self,
        value: impl FnOnce(Vec<Token>) -> Result<Vec<Piece>, E>,
    ) -> Result<Var, E> {
        let op = match self.operator {
            None => Op::Plain,
            Some(Operator {
                sign,
                or_empty,
                right,
            }) => match sign {
                '-' => Op::Default {
                    or_empty,
                    value: value(right)?,
                },
                '+' => Op::Other {
                    or_empty,
                    value: value(right)?,
                },
                _ => Op::Required {
                    or_empty,
                    message: pieces(right),
                },
            },
        };
        Ok(Var {
            name: self.name,
            op,
            span: self.span,
        })
    }
}

/// Splits a scalar into characters and expressions.
pub(crate) fn tokens(scalar: &Scalar, span: Span) -> Result<Vec<Token>, Diagnostic> {
    // Nearly all strings have no expression.
    if !scalar.text.contains('$') {
        let char = |(i, c)| Token {
            from: i,
            to: i + 1,
            kind: TokenKind::Char(c),
        };
        return Ok(scalar.text.chars().enumerate().map(char).collect());
    }
    let mut parser = Parser {
        chars: scalar.text.chars().collect(),
        at: 0,
        scalar,
        span,
    };
    parser.run(None, 0)
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    scalar: &'a Scalar,
    span: Span,
}

impl Parser<'_> {
    /// Reads up to the end, or up to and including the `}` of the expression that opened at
    /// `opened`.
    fn run(&mut self, opened: Option<usize>, nesting: usize) -> Result<Vec<Token>, Diagnostic> {
        let mut tokens = Vec::new();
        while let Some(&c) = self.chars.get(self.at) {
            let from = self.at;
            if c == '}' && opened.is_some() {
                self.at += 1;
                return Ok(tokens);
            }
            let kind = match (c, self.chars.get(from + 1)) {
                ('$', Some('$')) => {
                    self.at += 2;
                    TokenKind::Dollar
                }
                ('$', Some('{')) => TokenKind::Expression(self.braced(nesting)?),
                ('$', Some(&next)) if is_name_start(next) => {
                    self.at += 1;
                    let name = self.name();
                    TokenKind::Expression(Expression {
                        name,
                        operator: None,
                        span: self.place(from, self.at),
                    })
                }
                ('$', next) => {
                    let found = next.map_or("nothing".to_owned(), |c| shown(*c));
                    let message = format!("a name follows `$`, found {found}");
                    return Err(self
                        .error(from, from + 1, message)
                        .hint("write `$$` for a dollar sign; no shell reads this value"));
                }
                (c, _) => {
                    self.at += 1;
                    TokenKind::Char(c)
                }
            };
            tokens.push(Token {
                from,
                to: self.at,
                kind,
            });
        }
        match opened {
            None => Ok(tokens),
            Some(from) => {
                let shown: String = self.chars[from..].iter().take(20).collect();
                Err(self
                    .error(from, self.chars.len(), format!("`{shown}` is not closed"))
                    .hint("close the expression with `}`; write `$$` for a dollar sign"))
            }
        }
    }

    /// Reads `${NAME}` or `${NAME op value}`; stands on the `$`.
    fn braced(&mut self, nesting: usize) -> Result<Expression, Diagnostic> {
        let from = self.at;
        if nesting >= MAX_NESTING {
            let message = format!("expressions are nested more than {MAX_NESTING} deep");
            return Err(self.error(from, from + 2, message));
        }
        self.at += 2;
        let name = self.name();
        let rest = (
            self.chars.get(self.at).copied(),
            self.chars.get(self.at + 1).copied(),
        );
        let (or_empty, op) = match rest {
            (Some(':'), Some(op @ ('-' | '?' | '+'))) => (true, Some(op)),
            (Some(op @ ('-' | '?' | '+')), _) => (false, Some(op)),
            (Some('}'), _) => (false, None),
            (None, _) => {
                let shown: String = self.chars[from..].iter().take(20).collect();
                return Err(self
                    .error(from, self.at, format!("`{shown}` is not closed"))
                    .hint("close the expression with `}`; write `$$` for a dollar sign"));
            }
            (Some(c), _) => {
                let message = if name.is_empty() {
                    format!("a name follows `${{`, found {}", shown(c))
                } else {
                    format!(
                        "an operator or `}}` follows `${{{name}`, found {}",
                        shown(c)
                    )
                };
                return Err(self.error(from, self.at + 1, message).hint(
                    "operators are `:-` `-` `:?` `?` `:+` `+`; write `$$` for a dollar sign",
                ));
            }
        };
        if name.is_empty() {
            return Err(self
                .error(from, self.at + 1, "an expression without a name")
                .hint("write `${NAME}`, or `$$` for a dollar sign"));
        }
        self.at += 1 + usize::from(or_empty);
        let operator = match op {
            None => None,
            Some(sign) => Some(Operator {
                sign,
                or_empty,
                right: self.run(Some(from), nesting + 1)?,
            }),
        };
        Ok(Expression {
            name,
            operator,
            span: self.place(from, self.at),
        })
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(&c) = self.chars.get(self.at) {
            let fits = is_name_start(c) || (!name.is_empty() && c.is_ascii_digit());
            if !fits {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn place(&self, from: usize, to: usize) -> Span {
        self.scalar.locate(from, to, self.span)
    }

    fn error(&self, from: usize, to: usize, message: impl Into<String>) -> Diagnostic {
        let to = to.min(self.chars.len());
        Diagnostic::new(Rule::InvalidTemplate, message).at(self.place(from, to))
    }
}

/// A character for messages, on one line.
fn shown(c: char) -> String {
    format!("`{}`", c.escape_debug())
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// Joins characters into literal text.
pub(crate) fn pieces(tokens: Vec<Token>) -> Vec<Piece> {
    let mut all = Vec::new();
    for token in tokens {
        push(&mut all, piece(token));
    }
    all
}

fn piece(token: Token) -> Piece {
    match token.kind {
        TokenKind::Char(c) => Piece::Literal(c.to_string()),
        TokenKind::Dollar => Piece::Literal('$'.to_string()),
        TokenKind::Expression(expression) => {
            let Ok(var) = expression.into_var(|right| Ok::<_, Infallible>(pieces(right)));
            Piece::Var(var)
        }
    }
}

/// Adds a piece; literal text joins the literal text before it.
pub(crate) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Literal(text)), Piece::Literal(more)) => text.push_str(&more),
        (_, piece) => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::diag::Pos;
    use crate::spec::node::Layout;
    use crate::spec::template::Text;

    fn text(raw: &str) -> Result<Text, Diagnostic> {
        let scalar = Scalar::new(raw.into(), true, Layout::Exact(Pos { line: 1, column: 1 }));
        Text::parse(&scalar, Span::at(1, 1))
    }

    #[test]
    fn malformed() {
        for (raw, from, to) in [
            ("x$", 2, 3),
            ("a $1", 3, 4),
            ("a $(id)", 3, 4),
            ("${", 1, 3),
            ("é ${A", 3, 6),
            ("${A:-${B}", 1, 10),
            ("${}", 1, 4),
            ("${:-x}", 1, 4),
            ("${1}", 1, 4),
            ("${A%x}", 1, 5),
            ("${A:x}", 1, 5),
            ("${A B}", 1, 5),
        ] {
            let d = text(raw).unwrap_err();
            assert_eq!(d.rule, Rule::InvalidTemplate, "{raw}");
            let span = d.span.unwrap();
            assert_eq!((span.start.column, span.end.column), (from, to), "{raw}");
        }
        assert!(text(&"${A:-".repeat(40)).is_err());
    }
}
