//! Everything that a spec might say to have a program run, on the daemon: it is refused, with the
//! line that says it, and nothing runs.

use std::fs;

use serde_json::json;

use super::ground::{EVIL, Ground, ground};
use crate::support::build::Build;
use crate::support::go_flags::table;
use crate::support::refused_flags::REFUSED_FLAGS;
use crate::support::repo::Repo;

/// Values of variables that are allowed.
const VALUES: [&str; 7] = [
    "./evil",
    "v1 -toolexec=./evil",
    "v1\n-toolexec=./evil",
    "v1;./evil",
    "@x",
    "$(./evil)",
    "-toolexec=./evil",
];

/// Values that would end the word that they stand in.
const ENDS: [&str; 4] = [
    "1 -extld=./cc",
    "1\n-extld=./cc",
    "1' '-extld=./cc",
    "1\" \"-extld=./cc",
];

/// Problems that are shown of one spec, and fewer.
const SHOWN: usize = 40;

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_value_of_a_spec_becomes_a_command() {
    let (ground, attacker) = (ground(), attacker());
    for spec in [
        literal_flags(),
        literal_variables(),
        flags_of_defaults(),
        variables_of("services: {app: .}\ndefaults:\n  env:", "    "),
        variables_of("services: {app: .}\nmodules:", "  "),
        build_args(),
        merged(),
        discovered(&attacker),
        main_packages(),
    ] {
        spec.refused(ground, &attacker);
    }
    in_json(ground, &attacker);
    within_words(ground, &attacker);
    ground.assert_untouched();
}

/// A spec, of which the last line of each block is refused.
#[derive(Default)]
struct Spec {
    above: String,
    blocks: Vec<String>,
    below: String,
    args: Vec<(String, String)>,
}

impl Spec {
    fn new(above: &str) -> Self {
        Self {
            above: above.to_owned(),
            ..Self::default()
        }
    }

    fn block(&mut self, lines: impl Into<String>) {
        self.blocks.push(lines.into());
    }

    /// A service with these lines.
    fn service(&mut self, lines: &str) {
        let name = self.blocks.len();
        self.block(format!("  s{name}:\n    main: .\n{lines}"));
    }

    /// A build arg with this value, as values of a spec name it.
    fn arg(&mut self, value: &str) -> String {
        let name = format!("A{}", self.args.len());
        let written = format!("${{{name}}}");
        self.args.push((name, value.to_owned()));
        written
    }

    fn build(&self, ground: &Ground, attacker: &Repo, blocks: &[String]) -> Build {
        let blocks = blocks.join("\n");
        attacker.spec(&format!("{}\n{blocks}\n{}", self.above, self.below));
        let args = self.args.iter();
        args.fold(ground.build(attacker), |build, (name, value)| {
            build.build_arg(name, value)
        })
    }

    fn refused(&self, ground: &Ground, attacker: &Repo) {
        for blocks in self.blocks.chunks(SHOWN) {
            let said = self.build(ground, attacker, blocks).fails();
            said.never_says(["OWNED", "] go build"]);
            let all = said.all();
            // The syntax line is the first.
            let mut line = 1 + self.above.lines().count();
            let mut passed = Vec::new();
            for block in blocks {
                line += block.lines().count();
                if !all.contains(&format!("fleet.yaml:{line}:")) {
                    passed.push(block);
                }
            }
            assert!(passed.is_empty(), "not refused: {passed:#?}\n{all}");
        }
    }
}

/// A program that Go would link with a program of the spec, and programs of the names that are
/// tried.
fn attacker() -> Repo {
    let repo = Repo::new();
    repo.program(".").write("blob.syso", "x\n");
    for name in ["cc", "c c", "ar", "ld", "x", "evil"] {
        repo.write(name, EVIL);
    }
    // So they are there when the package is built.
    repo.write(
        "programs.go",
        "package main\n\nimport \"embed\"\n\n//go:embed cc \"c c\" ar ld x evil\nvar programs embed.FS\n\nvar _ = programs\n",
    );
    repo
}

/// Words of `ldflags`.
fn flags() -> Vec<String> {
    let of_c = table("The C linker").into_keys();
    let of_c = of_c.map(|word| format!("'-extldflags={word}'"));
    let of_go = REFUSED_FLAGS.iter().map(|flag| (*flag).to_owned());
    of_go.chain(of_c).collect()
}

/// In double quotes, which YAML takes from JSON.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn literal_flags() -> Spec {
    let mut spec = Spec::new("services:");
    for flag in flags() {
        spec.service(&format!("    ldflags: {}", quoted(&flag)));
    }
    spec.service(&format!("    build_tags: {}", quoted("x -toolexec=./evil")));
    spec
}

fn literal_variables() -> Spec {
    let mut spec = Spec::new("services:");
    for (name, fate) in table("Variables") {
        if fate.starts_with("refused") {
            spec.service(&format!("    env:\n      {name}: ./evil"));
        }
    }
    for value in VALUES {
        spec.service(&format!("    env:\n      GOAMD64: {}", quoted(value)));
    }
    spec
}

/// A list has words.
fn flags_of_defaults() -> Spec {
    let mut spec = Spec::new("services: {app: .}\ndefaults:\n  ldflags:");
    let is_word = |flag: &&&str| !flag.contains([' ', '\t', '\n', '\'']) && **flag != "-X";
    for flag in REFUSED_FLAGS.iter().filter(is_word) {
        // What the flag above takes for its value, if it has none.
        spec.block(format!("    - -s\n    - {}", quoted(flag)));
    }
    spec
}

/// Variables that are allowed nowhere, below these lines.
fn variables_of(above: &str, indent: &str) -> Spec {
    let mut spec = Spec::new(above);
    for (name, fate) in table("Variables") {
        if fate == "refused" {
            spec.block(format!("{indent}{name}: ./evil"));
        }
    }
    spec
}

/// Nothing is bad but the values of build args.
fn build_args() -> Spec {
    let mut spec = Spec::new("services:");
    // Within one word this is text.
    for flag in flags().iter().filter(|flag| !flag.starts_with("-X=")) {
        let arg = spec.arg(flag);
        spec.service(&format!("    ldflags: {arg}"));
    }
    for (start, value) in [("-extld=", "./cc"), ("-", "extld=./cc")] {
        let arg = spec.arg(value);
        spec.service(&format!("    ldflags: -s {start}{arg}"));
    }
    let both_quotes = spec.arg("1'\" -extld=./cc \"'");
    spec.service(&format!("    ldflags: -X=main.v={both_quotes}"));
    for value in VALUES {
        let arg = spec.arg(value);
        spec.service(&format!("    env:\n      GOAMD64: {arg}"));
    }
    spec
}

/// By anchors and merge keys.
fn merged() -> Spec {
    let mut spec = Spec::new("x-evil: &evil");
    spec.block("  ldflags: -extld=./cc");
    spec.block("  env: &variables\n    CC: ./cc");
    spec.below =
        "services:\n  a: {<<: *evil, main: .}\n  b: {main: ., env: {<<: *variables}}\n".into();
    spec
}

/// For a service that is found in the sources.
fn discovered(attacker: &Repo) -> Spec {
    let nonce = &attacker.nonce;
    let mut spec = Spec::new(&format!("discover: .\nservices:\n  n{nonce}:"));
    spec.block("    ldflags: -extld=./cc");
    spec.block("    env:\n      CC: ./cc");
    spec
}

/// Looked for in the sources, after everything else.
fn main_packages() -> Spec {
    let mut spec = Spec::new("services:");
    let mains = ["-toolexec=./evil", ". -toolexec=./evil", "x.go"];
    for (i, main) in mains.into_iter().enumerate() {
        spec.block(format!("  s{i}: {}", quoted(main)));
    }
    spec
}

fn in_json(ground: &Ground, attacker: &Repo) {
    // The daemon wants this key first.
    let spec = r#"{"syntax": "gofleet/gofleet:1",
"services": {"app": {"main": ".",
"ldflags": "-extld=./cc",
"env": {"CC": "./cc"}}}}"#;
    attacker.write("fleet.yaml", spec);
    let said = ground.build(attacker).fails();
    said.says(["fleet.yaml:3:", "fleet.yaml:4:"]);
    said.never_says(["OWNED"]);
}

/// A value stays in its word: the program has it, and nothing else knows it. The victim finds what
/// this leaves.
fn within_words(ground: &Ground, attacker: &Repo) {
    fs::remove_file(attacker.file("blob.syso")).unwrap();
    let mut spec = Spec::new("services:");
    for value in ENDS {
        let arg = spec.arg(value);
        spec.service(&format!("    ldflags: -X=main.v={arg} -X 'main.v={arg}'"));
    }
    let said = spec.build(ground, attacker, &spec.blocks).plain();
    said.never_says(["OWNED", "ERROR"]);
}
