//! Bad specs and the messages they get: one YAML and its rendered text per case.
//!
//! `UPDATE=1 cargo test --test it diagnostics` writes the texts anew. Comments at the top of a
//! case make the request: `# target:`, `# platform:`, `# arg: NAME=VALUE`, `# call: bake`, and
//! `# main-packages:` for the directories that the context has, in a module of its root.

use gofleet::diag::{self, Diagnostic, Rule};
use gofleet::plan::{self, Request};
use gofleet::scan::{Directory, Index, Module};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::exercise::plan_text;
use crate::support::golden;

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/diagnostics");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    paths.sort();
    paths
}

/// What the comments at the top of a case say.
struct Case {
    request: Request,
    bake: bool,
    main_packages: Option<Vec<String>>,
}

impl Case {
    fn new(text: &str) -> Self {
        let mut case = Case {
            request: Request {
                target: None,
                platforms: Vec::new(),
                native: "linux/amd64".parse().unwrap(),
                build_args: BTreeMap::new(),
                file_name: "fleet.yaml".into(),
            },
            bake: false,
            main_packages: None,
        };
        for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            match key {
                "target" => case.request.target = Some(value.into()),
                "platform" => case.request.platforms.push(value.parse().unwrap()),
                "arg" => {
                    let (name, value) = value.split_once('=').unwrap();
                    case.request.build_args.insert(name.into(), value.into());
                }
                "call" => case.bake = value == "bake",
                "main-packages" => {
                    case.main_packages = Some(value.split(' ').map(Into::into).collect());
                }
                other => panic!("unknown line `{other}`"),
            }
        }
        case
    }

    fn index(&self) -> Index {
        let mut mains = self.main_packages.clone().unwrap_or_default();
        mains.sort();
        let directories = mains.iter().map(|dir| Directory {
            path: dir.clone(),
            mains: vec![String::new()],
            ..Directory::default()
        });
        Index {
            directories: directories.collect(),
            modules: vec![Module {
                dir: ".".to_owned(),
                path: "example.com/acme/shop".to_owned(),
                ..Module::default()
            }],
            mains,
            ..Index::default()
        }
    }

    fn diagnostics(&self, text: &str) -> Vec<Diagnostic> {
        let index = self.index();
        if self.bake {
            let spec = plan::read(text, &self.request).unwrap();
            let (spec, _) = plan::complete(spec, &index, &self.request).unwrap();
            return plan::bake::bake_file(&spec, &self.request, None).unwrap_err();
        }
        let (plan, mut diagnostics) = plan_text(text, &self.request, &index);
        assert_eq!(plan.is_none(), diag::has_errors(&diagnostics));
        if let (Some(plan), Some(candidates)) = (plan, &self.main_packages) {
            let services = plan.platforms[0].services.iter();
            for service in services.filter(|s| !candidates.contains(&s.main.value)) {
                diagnostics.push(plan::missing_main(&service.main, &service.name, candidates));
            }
        }
        diagnostics
    }
}

#[test]
fn messages() {
    let mut golden = golden::Check::new();
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let diagnostics = Case::new(&text).diagnostics(&text);
        assert!(!diagnostics.is_empty(), "{}: no diagnostic", path.display());
        let rendered = diag::render_with_source(&diagnostics, "fleet.yaml", &text);
        golden.file(&path.with_extension("txt"), &rendered);
    }
    golden.finish();
}

/// Messages have one form: see "Messages" in the style examples.
#[test]
fn style() {
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        for d in Case::new(&text).diagnostics(&text) {
            let name = path.display();
            assert!(!d.message.ends_with('.'), "{name}: {}", d.message);
            assert!(!d.message.contains('\n'), "{name}: {}", d.message);
            let word: String = d
                .message
                .chars()
                .take_while(|c| c.is_alphabetic())
                .collect();
            let lower = word == word.to_lowercase() || matches!(word.as_str(), "Go" | "YAML");
            assert!(lower, "{name}: {}", d.message);
            assert!(
                d.hint.is_some() || d.rule == Rule::UnusedArg,
                "{name}: {}",
                d.message
            );
        }
    }
}

/// What holds a credential is in no message and in no line beside it.
#[test]
fn credentials_are_not_shown() {
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let diagnostics = Case::new(&text).diagnostics(&text);
        if diagnostics.iter().any(|d| d.rule == Rule::PlainCredentials) {
            let rendered = diag::render_with_source(&diagnostics, "fleet.yaml", &text);
            let rest = rendered.replace("--secret", "").replace("a secret", "");
            assert!(
                !rest.replace("`secrets`", "").contains("secret"),
                "{rendered}"
            );
        }
    }
}

/// Rules about the files of a context and about servers; their cases are where those are
/// read and asked.
const ELSEWHERE: &[Rule] = &[
    Rule::BrokenLink,
    Rule::ChecksumMismatch,
    Rule::HiddenSource,
    Rule::InvalidIgnoreRule,
    Rule::ModuleNotFound,
    Rule::ModuleUnavailable,
    Rule::NoGit,
    Rule::NoGoImage,
    Rule::NoLogin,
    Rule::NoModule,
    Rule::NoSuchFile,
    Rule::NoSuchImport,
    Rule::NoSuchModule,
    Rule::NotVendored,
    Rule::OldGo,
    Rule::MaybeHidden,
    Rule::LargeSource,
    Rule::WholeManifest,
    Rule::LostModules,
    Rule::MissingSum,
    Rule::AmbiguousMember,
    Rule::ConflictingReplaces,
    Rule::OldWorkspace,
    Rule::NothingEmbedded,
    Rule::NotAFile,
    Rule::ServerUnreachable,
    Rule::UntrustedServer,
];

#[test]
fn every_rule_has_a_case() {
    let here = Rule::ALL.iter().filter(|rule| !ELSEWHERE.contains(rule));
    let mut missing: Vec<&str> = here.map(|rule| rule.name()).collect();
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        for d in Case::new(&text).diagnostics(&text) {
            missing.retain(|name| *name != d.rule.name());
        }
    }
    assert_eq!(missing, [""; 0]);
}
