//! Small repositories of unusual shape, each a script and its files in `tests/cases`.
//!
//! One test per directory there, so that a failure names the kind; it goes through all
//! files of the directory and reports every one that fails. `tests/cases/README.md` has the
//! language. `GOFLEET_CASE=TEXT` runs the files whose path contains the text.

mod archive;
mod script;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::support::engine::in_repository;

/// Makes a test for each directory of `tests/cases`.
macro_rules! kinds {
    ($($kind:ident)*) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];
        $(
            #[test]
            #[ignore = "needs the engine: cargo xtask test"]
            fn $kind() {
                run_all(stringify!($kind));
            }
        )*
    };
}

kinds! {
    builder
    early
    hidden
    irregular
    links
    names
    replace
    spec
    stale
    tags
    vendor
}

#[test]
fn every_directory_of_cases_is_a_test() {
    let mut found: Vec<String> = fs::read_dir(in_repository("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort_unstable();
    let mut tested = KINDS.to_vec();
    tested.sort_unstable();
    assert_eq!(found, tested);
}

fn run_all(kind: &str) {
    let chosen = std::env::var("GOFLEET_CASE").unwrap_or_default();
    let mut failed = Vec::new();
    for path in files_of(kind) {
        let name = format!("{kind}/{}", path.file_stem().unwrap().to_string_lossy());
        if !name.contains(&chosen) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // The panic's own message, which names the line, is printed by the default hook.
        if catch_unwind(AssertUnwindSafe(|| script::run(&name, &text))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "these cases failed: {failed:#?}");
}

fn files_of(kind: &str) -> Vec<PathBuf> {
    let dir = in_repository("tests/cases").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort_unstable();
    assert!(!files.is_empty(), "no cases in {}", dir.display());
    for file in &files {
        assert_eq!(
            file.extension().and_then(|e| e.to_str()),
            Some("txtar"),
            "{} is no case",
            file.display()
        );
    }
    files
}
