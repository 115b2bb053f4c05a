#![allow(clippy::unwrap_used)]
use super::*;
use crate::plan;
use crate::scan::{Directory, Module};

fn directories(mains: &[&str]) -> Vec<Directory> {
    let mut mains = mains.to_vec();
    mains.sort_unstable();
    let directories = mains.into_iter().map(|dir| Directory {
        path: dir.to_owned(),
        mains: vec![String::new()],
        ..Directory::default()
    });
    directories.collect()
}

fn index(mains: &[&str]) -> Index {
    let module = |dir: &str, path: &str| Module {
        dir: dir.to_owned(),
        path: path.to_owned(),
        ..Module::default()
    };
    Index {
        modules: vec![
            module(".", "example.com/acme/shop/v3"),
            module("tools", "example.com/acme/tools"),
        ],
        mains: mains.iter().map(|dir| (*dir).to_owned()).collect(),
        directories: directories(mains),
        ..Index::default()
    }
}

fn request(args: &[(&str, &str)]) -> Request {
    let args = args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Request {
        target: None,
        platforms: Vec::new(),
        native: buildkit_llb::Platform::new("linux", "amd64", ""),
        build_args: args.collect(),
        file_name: "fleet.yaml".to_owned(),
    }
}

fn completed(
    text: &str,
    mains: &[&str],
    args: &[(&str, &str)],
) -> Result<(Spec, Vec<Diagnostic>), Vec<Diagnostic>> {
    let request = request(args);
    let spec = plan::read(text, &request).unwrap();
    plan::complete(spec, &index(mains), &request)
}

/// Names and directories of the services.
fn services(text: &str, mains: &[&str]) -> Vec<(String, String)> {
    let (spec, diagnostics) = completed(text, mains, &[]).unwrap();
    assert_eq!(diagnostics, []);
    let services = spec.services.into_iter();
    services
        .map(|s| (s.name.value, s.main.unwrap().raw().to_owned()))
        .collect()
}

fn check(text: &str, mains: &[&str], expected: &[(&str, &str)]) {
    let found = services(text, mains);
    let found: Vec<_> = found.iter().map(|(n, d)| (&n[..], &d[..])).collect();
    assert_eq!(found, expected, "{text}");
}

/// Rules and messages of what is wrong.
fn problems(text: &str, mains: &[&str]) -> Vec<(Rule, String)> {
    let problems = completed(text, mains, &[]).unwrap_err();
    problems.into_iter().map(|d| (d.rule, d.message)).collect()
}

const TREE: [&str; 5] = [
    "cmd/api",
    "cmd/tools/gen",
    "cmd/worker",
    "testdata/x",
    "tools/migrate",
];

#[test]
fn main_packages_become_services() {
    check(
        "discover: ./...",
        &TREE,
        &[
            ("api", "./cmd/api"),
            ("gen", "./cmd/tools/gen"),
            ("worker", "./cmd/worker"),
            ("migrate", "./tools/migrate"),
        ],
    );
    check(
        "discover: [./tools/migrate, ./cmd/...]\nexclude: [./cmd/tools/..., ./nothing]",
        &TREE,
        &[
            ("api", "./cmd/api"),
            ("worker", "./cmd/worker"),
            ("migrate", "./tools/migrate"),
        ],
    );
    // One line holds several, as on the command line of go.
    check(
        "discover: ./cmd/api ./cmd/worker",
        &TREE,
        &[("api", "./cmd/api"), ("worker", "./cmd/worker")],
    );
}

#[test]
fn names_are_those_of_go_build() {
    check(
        "discover: ./...",
        &[".", "api/v2", "auth/v1", "tools/v2", "tools/v2/x"],
        &[
            ("shop", "."),
            ("api", "./api/v2"),
            ("v1", "./auth/v1"),
            ("tools", "./tools/v2"),
            ("x", "./tools/v2/x"),
        ],
    );
    check("discover: ./...", &["v2"], &[("shop", "./v2")]);
    for version in ["v2", "v10"] {
        assert!(is_version(version));
    }
    for name in ["v", "v0", "v1", "v02", "v2a", "2", "api"] {
        assert!(!is_version(name), "{name}");
    }
}

#[test]
fn a_root_without_module_has_no_name() {
    let request = request(&[]);
    let spec = plan::read("discover: .", &request).unwrap();
    let index = Index {
        mains: vec![".".to_owned()],
        directories: directories(&["."]),
        ..Index::default()
    };
    let problems = plan::complete(spec, &index, &request).unwrap_err();
    assert_eq!(problems[0].rule, Rule::NoModule);
}

#[test]
fn entries_of_services_come_first() {
    let text = "discover: ./cmd/...\nservices:\n  worker:\n    user: \"1\"\n  web:\n    \
                main: cmd/${WHAT:-api}/\n  gen:\n";
    check(
        text,
        &TREE,
        &[
            ("worker", "./cmd/worker"),
            ("web", "cmd/${WHAT:-api}/"),
            ("gen", "./cmd/tools/gen"),
        ],
    );
    // Two services of one main package are what somebody wrote.
    check(
        "discover: ./cmd/api\nservices: {a: ./cmd/api, b: ./cmd/api}",
        &TREE,
        &[("a", "./cmd/api"), ("b", "./cmd/api")],
    );
    // What is excluded is not discovered, and can be named.
    check(
        "discover: ./cmd/...\nexclude: ./cmd/tools/...\nservices: {gen: ./cmd/tools/gen}",
        &TREE,
        &[
            ("gen", "./cmd/tools/gen"),
            ("api", "./cmd/api"),
            ("worker", "./cmd/worker"),
        ],
    );
}

#[test]
fn settings_of_an_entry_stay() {
    let text = "discover: ./...\nservices: {worker: {user: \"1\"}}";
    let (spec, _) = completed(text, &TREE, &[]).unwrap();
    assert_eq!(spec.services[0].settings.user.as_ref().unwrap().raw(), "1");
    let mut request = request(&[]);
    request.target = Some("worker".to_owned());
    let plan = plan::plan(&spec, &request).unwrap();
    let service = &plan.platforms[0].services[0];
    assert_eq!(service.main.value, "cmd/worker");
    assert_eq!(service.image.user.as_ref().unwrap().value, "1");
}

#[test]
fn places_are_those_of_the_patterns() {
    let (spec, _) = completed("discover:\n- ./cmd/api\n- ./...", &TREE, &[]).unwrap();
    let lines: Vec<_> = spec
        .services
        .iter()
        .map(|s| s.name.span.start.line)
        .collect();
    assert_eq!(lines, [2, 3, 3, 3]);
    assert_eq!(spec.span.start.line, 1);
}

#[test]
fn patterns_take_build_args() {
    let text = "discover: ./${DIR}/...";
    let (spec, _) = completed(text, &TREE, &[("DIR", "tools")]).unwrap();
    assert_eq!(spec.services[0].name.value, "migrate");
    assert_eq!(spec.args()[0].name, "DIR");
    assert_eq!(problems(text, &TREE)[0].0, Rule::UnsetArg);
    let none = problems("discover: ${DIRS:-}", &TREE);
    assert_eq!(none[0].0, Rule::NoServices);
}

#[test]
fn one_name_for_two_is_an_error() {
    assert_eq!(
        problems("discover: ./...", &["cmd/api", "tools/api"]),
        [(
            Rule::DuplicateName,
            "`./cmd/api` and `./tools/api` would be one service, `api`".to_owned()
        )]
    );
    assert_eq!(
        problems(
            "discover: ./...\nservices: {api: ./tools/api}",
            &["cmd/api", "tools/api"]
        ),
        [(
            Rule::DuplicateName,
            "`./cmd/api` would be the service `api`, which is `./tools/api`".to_owned()
        )]
    );
    // What the error says to write.
    check(
        "discover: ./...\nservices: {tools-api: ./tools/api}",
        &["cmd/api", "tools/api"],
        &[("tools-api", "./tools/api"), ("api", "./cmd/api")],
    );
}

#[test]
fn other_names() {
    let two = |a: &str, b: &str| other_name(a, last(a).unwrap(), &[b]);
    assert_eq!(two("cmd/api", "tools/api"), "cmd-api");
    assert_eq!(
        two("svc/auth/cmd/server", "svc/pay/cmd/server"),
        "auth-server"
    );
    assert_eq!(two("x/api", "api"), "x-api");
    assert_eq!(two("api", "x/api"), "api");
    assert_eq!(two("api/v2", "api"), "api-v2");
    assert_eq!(two("X_/api", "y/api"), "x_-api");
}

#[test]
fn an_entry_without_main_is_found_or_named() {
    let text = "discover: ./cmd/...\nservices: {api: , migrate: {user: a}, wroker: {}}";
    let problems = completed(text, &TREE, &[]).unwrap_err();
    let hints: Vec<_> = problems
        .iter()
        .map(|d| d.hint.as_deref().unwrap())
        .collect();
    assert_eq!(
        hints,
        ["write `main: ./tools/migrate`", "did you mean `worker`?"]
    );
    assert!(problems.iter().all(|d| d.rule == Rule::MissingMain));
}

#[test]
fn a_pattern_without_match_is_a_warning() {
    let text = "discover: [./cmd/api, ./cmd, ./cmd/wroker, ./testdata/..., ./gone/...]\n\
                exclude: ./not/there";
    let (spec, warnings) = completed(text, &TREE, &[]).unwrap();
    assert_eq!(spec.services.len(), 1);
    assert!(warnings.iter().all(|d| d.rule == Rule::NothingDiscovered));
    let hints: Vec<_> = warnings
        .iter()
        .map(|d| d.hint.as_deref().unwrap())
        .collect();
    assert_eq!(
        hints,
        [
            "did you mean `./cmd/...`?",
            "did you mean `./cmd/worker`?",
            "`...` passes over `testdata`, as in Go; name the directory itself",
            "main packages are in `./cmd/api`, `./cmd/tools/gen`, `./cmd/worker` and \
             `./tools/migrate`",
        ]
    );
}

#[test]
fn a_thousand_services_are_the_limit() {
    let mains: Vec<String> = (0..1001).map(|i| format!("cmd/s{i:04}")).collect();
    let mains: Vec<&str> = mains.iter().map(String::as_str).collect();
    assert_eq!(services("discover: ./...", &mains[..1000]).len(), 1000);
    assert_eq!(problems("discover: ./...", &mains)[0].0, Rule::TooLarge);
    let many = format!("discover: {}", "a ".repeat(1001));
    assert_eq!(problems(&many, &mains)[0].0, Rule::TooLarge);
}

#[test]
fn tags_and_platforms_decide_what_is_found() {
    let mut index = index(&[]);
    let mains = [
        ("cmd/bsd", "freebsd"),
        ("cmd/ee", "enterprise && linux"),
        ("cmd/free", ""),
        ("cmd/script", "ignore"),
        ("cmd/win", "windows && arm64"),
    ];
    index.directories = mains
        .map(|(dir, constraint)| Directory {
            path: dir.to_owned(),
            mains: vec![constraint.to_owned()],
            ..Directory::default()
        })
        .into();
    let found = |settings: &str, platforms: &[(&str, &str)]| -> Vec<String> {
        let text = format!("discover: ./cmd/...\n{settings}");
        let platforms = platforms.iter();
        let request = Request {
            platforms: platforms
                .map(|(os, arch)| Platform::new(os, arch, ""))
                .collect(),
            ..request(&[("TAG", "enterprise")])
        };
        let spec = plan::read(&text, &request).unwrap();
        let (spec, _) = plan::complete(spec, &index, &request).unwrap();
        spec.services.into_iter().map(|s| s.name.value).collect()
    };
    assert_eq!(found("", &[]), ["free"]);
    assert_eq!(
        found("defaults: {build_tags: [enterprise]}", &[]),
        ["ee", "free"]
    );
    assert_eq!(
        found("defaults: {build_tags: [\"${TAG}\"]}", &[]),
        ["ee", "free"]
    );
    let own = "services: {ee: {build_tags: [enterprise]}}";
    assert_eq!(found(own, &[]), ["ee", "free"]);
    assert_eq!(found("", &[("freebsd", "amd64")]), ["bsd", "free"]);
    let both = [("windows", "arm64"), ("linux", "amd64")];
    assert_eq!(found("", &both), ["free", "win"]);
    let platforms = "defaults: {platforms: [windows/arm64]}";
    assert_eq!(found(platforms, &[]), ["free", "win"]);
    assert_eq!(found(platforms, &both[1..]), ["free"]);
}
