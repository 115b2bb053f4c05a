//! The value of a field: whether it has the type that the table says, and what it holds.

use super::fields::{Field, Place, Type};
use super::node::{Entry, Kind, Meaning, Node, Scalar};
use super::read::Reader;
use super::{Attest, Text, Variables, words};
use crate::diag::{Diagnostic, Rule, Span, Spanned};
use std::collections::BTreeMap;

/// What a field was read as.
pub(super) enum Value {
    Text(Text),
    Texts(Vec<Text>),
    Flag(bool),
    Variables(Variables),
    Attest(Attest),
}

/// Most items of a list, words of a line and entries of a mapping.
const MAX_ITEMS: usize = 1000;

/// Where a mapping stands, for messages.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Top,
    Defaults,
    Service(&'a str),
}

impl Owner<'_> {
    pub(super) fn place(self) -> Place {
        match self {
            Owner::Top => Place::Top,
            Owner::Defaults => Place::Defaults,
            Owner::Service(_) => Place::Service,
        }
    }
}

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Owner::Top => f.write_str("at the top level"),
            Owner::Defaults => f.write_str("in `defaults`"),
            Owner::Service(name) => write!(f, "in service `{name}`"),
        }
    }
}

impl Reader {
    /// Reads the value of a field that is no mapping of its own. `None` means absent or reported.
    pub(super) fn value(
        &mut self,
        field: &'static Field,
        entry: &Entry,
        owner: Owner<'_>,
    ) -> Option<Value> {
        let value = self.any_value(field, entry, owner)?;
        let items = match &value {
            Value::Texts(items) | Value::Attest(Attest::Entries(items)) => items.len(),
            Value::Variables(items) => items.len(),
            Value::Text(_) | Value::Flag(_) | Value::Attest(Attest::Flag(_)) => 1,
        };
        if items <= MAX_ITEMS {
            return Some(value);
        }
        self.push(
            Diagnostic::new(
                Rule::TooLarge,
                format!(
                    "`{}` {owner} has {items} items, the limit is {MAX_ITEMS}",
                    field.name
                ),
            )
            .at(entry.key_span)
            .hint("put large data into a file of the image, with `files`"),
        );
        None
    }

    fn any_value(
        &mut self,
        field: &'static Field,
        entry: &Entry,
        owner: Owner<'_>,
    ) -> Option<Value> {
        let node = &*entry.value;
        if node.is_null() {
            // An empty optional field is what is left when its lines are commented out.
            if field.name == "main" {
                return None;
            }
            return match field.ty {
                Type::Text | Type::Number | Type::Flag => {
                    self.wrong_type(field, entry, owner);
                    None
                }
                _ => None,
            };
        }
        match (field.ty, &node.kind) {
            (Type::Text, Kind::Scalar(s)) if s.meaning() == Meaning::Text => {
                self.text(s, node.span).map(Value::Text)
            }
            (Type::Number, Kind::Scalar(s)) if !matches!(s.meaning(), Meaning::Bool(_)) => {
                self.text(s, node.span).map(Value::Text)
            }
            (Type::Flag, Kind::Scalar(s)) => match s.meaning() {
                Meaning::Bool(flag) => Some(Value::Flag(flag)),
                _ => {
                    self.wrong_type(field, entry, owner);
                    None
                }
            },
            (Type::Attest, Kind::Scalar(s)) if matches!(s.meaning(), Meaning::Bool(_)) => {
                let flag = s.meaning() == Meaning::Bool(true);
                Some(Value::Attest(Attest::Flag(flag)))
            }
            (Type::Attest, _) => self
                .texts(field, entry, owner, false)
                .map(|t| Value::Attest(Attest::Entries(t))),
            (Type::Items | Type::Entries, _) => {
                self.texts(field, entry, owner, false).map(Value::Texts)
            }
            (Type::Ports, _) => self.texts(field, entry, owner, true).map(Value::Texts),
            (Type::Command, Kind::Scalar(s)) if s.meaning() == Meaning::Text => {
                self.noted(words::shell(s, node.span)).map(Value::Texts)
            }
            (Type::Command, Kind::List(_)) => {
                let items = self.texts(field, entry, owner, false)?;
                let words = items.into_iter().map(Text::item).collect();
                Some(Value::Texts(words))
            }
            (Type::Flags, Kind::Scalar(s)) if s.meaning() == Meaning::Text => {
                self.noted(words::go_flags(s, node.span)).map(Value::Texts)
            }
            (Type::Flags, Kind::List(items)) => {
                let mut all = Vec::new();
                let mut whole = true;
                for item in items {
                    match self.string(field, item, owner, false) {
                        Some(s) => match self.noted(words::go_flags(&s, item.span)) {
                            Some(words) => all.extend(words),
                            None => whole = false,
                        },
                        None => whole = false,
                    }
                }
                whole.then_some(Value::Texts(all))
            }
            (Type::Variables | Type::Labels, Kind::Mapping(_) | Kind::List(_))
            | (Type::Paths, Kind::Mapping(_)) => {
                Some(Value::Variables(self.variables(field, node, owner)))
            }
            _ => {
                self.wrong_type(field, entry, owner);
                None
            }
        }
    }

    /// A list of strings, or one string.
    fn texts(
        &mut self,
        field: &'static Field,
        entry: &Entry,
        owner: Owner<'_>,
        numbers: bool,
    ) -> Option<Vec<Text>> {
        match &entry.value.kind {
            Kind::List(items) => {
                let read: Vec<Option<Text>> = items
                    .iter()
                    .map(|item| {
                        let scalar = self.string(field, item, owner, numbers)?;
                        self.text(&scalar, item.span)
                    })
                    .collect();
                // With a problem in one item the whole list is left out.
                read.into_iter().collect()
            }
            Kind::Scalar(s) if s.meaning() == Meaning::Text || numbers => {
                self.text(s, entry.value.span).map(|text| vec![text])
            }
            _ => {
                self.wrong_type(field, entry, owner);
                None
            }
        }
    }

    /// The scalar of a list item that has to be a string, or a number where that is taken.
    fn string(
        &mut self,
        field: &Field,
        item: &Node,
        owner: Owner<'_>,
        numbers: bool,
    ) -> Option<Scalar> {
        if let Kind::Scalar(scalar) = &item.kind {
            let fits = match scalar.meaning() {
                Meaning::Text => true,
                Meaning::Number => numbers,
                Meaning::Bool(_) | Meaning::Null => false,
            };
            if fits {
                return Some(scalar.clone());
            }
        }
        let message = format!(
            "expected a string in `{}` {owner}, found {}",
            field.name,
            item.describe()
        );
        let hint = match &item.kind {
            Kind::Scalar(s) if !s.text.is_empty() => format!("quote it: `\"{}\"`", s.text),
            _ => "each item of the list is a string".into(),
        };
        self.push(
            Diagnostic::new(Rule::WrongType, message)
                .at(item.span)
                .hint(hint),
        );
        None
    }

    /// A mapping of names to scalars, or a list of `NAME=VALUE`.
    fn variables(&mut self, field: &Field, node: &Node, owner: Owner<'_>) -> Variables {
        let mut found = BTreeMap::new();
        match &node.kind {
            Kind::List(items) => {
                for item in items {
                    self.variable_item(field, item, owner, &mut found);
                }
            }
            _ => {
                for entry in self.mapping(node).unwrap_or_default() {
                    if let Some(value) = self.variable_value(field, &entry, owner) {
                        found.insert(entry.key.clone(), Spanned::new(value, entry.key_span));
                    }
                }
            }
        }
        found
    }

    fn variable_value(&mut self, field: &Field, entry: &Entry, owner: Owner<'_>) -> Option<Text> {
        let node = &*entry.value;
        let name = &entry.key;
        if let Kind::Scalar(scalar) = &node.kind {
            let fits = match scalar.meaning() {
                Meaning::Text => true,
                // A path has to be a string: a number there is a mistake.
                Meaning::Number | Meaning::Bool(_) => field.ty != Type::Paths,
                Meaning::Null => {
                    if field.ty == Type::Labels {
                        let empty = Scalar::new(String::new(), false, scalar.layout);
                        return self.text(&empty, node.span);
                    }
                    self.no_value(field, name, entry.key_span, owner);
                    return None;
                }
            };
            if fits {
                return self.text(scalar, node.span);
            }
        }
        let message = format!(
            "expected a string for `{name}` of `{}` {owner}, found {}",
            field.name,
            node.describe()
        );
        self.push(
            Diagnostic::new(Rule::WrongType, message)
                .at(node.span)
                .hint(format!("for example: `{}`", field.sample())),
        );
        None
    }

    fn variable_item(
        &mut self,
        field: &Field,
        item: &Node,
        owner: Owner<'_>,
        found: &mut Variables,
    ) {
        let Some(scalar) = self.string(field, item, owner, false) else {
            return;
        };
        let (name, value) = match scalar.text.split_once('=') {
            Some((name, value)) => (name, value),
            None if field.ty == Type::Labels => (scalar.text.as_str(), ""),
            None => {
                self.no_value(field, &scalar.text, item.span, owner);
                return;
            }
        };
        let from = name.chars().count();
        let name_span = scalar.locate(0, from, item.span);
        let after = (from + 1).min(scalar.text.chars().count());
        let rest = scalar.tail(after, value);
        let value_span = scalar.locate(after, scalar.text.chars().count(), item.span);
        let Some(value) = self.text(&rest, value_span) else {
            return;
        };
        if let Some(first) = found.get(name) {
            let diagnostic =
                Diagnostic::new(Rule::DuplicateKey, format!("`{name}` is given twice"))
                    .at(name_span)
                    .label(first.span, "first given here")
                    .hint("remove one of the two");
            self.push(diagnostic);
            return;
        }
        found.insert(name.to_owned(), Spanned::new(value, name_span));
    }

    fn no_value(&mut self, field: &Field, name: &str, at: Span, owner: Owner<'_>) {
        let message = format!("`{name}` of `{}` {owner} has no value", field.name);
        let hint = match field.ty {
            Type::Paths => format!("write `{name}: SOURCE`"),
            _ => format!(
                "write a value; `{name}: ${{{name}}}` takes it from `--build-arg {name}=…`, and \
                 `{name}: \"\"` is empty"
            ),
        };
        self.push(
            Diagnostic::new(Rule::InvalidVariable, message)
                .at(at)
                .hint(hint),
        );
    }

    pub(super) fn wrong_type(&mut self, field: &Field, entry: &Entry, owner: Owner<'_>) {
        let node = &entry.value;
        let at = if node.is_null() {
            entry.key_span
        } else {
            node.span
        };
        let hint = match &node.kind {
            Kind::Scalar(s) if field.ty == Type::Text && !node.is_null() => {
                format!("quote it: `{}: \"{}\"`", field.name, s.text)
            }
            _ => format!("for example: `{}`", field.sample()),
        };
        self.push(
            Diagnostic::new(
                Rule::WrongType,
                format!(
                    "expected {} for `{}` {owner}, found {}",
                    field.ty.expected(),
                    field.name,
                    node.describe()
                ),
            )
            .at(at)
            .hint(hint),
        );
    }

    pub(super) fn text(&mut self, scalar: &Scalar, span: Span) -> Option<Text> {
        self.noted(Text::parse(scalar, span))
    }

    fn noted<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|d| self.push(d)).ok()
    }
}
