//! Builder images that cannot be had, and those that are newer than what is asked for.

use gofleet::scan::{INDEX_FILE, scan};
use std::collections::BTreeMap;

use crate::frontend_stories::{build, daemon};
use crate::support::fake_gateway::{Answer, Call, FakeGateway, Script};

/// The daemon with another spec, and other manifests of the example's module.
fn daemon_with(spec: &str, manifests: &[(&str, &str)]) -> Script {
    let main = ("cmd/api/main.go", "package main\n");
    let root = tempfile::tempdir().unwrap();
    for (path, text) in manifests.iter().chain([&main]) {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let index = serde_json::to_vec(&scan(root.path(), &[]).unwrap()).unwrap();
    let index = Answer::Tree(BTreeMap::from([(INDEX_FILE.to_owned(), index)]));
    let mut script = Script::default()
        .spec("fleet.yaml", spec)
        .on(|g| g.is_exec(), index)
        .on(|g| g.is_source("local://context"), Answer::files(manifests));
    script.images = daemon().images;
    script
}

const SPEC: &str = "services: {api: ./cmd/api}\n";

async fn error_of(spec: &str, manifests: &[(&str, &str)]) -> String {
    let (fake, status) = build(daemon_with(spec, manifests), &[("target", "api")]).await;
    assert_ne!(status, 0);
    fake.returned_error().message
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_reported_at_the_line_that_asks_for_it() {
    let module = "// A module.\nmodule m\n\ngo 1.99.1\n";
    let message = error_of(SPEC, &[("go.mod", module)]).await;
    for part in [
        "error[NoGoImage]: cannot use image `golang:1.99-alpine`",
        "--> go.mod:4:1",
        "hint: write `go: VERSION` at the top of fleet.yaml",
    ] {
        assert!(message.contains(part), "{part}:\n{message}");
    }

    let module = "module m\ngo 1.26\ntoolchain go1.26.99\n";
    let message = error_of(SPEC, &[("go.mod", module)]).await;
    assert!(message.contains("`golang:1.26.99-alpine`"), "{message}");
    assert!(message.contains("--> go.mod:3:1"), "{message}");

    let work = "go 1.98\nuse .\n";
    let message = error_of(SPEC, &[("go.mod", module), ("go.work", work)]).await;
    assert!(message.contains("--> go.work:1:1"), "{message}");

    let spec = format!("go: '1.97'\n{SPEC}");
    let message = error_of(&spec, &[("go.mod", module)]).await;
    assert!(message.contains("[NoGoImage]"), "{message}");
    assert!(message.contains("--> fleet.yaml:1:5"), "{message}");
}

fn warnings(fake: &FakeGateway) -> Vec<String> {
    let calls = fake.calls().into_iter();
    let warned = calls.filter_map(|call| match call {
        Call::Warn(request) => Some(String::from_utf8_lossy(&request.short).into_owned()),
        _ => None,
    });
    warned.collect()
}

#[tokio::test]
async fn an_old_go_line_has_its_link_and_ends_the_build_if_asked() {
    let run = async |check: &str| {
        let mut script = daemon_with(SPEC, &[("go.mod", "module m\n\ngo 1.15\n")]);
        for name in ["golang:1.18", "golang:1.18-alpine"] {
            let image = script.images["docker.io/library/golang:1.26"].clone();
            let name = format!("docker.io/library/{name}");
            script.images.insert(name, image);
        }
        let options = [
            ("target", "api"),
            ("build-arg:BUILDKIT_DOCKERFILE_CHECK", check),
        ];
        build(script, &options).await
    };
    let (fake, _) = run("skip=OldGo").await;
    assert!(warnings(&fake).is_empty());
    let (fake, _) = run("").await;
    let calls = fake.calls().into_iter();
    let urls = calls.filter_map(|call| match call {
        Call::Warn(request) => Some(request.url),
        _ => None,
    });
    let urls: Vec<String> = urls.collect();
    assert!(urls.len() == 1 && urls[0].ends_with("#oldgo"), "{urls:?}");
    let (fake, status) = run("error=true").await;
    assert_ne!(status, 0);
    let message = fake.returned_error().message;
    assert!(message.contains("error[OldGo]"), "{message}");
}

#[tokio::test]
async fn a_module_older_than_the_build_steps_is_built_with_a_newer_go() {
    let mut script = daemon_with(SPEC, &[("go.mod", "module m\n\ngo 1.15\n")]);
    for name in ["golang:1.18", "golang:1.18-alpine"] {
        let image = script.images["docker.io/library/golang:1.26"].clone();
        (script.images).insert(format!("docker.io/library/{name}"), image);
    }
    let (fake, status) = build(script, &[("target", "api")]).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let warnings = warnings(&fake);
    let said = "go.mod:3: build steps need Go 1.18, which builds what asks for 1.15 as well";
    assert!(warnings.iter().any(|w| w.contains(said)), "{warnings:?}");
}
