//! Any bytes as Go's files: read to an end, without a panic.

use gofleet::fuzzing;
use proptest::prelude::*;

/// Pieces that mean something to the readers.
const PIECES: [&str; 56] = [
    "package ",
    "main",
    "\n",
    ";",
    "import ",
    "(",
    ")",
    "\"",
    "`",
    "'",
    "\\",
    "\\x61",
    "\\u00e9",
    "\\777",
    ".",
    "_",
    "//",
    "/*",
    "*/",
    "//go:build ",
    "// +build ",
    "//go:embed ",
    "&&",
    "||",
    "!",
    "ignore",
    "linux",
    "go1.21",
    "\"C\"",
    "embed",
    "all:",
    "*",
    "?",
    "[",
    "]",
    "^",
    "-",
    "#include ",
    "#cgo CFLAGS: -I",
    "${SRCDIR}",
    "module ",
    "require ",
    "replace ",
    " => ",
    "./",
    "../",
    "use ",
    "v0.0.0",
    "ignore ",
    "\r\n",
    "\u{feff}",
    "\0",
    "é",
    "\t",
    "a",
    ",",
];

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.to_vec());
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Go's `path.Match` for one element, in the plainest way: `*`, `?` and letters.
fn plainly(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|i| plainly(rest, &name[i..])),
        Some((p, rest)) => name
            .split_first()
            .is_some_and(|(n, name)| (*p == '?' || p == n) && plainly(rest, name)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn files(text in pieces()) {
        fuzzing::go_file(text.as_bytes());
        fuzzing::go_file(format!("package a\n{text}").as_bytes());
        fuzzing::manifest(&text);
        fuzzing::build_constraint(&text);
    }

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzzing::go_file(&bytes);
        fuzzing::manifest(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn patterns(pattern in pieces(), name in pieces()) {
        fuzzing::embed_pattern(&pattern, &name);
    }

    #[test]
    fn patterns_match_what_they_say(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        prop_assert_eq!(
            fuzzing::matches(&pattern, &name),
            plainly(&chars(&pattern), &chars(&name))
        );
    }
}

/// Input that is large in every way takes moments.
#[test]
fn large_files_end() {
    for text in [
        "(".repeat(1_000_000),
        format!("package a\nimport ({}", "\"a\"\n".repeat(200_000)),
        format!("package a\nimport ({}", "] ".repeat(500_000)),
        format!("//go:build {}\npackage a\n", "!(".repeat(500_000)),
        format!("// +build {}\n\npackage a\n", "a,b ".repeat(200_000)),
        format!(
            "package a\nimport \"embed\"\n//go:embed {}\n",
            "a* ".repeat(300_000)
        ),
        "/*".repeat(500_000),
        "//\n".repeat(500_000),
        format!("package {}", "a".repeat(1 << 20)),
        "#include \"a".repeat(100_000),
        "`".repeat(500_001),
        "'\\".repeat(500_000),
        "require (\n".repeat(100_000),
    ] {
        // One that is read in quadratic time keeps this test running for hours.
        fuzzing::go_file(text.as_bytes());
        fuzzing::manifest(&text);
    }
}
