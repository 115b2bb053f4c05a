//! The bake file of a spec: one target per service, for `docker buildx bake`.
//!
//! In: a spec and the request of `--call bake`. Out: a [`BakeFile`], pure data that
//! [`BakeFile::to_hcl`] writes. Build args of `image` become variables of the bake file, so that
//! `REGISTRY=… TAG=… docker buildx bake -f -` decides where images go. Build args that the client
//! gave and the service uses are carried as `args`, and so are settings of fetching, which are
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
    let secrets: Vec<Value> = fetch.secrets.iter().map(secrets::secret).collect();
    let ssh: Vec<Value> = fetch.ssh.iter().map(secrets::agent).collect();
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
    let mut seen = BTreeSet::new();
    let texts = chosen.iter().map(ToString::to_string);
    texts.filter(|text| seen.insert(text.clone())).collect()
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
