//! The step behind `--call affected`: the frontend's own image compares two trees.
//!
//! It is `gofleet affected` over two read-only mounts, so the tool and the frontend
//! have one answer. It has no network. It may look into the module cache; modules
//! that are not there make the answer wider, never narrower.

use std::collections::BTreeMap;

use buildkit_llb::{Describe as _, Error, Exec, FileOp, Mkfile, Mount, Network, Output};

use super::caches::go_caches;
use super::constant::{epoch, quiet};
use super::go::MODULE_CACHE;
use super::scan::PROGRAM;
use crate::fetch::SETTINGS;
use crate::options::Options;
use crate::plan::CacheMode;

const HEAD_DIR: &str = "/src";
const BASE_DIR: &str = "/base";
const SPEC_DIR: &str = "/spec";
const OUTPUT_DIR: &str = "/out";

/// Name of the report in the step's output.
pub const AFFECTED_FILE: &str = "affected.json";

/// What the step compares.
pub struct AffectedInputs<'a> {
    /// The frontend's own image.
    pub frontend: &'a Output,
    /// The main context.
    pub head: &'a Output,
    /// The context to compare with; `None` is an empty one.
    pub base: Option<&'a Output>,
    /// The spec's path as the client gave it, and its text.
    pub spec: (&'a str, &'a [u8]),
    /// The ignore file that counts; `None` for a context without one.
    pub ignore: Option<&'a [u8]>,
    /// What the client asked for.
    pub options: &'a Options,
    /// The build args that the spec uses.
    pub args: BTreeMap<String, String>,
}

/// A tree that holds the report.
///
/// # Errors
///
/// A bug of ours: the step has no such output.
pub fn affected_step(inputs: &AffectedInputs<'_>) -> Result<Output, Error> {
    let (path, text) = inputs.spec;
    let name = path.rsplit('/').next().unwrap_or(path);
    let file = |name: String, bytes: &[u8]| {
        Mkfile::new(format!("/{name}"), bytes.to_vec())
            .mode(0o644)
            .timestamp(epoch())
    };
    let mut spec = FileOp::new().mkfile(file(name.to_owned(), text));
    if let Some(rules) = inputs.ignore {
        spec = spec.mkfile(file(format!("{name}.dockerignore"), rules));
    }
    let mut args = vec![PROGRAM.to_owned(), "affected".to_owned()];
    args.extend([
        format!("--base={BASE_DIR}"),
        format!("--context={HEAD_DIR}"),
    ]);
    args.extend([
        format!("--file={name}"),
        format!("--output={OUTPUT_DIR}/{AFFECTED_FILE}"),
    ]);
    if path.contains('/') {
        args.push(format!("--base-file={BASE_DIR}/{path}"));
    }
    if inputs.ignore.is_none() {
        args.push("--no-ignore".to_owned());
    }
    let platforms: Vec<String> = inputs
        .options
        .platforms
        .iter()
        .map(ToString::to_string)
        .collect();
    if !platforms.is_empty() {
        args.push(format!("--platform={}", platforms.join(",")));
    }
    // Settings of fetching may hold credentials, which are in no key.
    let public = inputs
        .args
        .iter()
        .filter(|(name, _)| !SETTINGS.contains(&name.as_str()));
    args.extend(public.map(|(name, value)| format!("--build-arg={name}={value}")));
    let [_, modules] = go_caches(inputs.options, None, CacheMode::Mount);
    let base = match inputs.base {
        Some(base) => Mount::bind(BASE_DIR, base).readonly(),
        None => Mount::scratch(BASE_DIR).no_output(),
    };
    let exec = Exec::new(args)
        .mount(Mount::bind("/", inputs.frontend).readonly())
        .mount(Mount::bind(HEAD_DIR, inputs.head).readonly())
        .mount(base)
        .mount(Mount::bind(SPEC_DIR, &quiet(spec, "spec")).readonly())
        .mount(Mount::cache(MODULE_CACHE, modules).readonly())
        .mount(Mount::scratch(OUTPUT_DIR))
        .env("GOMODCACHE", MODULE_CACHE)
        .cwd(SPEC_DIR)
        .network(Network::None)
        .name("compare with the context base");
    exec.build().output(OUTPUT_DIR)
}
