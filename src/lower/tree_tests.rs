#![allow(clippy::unwrap_used)]
use super::*;
use crate::closure::{Embed, Reason};
use crate::scan::is_inside;

fn closure(dirs: impl IntoIterator<Item = String>) -> Closure {
    Closure {
        directories: dirs
            .into_iter()
            .map(|dir| (dir, Reason::default()))
            .collect(),
        manifests: vec!["go.mod".to_owned()],
        ..Closure::default()
    }
}

/// A main package, and as many packages below each of these directories.
fn below(above: &[&str], packages: usize) -> Closure {
    let dirs = above
        .iter()
        .flat_map(|above| (0..packages).map(move |n| format!("{above}/p{n:04}")));
    closure(dirs.chain(["cmd/api".to_owned()]))
}

/// The directories that units are mounted at.
fn roots(closure: &Closure) -> Vec<&str> {
    Layout::of(closure).units.into_keys().collect()
}

#[test]
fn a_small_closure_is_copied() {
    let small = below(&["lib"], MAX_COPIED - 1);
    assert_eq!(Layout::of(&small).copied.len(), MAX_COPIED);
    assert!(roots(&small).is_empty());
}

#[test]
fn units_are_the_largest_subtrees_with_few_directories() {
    let mut large = below(&["lib/a", "lib/b/c"], UNIT - 1);
    assert_eq!(roots(&large), ["cmd", "lib/a", "lib/b"]);
    large
        .directories
        .insert("lib".to_owned(), Reason::default());
    assert_eq!(Layout::of(&large).copied, ["lib"]);
    let one_more = below(&["lib/a", "lib/b/c"], UNIT + 1);
    assert_eq!(roots(&one_more).len(), 1 + 2 * (UNIT + 1));
}

#[test]
fn no_unit_hides_what_is_in_the_base() {
    let mut large = below(&["a", "b/x", "b/y", "c"], UNIT);
    large.embeds.push(Embed {
        dir: "b/x/p0003".to_owned(),
        pattern: "*.txt".to_owned(),
        all: false,
        reason: Reason::default(),
    });
    large
        .files
        .insert("a/p0001/sub/x.h".to_owned(), Reason::default());
    let layout = Layout::of(&large);
    assert_eq!(layout.copied, ["a/p0001", "b/x/p0003"]);
    for root in layout.units.keys() {
        for based in ["go.mod", "a/p0001/sub/x.h", "b/x/p0003"] {
            assert!(!is_inside(based, root), "{root} hides {based}");
        }
    }
    assert!(layout.units.contains_key("b/y"));
}

#[test]
fn a_path_is_a_pattern_of_itself() {
    for (path, pattern) in [
        ("inc/data.inc", "[i]nc/data.inc"),
        ("_inc/x", "[\\_]inc/x"),
        ("[b]/c*", "[\\[]b\\]/c\\*"),
        ("x", "[x]"),
    ] {
        assert_eq!(wildcard(path), pattern);
    }
}

#[test]
fn mounts_are_few() {
    let units = |closure: &Closure| Layout::of(closure).units.len();
    assert_eq!(units(&below(&["lib"], MAX_UNITS - 1)), MAX_UNITS);
    assert_eq!(roots(&below(&["lib"], 10 * MAX_UNITS)), ["cmd", "lib"]);
    let top = closure((0..=MAX_UNITS).map(|n| format!("p{n}")));
    assert_eq!(
        (units(&top), Layout::of(&top).copied.len()),
        (0, MAX_UNITS + 1)
    );
}
