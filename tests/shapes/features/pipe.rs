//! Named pipes in the place of files that services need.

use crate::draft::{APP, Draft, join, source};
use crate::tree::Entry;

/// Puts it there, with what needs it.
pub(super) fn pipe(draft: &mut Draft, place: &str, main: usize, at: usize, number: usize) {
    let dir = format!("np{at}");
    let from = draft.at(&dir);
    let path = match place {
        "go.mod" => draft.at(place),
        "go.work" => place.to_owned(),
        _ => match place.strip_prefix("main/") {
            Some(file) => join(&draft.mains[main].dir, file),
            None => {
                let go = match place.strip_prefix("data/") {
                    Some(_) => embedding(place),
                    None => source(&dir, &[], number),
                };
                draft.tree.write(join(&from, "p.go"), go);
                if place.ends_with(".inc") {
                    let text = format!("#include \"{place}\"\n");
                    draft.tree.write(join(&from, "p_amd64.s"), text);
                }
                draft.import(main, format!("{APP}/{dir}"));
                join(&from, &place.replace('*', "any"))
            }
        },
    };
    draft.tree.0.insert(path.clone(), Entry::Pipe);
    let everybody = path.ends_with("go.mod") || path.ends_with("go.work");
    for (other, service) in draft.mains.iter_mut().enumerate() {
        if everybody || other == main {
            service.pipes.push(path.clone());
        }
    }
}

fn embedding(pattern: &str) -> String {
    format!("package p\n\nimport \"embed\"\n\n//go:embed {pattern}\nvar _ embed.FS\n")
}
