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
    let steps = ["modules", "fetch", "unpack", "compile", "share"].map(str::to_owned);
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

/// What a build is not sent is missing for a check, too.
#[test]
fn files_that_are_not_sent_are_said_with_what_helps() {
    let repo = Checkout::new();
    repo.write("go.mod", "module example.com/api\n\ngo 1.26\n")
        .write("main.go", "package main\n\nfunc main() {}\n")
        .write("conf/app.toml", "")
        .write(
            "fleet.yaml",
            "services:\n  api:\n    main: .\n    files:\n      /a: fleet.yaml\n      /b: .git/HEAD\n      \
             /c: .dockerignore\n      /d: conf\n      /e: gone\n      /f: ./\n",
        )
        .write(".dockerignore", "# comment\n/conf/\n");
    repo.commit();
    let said = repo.run(&["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    for part in [
        "`fleet.yaml` is the spec, and left out",
        "write `!fleet.yaml` into `.dockerignore`",
        "`.git/HEAD` is Git's own directory",
        "`!.git`",
        "`.dockerignore` is an ignore file",
        "`conf` is hidden by .dockerignore:2",
        "`/conf/`",
        "`gone` does not exist",
    ] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!(
        said.err.matches("error[NoSuchFile]").count(),
        5,
        "{}",
        said.err
    );

    repo.write("gone", "")
        .write(".dockerignore", "!fleet.yaml\n!.git\n!.dockerignore\n");
    let said = repo.run(&["check"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    // A spec from elsewhere is no file of the context.
    repo.write(
        "other/Dockerfile",
        "services: {api: {main: ., files: {/d: Dockerfile}}}\n",
    )
    .write("ctx/Dockerfile", "FROM scratch\n")
    .write("ctx/go.mod", "module example.com/api\n\ngo 1.26\n")
    .write("ctx/main.go", "package main\n\nfunc main() {}\n");
    let said = repo.run(&["check", "-f", "other/Dockerfile", "--context", "ctx"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[test]
fn rules_of_an_ignore_file_that_are_no_patterns_are_said_at_their_lines() {
    let repo = Checkout::new();
    repo.write("go.mod", "module example.com/api\n\ngo 1.26\n")
        .write("main.go", "package main\n\nfunc main() {}\n")
        .write("fleet.yaml", "services:\n  api: .\n")
        .write(".dockerignore", "*.md\n/docs/../[a-\n\n!\n");
    for verb in [&["check"][..], &["closure", "api"]] {
        let said = repo.run(verb);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains("InvalidIgnoreRule"), "{}", said.err);
        assert!(said.err.contains(".dockerignore:2") && said.err.contains("`/docs/../[a-`"));
        assert!(said.err.contains(".dockerignore:4") && said.err.contains("`!README.md`"));
    }
}

#[test]
fn a_check_skips_warnings_and_fails_for_them_as_a_build_does() {
    let repo = Checkout::new();
    repo.write("go.mod", "module example.com/api\n\ngo 1.26\n")
        .write("main.go", "package main\n\nfunc main() {}\n")
        .write("fleet.yaml", "# check=error=true\nservices:\n  api: .\n");
    let check = |arg: &str| repo.run(&["check", "--build-arg", "NOBODY=1", "--build-arg", arg]);
    let unset = "OTHER=1";
    let said = check(unset);
    assert!(
        said.code == 1 && said.err.contains("error[UnusedArg]"),
        "{said:?}"
    );
    let said = check("BUILDKIT_DOCKERFILE_CHECK=");
    assert!(
        said.code == 0 && said.err.contains("warning[UnusedArg]"),
        "{said:?}"
    );
    let said = check("BUILDKIT_DOCKERFILE_CHECK=skip=UnusedArg;error=true");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}
