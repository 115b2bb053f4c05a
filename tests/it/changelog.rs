//! CHANGELOG.md says of each version what an update to it builds again.

use std::fs;
use std::path::Path;

const WORDS: [&str; 3] = ["none", "images", "all"];

#[test]
fn every_version_says_what_it_rebuilds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
    let text = fs::read_to_string(path).unwrap();
    let versions: Vec<&str> = text.split("\n## ").skip(1).collect();
    assert!(!versions.is_empty());
    for version in versions {
        let name = version.lines().next().unwrap_or_default();
        let said: Vec<&str> = version
            .lines()
            .filter_map(|line| line.strip_prefix("Rebuilds: "))
            .collect();
        let [line] = said.as_slice() else {
            panic!("`{name}` has {} lines `Rebuilds: …`, not one", said.len());
        };
        let word = line.split(['.', ' ']).next().unwrap_or_default();
        assert!(
            WORDS.contains(&word),
            "`{name}` rebuilds `{word}`; expected one of {WORDS:?}"
        );
    }
}
