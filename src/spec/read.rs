//! Node tree → [`Spec`]: services, settings and which fields there are.
//!
//! Every problem is noted and the rest is read on. A field with a problem is left out. The values
//! of fields are read in [`values`](super::values).

use super::fields::{self, Field, Place, Type};
use super::node::{Entry, Kind, Meaning, Node};
use super::values::{Owner, Value};
use super::{ServiceEntry, Settings, Spec, Text, Variables, directive, foreign, names, yaml};
use crate::diag::{Checks, Diagnostic, Rule, Span, Spanned, did_you_mean, has_errors};

/// What to write when there are no services.
const FIRST_SERVICE: &str = "write `services: {api: ./cmd/api}` with the directory of a \
                             `package main`, or `discover: ./...` for all of them";

/// Most problems that are noted; far fewer are shown.
const MANY: usize = 1000;
/// Most services of a spec.
pub(crate) const MAX_SERVICES: usize = 1000;

/// Reads a whole spec.
pub(super) fn spec(text: &str) -> (Option<Spec>, Vec<Diagnostic>) {
    let yaml = directive::without_slashes(text);
    let (root, diagnostics) = yaml::read(yaml.as_deref().unwrap_or(text));
    let mut reader = Reader {
        diagnostics,
        discovers: false,
    };
    let checks = directive::checks(text);
    let mut spec = match root {
        Some(root) => reader.root(&root),
        // Without a root there was an error, or the document is empty.
        None if has_errors(&reader.diagnostics) => None,
        None => {
            reader.no_services(Span::at(1, 1));
            None
        }
    };
    match (checks, &mut spec) {
        (Ok(checks), Some(spec)) => spec.checks = checks,
        (Ok(_), None) => {}
        (Err(problem), _) => reader.push(problem),
    }
    (spec, reader.diagnostics)
}

/// Collects what is wrong while the tree is read.
pub(super) struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// Whether services can also come from the sources, and their `main` with them.
    discovers: bool,
}

impl Reader {
    /// Notes a problem, as long as there are not too many for anybody to read.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MANY {
            self.diagnostics.push(diagnostic);
        }
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
            checks: Checks::default(),
            go: None,
            default_target: None,
            attest: None,
            cache: None,
            parallel: None,
            modules: Variables::new(),
            secrets: Vec::new(),
            ssh: Vec::new(),
            defaults: Settings::default(),
            services: Vec::new(),
            discover: Vec::new(),
            exclude: Vec::new(),
        };
        self.discovers = entries
            .iter()
            .any(|e| e.key == "discover" && !e.value.is_null() && !is_empty_list(&e.value));
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
                    ("cache", Some(Value::Text(text))) => spec.cache = Some(text),
                    ("parallel", Some(Value::Text(text))) => spec.parallel = Some(text),
                    ("attest", Some(Value::Attest(attest))) => spec.attest = Some(attest),
                    ("modules", Some(Value::Variables(modules))) => spec.modules = modules,
                    ("secrets", Some(Value::Texts(entries))) => spec.secrets = entries,
                    ("ssh", Some(Value::Texts(entries))) => spec.ssh = entries,
                    ("exclude", Some(Value::Texts(patterns))) => spec.exclude = patterns,
                    ("discover", Some(Value::Texts(patterns))) => {
                        spec.discover = patterns;
                        if !seen_services {
                            spec.span = entry.key_span;
                        }
                    }
                    _ => {}
                },
            }
        }
        // A misspelled `services` was reported already; `apps` and the like too.
        if !seen_services && !self.discovers && !has_errors(&self.diagnostics) {
            self.no_services(root.span);
        }
        if let (Some(first), false) = (spec.exclude.first(), self.discovers) {
            self.push(
                Diagnostic::new(
                    Rule::InvalidPattern,
                    "`exclude` without `discover`: there is nothing to take away from",
                )
                .at(first.span())
                .hint("write `discover: ./...`, or remove `exclude`"),
            );
        }
        Some(spec)
    }

    fn services(&mut self, entry: &Entry, services: &mut Vec<ServiceEntry>) {
        if entry.value.is_null() {
            if !self.discovers {
                self.no_services(entry.key_span);
            }
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
        if entries.is_empty() && !self.discovers {
            self.no_services(entry.key_span);
        }
        if entries.len() > MAX_SERVICES {
            let message = format!(
                "the spec has {} services, the limit is {MAX_SERVICES}",
                entries.len()
            );
            self.push(
                Diagnostic::new(Rule::TooLarge, message)
                    .at(entry.key_span)
                    .hint("split the spec: a context can have several"),
            );
            return;
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
                    if !given && !foreign && !self.discovers {
                        self.missing_main(&name, "main");
                    }
                }
            }
            Kind::List(_) => self.no_main_string(&name.value, node),
            Kind::Scalar(_) if self.discovers && node.is_null() => {}
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
        // Editors look for the schema there in JSON.
        let is_schema = name == "$schema" && matches!(owner, Owner::Top);
        if field.is_none() && !name.starts_with("x-") && !is_schema {
            let mut diagnostic = Diagnostic::new(
                Rule::UnknownField,
                format!("unknown field `{name}` {owner}"),
            )
            .at(entry.key_span);
            // Comparing names takes time.
            if self.diagnostics.len() < MANY {
                diagnostic.hint = Some(unknown_hint(name, owner));
            }
            self.push(diagnostic);
        }
        field
    }
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.kind, Kind::List(items) if items.is_empty())
}

/// What to say about an unknown name: another tool's word, a field of another place, or the
/// nearest name.
fn unknown_hint(name: &str, owner: Owner<'_>) -> String {
    let place = owner.place();
    if name == "secrets" && place != Place::Top {
        return "secrets of the running program are given to the container when it starts; those \
                for fetching modules are `secrets` at the top level"
            .to_owned();
    }
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
    if let Some(hint) = foreign::hint(name) {
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
