//! What a feature adds to a draft once it is known where things are.

use super::local::mutual;
use super::pipe::pipe;
use super::{Feature, moved};
use crate::draft::{Draft, join, name};

/// Adds it.
pub(super) fn late(feature: &Feature, at: usize, draft: &mut Draft) {
    match feature {
        Feature::NeededPipe { at: place, main } => {
            pipe(draft, place, *main, at, 2000 + 10 * at);
        }
        Feature::Mutual { main } => mutual(draft, *main),
        Feature::LinkedManifest { file, to, hops } => {
            let path = match *file {
                "go.work" | "go.work.sum" => (*file).to_owned(),
                file => draft.at(file),
            };
            let to = draft.at(to);
            moved(draft, path, to, *hops);
        }
        Feature::LinkedSettings { file, hops } => {
            moved(draft, (*file).to_owned(), format!("settings/{file}"), *hops);
        }
        Feature::LinkedModule { dir, hops } => {
            let path = if dir.starts_with("vendor") {
                draft.at(dir)
            } else {
                (*dir).to_owned()
            };
            moved(draft, path, format!("elsewhere/{}", name(dir)), *hops);
        }
        Feature::LinkedMain { main, hops } => {
            let to = draft.mains[*main].dir.clone();
            let path = draft.at(&format!("run{main}"));
            let main = &mut draft.mains[*main];
            main.dir.clone_from(&path);
            main.written = format!("./{path}");
            moved(draft, path, to, *hops);
        }
        Feature::Profile { linked, main } => {
            let path = join(&draft.mains[*main].dir, "default.pgo");
            draft.tree.write(&path, "");
            if *linked {
                let to = draft.at("profiles/cpu.out");
                moved(draft, path, to, 1);
            }
        }
        Feature::Written(form) => {
            let dir = draft.mains[0].dir.clone();
            let form = form.replace("./x", &format!("./{dir}"));
            draft.mains[0].written = match form.as_str() {
                "x" => dir,
                "x/" => format!("{dir}/"),
                _ => form.replace("../x", &format!("../{dir}")),
            };
        }
        _ => {}
    }
}
