//! Bake files: one spec, its HCL and its JSON per case.
//!
//! `UPDATE=1 cargo test --test it bake` writes them anew. `# arg:` and `# platform:` lines at the
//! top of a case make the request.

use gofleet::plan::{Request, bake};
use gofleet::spec;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::golden;

fn request(text: &str) -> Request {
    let lines = |key: &str| {
        let prefix = format!("# {key}: ");
        text.lines()
            .filter_map(|l| l.strip_prefix(&prefix).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let args = lines("arg").into_iter().map(|arg| {
        let (name, value) = arg.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    Request {
        target: None,
        platforms: lines("platform")
            .iter()
            .map(|p| p.parse().unwrap())
            .collect(),
        native: "linux/amd64".parse().unwrap(),
        build_args: args.collect::<BTreeMap<_, _>>(),
        file_name: "fleet.yaml".into(),
    }
}

#[test]
fn files() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/bake");
    let mut golden = golden::Check::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let (spec, diagnostics) = spec::parse(&text);
        assert_eq!(diagnostics, [], "{}", path.display());
        let file = bake::bake_file(&spec.unwrap(), &request(&text), None).unwrap();
        golden.file(&path.with_extension("hcl"), &file.to_hcl());
        golden.file(&path.with_extension("json"), &file.to_json());
    }
    golden.finish();
}

#[test]
fn a_remote_context_is_named_without_its_password() {
    let (spec, _) = spec::parse("services:\n  api: .\n");
    let context = Some("https://me:secret@example.com/shop.git#main");
    let file = bake::bake_file(&spec.unwrap(), &request(""), context).unwrap();
    let hcl = file.to_hcl();
    assert!(
        hcl.contains("\"https://example.com/shop.git#main\""),
        "{hcl}"
    );
    assert!(!file.to_json().contains("secret"));
}
