//! Edits: files that hold a number, and another number in one of them.

use crate::tree::{Entry, Tree};

/// Files with a number that an edit can change.
pub(crate) fn editable(tree: &Tree) -> impl Iterator<Item = &String> {
    tree.0.iter().filter_map(|(path, entry)| match entry {
        Entry::File(text) => number(text).map(|_| path).filter(|path| !is_manifest(path)),
        _ => None,
    })
}

fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("go.")
        || name.ends_with(".sum")
        || path.contains("manifests/")
        || name == "modules.txt"
        || path == "fleet.yaml"
        || path.contains("_m/")
        || path.ends_with("unrelated/x.go")
}

/// Makes another number of the first one.
pub(crate) fn bump(tree: &mut Tree, path: &str) {
    let Some(Entry::File(text)) = tree.0.get_mut(path) else {
        return;
    };
    if let Some(at) = number(text) {
        // 2001 becomes 7001.
        text[at] = if text[at] == b'7' { b'8' } else { b'7' };
    }
}

/// Where a text has four digits in a row.
fn number(text: &[u8]) -> Option<usize> {
    text.windows(4)
        .position(|four| four.iter().all(u8::is_ascii_digit))
}
