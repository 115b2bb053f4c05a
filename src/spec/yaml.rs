//! YAML text → node tree, with limits.
//!
//! The reader is `granit-parser`, the parser below `serde-saphyr`. Its events are used rather than
//! serde: serde stops at the first error, gives no places for keys, drops or refuses duplicate
//! keys before we can show both, and turns `1.20` into a float. The parser alone is also a
//! fraction of the code.
//!
//! A syntax error ends the tree. Everything else is reported and reading goes on.

use super::node::{Entry, Kind, Layout, Node, NodeRef, Scalar};
use super::syntax::{span, syntax, too_deep};
use crate::diag::{Diagnostic, Pos, Rule, Span};
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Largest spec, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting of mappings and lists, aliases followed.
pub(crate) const MAX_DEPTH: usize = 32;
/// Most nodes, aliases followed: an alias of a large mapping counts as often as it is used. Long
/// strings count as several.
pub(crate) const MAX_NODES: usize = 200_000;
/// How much text counts as one more node.
const BYTES_PER_WEIGHT: usize = 16;

/// Reads the one document of a text.
///
/// The root is `None` after a syntax error, when a limit is hit, and for an empty document.
pub(crate) fn read(text: &str) -> (Option<NodeRef>, Vec<Diagnostic>) {
    let start = Span::at(1, 1);
    if text.len() > MAX_BYTES {
        let found = format!(
            "the spec has {} bytes, the limit is {MAX_BYTES}",
            text.len()
        );
        let diagnostic = Diagnostic::new(Rule::TooLarge, found)
            .at(start)
            .hint("a spec is written by hand; is this the right file?");
        return (None, vec![diagnostic]);
    }
    let mut builder = Builder::new(text);
    let root = match builder.document() {
        Ok(root) => root,
        Err(stop) => {
            builder.diagnostics.push(*stop);
            None
        }
    };
    (root, builder.diagnostics)
}

/// Ends the reading; boxed because it is large and rare.
type Stop = Box<Diagnostic>;

/// A collection that is not closed yet.
enum Open {
    List {
        items: Vec<NodeRef>,
    },
    Mapping {
        entries: Vec<Entry>,
        /// The key whose value comes next. The text is `None` for keys that are no scalars.
        key: Option<(Option<String>, Span)>,
    },
}

struct Frame {
    open: Open,
    anchor: usize,
    span: Span,
    weight: usize,
    depth: usize,
}

struct Builder<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, NodeRef>,
    root: Option<NodeRef>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            diagnostics: Vec::new(),
        }
    }

    fn document(&mut self) -> Result<Option<NodeRef>, Stop> {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        options.flow_nesting_limit = MAX_DEPTH * 2;
        options.block_nesting_limit = MAX_DEPTH * 2;
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, raw) = event.map_err(|e| Box::new(syntax(e.kind(), *e.marker())))?;
            let span = span(&raw);
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        let d = Diagnostic::new(Rule::YamlFeature, "a second document starts here")
                            .at(span)
                            .hint("a spec is one document; remove what follows the `---`");
                        return Err(Box::new(d));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && self.tag(tag.as_deref(), &raw);
                    let node = self.scalar(&text, style, plain, &raw)?;
                    self.finish(node, anchor)?;
                }
                Event::Alias(id) => self.alias(id, span)?,
                Event::SequenceStart(_, anchor, tag) => {
                    self.tag(tag.as_deref(), &raw);
                    self.open(Open::List { items: Vec::new() }, anchor, span)?;
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.tag(tag.as_deref(), &raw);
                    let open = Open::Mapping {
                        entries: Vec::new(),
                        key: None,
                    };
                    self.open(open, anchor, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                _ => {}
            }
        }
        Ok(self.root.take())
    }

    /// Reports tags that mean something; returns whether a plain scalar keeps its plain meaning.
    fn tag(&mut self, tag: Option<&Tag>, raw: &granit_parser::Span) -> bool {
        let Some(tag) = tag else { return true };
        match tag.core_suffix() {
            Some("str") => return false,
            Some("map" | "seq" | "int" | "float" | "bool" | "null") => return true,
            _ => {}
        }
        let at = raw.tag_span().map_or_else(|| span(raw), |s| span(&s));
        let message = format!("the tag `{}` is not used in specs", tag.original());
        self.diagnostics.push(
            Diagnostic::new(Rule::YamlFeature, message)
                .at(at)
                .hint("remove the tag"),
        );
        true
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        plain: bool,
        raw: &granit_parser::Span,
    ) -> Result<Node, Stop> {
        let mut at = span(raw);
        if text.contains('\0') {
            let d = Diagnostic::new(Rule::YamlFeature, "a string holds the character `\\0`")
                .at(at)
                .hint("no path, variable or argument can hold it");
            return Err(Box::new(d));
        }
        let source = raw.slice(self.text).unwrap_or("");
        let first = at.start;
        let layout = match style {
            ScalarStyle::Plain if source == text => Layout::Exact(first),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
                if source.get(1..source.len().saturating_sub(1)) == Some(text) =>
            {
                Layout::Exact(Pos {
                    column: first.column + 1,
                    ..first
                })
            }
            ScalarStyle::Literal if source.starts_with(text.lines().next().unwrap_or("")) => {
                Layout::Block(first)
            }
            _ => Layout::Opaque,
        };
        // The parser writes an absent value as a plain `~` without extent.
        let absent = plain && source.is_empty();
        // The span of a block scalar runs up to the next token: end it with its text.
        if let Layout::Block(_) | Layout::Opaque = layout {
            at.end = end_of(at.start, source.trim_end());
        }
        let text = if absent { "" } else { text };
        Ok(Node {
            weight: 1 + text.len() / BYTES_PER_WEIGHT,
            kind: Kind::Scalar(Scalar::new(text.to_owned(), plain, layout)),
            span: at,
            depth: 1,
        })
    }

    fn open(&mut self, open: Open, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(span)));
        }
        self.frames.push(Frame {
            open,
            anchor,
            span,
            weight: 1,
            depth: 1,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let (kind, first) = match frame.open {
            Open::List { items } => {
                let first = items.first().map(|n| n.span);
                (Kind::List(items), first)
            }
            Open::Mapping { entries, .. } => {
                let entries = self.without_duplicates(entries);
                let first = entries.first().map(|e| e.key_span);
                (Kind::Mapping(entries), first)
            }
        };
        let node = Node {
            kind,
            span: first.unwrap_or(frame.span),
            weight: frame.weight,
            depth: frame.depth,
        };
        self.finish(node, frame.anchor)
    }

    /// Reports each key that is given again; the first one stays.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            // Several merge keys are common practice, and harmless.
            match first.get(&entry.key) {
                Some(span) if entry.key != "<<" => self.diagnostics.push(
                    Diagnostic::new(
                        Rule::DuplicateKey,
                        format!("`{}` is given twice", entry.key),
                    )
                    .at(entry.key_span)
                    .label(*span, "first given here")
                    .hint("remove one of the two"),
                ),
                _ => {
                    first.insert(entry.key.clone(), entry.key_span);
                    kept.push(entry);
                }
            }
        }
        kept
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(), Stop> {
        match self.anchors.get(&id) {
            Some(node) => {
                let node = Rc::clone(node);
                self.add(node, at)
            }
            // The anchor is known to the parser but not closed: it encloses the alias.
            None => Err(Box::new(
                Diagnostic::new(Rule::YamlSyntax, "an alias inside of what it stands for")
                    .at(at)
                    .hint("an alias repeats a finished value; it cannot contain itself"),
            )),
        }
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        let span = node.span;
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, span)
    }

    /// Puts a finished node into the open collection, or makes it the root.
    fn add(&mut self, node: NodeRef, at: Span) -> Result<(), Stop> {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(node.weight);
        frame.depth = frame.depth.max(node.depth + 1);
        if frame.weight > MAX_NODES {
            let message = format!("the spec has more than {MAX_NODES} nodes");
            return Err(Box::new(
                Diagnostic::new(Rule::TooLarge, message)
                    .at(at)
                    .hint("an alias counts as often as it is used"),
            ));
        }
        if frame.depth > MAX_DEPTH {
            return Err(Box::new(too_deep(at)));
        }
        match &mut frame.open {
            Open::List { items } => items.push(node),
            Open::Mapping { entries, key } => match key.take() {
                None => {
                    let name = match &node.kind {
                        Kind::Scalar(scalar) => Some(scalar.text.clone()),
                        _ => None,
                    };
                    if name.is_none() {
                        self.diagnostics.push(
                            Diagnostic::new(
                                Rule::YamlFeature,
                                format!("a key is a string, found {}", node.describe()),
                            )
                            .at(at)
                            .hint("quote the key when text is meant"),
                        );
                    }
                    *key = Some((name, at));
                }
                Some((Some(key), key_span)) => entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
                Some((None, _)) => {}
            },
        }
        Ok(())
    }
}

/// The position after `text` when it starts at `start`.
fn end_of(start: Pos, text: &str) -> Pos {
    let count = |n: usize| u32::try_from(n).unwrap_or(0);
    match text.rsplit_once('\n') {
        None => Pos {
            line: start.line,
            column: start.column.saturating_add(count(text.chars().count())),
        },
        Some((before, last)) => Pos {
            line: start
                .line
                .saturating_add(count(before.matches('\n').count() + 1)),
            column: count(last.chars().count()).saturating_add(1),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules(text: &str) -> Vec<Rule> {
        read(text).1.iter().map(|d| d.rule).collect()
    }

    fn mapping(node: &Node) -> &[Entry] {
        match &node.kind {
            Kind::Mapping(entries) => entries,
            _ => panic!("expected a mapping"),
        }
    }

    #[test]
    fn keys_and_values_keep_their_places() {
        let (root, diagnostics) = read("# c\na: 1.20\nb:\n  - 'x'\n");
        assert_eq!(diagnostics, []);
        let root = root.unwrap();
        let entries = mapping(&root);
        assert_eq!(entries[0].key_span.start, Pos { line: 2, column: 1 });
        let Kind::Scalar(s) = &entries[0].value.kind else {
            panic!()
        };
        assert_eq!((s.text.as_str(), s.plain), ("1.20", true));
        assert_eq!(entries[0].value.span.start, Pos { line: 2, column: 4 });
        let Kind::List(items) = &entries[1].value.kind else {
            panic!()
        };
        assert_eq!(items[0].span.start, Pos { line: 4, column: 5 });
    }

    #[test]
    fn empty_values_are_null_and_empty_strings_are_not() {
        let (root, _) = read("a:\nb: ''\nc: !!str\n");
        let root = root.unwrap();
        let null: Vec<bool> = mapping(&root).iter().map(|e| e.value.is_null()).collect();
        assert_eq!(null, [true, false, false]);
    }

    #[test]
    fn an_alias_shares_the_node() {
        let (root, diagnostics) = read("a: &x {k: v}\nb: *x\n");
        assert_eq!(diagnostics, []);
        let root = root.unwrap();
        let entries = mapping(&root);
        assert!(Rc::ptr_eq(&entries[0].value, &entries[1].value));
    }

    #[test]
    fn bombs_are_stopped() {
        let mut bomb = String::from("l0: &l0 [a,a,a,a,a,a,a,a,a,a]\n");
        for i in 1..10 {
            let items = vec![format!("*l{}", i - 1); 10].join(",");
            bomb.push_str(&format!("l{i}: &l{i} [{items}]\n"));
        }
        assert_eq!(rules(&bomb), [Rule::TooLarge]);
        assert_eq!(rules(&"[".repeat(10_000)), [Rule::TooLarge]);
        assert_eq!(rules(&"- ".repeat(10_000)), [Rule::TooLarge]);
        assert_eq!(rules(&" ".repeat(MAX_BYTES + 1)), [Rule::TooLarge]);
        let mut chain = String::from("a0: &a0 [x]\n");
        for i in 1..5000 {
            chain.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
        }
        assert_eq!(rules(&chain), [Rule::TooLarge]);
    }

    #[test]
    fn what_yaml_can_and_specs_do_not() {
        assert_eq!(rules("a: &a [*a]"), [Rule::YamlSyntax]);
        assert_eq!(rules("a: *b"), [Rule::YamlSyntax]);
        assert_eq!(rules("a: 1\n---\nb: 1\n"), [Rule::YamlFeature]);
        assert_eq!(rules("a: !reset null"), [Rule::YamlFeature]);
        assert_eq!(rules("? [a]\n: 1\n"), [Rule::YamlFeature]);
        assert_eq!(rules("a: \"x\\0\""), [Rule::YamlFeature]);
        assert_eq!(rules("a: 1\nb: 2\na: 3\n"), [Rule::DuplicateKey]);
        assert_eq!(rules("\u{feff}a: 1\r\nb: 2\r\n"), []);
        assert_eq!(rules(""), []);
    }

    #[test]
    fn the_place_of_a_block_ends_with_its_text() {
        let (root, _) = read("a: |\n  one\n  two\nb: 1\n");
        let root = root.unwrap();
        let span = mapping(&root)[0].value.span;
        assert_eq!(span.start, Pos { line: 2, column: 3 });
        assert_eq!(span.end, Pos { line: 3, column: 6 });
    }
}
