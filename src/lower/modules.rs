//! The download step: manifests alone → `go mod download` into the module cache.
//!
//! Its result is a marker with constant content. A cached download says nothing
//! about what the cache mount holds now: build steps can fetch for themselves.

use buildkit_llb::{Describe as _, Error, FileOp, Mount, Output};

use super::constant::{marker, quiet};
use super::go::{self, Builder, SOURCE_DIR};
use super::settings::StepSettings;
use super::tree;
use crate::closure::ModuleRoot;

/// Where a build step sees the marker of its download step.
pub(super) const MARKER_DIR: &str = "/run/gofleet/modules";

const MARKER: &str = "modules";

/// The marker to mount into the build steps of one module root: behind a
/// download, or constant when there is nothing to download.
pub(super) fn download(
    root: &ModuleRoot,
    builder: &Builder,
    code: &Output,
    settings: StepSettings<'_>,
    salt: Option<&str>,
) -> Result<Output, Error> {
    let marker = marker(MARKER, salt);
    if !root.is_fetching() {
        return Ok(marker);
    }
    let env = fetch_args(settings);
    let exec = go::go_exec(builder, root, settings, ["go", "mod", "download"], &env)
        // Writable and thrown away: `go mod download` adds lines to `go.sum` that
        // no build needs. The build itself sees the repository's own file.
        .mount(Mount::bind(SOURCE_DIR, &manifest_tree(root, code)).no_output())
        .mount(Mount::bind(MARKER_DIR, &marker))
        .name(step_name(root));
    let exec = settings.online(go::fetching(exec)).build();
    exec.output(MARKER_DIR)
}

/// Settings of fetching that were given as build args. They reach the steps that
/// fetch ahead and no build step, because an environment is part of a step's key.
pub(super) fn fetch_args(settings: StepSettings<'_>) -> Vec<(&str, &str)> {
    settings
        .options
        .build_args
        .iter()
        .filter(|(name, _)| go::fetch_secrets().contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn step_name(root: &ModuleRoot) -> String {
    match root.dir.as_str() {
        "." => "[modules] go mod download".to_owned(),
        dir => format!("[modules {dir}] go mod download"),
    }
}

/// The manifests and nothing else, with one mode, so that neither another file
/// nor another umask runs the download again.
pub(super) fn manifest_tree(root: &ModuleRoot, code: &Output) -> Output {
    let copies = root.manifests.iter().map(|path| tree::file(code, path));
    quiet(
        copies.fold(FileOp::new(), FileOp::copy),
        "go.mod and go.sum",
    )
}
