//! `gofleet timeline` of recorded streams, and of anything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gofleet::timeline::{Format, draw};
use proptest::prelude::*;

use crate::support::checkout::Checkout;
use crate::support::golden::Check;

/// Streams of builds of `examples/shop`, without what is not read: an edit of one
/// service, a bake file after an edit that three services see, and two platforms with a
/// service that does not compile.
const RECORDED: [&str; 3] = ["edit", "bake", "failed"];

fn place(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/it/timeline").join(name)
}

#[test]
fn charts_are_as_recorded() {
    let mut check = Check::new();
    for name in RECORDED {
        let stream = fs::read(place(&format!("{name}.jsonl"))).unwrap();
        let formats = [
            (Format::Svg, "svg"),
            (Format::Html, "html"),
            (Format::Text, "txt"),
        ];
        for (format, ending) in formats {
            let chart = draw(&stream, format, false).unwrap();
            check.file(&place(&format!("{name}.{ending}")), &chart.text);
        }
        let all = draw(&stream, Format::Text, true).unwrap();
        check.file(&place(&format!("{name}-all.txt")), &all.text);
    }
    check.finish();
}

#[test]
fn a_stream_is_a_file_or_standard_input() {
    let repo = Checkout::new();
    let stream = fs::read_to_string(place("edit.jsonl")).unwrap();
    let chart = fs::read_to_string(place("edit.txt")).unwrap();
    repo.write("stream", &stream);
    let said = repo.run(&["timeline", "--format", "text", "stream"]);
    assert_eq!((said.code, &said.out), (0, &chart));
    assert_eq!(said.err, "gofleet: skipped a line that is no progress\n");
    let piped = Command::new(env!("CARGO_BIN_EXE_gofleet"))
        .args(["timeline", "--format=text"])
        .stdin(fs::File::open(place("edit.jsonl")).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), chart);
    let said = repo.run(&["timeline", "--output", "chart.svg", "stream"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        fs::read_to_string(repo.file("chart.svg")).unwrap(),
        fs::read_to_string(place("edit.svg")).unwrap()
    );
}

#[test]
fn what_is_wrong_is_said() {
    let repo = Checkout::new();
    repo.write("empty", "")
        .write("text", "#1 DONE 0.1s\n\n#2 x\n");
    let hint = "hint: make it with `docker buildx build --progress rawjson … 2> FILE`\n";
    for (args, code, said) in [
        (
            &["empty"][..],
            1,
            format!("gofleet: `empty` is empty\n{hint}"),
        ),
        (
            &["text"],
            1,
            format!(
                "gofleet: `text` has no step that started, and 2 lines that are no progress\n{hint}"
            ),
        ),
        (
            &["--format", "png"],
            2,
            "gofleet: no format `png`: there are svg, html and text; try `gofleet help`\n".into(),
        ),
    ] {
        let run = repo.run(&[&["timeline"], args].concat());
        assert_eq!((run.code, run.err), (code, said), "{args:?}");
        assert_eq!(run.out, "");
    }
}

/// Pieces that mean something to a reader of streams.
fn piece() -> impl Strategy<Value = String> {
    let digest = "[a-d]";
    let time = prop_oneof![
        "2026-01-01T00:00:0[0-9]\\.[0-9]{1,9}Z",
        "(1970|2026|9999)-01-01T00:00:00[+-]0[0-9]:00",
        "\\PC{0,30}",
    ];
    let flag = prop_oneof![Just(""), Just(",\"cached\":true"), Just(",\"error\":\"x\"")];
    let name = prop_oneof!["\\[[ab] (internal|modules)\\] \\PC{0,60}", "\\PC*"];
    let parts = (digest, "[a-d]{0,4}", name, time.clone(), time, flag);
    let vertex = parts.prop_map(|(digest, inputs, name, start, end, flag)| {
        let inputs: Vec<String> = inputs.chars().map(String::from).collect();
        let vertex = serde_json::json!({
            "digest": digest, "inputs": inputs, "name": name,
            "started": start, "completed": end,
        });
        let vertex = vertex.to_string();
        let vertex = vertex.strip_suffix('}').unwrap();
        format!("{{\"vertexes\":[{vertex}{flag}}}]}}\n")
    });
    prop_oneof![4 => vertex, 1 => "\\PC*\n"]
}

proptest! {
    #[test]
    fn no_stream_panics(pieces in proptest::collection::vec(piece(), 0..20), all: bool) {
        check(pieces.concat().as_bytes(), all);
    }

    #[test]
    fn no_cut_stream_panics(name in 0..RECORDED.len(), from: prop::sample::Index, to: prop::sample::Index) {
        let stream = fs::read(place(&format!("{}.jsonl", RECORDED[name]))).unwrap();
        let (from, to) = (from.index(stream.len()), to.index(stream.len()));
        check(&stream[from.min(to)..from.max(to)], false);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        check(&bytes, true);
    }
}

/// Every format is drawn, or none; what is drawn is well-formed as far as counting tells.
fn check(stream: &[u8], all: bool) {
    let drawn = [Format::Svg, Format::Html, Format::Text].map(|f| draw(stream, f, all));
    let some = drawn.iter().filter(|drawing| drawing.is_ok()).count();
    assert!(some == 0 || some == drawn.len());
    if let [Ok(svg), ..] = &drawn {
        let count = |text: &str| svg.text.matches(text).count();
        assert_eq!(count("<g>"), count("</g>"));
        assert_eq!(count("<text "), count("</text>"));
        assert_eq!(count("<title>"), count("</title>"));
        assert!(!svg.text.contains("NaN") && !svg.text.contains("\"-"));
    }
}
