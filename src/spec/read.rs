//! Node tree → [`Spec`]: which fields there are and whether each has the right type.
//!
//! Every problem is noted and the rest is read on. A field with a problem is left out.

use super::fields::{self, Field, Place, Type};
use super::node::{Entry, Kind, Meaning, Node, Scalar};
use super::{Attest, ServiceEntry, Settings, Spec, Text, Variables, names, words, yaml};
use crate::diag::{Diagnostic, Rule, Span, Spanned, did_you_mean, has_errors};
use std::collections::{BTreeMap, BTreeSet};

/// What to write when there are no services.
const FIRST_SERVICE: &str =
    "write `services: {api: ./cmd/api}` with the directory of a `package main`";

/// Reads a whole spec.
pub(super) fn spec(text: &str) -> (Option<Spec>, Vec<Diagnostic>) {
    let (root, diagnostics) = yaml::read(text);
    let mut reader = Reader { diagnostics };
    let spec = match root {
        Some(root) => reader.root(&root),
        // Without a root there was an error, or the document is empty.
        None if has_errors(&reader.diagnostics) => None,
        None => {
            reader.no_services(Span::at(1, 1));
            None
        }
    };
    (spec, reader.diagnostics)
}

struct Reader {
    diagnostics: Vec<Diagnostic>,
}

/// What a field was read as.
enum Value {
    Text(Text),
    Texts(Vec<Text>),
    Flag(bool),
    Variables(Variables),
    Attest(Attest),
}

/// Where a mapping stands, for messages.
#[derive(Clone, Copy)]
enum Owner<'a> {
    Top,
    Defaults,
    Service(&'a str),
}

impl Owner<'_> {
    fn place(self) -> Place {
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
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn no_services(&mut self, at: Span) {
        self.push(
            Diagnostic::new(Rule::NoServices, "the spec names no service")
                .at(at)
                .hint(FIRST_SERVICE),
        );
    }

    fn root(&mut self, root: &Node) -> Option<Spec> {
        if root.is_null() {
            self.no_services(root.span);
            return None;
        }
        let Some(entries) = self.mapping(root) else {
            let message = format!(
                "expected a mapping with `services`, found {}",
                root.describe()
            );
            self.push(
                Diagnostic::new(Rule::WrongType, message)
                    .at(root.span)
                    .hint(FIRST_SERVICE),
            );
            return None;
        };
        let mut spec = Spec {
            span: root.span,
            go: None,
            default_target: None,
            attest: None,
            defaults: Settings::default(),
            services: Vec::new(),
        };
        let mut seen_services = false;
        for entry in &entries {
            let Some(field) = self.known(entry, Owner::Top) else {
                continue;
            };
            match field.ty {
                Type::Services => {
                    seen_services = true;
                    spec.span = entry.key_span;
                    self.services(entry, &mut spec.services);
                }
                Type::Defaults if entry.value.is_null() => {}
                Type::Defaults => match self.mapping(&entry.value) {
                    Some(entries) => {
                        self.settings(&entries, Owner::Defaults, &mut spec.defaults, &mut None);
                    }
                    None => self.wrong_type(field, entry, Owner::Top),
                },
                _ => match (field.name, self.value(field, entry, Owner::Top)) {
                    ("go", Some(Value::Text(text))) => spec.go = Some(text),
                    ("default_target", Some(Value::Text(text))) => {
                        spec.default_target = Some(text);
                    }
                    ("attest", Some(Value::Attest(attest))) => spec.attest = Some(attest),
                    _ => {}
                },
            }
        }
        // A misspelled `services` was reported already; `apps` and the like too.
        if !seen_services && !has_errors(&self.diagnostics) {
            self.no_services(root.span);
        }
        Some(spec)
    }

    fn services(&mut self, entry: &Entry, services: &mut Vec<ServiceEntry>) {
        if entry.value.is_null() {
            self.no_services(entry.key_span);
            return;
        }
        let Some(entries) = self.mapping(&entry.value) else {
            let message = format!(
                "expected {} for `services`, found {}",
                Type::Services.expected(),
                entry.value.describe()
            );
            self.push(
                Diagnostic::new(Rule::WrongType, message)
                    .at(entry.value.span)
                    .hint(FIRST_SERVICE),
            );
            return;
        };
        if entries.is_empty() {
            self.no_services(entry.key_span);
        }
        for entry in &entries {
            let name = Spanned::new(entry.key.clone(), entry.key_span);
            if let Some(diagnostic) = names::check(&name) {
                self.push(diagnostic);
            }
            services.push(self.service(name, &entry.value));
        }
    }

    fn service(&mut self, name: Spanned<String>, node: &Node) -> ServiceEntry {
        let mut main = None;
        let mut settings = Settings::default();
        let owner = Owner::Service(&name.value);
        let before = self.diagnostics.len();
        match &node.kind {
            Kind::Scalar(scalar) if !scalar.text.is_empty() && !node.is_null() => {
                if scalar.meaning() == Meaning::Text {
                    main = self.text(scalar, node.span);
                } else {
                    self.no_main_string(&name.value, node);
                }
            }
            Kind::Mapping(_) => {
                if let Some(entries) = self.mapping(node) {
                    self.settings(&entries, owner, &mut settings, &mut main);
                    let given = entries
                        .iter()
                        .any(|e| e.key == "main" && !e.value.is_null());
                    let foreign = self.diagnostics[before..]
                        .iter()
                        .any(|d| d.hint.as_deref().is_some_and(|h| h.contains("`main`")));
                    // A misspelled `main` is reported once, as such.
                    if !given && !foreign {
                        self.missing_main(&name, "main");
                    }
                }
            }
            Kind::List(_) => self.no_main_string(&name.value, node),
            Kind::Scalar(_) => self.missing_main(&name, &name.value),
        }
        ServiceEntry {
            name,
            main,
            settings,
        }
    }

    /// `key` is what is missing: `main` in a mapping, else the service's own value.
    fn missing_main(&mut self, name: &Spanned<String>, key: &str) {
        let service = &name.value;
        self.push(
            Diagnostic::new(
                Rule::MissingMain,
                format!("service `{service}` has no `main`"),
            )
            .at(name.span)
            .hint(format!(
                "write the directory of its `package main`: `{key}: ./cmd/{service}`"
            )),
        );
    }

    fn no_main_string(&mut self, service: &str, node: &Node) {
        self.push(
            Diagnostic::new(
                Rule::WrongType,
                format!(
                    "expected a directory or a mapping for service `{service}`, found {}",
                    node.describe()
                ),
            )
            .at(node.span)
            .hint(format!("write `{service}: ./cmd/{service}`")),
        );
    }

    fn settings(
        &mut self,
        entries: &[Entry],
        owner: Owner<'_>,
        settings: &mut Settings,
        main: &mut Option<Text>,
    ) {
        for entry in entries {
            let Some(field) = self.known(entry, owner) else {
                continue;
            };
            let Some(value) = self.value(field, entry, owner) else {
                continue;
            };
            match (field.name, value) {
                ("main", Value::Text(v)) => *main = Some(v),
                ("image", Value::Text(v)) => settings.image = Some(v),
                ("base", Value::Text(v)) => settings.base = Some(v),
                ("user", Value::Text(v)) => settings.user = Some(v),
                ("working_dir", Value::Text(v)) => settings.working_dir = Some(v),
                ("build_tags", Value::Texts(v)) => settings.build_tags = Some(v),
                ("ldflags", Value::Texts(v)) => settings.ldflags = Some(v),
                ("entrypoint", Value::Texts(v)) => settings.entrypoint = Some(v),
                ("command", Value::Texts(v)) => settings.command = Some(v),
                ("expose", Value::Texts(v)) => settings.expose = Some(v),
                ("platforms", Value::Texts(v)) => settings.platforms = Some(v),
                ("env", Value::Variables(v)) => settings.env = v,
                ("environment", Value::Variables(v)) => settings.environment = v,
                ("labels", Value::Variables(v)) => settings.labels = v,
                ("files", Value::Variables(v)) => settings.files = v,
                ("tzdata", Value::Flag(v)) => settings.tzdata = Some(v),
                // A test reads every field of the table, so nothing ends here.
                _ => {}
            }
        }
    }

    /// The field of an entry; reports names that do not exist.
    fn known(&mut self, entry: &Entry, owner: Owner<'_>) -> Option<&'static Field> {
        let name = entry.key.as_str();
        let field = fields::field(name, owner.place());
        if field.is_none() && !name.starts_with("x-") {
            let mut diagnostic = Diagnostic::new(
                Rule::UnknownField,
                format!("unknown field `{name}` {owner}"),
            )
            .at(entry.key_span);
            diagnostic.hint = Some(unknown_hint(name, owner));
            self.push(diagnostic);
        }
        field
    }

    /// Reads the value of a field that is no mapping of its own. `None` means absent or reported.
    fn value(&mut self, field: &'static Field, entry: &Entry, owner: Owner<'_>) -> Option<Value> {
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
            (Type::Items, _) => self.texts(field, entry, owner, false).map(Value::Texts),
            (Type::Ports, _) => self.texts(field, entry, owner, true).map(Value::Texts),
            (Type::Command, Kind::Scalar(s)) if s.meaning() == Meaning::Text => {
                self.noted(words::shell(s, node.span)).map(Value::Texts)
            }
            (Type::Command, Kind::List(_)) => {
                self.texts(field, entry, owner, false).map(Value::Texts)
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
                        let empty = Scalar {
                            text: String::new(),
                            ..scalar.clone()
                        };
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

    fn wrong_type(&mut self, field: &Field, entry: &Entry, owner: Owner<'_>) {
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

    fn text(&mut self, scalar: &Scalar, span: Span) -> Option<Text> {
        self.noted(Text::parse(scalar, span))
    }

    fn noted<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|d| self.push(d)).ok()
    }

    /// The entries of a mapping after its merge keys; `None` when it is no mapping.
    fn mapping(&mut self, node: &Node) -> Option<Vec<Entry>> {
        let Kind::Mapping(entries) = &node.kind else {
            return None;
        };
        if entries.iter().all(|e| e.key != "<<") {
            return Some(entries.clone());
        }
        let own = |e: &&Entry| e.key != "<<";
        let mut merged: Vec<Entry> = entries.iter().filter(own).cloned().collect();
        let mut keys: BTreeSet<String> = merged.iter().map(|e| e.key.clone()).collect();
        for entry in entries.iter().filter(|e| e.key == "<<") {
            let sources: Vec<&Node> = match &entry.value.kind {
                Kind::Mapping(_) => vec![&entry.value],
                Kind::List(items) => items.iter().map(|i| &**i).collect(),
                Kind::Scalar(_) => Vec::new(),
            };
            let all_mappings = sources.iter().all(|n| matches!(n.kind, Kind::Mapping(_)));
            if !all_mappings || (sources.is_empty() && !matches!(entry.value.kind, Kind::List(_))) {
                let message = format!(
                    "expected an alias of a mapping for `<<`, found {}",
                    entry.value.describe()
                );
                self.push(
                    Diagnostic::new(Rule::InvalidMergeKey, message)
                        .at(entry.key_span)
                        .hint("write `<<: *name` with an anchor `&name` on a mapping before it"),
                );
                continue;
            }
            for source in sources {
                for entry in self.mapping(source).unwrap_or_default() {
                    // The mapping's own keys win, then those merged first.
                    if keys.insert(entry.key.clone()) {
                        merged.push(entry);
                    }
                }
            }
        }
        Some(merged)
    }
}

/// What to say about an unknown name: another tool's word, a field of another place, or the
/// nearest name.
fn unknown_hint(name: &str, owner: Owner<'_>) -> String {
    let place = owner.place();
    let elsewhere = fields::FIELDS.iter().find(|f| f.name == name);
    if let Some(field) = elsewhere {
        return match (place, field.places) {
            (Place::Defaults, [Place::Service]) => {
                format!("`{name}` belongs in each service")
            }
            (Place::Top, _) => format!("`{name}` belongs in a service or in `defaults`"),
            _ => format!("`{name}` belongs at the top level"),
        };
    }
    if let Some(hint) = fields::foreign(name) {
        return hint.to_owned();
    }
    if let Some(near) = did_you_mean(name, fields::names(place)) {
        return format!("did you mean `{near}`?");
    }
    let names: Vec<String> = fields::names(place).map(|n| format!("`{n}`")).collect();
    match owner {
        // A service's own mapping at the top level is a common slip.
        Owner::Top => format!(
            "the fields are {}; services are under `services`",
            names.join(", ")
        ),
        _ => format!("the fields are {}", names.join(", ")),
    }
}
