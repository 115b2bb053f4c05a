//! The answers against what buildx reads.

use super::*;
use crate::diag::{Pos, Rule};
use buildkit_proto::errdefs::{Detail, Subrequest as SubrequestDetail};
use buildkit_proto::pb;
use serde_json::{Value, json};

fn parsed(result: &FrontendResult) -> Value {
    serde_json::from_slice(result.metadata("result.json").expect("result.json")).expect("JSON")
}

fn text(result: &FrontendResult) -> String {
    String::from_utf8_lossy(result.metadata("result.txt").expect("result.txt")).into_owned()
}

fn file() -> Arc<pb::SourceInfo> {
    Arc::new(pb::SourceInfo {
        filename: "fleet.yaml".to_owned(),
        data: b"services:\n  api: .\n".to_vec(),
        ..pb::SourceInfo::default()
    })
}

fn of(file: Arc<pb::SourceInfo>, diagnostics: Vec<Diagnostic>) -> SpecError {
    SpecError { file, diagnostics }
}

fn span() -> Span {
    Span {
        start: Pos { line: 2, column: 3 },
        end: Pos { line: 2, column: 6 },
    }
}

#[test]
fn known_requests_are_told_from_others() {
    for kind in Subrequest::ALL {
        assert_eq!(Subrequest::parse(kind.id()).expect("known"), kind);
    }
    let error = Subrequest::parse("frontend.convertllb").expect_err("unknown");
    let details = SubrequestDetail::all(&error.to_status());
    assert_eq!(details[0].name, "frontend.convertllb");
}

#[test]
fn describe_lists_all_requests() {
    let result = describe();
    let requests = parsed(&result);
    assert_eq!(requests.as_array().map(Vec::len), Some(6));
    assert_eq!(requests[0]["type"], "rpc");
    assert_eq!(requests[0]["refs"], json!([]));
    assert!(text(&result).starts_with("NAME                   VERSION   DESCRIPTION\naffected "));
    assert_eq!(result.metadata("version"), Some(b"1.0.0".as_slice()));
}

#[test]
fn targets_are_listed_with_their_places() {
    let targets = vec![
        Target {
            name: "api".to_owned(),
            default: true,
            description: "./cmd/api".to_owned(),
            location: Some(Location::new(Some(span()))),
            ..Target::default()
        },
        Target {
            name: "all".to_owned(),
            ..Target::default()
        },
    ];
    let result = Targets::new(targets, b"a").result();
    assert_eq!(
        parsed(&result),
        json!({
            "targets": [
                {
                    "name": "api", "default": true, "description": "./cmd/api",
                    "location": { "sourceIndex": 0, "ranges": [
                        { "start": { "line": 2, "character": 2 }, "end": { "line": 2, "character": 5 } },
                    ] },
                },
                { "name": "all" },
            ],
            "sources": ["YQ=="],
        })
    );
    assert_eq!(
        text(&result),
        "TARGET          DESCRIPTION\napi (default)   ./cmd/api\nall\n"
    );
}

#[test]
fn outlines_show_args_and_secrets() {
    let outline = Outline {
        name: "api".to_owned(),
        description: "the API".to_owned(),
        args: vec![Arg {
            name: "TAG".to_owned(),
            value: "dev".to_owned(),
            ..Arg::default()
        }],
        secrets: vec![Secret {
            name: "GOPROXY".to_owned(),
            ..Secret::default()
        }],
        ssh: vec![Secret {
            name: "default".to_owned(),
            location: Some(Location::new(Some(Span::at(2, 7)))),
            ..Secret::default()
        }],
    };
    let result = outline.result(b"a");
    let outline = parsed(&result);
    assert_eq!(outline["args"], json!([{ "name": "TAG", "value": "dev" }]));
    assert_eq!(outline["secrets"], json!([{ "name": "GOPROXY" }]));
    assert_eq!(outline["ssh"][0]["name"], "default");
    let range = &outline["ssh"][0]["location"]["ranges"][0];
    assert_eq!(range["start"]["line"], 2);
    assert_eq!(
        text(&result),
        "TARGET:      api\nDESCRIPTION: the API\n\n\
         BUILD ARG   VALUE   DESCRIPTION\nTAG         dev\n\n\
         SECRET    REQUIRED\nGOPROXY\n\n\
         SSH       REQUIRED\ndefault\n\n"
    );
}

#[test]
fn a_clean_spec_passes_the_check() {
    let result = lint(&[of(file(), Vec::new())]);
    assert_eq!(result.metadata("result.statuscode"), Some(b"0".as_slice()));
    assert_eq!(parsed(&result)["warnings"], json!([]));
    assert!(parsed(&result).get("buildError").is_none());
}

#[test]
fn warnings_are_listed_and_errors_are_the_build_error() {
    let warning =
        Diagnostic::new(Rule::UnusedArg, "build arg `X` is used nowhere").hint("remove it");
    let error = Diagnostic::new(Rule::MissingMain, "service `api` has no `main`").at(span());
    let result = lint(&[of(file(), vec![warning, error.clone(), error])]);
    assert_eq!(result.metadata("result.statuscode"), Some(b"1".as_slice()));
    let json = parsed(&result);
    let warning = &json["warnings"][0];
    assert_eq!(warning["ruleName"], "UnusedArg");
    assert_eq!(
        warning["detail"],
        "build arg `X` is used nowhere\nhint: remove it"
    );
    // Printers look into it without a check.
    assert_eq!(
        warning["location"],
        json!({ "sourceIndex": 0, "ranges": [] })
    );
    assert!(
        warning["url"]
            .as_str()
            .is_some_and(|url| url.ends_with("docs/diagnostics.md#unusedarg"))
    );
    let message = json["buildError"]["message"].as_str().expect("message");
    assert!(message.starts_with("2 problems in fleet.yaml"), "{message}");
    assert_eq!(
        json["buildError"]["location"]["ranges"][0]["start"]["line"],
        2
    );
    assert_eq!(json["sources"][0]["filename"], "fleet.yaml");
    assert!(text(&result).contains(" --> fleet.yaml:2:3"));
}

#[test]
fn places_in_several_files_are_told_apart() {
    let go = Arc::new(pb::SourceInfo {
        filename: "main.go".to_owned(),
        data: b"package main\nimport _ \"m/gone\"\n".to_vec(),
        ..pb::SourceInfo::default()
    });
    let missing = Diagnostic::new(Rule::NoSuchImport, "there is no package `m/gone`");
    let result = lint(&[of(file(), Vec::new()), of(go, vec![missing.at(span())])]);
    let json = parsed(&result);
    assert_eq!(json["buildError"]["location"]["sourceIndex"], 1);
    assert_eq!(json["sources"][1]["filename"], "main.go");
    let message = json["buildError"]["message"].as_str().expect("message");
    assert!(message.contains(" --> main.go:2:3"), "{message}");
    assert!(
        text(&result).contains("import _ \"m/gone\""),
        "{}",
        text(&result)
    );
}

#[test]
fn bake_is_text_for_pipes_and_json_on_demand() {
    let result = bake("group \"default\" {}\n".to_owned(), "{}".to_owned());
    assert_eq!(text(&result), "group \"default\" {}\n");
    assert_eq!(result.metadata("result.json"), Some(b"{}".as_slice()));
}
