//! What good specs are read as. Bad ones are in `tests/it/diagnostics`.

#![allow(clippy::unwrap_used)]

use super::fields::{FIELDS, Place};
use super::*;
use crate::diag::Rule;

fn read(text: &str) -> Spec {
    let (spec, diagnostics) = parse(text);
    assert_eq!(diagnostics, []);
    spec.unwrap()
}

/// The settings of the one service of a text.
fn settings(fields: &str) -> Settings {
    let spec = read(&format!("services:\n  api:\n    main: .\n{fields}"));
    spec.services.into_iter().next().unwrap().settings
}

fn raws(texts: &Option<Vec<Text>>) -> Vec<&str> {
    texts.as_ref().unwrap().iter().map(Text::raw).collect()
}

fn values(variables: &Variables) -> Vec<(&str, &str)> {
    variables
        .iter()
        .map(|(k, v)| (k.as_str(), v.value.raw()))
        .collect()
}

#[test]
fn the_short_form() {
    let spec = read(
        "# syntax=gofleet/gofleet:1\n# yaml-language-server: $schema=x\nservices:\n  \
         api: ./cmd/api\n  worker: ./cmd/worker\n",
    );
    let services: Vec<_> = spec
        .services
        .iter()
        .map(|s| (s.name.value.as_str(), s.main.as_ref().unwrap().raw()))
        .collect();
    assert_eq!(services, [("api", "./cmd/api"), ("worker", "./cmd/worker")]);
    assert_eq!(spec.services[1].name.span.start.line, 5);
    assert_eq!(spec.span.start.line, 3);
}

/// The order of the text stays, whatever the names.
#[test]
fn services_keep_their_order() {
    let spec = read("services: {z: ., a: ., m: .}");
    let names: Vec<&str> = spec
        .services
        .iter()
        .map(|s| s.name.value.as_str())
        .collect();
    assert_eq!(names, ["z", "a", "m"]);
}

/// Every row of the table leads somewhere: its example changes what is read.
#[test]
fn every_field_is_read() {
    let minimal = read("services:\n  api:\n    main: .\n");
    let indent = |text: &str, by: &str| text.replace('\n', &format!("\n{by}"));
    for field in FIELDS {
        // The example of `go` shows two forms.
        let example = field.example.split("\n# or").next().unwrap();
        for place in field.places {
            let text = match place {
                Place::Top if example.contains("services:") => format!("{example}\n"),
                Place::Top if field.name == "exclude" => {
                    format!("discover: .\n{example}\nservices:\n  api:\n    main: .\n")
                }
                Place::Top => format!("{example}\nservices:\n  api:\n    main: .\n"),
                Place::Service if field.name == "main" => {
                    format!("services:\n  api:\n    {example}\n")
                }
                Place::Service => {
                    let example = indent(example, "    ");
                    format!("services:\n  api:\n    main: .\n    {example}\n")
                }
                Place::Defaults => {
                    let example = indent(example, "  ");
                    format!("defaults:\n  {example}\nservices:\n  api:\n    main: .\n")
                }
            };
            let mut spec = read(&text);
            // Places differ in any case.
            spec.span = minimal.span;
            spec.services[0].name.span = minimal.services[0].name.span;
            if field.name == "exclude" {
                // It goes with `discover` only.
                spec.discover.clear();
            }
            assert_ne!(spec, minimal, "{} at {place:?}", field.name);
        }
    }
}

/// What is to be discovered need not be written.
#[test]
fn services_to_discover() {
    for text in [
        "discover: .",
        "discover: .\nservices:",
        "services: {}\ndiscover: .",
    ] {
        assert_eq!(read(text).services, []);
    }
    let spec =
        read("services:\n  api:\n  web: {main: }\n  worker: {user: a}\ndiscover: [., ./a]\n");
    assert_eq!(spec.services.len(), 3);
    assert!(spec.services.iter().all(|s| s.main.is_none()));
    assert_eq!(spec.discover.len(), 2);
    // An empty `discover` finds nothing.
    for text in [
        "discover: []",
        "discover:",
        "services: {api: }\ndiscover: []",
    ] {
        assert_eq!(parse(text).1.len(), 1, "{text}");
    }
}

#[test]
fn lists_and_strings() {
    let s = settings("    build_tags: a,b\n    platforms: [linux/amd64]\n    expose: 8080\n");
    assert_eq!(raws(&s.build_tags), ["a,b"]);
    assert_eq!(raws(&s.platforms), ["linux/amd64"]);
    assert_eq!(raws(&s.expose), ["8080"]);
    let s = settings("    command: serve 'a b'\n    entrypoint: [a b, c]\n");
    assert_eq!(raws(&s.command), ["serve", "'a b'"]);
    assert_eq!(raws(&s.entrypoint), ["a b", "c"]);
    let s = settings("    ldflags:\n      - -s -w\n      - -X 'a=b c'\n");
    assert_eq!(raws(&s.ldflags), ["-s", "-w", "-X", "'a=b c'"]);
}

#[test]
fn empty_is_not_absent() {
    let s = settings("    command: \"\"\n    entrypoint: []\n    expose:\n");
    assert_eq!(s.command, Some(vec![]));
    assert_eq!(s.entrypoint, Some(vec![]));
    assert_eq!(s.expose, None);
}

#[test]
fn variables_in_both_forms() {
    let mapping = settings("    environment:\n      A: 1.20\n      B: true\n      C: ''\n");
    assert_eq!(
        values(&mapping.environment),
        [("A", "1.20"), ("B", "true"), ("C", "")]
    );
    let list = settings("    environment:\n      - A=1.20\n      - B=true\n      - C=\n");
    assert_eq!(values(&list.environment), values(&mapping.environment));
    let labels = settings("    labels:\n      - a=b=c\n      - d\n");
    assert_eq!(values(&labels.labels), [("a", "b=c"), ("d", "")]);
    let labels = settings("    labels:\n      d:\n");
    assert_eq!(values(&labels.labels), [("d", "")]);
}

/// The value of a list item has its own place, and its own expressions.
#[test]
fn places_in_list_items() {
    let s = settings("    environment:\n      - A=x${B}\n");
    let entry = &s.environment["A"];
    assert_eq!(entry.span.start.column, 9);
    assert_eq!(entry.value.span().start.column, 11);
    let mut vars = Vec::new();
    entry
        .value
        .each_var(&mut |v| vars.push((v.name.clone(), v.span.start.column)));
    assert_eq!(vars, [("B".to_owned(), 12)]);
}

#[test]
fn numbers_keep_their_text() {
    assert_eq!(read("go: 1.20\nservices: {a: .}").go.unwrap().raw(), "1.20");
    assert_eq!(settings("    user: 0123\n").user.unwrap().raw(), "0123");
}

#[test]
fn anchors_and_merge_keys() {
    let spec = read(
        "x-common: &common\n  user: a\n  expose: [1]\nx-more: &more\n  user: b\n  working_dir: /b\n\
         services:\n  api:\n    <<: [*common, *more]\n    main: .\n    expose: [2]\n  \
         web:\n    <<: *more\n    main: &dir ./cmd\n  cli: *dir\n",
    );
    let api = &spec.services[0].settings;
    assert_eq!(raws(&api.expose), ["2"]);
    assert_eq!(api.user.as_ref().unwrap().raw(), "a");
    assert_eq!(api.working_dir.as_ref().unwrap().raw(), "/b");
    assert_eq!(spec.services[1].settings.user.as_ref().unwrap().raw(), "b");
    assert_eq!(spec.services[2].main.as_ref().unwrap().raw(), "./cmd");
}

#[test]
fn extension_fields_are_ignored() {
    let text = "x-a: [1, {b: c}]\nservices:\n  api:\n    main: .\n    x-b: 1\n";
    assert_eq!(read(text).services.len(), 1);
}

#[test]
fn build_args_of_a_spec() {
    let spec = read(
        "go: golang:${GO:-1.26}\nservices:\n  api:\n    main: ./cmd/${SERVICE}\n    \
         labels: {v: \"${VERSION:?set}\", w: \"${GO}\", x: \"${A:-${B}}\"}\n",
    );
    let args: Vec<_> = spec
        .args()
        .into_iter()
        .map(|a| (a.name, a.default, a.span.start.line))
        .collect();
    let arg = |name: &str, default: Option<&str>, line| {
        (name.to_owned(), default.map(str::to_owned), line)
    };
    assert_eq!(
        args,
        [
            arg("A", None, 5),
            arg("B", None, 5),
            arg("GO", Some("1.26"), 1),
            arg("VERSION", None, 5)
        ]
    );
}

/// A build arg that fills a whole word stays one word.
#[test]
fn values_of_build_args_stay_words() {
    let s = settings("    command: sh ${ARGS}\n");
    let given = BTreeMap::from([("ARGS".to_owned(), "-c 'rm -rf /'".to_owned())]);
    let args = Args::new(&given);
    let scope = Scope::global(&args);
    let words: Vec<String> = s
        .command
        .unwrap()
        .iter()
        .map(|w| w.expand(&scope).unwrap())
        .collect();
    assert_eq!(words, ["sh", "-c 'rm -rf /'"]);
}

#[test]
fn what_is_readable_is_kept_after_errors() {
    let (spec, diagnostics) =
        parse("services:\n  api:\n    main: ./a\n    user: [x]\n    oops: 1\n");
    assert_eq!(diagnostics.len(), 2);
    assert_eq!(
        spec.unwrap().services[0].main.as_ref().unwrap().raw(),
        "./a"
    );
    assert_eq!(parse("services: {a: .").0, None);
}

/// The forms of JSON for which BuildKit starts a frontend.
#[test]
fn json_is_a_spec() {
    let body = "\"services\": {\n\t\t\"api\": {\"main\": \"./cmd\\/api\", \"environment\": \
                {\"FACE\": \"\\ud83d\\ude00 \\u00e9\\t\", \"N\": 1.50}}\n\t},\n\t\"go\": \"1.26\"\n}\n";
    let member = format!("{{\n\t\"syntax\": \"gofleet/gofleet:1\", \"$schema\": \"x\",\n\t{body}");
    let line = format!("// syntax=gofleet/gofleet:1\n// check=skip=UnusedArg\n{{\n\t{body}");
    let both = format!("\u{feff}//syntax=gofleet/gofleet:1 é\r\n{{{body}");
    for text in [&member, &line, &both, &member.replace('\n', "")] {
        let (spec, diagnostics) = parse(text);
        assert_eq!(diagnostics, [], "{text}");
        let spec = spec.unwrap();
        let service = &spec.services[0];
        assert_eq!(service.main.as_ref().unwrap().raw(), "./cmd/api");
        let value = |name: &str| service.settings.environment[name].value.raw().to_owned();
        assert_eq!(
            (value("FACE"), value("N")),
            ("😀 é\t".into(), "1.50".into())
        );
        assert_eq!(spec.checks.skips(Rule::UnusedArg), text == &line);
    }
    // Places are those of the file.
    let (_, problems) =
        parse("// syntax=gofleet/gofleet:1\n{\"services\": {\"api\": {\"mian\": \".\"}}}");
    let place = problems[0].span.unwrap().start;
    assert_eq!(
        (problems[0].rule, place.line, place.column),
        (Rule::UnknownField, 2, 23)
    );
}
