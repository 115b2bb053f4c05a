//! The tables of `docs/dev/go-flags.md`: flags and variables of Go's tools.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The names of a section's table, each with what becomes of it.
pub(crate) fn table(title: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dev/go-flags.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find_map(|part| {
        let (heading, rest) = part.split_once('\n')?;
        (heading == title).then_some(rest)
    });
    let section = section.unwrap_or_else(|| panic!("no section `{title}`"));
    let mut names = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let [_, _, names_of, fate, _] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("`{row}` has other columns than the rest");
        };
        for name in names_of.split('`').skip(1).step_by(2) {
            let twice = names.insert(name.to_owned(), fate.trim().to_owned());
            assert_eq!(twice, None, "`{name}` has two rows in `{title}`");
        }
    }
    assert!(names.len() > 10, "{names:?}");
    names
}
