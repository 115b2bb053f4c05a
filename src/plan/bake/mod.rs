//! The bake file of a spec: one target per service, for `docker buildx bake`.
//!
//! In: a spec and the request of `--call bake`. Out: a [`BakeFile`], pure data that
//! [`BakeFile::to_hcl`] writes. Build args of the spec become variables of the bake file, so that
//! `REGISTRY=… TAG=… docker buildx bake -f -` decides where images go and `VERSION=…` what is in them.
//! Settings of fetching that the client gave are carried as `args`, and are
//! refused when they hold credentials; proxies are the business of each machine. The frontend does not know the client's directories, so context and
//! spec are variables too, `GOFLEET_CONTEXT` and `GOFLEET_FILE`.
//!
//! Facts of docker/buildx v0.36.1, `bake/bake.go`, `bake/hcl.go` and `util/buildflags/attests.go`:
//! a file from standard input has no extension and is read as HCL, then as JSON; a variable takes
//! the environment's value of its name; an arg that is `null` is left out; target names have no
//! dots, and names on the command line get `_` for them; a target without provenance setting gets
//! buildx's default one.

mod render;
mod secrets;
mod variables;

use super::service::{image_names, merged};
use super::{Check, Request, fetch, fits, platform, value};
use crate::diag::{self, Diagnostic, Rule, Span};
use crate::spec::{Args, Attest, Scope, ServiceEntry, Spec, Text, default_image};
use buildkit_llb::ImageRef;
use std::collections::{BTreeMap, BTreeSet};
use variables::Variables;

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
    pub variables: BTreeMap<String, Value>,
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
    pub platforms: Vec<Value>,
    /// Build args.
    pub args: BTreeMap<String, Value>,
    /// Attestations.
    pub attest: Vec<Value>,
    /// Secrets for the download of modules.
    pub secrets: Vec<Value>,
    /// Agents for the download of modules.
    pub ssh: Vec<Value>,
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
    /// The home directory of the machine that runs bake.
    Home,
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
/// Problems with `image`, `platforms`, `attest` and what fetching takes; two services with one image name.
pub fn bake_file(
    spec: &Spec,
    request: &Request,
    context: Option<&str>,
) -> Result<BakeFile, Vec<Diagnostic>> {
    let args = Args::new(&request.build_args);
    let mut check = Check::new(&args);
    if !fits(spec, 1, &mut check) {
        return Err(check.diagnostics);
    }
    image_names(spec, &mut check);
    let default = default_image();
    let images: Vec<&Text> = spec
        .services
        .iter()
        .map(|s| image(spec, s, &default))
        .collect();
    let attest = attestations(spec.attest.as_ref(), &mut check);
    let fetch = fetch::fetch(spec, request, true, &mut check);
    unique_images(spec, &images, &mut check);

    let texts = own_texts(spec, request, &images);
    let mut variables = Variables::collect(spec, texts.into_iter(), &args);
    let attest = attest_values(spec, attest, &variables);
    // Where one of them was refused there is no bake file, so that the two lists go together.
    let varying = |text| variables.text(text, "");
    let secrets: Vec<Value> = (spec.secrets.iter().zip(&fetch.secrets))
        .map(|(text, known)| {
            varying(text).map_or_else(|| secrets::secret(known), secrets::with_home)
        })
        .collect();
    let ssh: Vec<Value> = (spec.ssh.iter().zip(&fetch.ssh))
        .map(|(text, known)| {
            varying(text).map_or_else(|| secrets::agent(known), secrets::with_home)
        })
        .collect();
    let mut names = Names::new(spec.services.iter().map(|s| s.name.value.as_str()));
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
                platforms: platforms(spec, service, request, &variables, &mut check),
                args: variables.args(spec, service, request),
                attest: attest.clone(),
                secrets: secrets.clone(),
                ssh: ssh.clone(),
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
        variables: defaults(variables, spec),
        targets,
    })
}

/// The `image` text of a service.
fn image<'s>(spec: &'s Spec, service: &'s ServiceEntry, default: &'s Text) -> &'s Text {
    let own = service.settings.image.as_ref();
    own.or(spec.defaults.image.as_ref()).unwrap_or(default)
}

/// The defaults of variables; `~/` is the home directory in those of paths.
fn defaults(variables: Variables<'_>, spec: &Spec) -> BTreeMap<String, Value> {
    let mut paths = BTreeSet::new();
    for text in spec.secrets.iter().chain(&spec.ssh) {
        text.each_var(&mut |var| {
            paths.insert(var.name.as_str());
        });
    }
    let value = |name: &str, default: String| match Value::literal(default) {
        default if paths.contains(name) => secrets::with_home(default),
        default => default,
    };
    (variables.defaults.into_iter())
        .map(|(name, default)| {
            let default = value(&name, default);
            (name, default)
        })
        .collect()
}

/// The texts whose values the bake file says itself.
fn own_texts<'s>(spec: &'s Spec, request: &Request, images: &[&'s Text]) -> Vec<&'s Text> {
    let mut texts = images.to_vec();
    texts.extend(spec.secrets.iter().chain(&spec.ssh));
    if let Some(Attest::Entries(entries)) = &spec.attest {
        texts.extend(entries);
    }
    if request.platforms.is_empty() {
        let all = spec.services.iter().map(|service| &service.settings);
        let platforms = all.chain([&spec.defaults]).flat_map(|s| &s.platforms);
        texts.extend(platforms.flatten());
    }
    texts
}

/// Attestations in the bake file's language; `known` are their values now.
fn attest_values(spec: &Spec, known: Vec<String>, variables: &Variables<'_>) -> Vec<Value> {
    let entries = match &spec.attest {
        Some(Attest::Entries(entries)) => &entries[..],
        _ => &[],
    };
    let mut entries = entries.iter();
    let varying = |text: &Text| variables.text(text, "");
    // What we add ourselves is at the end.
    known
        .iter()
        .map(|value| {
            let own = entries.next().and_then(varying);
            own.unwrap_or_else(|| Value::literal(value))
        })
        .collect()
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
    variables: &Variables<'_>,
    check: &mut Check<'_>,
) -> Vec<Value> {
    let settings = merged(&spec.defaults, &service.settings);
    let scope = Scope::global(check.args).with("SERVICE", service.name.value.as_str());
    let own = settings.platforms.as_deref().unwrap_or_default();
    let mut chosen: Vec<Value> = Vec::new();
    let mut add = |value: Value| {
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    };
    for text in own {
        let known = platform::from_spec(Some(std::slice::from_ref(text)), &scope, check);
        if !request.platforms.is_empty() {
            continue;
        }
        match variables.text(text, &service.name.value) {
            Some(value) => add(value),
            None => known
                .iter()
                .for_each(|(p, _)| add(Value::literal(p.to_string()))),
        }
    }
    for platform in &request.platforms {
        add(Value::literal(platform.to_string()));
    }
    chosen
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

/// The name of the group.
const GROUP: &str = "default";

/// Names of targets: no dots, and none twice.
struct Names(BTreeSet<String>);

impl Names {
    /// Services whose names are names of targets have those, whatever comes before them.
    fn new<'s>(services: impl Iterator<Item = &'s str>) -> Self {
        let kept = services.filter(|name| !name.contains('.'));
        Self(kept.chain([GROUP]).map(str::to_owned).collect())
    }

    fn unique(&mut self, service: &str) -> String {
        if service != GROUP && !service.contains('.') {
            return service.to_owned();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_names() {
        let services = ["a.b", "a_b", "default", "a_b_2", "c.d", "c.d.", "default_2"];
        let mut names = Names::new(services.into_iter());
        let all = services.map(|n| names.unique(n));
        let expected = [
            "a_b_3",
            "a_b",
            "default_3",
            "a_b_2",
            "c_d",
            "c_d_",
            "default_2",
        ];
        assert_eq!(all, expected);
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
