#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::closure::closure;
use crate::scan::scan;
use crate::testing::tree;

/// A closure as an outline has it.
fn stripped(mut closure: Closure) -> Closure {
    for names in [
        &mut closure.directories,
        &mut closure.files,
        &mut closure.external,
        &mut closure.missing,
    ] {
        for reason in names.values_mut() {
            *reason = Reason::default();
        }
    }
    for embed in &mut closure.embeds {
        embed.reason = Reason::default();
    }
    closure
}

/// Compares all main packages of a directory, in both orders.
#[track_caller]
fn check(root: &Path, tags: &[&str]) -> usize {
    let index = scan(root, &[]).unwrap();
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let mut outlines = (Outlines::new(&index), Outlines::new(&index));
    for main in index.mains.iter().chain(index.mains.iter().rev()) {
        let expected = closure(main, &tags, &index).map(stripped);
        assert_eq!(outlines.0.of(main, &tags), expected, "{main}");
    }
    for main in index.mains.iter().rev() {
        let expected = closure(main, &[], &index).map(stripped);
        assert_eq!(outlines.1.of(main, &[]), expected, "{main}");
    }
    index.mains.len()
}

#[test]
fn outlines_of_the_examples_are_their_closures() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut mains = 0;
    for dir in ["examples", "tests/fixtures"] {
        for entry in here.join(dir).read_dir().unwrap() {
            mains += check(&entry.unwrap().path(), &["extra"]);
        }
    }
    assert!(mains > 5, "{mains}");
}

#[test]
fn outlines_have_everything_that_closures_have() {
    let repo = tree(&[
        (
            "go.mod",
            "module m\ngo 1.26\nrequire x.org/y v1.0.0\nreplace m/near => ./near\n",
        ),
        ("near/go.mod", "module m/near\ngo 1.26\n"),
        ("near/near.go", "package near\nimport _ \"x.org/y/z\"\n"),
        (
            "cmd/a/a.go",
            "package main\nimport (\n\t_ \"m/lib\"\n\t_ \"m/near\"\n\t_ \"m/gone\"\n)\n",
        ),
        (
            "cmd/b/b.go",
            "package main\nimport (\n\t_ \"embed\"\n\t_ \"m/lib\"\n)\n//go:embed all:pages\nvar x string\n",
        ),
        ("cmd/b/pages/p.html", ""),
        (
            "cmd/b/extra.go",
            "//go:build extra\n\npackage main\nimport _ \"x.org/y\"\n",
        ),
        (
            "lib/lib.go",
            "package lib\nimport _ \"m/cmd/../asm\"\nimport _ \"m/asm\"\n",
        ),
        ("asm/asm.go", "package asm\nimport _ \"m/lib\"\n"),
        (
            "asm/asm.s",
            "#include \"../inc/defs.h\"\n#include \"lost.txt\"\n#include MACRO\n",
        ),
        ("inc/defs.h", "#include \"more.h\"\n"),
        ("inc/more.h", ""),
    ]);
    assert_eq!(check(repo.path(), &["extra"]), 2);
    assert_eq!(check(repo.path(), &[]), 2);
}
