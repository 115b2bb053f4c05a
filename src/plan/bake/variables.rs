//! Build args as variables of the bake file.
//!
//! A build arg of `image` is a variable. Its default is that of the spec; where uses differ, each
//! use gets a condition. Its value is a build arg of the target too when the build uses the name.
//! A variable of a bake file is never unset, so that `${A-x}` means what `${A:-x}` does.

use super::super::service::merged;
use super::{Part, Request, Value};
use crate::fetch;
use crate::spec::{Args, Op, PREDEFINED, Piece, ServiceEntry, Settings, Spec, Text};
use std::collections::{BTreeMap, BTreeSet};

/// The build args of all `image` texts, as variables of the bake file.
pub(super) struct Variables<'a> {
    args: &'a Args<'a>,
    pub(super) defaults: BTreeMap<String, String>,
    /// Those whose default is the only one that the spec gives them: they need no condition.
    simple: BTreeSet<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn collect(spec: &Spec, images: &[&Text], args: &'a Args<'a>) -> Self {
        // Per name the constant defaults of its uses; `None` for a use of another form.
        let mut uses: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
        for text in images {
            text.each_var(&mut |var| {
                if is_variable(&var.name) {
                    let forms = uses.entry(var.name.clone()).or_default();
                    match &var.op {
                        Op::Default { value, .. } => forms.insert(constant(value)),
                        Op::Other { .. } => forms.insert(None),
                        Op::Plain | Op::Required { .. } => false,
                    };
                }
            });
        }
        let elsewhere: BTreeSet<String> = spec.args_of_builds();
        let mut defaults = BTreeMap::new();
        let mut simple = BTreeSet::new();
        for (name, forms) in uses {
            let given = args.given(&name).filter(|v| !v.is_empty());
            let only = match forms.iter().collect::<Vec<_>>()[..] {
                // An arg that builds use too must stay unset when nobody sets it: their own
                // default may be another one.
                [Some(default)] if !elsewhere.contains(&name) => Some(default.clone()),
                _ => None,
            };
            let default = given.map(str::to_owned).or(only);
            if default.is_some() {
                simple.insert(name.clone());
            }
            defaults.insert(name, default.unwrap_or_default());
        }
        Self {
            args,
            defaults,
            simple,
        }
    }

    /// Adds a variable of our own.
    pub(super) fn set(&mut self, name: &str, request: &Request, default: &str) {
        let given = request.build_args.get(name).map(String::as_str);
        let default = given.unwrap_or(default).to_owned();
        self.defaults.insert(name.to_owned(), default);
    }

    /// An `image` text in the bake file's language.
    pub(super) fn value(&self, pieces: &[Piece], service: &str) -> Value {
        let mut parts = Vec::new();
        for piece in pieces {
            let var = match piece {
                Piece::Literal(text) => {
                    parts.push(Part::Literal(text.clone()));
                    continue;
                }
                Piece::Var(var) => var,
            };
            let name = &var.name;
            let known = if name == "SERVICE" {
                Some(service)
            } else if is_variable(name) {
                None
            } else {
                // A name that the language gives another meaning keeps the value of now.
                Some(self.args.given(name).unwrap_or(""))
            };
            match (known, &var.op) {
                (Some(text), Op::Other { value, .. }) => {
                    if !text.is_empty() {
                        parts.extend(self.value(value, service).0);
                    }
                }
                (Some(""), Op::Default { value, .. }) => {
                    parts.extend(self.value(value, service).0);
                }
                (Some(text), _) => parts.push(Part::Literal(text.to_owned())),
                (None, Op::Default { value, .. }) if !self.simple.contains(name) => {
                    let set = Value::variable(name);
                    parts.push(Part::IfSet(name.clone(), set, self.value(value, service)));
                }
                (None, Op::Other { value, .. }) => {
                    let set = self.value(value, service);
                    parts.push(Part::IfSet(name.clone(), set, Value(Vec::new())));
                }
                (None, _) => parts.push(Part::Variable(name.clone())),
            }
        }
        Value(parts)
    }

    /// The build args of a service's target.
    pub(super) fn args(
        &self,
        spec: &Spec,
        service: &ServiceEntry,
        request: &Request,
    ) -> BTreeMap<String, Value> {
        let mut args = BTreeMap::new();
        for name in spec.args_of_build(service) {
            if self.simple.contains(&name) {
                args.insert(name.clone(), Value::variable(&name));
            } else if self.defaults.contains_key(&name) {
                let value = Value(vec![Part::IfSetOrNull(name.clone())]);
                args.insert(name, value);
            } else if let Some(given) = request.build_args.get(&name) {
                args.insert(name, Value::literal(given));
            }
        }
        // What chooses the frontend, the time stamps and the module proxy has to be the same in
        // both builds.
        for (name, given) in &request.build_args {
            let carried = name.starts_with("BUILDKIT_")
                || name == "SOURCE_DATE_EPOCH"
                || fetch::SETTINGS.contains(&name.as_str());
            if carried && !args.contains_key(name) {
                args.insert(name.clone(), Value::literal(given));
            }
        }
        args
    }
}

/// Whether a build arg can be a variable of a bake file.
fn is_variable(name: &str) -> bool {
    !PREDEFINED.contains(&name) && !matches!(name, "true" | "false" | "null")
}

fn constant(pieces: &[Piece]) -> Option<String> {
    match pieces {
        [] => Some(String::new()),
        [Piece::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

impl Spec {
    /// The build args that any service's build uses: all but those of `image` alone.
    fn args_of_builds(&self) -> BTreeSet<String> {
        self.services
            .iter()
            .flat_map(|s| self.args_of_build(s))
            .collect()
    }

    /// The build args that a service's build uses.
    fn args_of_build(&self, service: &ServiceEntry) -> BTreeSet<String> {
        let settings = Settings {
            image: None,
            ..merged(&self.defaults, &service.settings)
        };
        let mut names = BTreeSet::new();
        let mut visit = |text: &Text| {
            text.each_var(&mut |var| {
                if !PREDEFINED.contains(&var.name.as_str()) {
                    names.insert(var.name.clone());
                }
            });
        };
        self.go.iter().for_each(&mut visit);
        let modules = self.modules.values().map(|v| &v.value);
        modules.for_each(&mut visit);
        service.main.iter().for_each(&mut visit);
        // Each build discovers anew, and has to find what was found here.
        if !self.discover.is_empty() {
            let mains = self.services.iter().filter_map(|s| s.main.as_ref());
            let texts = self.discover.iter().chain(&self.exclude).chain(mains);
            texts.for_each(&mut visit);
        }
        settings.each_text(&mut visit);
        names
    }
}
