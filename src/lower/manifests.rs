//! The module step: manifests of all services → the part of them that each build
//! reads.
//!
//! It stands between the download and the source trees. Its result is files with
//! the content that a build step is keyed by, so an update of one module runs the
//! build steps of those services again that look into that module, and of no others.
//!
//! It asks for all services of a spec, whatever is built: one step serves every
//! solve of a build.

use std::collections::BTreeMap;

use buildkit_llb::{Describe as _, Error, FileOp, Mkfile, Mount, Output};

use super::closures::Closures;
use super::constant::{epoch, quiet};
use super::go::{self, Builder, SOURCE_DIR};
use super::modules::{self, MARKER_DIR};
use super::scan::PROGRAM;
use super::settings::StepSettings;
use crate::closure::{Closure, ModuleRoot};
use crate::modules::{Request, ServiceRequest};

const FRONTEND_DIR: &str = "/run/gofleet/frontend";
const REQUEST_DIR: &str = "/run/gofleet/request";
const REQUEST_FILE: &str = "request.json";
const OUTPUT_DIR: &str = "/out";

/// What to ask about the services of one module root; `None` where there is nothing
/// to find out: without requirements, and with a vendor directory, whose list has to
/// agree with the whole of `go.mod`.
pub(super) fn request(root: &ModuleRoot, closures: &Closures) -> Option<Request> {
    if !root.is_fetching() {
        return None;
    }
    let mut services: Vec<ServiceRequest> = closures
        .with_tags()
        .filter(|(closure, _)| closure.root.dir == root.dir)
        .map(|(closure, tags)| ServiceRequest::new(key(closure, tags), closure, tags))
        .collect();
    services.sort();
    Some(Request::new(root, services))
}

/// Directory of a service in the step's output. `@` is in no import path.
pub(super) fn key(closure: &Closure, tags: &[String]) -> String {
    match tags {
        [] => format!("{}/@", closure.main),
        tags => format!("{}/@{}", closure.main, tags.join(",")),
    }
}

/// Path of a service's manifests in the output of [`step`].
pub(super) fn output_dir(closure: &Closure, tags: &[String]) -> String {
    format!("/services/{}", key(closure, tags))
}

/// The step that answers a request, behind the download.
pub(super) fn step(
    request: &Request,
    root: &ModuleRoot,
    builder: &Builder,
    frontend: &Output,
    code: &Output,
    marker: &Output,
    settings: StepSettings<'_>,
) -> Result<Output, Error> {
    let json = serde_json::to_vec(request).unwrap_or_default();
    let file = Mkfile::new(format!("/{REQUEST_FILE}"), json)
        .mode(0o644)
        .timestamp(epoch());
    let question = quiet(FileOp::new().mkfile(file), "imports of all services");
    let args = [
        format!("{FRONTEND_DIR}{PROGRAM}"),
        "modules".to_owned(),
        format!("{REQUEST_DIR}/{REQUEST_FILE}"),
        SOURCE_DIR.to_owned(),
        OUTPUT_DIR.to_owned(),
    ];
    let env = modules::fetch_args(settings);
    let exec = go::go_exec(builder, root, settings, args, &env)
        // Writable and thrown away: in a workspace Go adds sums.
        .mount(Mount::bind(SOURCE_DIR, &modules::manifest_tree(root, code)).no_output())
        .mount(Mount::bind(FRONTEND_DIR, frontend).readonly())
        .mount(Mount::bind(REQUEST_DIR, &question).readonly())
        .mount(Mount::bind(MARKER_DIR, marker).readonly())
        .mount(Mount::scratch(OUTPUT_DIR))
        .name(step_name(root));
    let exec = settings.online(go::fetching(exec)).build();
    exec.output(OUTPUT_DIR)
}

fn step_name(root: &ModuleRoot) -> String {
    match root.dir.as_str() {
        "." => "[internal] find modules of each service".to_owned(),
        dir => format!("[internal] find modules of each service in {dir}"),
    }
}

/// The module steps of a graph, by module root.
#[derive(Debug, Default)]
pub(super) struct ModuleSteps(BTreeMap<ModuleRoot, Option<Output>>);

impl ModuleSteps {
    /// The step of a root, made by `make` when first asked for.
    pub(super) fn get(
        &mut self,
        root: &ModuleRoot,
        make: impl FnOnce() -> Result<Option<Output>, Error>,
    ) -> Result<Option<Output>, Error> {
        if let Some(known) = self.0.get(root) {
            return Ok(known.clone());
        }
        let step = make()?;
        self.0.insert(root.clone(), step.clone());
        Ok(step)
    }
}
