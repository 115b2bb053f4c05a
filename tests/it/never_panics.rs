//! Any text is read to a plan or to messages: never a panic, never a hang.

use crate::exercise::{exercise, exercise_once};
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
const PIECES: [&str; 54] = [
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
    "discover: ",
    "exclude: ",
    "./...",
    "./cmd/...",
    "...",
    "modules: ",
    "GOPROXY: ",
    "https://a:b@c",
    "secrets: ",
    "id=netrc",
    ",src=",
    "ssh: ",
    "default=",
    "~/",
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

/// Specs that are as large or as entangled as the limits allow take moments, not minutes.
#[test]
fn large_specs_end() {
    let lines = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let api = "services:\n  api:\n    main: .\n";
    let long = "a ".repeat(500_000);
    let vars = "${A} ".repeat(200_000);
    let block: String = lines(30_000, &|_| "      ${A} ${B:-c} x\n".into());
    let items = vec!["*a"; 200_000].join(",");
    for text in [
        format!("{api}    command: {long}\n"),
        format!("{api}    command: \"{long}\"\n"),
        format!("{api}    ldflags: {vars}\n"),
        format!("{api}    command: |\n{block}"),
        format!("{api}    labels:\n      a: |\n{block}"),
        format!(
            "x-a: &a {}\n{api}    command: [{items}]\n",
            "x".repeat(60_000)
        ),
        format!("x-a: &a x\n{api}    command: [{items}]\n"),
        format!("{api}{}", lines(60_000, &|i| format!("    mian{i}: 1\n"))),
        format!(
            "{api}    env:\n{}",
            lines(60_000, &|i| format!("      GOX{i}: 1\n"))
        ),
        format!("services:\n{}", lines(60_000, &|i| format!("  s{i}: .\n"))),
        format!(
            "services:\n{}",
            lines(60_000, &|i| format!("  S{i}: ../x\n"))
        ),
        format!(
            "{api}    platforms: [{}]\n",
            lines(40_000, &|i| format!("linux/arm/v{i},"))
        ),
        format!(
            "{api}    expose: [{}]\n",
            lines(60_000, &|i| format!("{}-65000,", 64_500 + i % 9))
        ),
        format!("{api}    base: {}\n", "A".repeat(900_000)),
        format!("{api}    main: {}\n", "../".repeat(300_000)),
        format!("discover: {}\n", "./a/.../b,".repeat(90_000)),
        format!("discover: {}\n", "...".repeat(300_000)),
        format!(
            "discover: [{}]\nexclude: [{}]\n",
            "...a,".repeat(1000),
            "./b...,".repeat(1000)
        ),
        format!(
            "discover: ./...\nservices:\n{}",
            lines(1000, &|i| format!("  s{i}: {{}}\n"))
        ),
        "{".repeat(500_000),
        "- ".repeat(500_000),
        "a: ".repeat(300_000),
        "\"".repeat(500_001),
        "? ".repeat(300_000),
        "&a ".repeat(300_000),
        "#\n".repeat(500_000),
        "\n".repeat(1_000_000),
    ] {
        let start = std::time::Instant::now();
        exercise_once(&text);
        let took = start.elapsed();
        let begin: String = text.chars().take(60).collect();
        assert!(took.as_secs() < 60, "{took:?}: {begin}");
    }
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
