//! The node tree: YAML with nothing lost that a message needs.
//!
//! Keys and values keep their places, duplicate keys stay, and scalars keep their text (`1.20` is
//! not a number yet). [`yaml`](super::yaml) makes the tree; the typed readers consume it.

use crate::diag::{Pos, Span};
use std::rc::Rc;

/// A shared node: an alias is another reference to the anchored node, never a copy.
pub(crate) type NodeRef = Rc<Node>;

/// A value of the spec text.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The scalar, or the first key or item of a collection.
    pub(crate) span: Span,
    /// Size of the tree below, this node included: one per node and one per 16 bytes of text.
    /// Aliases count in full.
    pub(crate) weight: usize,
    /// Levels of nesting, this one included, aliases counted in full.
    pub(crate) depth: usize,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<NodeRef>),
    Mapping(Vec<Entry>),
}

/// One `key: value` as written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: NodeRef,
}

/// A scalar before anyone decided what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The text after YAML's own escapes and folding.
    pub(crate) text: String,
    /// Whether it may mean null, a boolean or a number: written without quotes and without `!!str`.
    pub(crate) plain: bool,
    pub(crate) layout: Layout,
    /// Where lines end, in characters; for [`Layout::Block`] alone.
    pub(crate) line_ends: Vec<usize>,
}

/// How the text of a scalar lies in the file; tells where its n-th character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On one line, character by character from here.
    Exact(Pos),
    /// A literal block: line by line, each at this column.
    Block(Pos),
    /// Escaped or folded: only the whole scalar has a place.
    Opaque,
}

impl Scalar {
    /// A scalar; finds its lines when its layout needs them.
    pub(crate) fn new(text: String, plain: bool, layout: Layout) -> Self {
        let line_ends = match layout {
            Layout::Block(_) => {
                let ends = text.chars().enumerate().filter(|(_, c)| *c == '\n');
                ends.map(|(i, _)| i).collect()
            }
            _ => Vec::new(),
        };
        Self {
            text,
            plain,
            layout,
            line_ends,
        }
    }

    /// The place of the characters `from..to` of the text, counted in characters.
    ///
    /// Falls back to `whole`, the span of the scalar.
    pub(crate) fn locate(&self, from: usize, to: usize, whole: Span) -> Span {
        match (self.pos(from), self.pos(to)) {
            (Some(start), Some(end)) => Span { start, end },
            _ => whole,
        }
    }

    fn pos(&self, offset: usize) -> Option<Pos> {
        let column = |n: usize| u32::try_from(n).ok();
        match self.layout {
            Layout::Exact(first) => Some(Pos {
                line: first.line,
                column: first.column.checked_add(column(offset)?)?,
            }),
            Layout::Block(first) => {
                let lines = self.line_ends.partition_point(|end| *end < offset);
                let start = lines
                    .checked_sub(1)
                    .map_or(0, |last| self.line_ends[last] + 1);
                let within = offset - start;
                Some(Pos {
                    line: first.line.checked_add(column(lines)?)?,
                    column: first.column.checked_add(column(within)?)?,
                })
            }
            Layout::Opaque => None,
        }
    }

    /// The rest of the scalar from a character on: the value of a `NAME=VALUE` item.
    ///
    /// `rest` is the text from there.
    pub(crate) fn tail(&self, offset: usize, rest: &str) -> Scalar {
        let layout = match (self.layout, self.pos(offset)) {
            (Layout::Exact(_), Some(pos)) => Layout::Exact(pos),
            _ => Layout::Opaque,
        };
        Scalar::new(rest.to_owned(), false, layout)
    }

    /// What the scalar means by YAML 1.2's core schema.
    pub(crate) fn meaning(&self) -> Meaning {
        if !self.plain {
            return Meaning::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
            "true" | "True" | "TRUE" => Meaning::Bool(true),
            "false" | "False" | "FALSE" => Meaning::Bool(false),
            text if is_number(text) => Meaning::Number,
            _ => Meaning::Text,
        }
    }
}

/// What a scalar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Null,
    Bool(bool),
    Number,
    Text,
}

impl Node {
    /// A word for messages: what a reader would call this value.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => "nothing",
                Meaning::Bool(_) => "a boolean",
                Meaning::Number => "a number",
                Meaning::Text => "a string",
            },
        }
    }

    /// Whether the value is absent: empty, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(s) if s.meaning() == Meaning::Null)
    }
}

/// Whether plain text is an integer or a float of the core schema.
fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.chars().all(|c| ('0'..='7').contains(&c));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str, layout: Layout) -> Scalar {
        Scalar::new(text.into(), true, layout)
    }

    #[test]
    fn meanings() {
        let is = |text: &str| scalar(text, Layout::Opaque).meaning();
        for text in [
            "1", "-1", "+1", "1.20", ".5", "1.", "1e3", "0x1f", "0o17", ".inf", "-.INF",
        ] {
            assert_eq!(is(text), Meaning::Number, "{text}");
        }
        for text in [
            "1.26.3",
            "1_000",
            "0x",
            "e3",
            "1e",
            ".",
            "-",
            "yes",
            "on",
            "1000:1000",
        ] {
            assert_eq!(is(text), Meaning::Text, "{text}");
        }
        assert_eq!(is("~"), Meaning::Null);
        assert_eq!(is("True"), Meaning::Bool(true));
    }

    #[test]
    fn places_inside_a_scalar() {
        let first = Pos { line: 4, column: 7 };
        let whole = Span::at(4, 6);
        let exact = scalar("aé$b", Layout::Exact(first));
        assert_eq!(exact.locate(2, 3, whole).start, Pos { line: 4, column: 9 });
        let block = scalar("one\ntwo $\n", Layout::Block(first));
        assert_eq!(
            block.locate(8, 9, whole).start,
            Pos {
                line: 5,
                column: 11
            }
        );
        assert_eq!(scalar("x", Layout::Opaque).locate(0, 1, whole), whole);
    }
}
