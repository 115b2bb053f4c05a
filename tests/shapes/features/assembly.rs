//! Packages with assembly that includes headers.

use super::{Include, moved, normal};
use crate::draft::{APP, Draft, join};

/// A package whose header may include another one, and may be a link.
pub(super) fn assembly(
    draft: &mut Draft,
    dir: &str,
    header: &str,
    behind: Option<&str>,
    linked: Option<String>,
    number: usize,
) {
    let from = draft.at(dir);
    sources(draft, dir, &from, header);
    let first = normal(&from, header);
    let value = format!("#define VALUE {number}\n");
    match behind {
        None => draft.tree.write(&first, value),
        Some(behind) => {
            draft.tree.write(&first, format!("#include \"{behind}\"\n"));
            // The assembler runs in the package's directory.
            draft.tree.write(normal(&from, behind), value);
        }
    }
    if let Some(to) = linked {
        moved(draft, first, to, 1);
    }
}

/// A package whose include leads through a link to a directory; its import path.
pub(super) fn linked_include(draft: &mut Draft, way: Include, at: &str, number: usize) -> String {
    let (dir, include, header, link, target) = match way {
        Include::Through => ("p", "dir/x.h", "real/x.h", "p/dir", "../real"),
        // A directory is there because something is in it.
        Include::Above => ("p", "dir/../x.inc", "x.inc", "p/dir", "../p"),
        Include::BesideReal => ("real/p", "../x.inc", "real/x.inc", "way/p", "../real/p"),
        Include::BesideLink => ("real/p", "../x.inc", "way/x.inc", "way/p", "../real/p"),
    };
    let place = |name: &str| format!("{at}/{name}");
    let from = draft.at(&place(dir));
    sources(draft, &place(dir), &from, include);
    let header = draft.at(&place(header));
    draft
        .tree
        .write(header, format!("#define VALUE {number}\n"));
    let path = draft.at(&place(link));
    draft.tree.link(path, target);
    let imported = match way {
        Include::Through | Include::Above => dir,
        Include::BesideReal | Include::BesideLink => link,
    };
    format!("{APP}/{}", place(imported))
}

fn sources(draft: &mut Draft, dir: &str, from: &str, header: &str) {
    let go = format!(
        "package pp\n\nfunc value() int64\n\nfunc init() {{ println(\"{dir}\", value()) }}\n"
    );
    draft.tree.write(join(from, "p.go"), go);
    let text = format!(
        "#include \"textflag.h\"\n#include \"{header}\"\n\n\
         TEXT \u{b7}value(SB), NOSPLIT, $0-8\n\tMOVQ $VALUE, ret+0(FP)\n\tRET\n"
    );
    draft.tree.write(join(from, "p_amd64.s"), text);
}
