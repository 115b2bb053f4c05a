//! Small builds: what they do is in a line per report.

use super::model::{Build, State, build};
use super::read::read;
use super::{Format, draw};

/// Reports as `digest|name|inputs|start|end|flags`: times in seconds of one minute,
/// `cached` or an error as flags.
fn stream(lines: &str) -> String {
    let time = |seconds: &str| match seconds {
        "" => serde_json::Value::Null,
        _ => format!(
            "2026-01-01T00:00:{:0>6.3}Z",
            seconds.parse::<f64>().unwrap()
        )
        .into(),
    };
    let report = |line: &str| {
        let fields: Vec<&str> = line.trim().split('|').collect();
        let [digest, name, inputs, start, end, flag] = fields.try_into().unwrap();
        let inputs: Vec<&str> = inputs.split_whitespace().collect();
        let error = if flag == "cached" { "" } else { flag };
        let vertex = serde_json::json!({
            "digest": digest, "name": name, "inputs": inputs, "started": time(start),
            "completed": time(end), "cached": flag == "cached", "error": error,
        });
        format!("{}\n", serde_json::json!({ "vertexes": [vertex] }))
    };
    lines.trim().lines().map(report).collect()
}

fn model(lines: &str) -> Build {
    build(read(stream(lines).as_bytes())).unwrap()
}

fn path(build: &Build) -> Vec<&str> {
    let steps = build.path.iter().map(|index| &build.steps[*index]);
    steps.map(|step| step.full_name.as_str()).collect()
}

fn states(build: &Build) -> Vec<(&str, State, usize)> {
    let steps = build.steps.iter();
    steps
        .map(|step| (step.full_name.as_str(), step.state, step.bars.len()))
        .collect()
}

#[test]
fn the_longest_chain_goes_through_what_was_cached() {
    let build = model(
        "load|load||0|1|
         sources|sources|load|1|1|cached
         tools|tools||0|3|cached
         download|download||0|2|
         a|a|sources download tools|3|7|
         b|b|sources|3|5|",
    );
    assert_eq!(path(&build), ["download", "a"]);
    let build = model(
        "load|load||0|1|
         sources|sources|load|1|1|cached
         b|b|sources|3|5|",
    );
    assert_eq!(path(&build), ["load", "b"]);
}

#[test]
fn inputs_in_a_circle_end_somewhere() {
    let build = model("a|a|b|0|1|\nb|b|a|1|3|\nc|c|c|0|1|");
    assert_eq!(path(&build).len(), 2);
}

#[test]
fn a_source_that_was_only_looked_up_is_cached() {
    let build = model(
        "from|FROM x||0|1|
         from|FROM x||2|2|cached
         load|load||0|1|
         load|load||1|3|
         build|[api] go build|from|3|3|cached
         build|[api] go build|from|4|6|",
    );
    assert_eq!(
        states(&build),
        [
            ("FROM x", State::Cached, 2),
            ("load", State::Executed, 2),
            ("[api] go build", State::Executed, 2),
        ]
    );
}

/// What was seen by two builds, with clocks that differ a little, was done once.
#[test]
fn targets_of_a_bake_file_share_steps() {
    let build = model(
        "scan|[api internal] scan||0|2|
         scan|[web internal] scan||0.125|2.125|
         tiny|[api internal] tiny|scan|2|2.05|
         tiny|[web internal] tiny|scan|2.125|2.175|
         mod|[api modules] go mod download|scan|3|5|
         mod|[web modules] go mod download|scan|5.5|5.5|cached
         build|[api api] go build .|mod|5|7|
         export|[api] exporting to image||7|8|
         other|[web] exporting to image||7|8|",
    );
    assert_eq!(
        states(&build),
        [
            ("[internal] scan", State::Executed, 1),
            ("[internal] tiny", State::Executed, 1),
            ("[modules] go mod download", State::Executed, 2),
            ("[api] go build .", State::Executed, 1),
            ("exporting to image", State::Executed, 1),
            ("exporting to image", State::Executed, 1),
        ]
    );
    let groups: Vec<_> = build.steps.iter().map(|s| s.name.group.label()).collect();
    assert_eq!(groups[3..], ["api", "api", "web"]);
}

/// A vertex that is shared with another client's build has the times of that one, too.
#[test]
fn work_before_the_build_began_is_not_of_it() {
    let build = model(
        "def|[internal] load||10|11|
         from|FROM x||1|4|
         mod|[modules] go mod download|from|9|12|",
    );
    assert_eq!(build.length, 2_000_000_000);
    assert_eq!(build.steps[1].state, State::Cached);
    assert_eq!(build.steps[1].took(), 0);
    assert_eq!(build.steps[2].start(), 0);
    assert_eq!(build.steps[2].took(), 2_000_000_000);
}

#[test]
fn a_cancelled_build_is_drawn_to_its_end() {
    let build = model(
        "a|[api] go build||0||
         b|[web] go build||1|2|exit code: 1
         c|[job] go build||1|4|exit code: 137: context canceled
         d|[internal] join|a|||",
    );
    assert_eq!(build.not_started, 1);
    let states: Vec<State> = build.steps.iter().map(|step| step.state).collect();
    assert_eq!(
        states,
        [State::Unfinished, State::Failed, State::Unfinished]
    );
    assert_eq!(build.steps[0].took(), 4_000_000_000);
}

#[test]
fn what_could_have_started_earlier_is_known() {
    let build = model(
        "a|a||0|1|
         b|b||0|2|
         c|c|a b|5|6|
         d|d|c|6|7|
         late|late|a|8|9|",
    );
    let ready: Vec<_> = build.steps.iter().map(|step| step.ready).collect();
    let second = 1_000_000_000;
    // The last one was announced at 7 s only.
    assert_eq!(
        ready,
        [None, None, Some(2 * second), None, Some(7 * second)]
    );
}

#[test]
fn nothing_to_draw() {
    for (text, skipped) in [("", 0), ("text\n", 1), ("{\"vertexes\":[]}", 0)] {
        let none = draw(text.as_bytes(), Format::Svg, false).unwrap_err();
        assert_eq!(none.skipped, skipped, "{text}");
    }
    assert!(draw(stream("a|a||||").as_bytes(), Format::Svg, false).is_err());
}

#[test]
fn names_are_escaped() {
    let hostile = stream("a|[<b>] \"&\u{202e}\u{1b}</title><script>||0|1|");
    for format in [Format::Svg, Format::Html] {
        let text = draw(hostile.as_bytes(), format, true).unwrap().text;
        assert!(
            !text.contains("<script") && !text.contains("<b>]"),
            "{text}"
        );
        assert!(text.contains("&lt;script&gt;"), "{text}");
    }
    for format in [Format::Svg, Format::Html, Format::Text] {
        let text = draw(hostile.as_bytes(), format, true).unwrap().text;
        assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text}");
    }
}

/// Thousands of steps are a picture of few rows, in little time.
#[test]
fn long_streams_stay_readable() {
    let lines = (0..20_000).map(|n| {
        let (input, start) = (n / 2, f64::from(n) / 1000.0);
        format!("{n}|[s{n}] go build|{input}|{start}|{}|\n", start + 0.5)
    });
    let stream = stream(&lines.collect::<String>());
    let text = draw(stream.as_bytes(), Format::Text, false).unwrap().text;
    assert!((150..180).contains(&text.lines().count()), "{text}");
    assert!(text.contains("19840 short steps"), "{text}");
    let all = draw(stream.as_bytes(), Format::Text, true).unwrap().text;
    assert!(all.lines().count() > 20_000);
}
