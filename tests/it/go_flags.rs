//! `docs/dev/go-flags.md` against the Go of this machine: every flag and variable that Go says it
//! has is in a table, and what becomes of it is what the table says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gofleet::diag;
use gofleet::plan::Request;
use gofleet::scan::Index;

use crate::exercise::plan_text;
use crate::support::go_flags::table;

/// Where Go's tools read variables; not all of it is in `go help environment`.
const SOURCES: [&str; 7] = [
    "cmd/asm",
    "cmd/cgo",
    "cmd/compile",
    "cmd/go",
    "cmd/internal",
    "cmd/link",
    "internal/buildcfg",
];
const READS: [&str; 4] = [
    "Getenv(\"",
    "LookupEnv(\"",
    "envOr(\"",
    "EnvOrAndChanged(\"",
];

/// What `go` prints. That it is absent is a failure: a list that nobody compares grows old.
fn go(args: &[&str]) -> String {
    let said = Command::new("go").args(args).output();
    let said = said.unwrap_or_else(|error| panic!("this test needs `go` on PATH: {error}"));
    let said = [said.stdout, said.stderr].concat();
    String::from_utf8(said).unwrap()
}

/// Go's own source.
fn source() -> PathBuf {
    PathBuf::from(go(&["env", "GOROOT"]).trim()).join("src")
}

/// The flags that a help begins lines with, behind this much white space.
fn listed<'a>(text: &'a str, indent: &str) -> BTreeSet<&'a str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(indent));
    let flags = lines.filter(|line| line.starts_with('-'));
    flags
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

#[track_caller]
fn assert_in(title: &str, said: BTreeSet<&str>, at_least: usize) {
    assert!(said.len() >= at_least, "`{title}` has only {said:?}");
    let known = table(title);
    let missing: Vec<_> = said
        .into_iter()
        .filter(|name| !known.contains_key(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/dev/go-flags.md does not say what becomes of {missing:?} of `{title}`: \
         does it take a program, a plugin or a file?"
    );
}

#[test]
fn every_flag_of_go_build_is_in_the_table() {
    assert_in("go build", listed(&go(&["help", "build"]), "\t"), 30);
    // Some write files and have no help: `cmd.Flag.StringVar(&cfg.DebugTrace, "debug-trace", …)`.
    let mut flags = BTreeSet::new();
    for file in ["work/build.go", "base/flag.go"] {
        let path = source().join("cmd/go/internal").join(file);
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("this test needs {}: {error}", path.display()));
        let lines = text.lines().map(str::trim);
        let calls = lines.filter(|line| {
            ["cmd.Flag.", "CmdBuild.Flag.", "flags."]
                .iter()
                .any(|start| line.starts_with(start))
        });
        flags.extend(calls.filter_map(|line| Some(format!("-{}", line.split('"').nth(1)?))));
    }
    assert_in("go build", flags.iter().map(String::as_str).collect(), 35);
}

#[test]
fn every_flag_of_a_tool_is_in_its_table() {
    for (tool, at_least) in [("link", 50), ("compile", 60), ("asm", 15), ("cgo", 18)] {
        let help = go(&["tool", tool, "-h"]);
        assert_in(&format!("go tool {tool}"), listed(&help, "  "), at_least);
    }
}

/// The variables of `go env`, of Go's help and of its source.
fn variables() -> BTreeSet<String> {
    let is_name = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && !word.ends_with('_')
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let mut words: Vec<String> = Vec::new();
    let printed = go(&["env"]);
    words.extend(
        printed
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned())),
    );
    assert!(words.len() > 35, "{printed}");
    let help = go(&["help", "environment"]);
    for line in help.lines().filter_map(|line| line.strip_prefix('\t')) {
        words.extend(line.split(", ").map(str::to_owned));
    }
    let (source, before) = (source(), words.len());
    for dir in SOURCES {
        read_variables(&source.join(dir), &mut words);
    }
    assert!(
        words.len() > before + 50,
        "this test needs {}",
        source.display()
    );
    words.into_iter().filter(|word| is_name(word)).collect()
}

/// What Go files below a directory read, without tests.
fn read_variables(dir: &Path, words: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().unwrap().is_dir() {
            // Of these Go makes programs for its own tests.
            if !matches!(&*name, "testdata" | "test") {
                read_variables(&path, words);
            }
        } else if name.ends_with(".go") && !name.ends_with("_test.go") {
            let text = fs::read_to_string(&path).unwrap();
            for call in READS {
                let names = text.split(call).skip(1);
                words.extend(names.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
}

#[test]
fn every_variable_of_go_is_in_the_table() {
    let variables = variables();
    let names = variables.iter().map(String::as_str).collect();
    assert_in("Variables", names, 90);
}

/// Whether a spec with these lines is refused, at one of them.
fn is_refused(lines: &str) -> bool {
    let request = Request {
        target: Some("binaries".into()),
        platforms: Vec::new(),
        native: "linux/amd64".parse().unwrap(),
        build_args: BTreeMap::new(),
        file_name: "fleet.yaml".into(),
    };
    let text = format!("services:\n  app:\n    main: .\n{lines}");
    let (_, found) = plan_text(&text, &request, &Index::default());
    diag::has_errors(&found)
}

#[test]
fn what_becomes_of_variables_is_what_the_table_says() {
    for (name, fate) in table("Variables") {
        let refused = is_refused(&format!("    env:\n      {name}: \"0\"\n"));
        assert_eq!(refused, fate.starts_with("refused"), "{name} in `env`");
        let refused = is_refused(&format!("modules:\n  {name}: \"off\"\n"));
        let allowed = fate.contains("in `modules` allowed");
        assert_eq!(refused, !allowed, "{name} in `modules`");
    }
}

#[test]
fn what_the_c_linker_takes_programs_and_files_from_is_refused() {
    let flags = |word: &str| format!("    ldflags:\n      - -extldflags={word}\n");
    assert!(!is_refused(&flags("-static")));
    for (word, _) in table("The C linker") {
        assert!(is_refused(&flags(&word)), "{word}");
    }
}
