//! The tool beside other programs: what it says about itself, and pipes that nobody reads.

use std::io;
use std::process::{Command, Stdio};

use crate::support::checkout::Checkout;

#[test]
fn every_verb_says_what_it_does() {
    let dir = Checkout::new();
    let page = dir.run(&["help"]).out;
    let verbs = page.lines().filter_map(|line| {
        let verb = line.strip_prefix("    gofleet ")?;
        verb.split(' ').next().map(str::to_owned)
    });
    let verbs: Vec<String> = verbs.collect();
    assert!(verbs.len() >= 10, "{page}");
    let steps = ["modules", "fetch", "unpack", "share"].map(str::to_owned);
    for verb in verbs.iter().chain(&steps) {
        for args in [[verb.as_str(), "--help"], [verb, "-h"], ["help", verb]] {
            let said = dir.run(&args);
            assert_eq!((said.code, said.err.as_str()), (0, ""), "{args:?}");
            assert!(said.out.starts_with(&format!("gofleet {verb}")), "{said:?}");
        }
    }
    for args in [
        ["why", "x", "y", "--help"],
        ["affected", "--base", "x", "-h"],
    ] {
        assert_eq!(dir.run(&args).code, 0, "{args:?}");
    }
    for args in [["help", "nothing"], ["nothing", "--help"], ["version", "x"]] {
        let said = dir.run(&args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
    }
}

/// A pipe whose reader is gone.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let repo = Checkout::new();
    repo.write("fleet.yaml", "services:\n  api: .\n")
        .write("go.mod", "module example.com/api\n\ngo 1.26\n")
        .write(
            "main.go",
            "package main\n\nimport _ \"example.com/api/in\"\n\nfunc main() {}\n",
        )
        // A warning, too.
        .write("in/in.go", "package in\n")
        .write(".dockerignore", "in\n");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gofleet"));
        command
            .args(args)
            .current_dir(repo.path())
            .env("GOPROXY", "off");
        command
    };
    for args in [&["closure", "api"][..], &["schema"], &["bake"], &["help"]] {
        let mut command = run(args);
        let out = command.stdout(closed()).output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{args:?}: {err}");
        assert!(!err.contains("pipe"), "{args:?}: {err}");
    }
    // `2>&1 | head` reads neither.
    let out = run(&["closure", "api"]).stderr(closed()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "go.mod\nmain.go\n");
    let out = run(&["closure", "none"]).stderr(closed()).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    let out = run(&["nothing"]).stderr(closed()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
}
