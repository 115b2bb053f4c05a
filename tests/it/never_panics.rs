//! Any text is read to a plan or to messages: never a panic, never a hang.

use crate::exercise::exercise;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// Good and bad specs to start from.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut paths: Vec<_> = ["diagnostics", "bake"]
        .into_iter()
        .flat_map(|directory| fs::read_dir(root.join(directory)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// Pieces that mean something to YAML, to expressions or to the fields.
const PIECES: [&str; 40] = [
    "\n",
    "\n  ",
    "\n    ",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "#",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "---\n",
    "\t",
    "\r\n",
    "\u{feff}",
    "\0",
    "é",
    "$",
    "$$",
    "${",
    "}",
    "${A}",
    "${A:-",
    "${EMPTY:?",
    "\\",
    "services:",
    "main: .",
    "api",
    "..",
    "/",
    "1.20",
];

/// A change to a text: at a place, remove some characters and put a piece there.
fn change() -> impl Strategy<Value = (prop::sample::Index, usize, usize)> {
    (
        any::<prop::sample::Index>(),
        0usize..6,
        0usize..PIECES.len(),
    )
}

fn changed(seed: &str, changes: &[(prop::sample::Index, usize, usize)]) -> String {
    let mut chars: Vec<char> = seed.chars().collect();
    for (at, remove, piece) in changes {
        let at = at.index(chars.len() + 1);
        let end = (at + remove).min(chars.len());
        chars.splice(at..end, PIECES[*piece].chars());
    }
    chars.into_iter().collect()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn seeds_are_read() {
    let good = seeds().iter().filter(|text| exercise(text)).count();
    assert!(good >= 5, "{good} good specs");
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn changed_specs(
        seed in prop::sample::select(seeds()),
        changes in prop::collection::vec(change(), 1..8),
    ) {
        exercise(&changed(&seed, &changes));
    }

    #[test]
    fn random_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60)) {
        exercise(&pieces.concat());
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        exercise(&String::from_utf8_lossy(&bytes));
    }
}
