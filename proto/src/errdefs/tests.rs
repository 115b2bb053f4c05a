//! Details against the JSON that Go writes.
#![allow(clippy::unwrap_used)]

use super::*;

/// The JSON of a detail.
fn json(detail: &impl Detail) -> Value {
    serde_json::from_slice(&detail.to_any().value).unwrap()
}

#[test]
fn source_has_the_file_and_both_ends_of_each_range() {
    let at = |line| Some(pb::Position { line, character: 0 });
    let info = pb::SourceInfo {
        filename: "fleet.yaml".into(),
        data: b"a: b\n".to_vec(),
        language: "YAML".into(),
        ..Default::default()
    };
    let range = pb::Range {
        start: at(1),
        end: None,
    };
    let source = Source::new(&info, &[range]);
    assert_eq!(
        json(&source),
        serde_json::json!({
            "info": { "filename": "fleet.yaml", "data": "YTogYgo=", "language": "YAML" },
            "ranges": [{
                "start": { "line": 1, "character": 0 },
                "end": { "line": 0, "character": 0 },
            }],
        })
    );
    assert_eq!(Source::from_any(&source.to_any()).unwrap().unwrap(), source);
}

#[test]
fn definition_of_a_source_is_in_the_names_of_go() {
    let mut definition = pb::Definition {
        def: vec![vec![0xff]],
        ..Default::default()
    };
    let metadata = definition.metadata.entry("sha256:00".into()).or_default();
    metadata.caps.insert("file.base".into(), true);
    metadata.export_cache = Some(pb::ExportCache { value: false });
    let info = pb::SourceInfo {
        definition: Some(definition),
        ..Default::default()
    };
    assert_eq!(
        json(&Source::new(&info, &[])),
        serde_json::json!({
            "info": { "definition": {
                "def": ["/w=="],
                "metadata": { "sha256:00": {
                    "description": {},
                    "export_cache": {},
                    "caps": { "file.base": true },
                } },
            } },
        })
    );
}

#[test]
fn solve_is_in_the_json_of_protobuf() {
    let text = br#"{"inputIDs":["a"],"mountIDs":["b",""],"op":{"file":{}},"file":{"index":"2"},"description":{"k":"v"}}"#;
    let any = Any {
        type_url: "github.com/moby/buildkit/errdefs.Solve+json".into(),
        value: text.to_vec(),
    };
    let solve = Solve::from_any(&any).unwrap().unwrap();
    assert_eq!(solve.mount_ids, ["b", ""]);
    assert_eq!(solve.file, Some(Subject { index: 2 }));
    assert_eq!(solve.to_any().value, text);
}

#[test]
fn absent_fields_are_zero() {
    let any = Any {
        type_url: "github.com/moby/buildkit/gatewayapi.ExitMessage+json".into(),
        value: b"{}".to_vec(),
    };
    assert_eq!(Exit::from_any(&any).unwrap().unwrap().code, 0);
}

#[test]
fn other_types_and_broken_values_are_told_apart() {
    let any = |type_url: &str, value: &[u8]| Any {
        type_url: type_url.into(),
        value: value.to_vec(),
    };
    let own = Vertex::TYPE_URL;
    assert!(Vertex::from_any(&any("github.com/moby/buildkit/stack.Stack+json", b"{}")).is_none());
    assert!(Vertex::from_any(&any(own, b"\x0a")).unwrap().is_err());

    let status = Status {
        details: vec![
            any(own, b"no"),
            any("x", b"{}"),
            any(own, br#"{"digest":"d"}"#),
        ],
        ..Default::default()
    };
    let digests: Vec<_> = Vertex::all(&status).into_iter().map(|v| v.digest).collect();
    assert_eq!(digests, ["d"]);
}
