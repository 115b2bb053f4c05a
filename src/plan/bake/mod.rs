//! The bake file of a spec: one target per service, for `docker buildx bake`.
//!
//! In: a spec and the request of `--call bake`. Out: a [`BakeFile`], pure data that
//! [`BakeFile::to_hcl`] writes. Build args of `image` become variables of the bake file, so that
//! `REGISTRY=… TAG=… docker buildx bake -f -` decides where images go. Build args that the client
//! gave and the service uses are carried as `args`; module proxy settings and proxies are not,
//! they may hold credentials. The frontend does not know the client's directories, so context and
//! spec are variables too, `GOFLEET_CONTEXT` and `GOFLEET_FILE`.
//!
//! Facts of docker/buildx v0.36.1, `bake/bake.go`, `bake/hcl.go` and `util/buildflags/attests.go`:
//! a file from standard input has no extension and is read as HCL, then as JSON; a variable takes
//! the environment's value of its name; an arg that is `null` is left out; target names have no
//! dots, and names on the command line get `_` for them; a target without provenance setting gets
//! buildx's default one.

mod render;

use super::service::{image_names, merged};
use super::{Check, Request, platform, value};
use crate::diag::{self, Diagnostic, Rule, Span};
use crate::spec::{
    Args, Attest, Op, PREDEFINED, Piece, Scope, ServiceEntry, Settings, Spec, Text, default_image,
};
use buildkit_llb::ImageRef;
use std::collections::{BTreeMap, BTreeSet};

/// Keeps buildx from adding its default provenance, which changes with every build.
const NO_PROVENANCE: &str = "type=provenance,disabled=true";
/// The variable of the context.
const CONTEXT: &str = "GOFLEET_CONTEXT";
/// The variable of the spec's path below the context.
const FILE: &str = "GOFLEET_FILE";

/// A bake file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BakeFile {
    /// Name of the spec, for the comment at the top.
    pub file_name: String,
    /// Variables with their defaults, by name.
    pub variables: BTreeMap<String, String>,
    /// One target per service, in the order of the spec; all are in the group `default`.
    pub targets: Vec<BakeTarget>,
}

/// One target: one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BakeTarget {
    /// Name of the target in the bake file.
    pub name: String,
    /// The build context.
    pub context: Value,
    /// The spec.
    pub dockerfile: Value,
    /// Name of the service.
    pub target: String,
    /// Image names.
    pub tags: Vec<Value>,
    /// Platforms; empty means the builder's own.
    pub platforms: Vec<String>,
    /// Build args.
    pub args: BTreeMap<String, Value>,
    /// Attestations.
    pub attest: Vec<String>,
}

/// A string with expressions of the bake file's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The value of a variable.
    Variable(String),
    /// The first value when the variable is not empty, else the second.
    IfSet(String, Value, Value),
    /// The value of a variable, or nothing at all when it is empty. Stands alone.
    IfSetOrNull(String),
}

impl Value {
    fn literal(text: impl Into<String>) -> Self {
        Value(vec![Part::Literal(text.into())])
    }

    fn variable(name: &str) -> Self {
        Value(vec![Part::Variable(name.to_owned())])
    }
}

/// Makes the bake file of a spec that was read without errors.
///
/// `context` is the URL of a remote context; `None` for a directory of the client. Credentials in
/// the URL are left out.
///
/// # Errors
///
/// Problems with `image`, `platforms` and `attest`; two services with one image name.
pub fn bake_file(
    spec: &Spec,
    request: &Request,
    context: Option<&str>,
) -> Result<BakeFile, Vec<Diagnostic>> {
    let args = Args::new(&request.build_args);
    let mut check = Check::new(&args);
    image_names(spec, &mut check);
    let default = default_image();
    let images: Vec<&Text> = spec
        .services
        .iter()
        .map(|s| image(spec, s, &default))
        .collect();
    let attest = attestations(spec.attest.as_ref(), &mut check);
    unique_images(spec, &images, &mut check);

    let mut variables = Variables::collect(spec, &images, &args);
    let mut names = Names::default();
    let targets = spec
        .services
        .iter()
        .zip(&images)
        .map(|(service, image)| {
            let name = &service.name.value;
            BakeTarget {
                name: names.unique(name),
                context: Value::variable(CONTEXT),
                dockerfile: Value::variable(FILE),
                target: name.clone(),
                tags: vec![variables.value(image.pieces(), name)],
                platforms: platforms(spec, service, request, &mut check),
                args: variables.args(spec, service, request),
                attest: attest.clone(),
            }
        })
        .collect();
    variables.set(
        CONTEXT,
        request,
        &context.map_or(".".to_owned(), without_credentials),
    );
    variables.set(FILE, request, &request.file_name);
    if diag::has_errors(&check.diagnostics) {
        diag::tidy(&mut check.diagnostics);
        return Err(check.diagnostics);
    }
    Ok(BakeFile {
        file_name: request.file_name.clone(),
        variables: variables.defaults,
        targets,
    })
}

/// The `image` text of a service.
fn image<'s>(spec: &'s Spec, service: &'s ServiceEntry, default: &'s Text) -> &'s Text {
    let own = service.settings.image.as_ref();
    own.or(spec.defaults.image.as_ref()).unwrap_or(default)
}

/// Reports unset build args of `image`, and images that would overwrite each other.
fn unique_images(spec: &Spec, images: &[&Text], check: &mut Check<'_>) {
    let mut seen: BTreeMap<String, (&str, Span)> = BTreeMap::new();
    for (service, text) in spec.services.iter().zip(images) {
        let name = service.name.value.as_str();
        let scope = Scope::global(check.args).with("SERVICE", name);
        let Some(value) = check.expand(text, &scope) else {
            continue;
        };
        // `api` and `docker.io/library/api:latest` are one name.
        let full = ImageRef::parse(&value).map_or(value.clone(), |r| r.to_string());
        match seen.get(&full) {
            None => {
                seen.insert(full, (name, service.name.span));
            }
            Some((first, span)) => check.push(
                Diagnostic::new(
                    Rule::DuplicateImage,
                    format!("the image `{value}` of service `{name}` is that of service `{first}`"),
                )
                .at(service.name.span)
                .label(*span, "the other service")
                .hint("use `${SERVICE}` in `image`, or give each service its own"),
            ),
        }
    }
}

/// The values of `attest` for every target.
pub(super) fn attestations(attest: Option<&Attest>, check: &mut Check<'_>) -> Vec<String> {
    let off = || vec![NO_PROVENANCE.to_owned()];
    match attest {
        None | Some(Attest::Flag(false)) => off(),
        Some(Attest::Flag(true)) => Vec::new(),
        Some(Attest::Entries(entries)) => {
            let scope = Scope::global(check.args);
            let mut all = Vec::new();
            for text in entries {
                if let Some(entry) = check.expand(text, &scope) {
                    let entry = value::attest(&entry, text.span());
                    all.extend(check.noted(entry));
                }
            }
            let provenance = |e: &String| e.split(',').any(|p| p.trim() == "type=provenance");
            if !all.iter().any(provenance) {
                all.extend(off());
            }
            all
        }
    }
}

fn platforms(
    spec: &Spec,
    service: &ServiceEntry,
    request: &Request,
    check: &mut Check<'_>,
) -> Vec<String> {
    let settings = merged(&spec.defaults, &service.settings);
    let scope = Scope::global(check.args).with("SERVICE", service.name.value.as_str());
    let own = platform::from_spec(settings.platforms.as_deref(), &scope, check);
    let own = own.into_iter().map(|(p, _)| p);
    let chosen: Vec<_> = match &request.platforms[..] {
        [] => own.collect(),
        given => given.to_vec(),
    };
    let mut texts: Vec<String> = Vec::new();
    for text in chosen.iter().map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// A URL without user and password: the bake file is printed, and may be kept.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        // An SSH address needs its user, and has no password.
        Some(at) if scheme != "ssh" => format!("{scheme}://{}", &rest[at + 1..]),
        _ => url.to_owned(),
    }
}

/// Names of targets: no dots, and none twice.
struct Names(BTreeSet<String>);

impl Default for Names {
    fn default() -> Self {
        // The group has this name.
        Self(BTreeSet::from(["default".to_owned()]))
    }
}

impl Names {
    fn unique(&mut self, service: &str) -> String {
        let plain = service.replace('.', "_");
        let mut name = plain.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        name
    }
}

/// The build args of all `image` texts, as variables of the bake file.
struct Variables<'a> {
    args: &'a Args<'a>,
    defaults: BTreeMap<String, String>,
    /// Those whose default is the only one that the spec gives them: they need no condition.
    simple: BTreeSet<String>,
}

impl<'a> Variables<'a> {
    fn collect(spec: &Spec, images: &[&Text], args: &'a Args<'a>) -> Self {
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
    fn set(&mut self, name: &str, request: &Request, default: &str) {
        let given = request.build_args.get(name).map(String::as_str);
        let default = given.unwrap_or(default).to_owned();
        self.defaults.insert(name.to_owned(), default);
    }

    /// An `image` text in the bake file's language.
    fn value(&self, pieces: &[Piece], service: &str) -> Value {
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
    fn args(
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
        // What chooses the frontend and the time stamps has to be the same in both builds.
        for (name, given) in &request.build_args {
            if name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH" {
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
        service.main.iter().for_each(&mut visit);
        settings.each_text(&mut visit);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_names() {
        let mut names = Names::default();
        let all: Vec<String> = ["a.b", "a_b", "default", "a_b_2"]
            .map(|n| names.unique(n))
            .into();
        assert_eq!(all, ["a_b", "a_b_2", "default_2", "a_b_2_2"]);
    }

    #[test]
    fn credentials_are_not_printed() {
        let check = |url: &str, expected: &str| assert_eq!(without_credentials(url), expected);
        check(
            "https://u:p@example.com/a.git#main",
            "https://example.com/a.git#main",
        );
        check("https://example.com/a@b", "https://example.com/a@b");
        check("ssh://git@example.com/a.git", "ssh://git@example.com/a.git");
        check("git@example.com:a.git", "git@example.com:a.git");
        check("https://é:p@x", "https://x");
    }
}
