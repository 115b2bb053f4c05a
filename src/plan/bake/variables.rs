//! Build args as variables of the bake file.
//!
//! Every build arg that the spec uses is a variable. What the bake file says itself, such as image
//! names and attestations, is written with it; its default is that of the spec, and where uses
//! differ, each use gets a condition. What builds use they get as a build arg, unless the variable
//! is empty and nobody gave it: then each use has its own default, or the build says what is missing.
//! A variable of a bake file is never unset, so that `${A-x}` means what `${A:-x}` does.

use super::super::args;
use super::{Part, Request, Value};
use crate::fetch;
use crate::spec::{Args, Op, PREDEFINED, Piece, ServiceEntry, Spec, Text};
use std::collections::{BTreeMap, BTreeSet};

/// The build args of a spec, as variables of the bake file.
pub(super) struct Variables<'a> {
    args: &'a Args<'a>,
    pub(super) defaults: BTreeMap<String, String>,
    /// Those whose default is the only one that the spec gives them: they need no condition.
    simple: BTreeSet<String>,
    /// Those that the client gave: builds get them whatever their value.
    given: BTreeSet<String>,
}

impl<'a> Variables<'a> {
    /// `texts` are those that the bake file says itself.
    pub(super) fn collect<'t>(
        spec: &Spec,
        texts: impl Iterator<Item = &'t Text>,
        args: &'a Args<'a>,
    ) -> Self {
        // Per name the constant defaults of its uses; `None` for a use of another form.
        let mut uses: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
        for text in texts {
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
        // All but those of image names alone.
        let elsewhere: BTreeSet<String> = (spec.services.iter())
            .flat_map(|service| args::of_service(spec, service).0.into_keys())
            .collect();
        for name in elsewhere.iter().filter(|name| is_variable(name)) {
            uses.entry(name.clone()).or_default();
        }
        let mut defaults = BTreeMap::new();
        let mut simple = BTreeSet::new();
        let has_value = |name: &String| args.given(name).is_some();
        let given: BTreeSet<String> = uses
            .keys()
            .filter(|name| has_value(name))
            .cloned()
            .collect();
        for (name, forms) in uses {
            let value = args.given(&name).filter(|v| !v.is_empty());
            let only = match forms.iter().collect::<Vec<_>>()[..] {
                // An arg that builds use too must stay unset when nobody sets it: their own
                // default may be another one.
                [Some(default)] if !elsewhere.contains(&name) => Some(default.clone()),
                _ => None,
            };
            let default = value.map(str::to_owned).or(only);
            if default.is_some() {
                simple.insert(name.clone());
            }
            defaults.insert(name, default.unwrap_or_default());
        }
        Self {
            args,
            defaults,
            simple,
            given,
        }
    }

    /// Adds a variable of our own.
    pub(super) fn set(&mut self, name: &str, request: &Request, default: &str) {
        let given = request.build_args.get(name).map(String::as_str);
        let default = given.unwrap_or(default).to_owned();
        self.defaults.insert(name.to_owned(), default);
    }

    /// A text with variables in the bake file's language; `None` for one without, whose value is
    /// known.
    pub(super) fn text(&self, text: &Text, service: &str) -> Option<Value> {
        let mut varies = false;
        text.each_var(&mut |var| varies |= is_variable(&var.name));
        varies.then(|| self.value(text.pieces(), service))
    }

    /// A text in the bake file's language.
    pub(super) fn value(&self, pieces: &[Piece], service: &str) -> Value {
        let mut parts = Vec::new();
        for piece in pieces {
            let var = match piece {
                Piece::Literal(text) => {
                    parts.push(Part::Literal(text.clone()));
                    continue;
                }
                // Only command lines have words.
                Piece::Break => continue,
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
        for name in args::of_service(spec, service).0.into_keys() {
            if self.simple.contains(&name) || self.given.contains(&name) {
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
