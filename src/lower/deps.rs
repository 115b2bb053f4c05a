//! Dependencies in layers: the step that a build takes them from.
//!
//! 1. The download of a module root packs what builds read of modules (`fetch`). Vendored ones
//!    are in the context.
//! 2. Packages of modules and of the standard library are compiled (`ahead`).
//! 3. In front of every build step the layers are copied into the builder's cache mounts. That
//!    step runs when the build step runs, and its result is a constant: whether dependencies
//!    came in layers is in no build step's key.

use buildkit_llb::{Copy, Describe as _, Error, FileOp, Mount, Output};

use super::constant::quiet;
use super::fetch::{Before, FRONTEND_DIR, MARKER_DIR};
use super::go::{self, Builder};
use super::scan::PROGRAM;
use super::settings::StepSettings;
use crate::closure::ModuleRoot;

/// Where a step writes compiled packages, and where their layer is mounted later.
pub(super) const COMPILED_MOUNT: &str = "/run/gofleet/compiled";

/// Where packed modules are mounted.
const MODULES_MOUNT: &str = "/run/gofleet/packed";

/// Where answers of downloads are in the target `deps`.
const ANSWERS_DIR: &str = "answers";

/// The answer of a download as part of the target `deps`.
pub(super) fn answer(answer: &Output, root: &ModuleRoot) -> Output {
    let dest = format!("/{ANSWERS_DIR}/{}", root.dir);
    let copy = Copy::new(answer, "/", dest)
        .contents_only()
        .create_dest_path();
    quiet(FileOp::new().copy(copy), "what builds read of modules")
}

/// What a build takes from layers.
pub(super) struct Unpack<'a> {
    pub(super) builder: &'a Builder,
    pub(super) root: &'a ModuleRoot,
    pub(super) frontend: &'a Output,
    pub(super) settings: StepSettings<'a>,
    pub(super) modules: Option<Output>,
    pub(super) compiled: Output,
}

impl Unpack<'_> {
    /// The marker behind the step.
    pub(super) fn step(&self, before: &Before<'_>) -> Result<Output, Error> {
        let layers = [
            (MODULES_MOUNT, self.modules.as_ref()),
            (COMPILED_MOUNT, Some(&self.compiled)),
        ];
        let layers = layers
            .iter()
            .filter_map(|(dest, layer)| Some((*dest, (*layer)?)));
        let mut args = vec![
            format!("{FRONTEND_DIR}{PROGRAM}"),
            "unpack".to_owned(),
            format!("--looked={MARKER_DIR}"),
        ];
        args.extend(layers.clone().map(|(dest, _)| format!("--layer={dest}")));
        args.push("--".to_owned());
        args.extend(before.args.iter().cloned());
        // Writable and thrown away: so they are keyed by the steps that made them, and
        // nobody has to read all of them for a key.
        let layers = layers.map(|(dest, layer)| Mount::bind(dest, layer).no_output());
        let exec = go::filling_exec(self.builder, self.root, self.settings, args, before.env)
            .mounts(before.sources.iter().cloned())
            .mounts(layers)
            .mounts(before.needed())
            .mount(Mount::bind(FRONTEND_DIR, self.frontend).readonly())
            .mount(Mount::bind(MARKER_DIR, before.marker))
            .mount(before.turn.clone())
            .name(format!(
                "[internal] unpack dependencies of {}",
                before.label
            ));
        self.settings.offline(exec).build().output(MARKER_DIR)
    }
}
