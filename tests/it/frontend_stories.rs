//! Whole builds of the real frontend against a fake daemon.
//!
//! The sources are those of `examples/hello`, the index is what the real scan
//! says about them. Building the graph is left to the tests with a real daemon.

use std::collections::BTreeMap;
use std::path::Path;

use buildkit_llb::{FileOp, Mkdir, Output};
use buildkit_proto::errdefs::{self, Detail};
use buildkit_proto::gateway::result::Result as ResultKind;
use buildkit_proto::prost_types::Any;
use buildkit_proto::rpc;
use gofleet::frontend::handle;
use gofleet::gateway::{Request, serve};
use gofleet::scan::{INDEX_FILE, scan};

use crate::support::fake_gateway::{
    Answer, Call, FakeGateway, GATEWAY_CAPS, Graph, ImageAnswer, LLB_CAPS, Script, pong,
};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn hello(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/hello")
        .join(file);
    std::fs::read(path).expect("the example")
}

/// The graph of the frontend's own image.
fn frontend_image() -> Output {
    FileOp::new().mkdir(Mkdir::new("/frontend")).build()
}

fn request(options: &[(&str, &str)]) -> Request {
    let options = options
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let workers = r#"[{"platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
    let mut request = Request::from_vars([
        ("BUILDKIT_SESSION_ID".into(), "session".into()),
        ("BUILDKIT_WORKERS".into(), workers.into()),
    ]);
    request.options = options.collect();
    request.frontend_bin = Some(frontend_image().marshal());
    request
}

/// A daemon that has the example, its scan and a Go image.
pub(crate) fn daemon() -> Script {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello");
    let index = serde_json::to_vec(&scan(&root, &[]).expect("a scan")).expect("JSON");
    let go =
        r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/go/bin:/bin"]}}"#;
    let config = ImageAnswer::Config(DIGEST.to_owned(), go.to_owned());
    let tree = |name: &str, bytes| Answer::Tree(BTreeMap::from([(name.to_owned(), bytes)]));
    let mut script = Script::default()
        .on(
            |g| g.is_source("local://dockerfile"),
            tree("fleet.yaml", hello("fleet.yaml")),
        )
        .on(|g| g.is_exec(), tree(INDEX_FILE, index));
    for minor in 20..40 {
        let reference = format!("docker.io/library/golang:1.{minor}");
        script
            .images
            .insert(format!("{reference}-alpine"), config.clone());
        script.images.insert(reference, config.clone());
    }
    script
}

pub(crate) async fn build(script: Script, options: &[(&str, &str)]) -> (FakeGateway, u8) {
    let fake = FakeGateway::new(script);
    let request = request(options);
    let status = serve(fake.in_memory(), &request, handle).await;
    fake.assert_no_complaints();
    (fake, status)
}

#[tokio::test]
async fn a_service_becomes_an_image() {
    let (fake, status) = build(daemon(), &[("target", "api")]).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let result = fake.returned_result();
    assert!(matches!(result.result, Some(ResultKind::Ref(r)) if !r.id.is_empty()));
    let config: serde_json::Value =
        serde_json::from_slice(&result.metadata["containerimage.config"]).expect("JSON");
    assert_eq!(config["os"], "linux");
    assert_eq!(config["architecture"], "amd64");
}

#[tokio::test]
async fn several_platforms_are_one_answer_with_an_image_each() {
    let options = [("target", "api"), ("platform", "linux/amd64,linux/arm64")];
    let (fake, status) = build(daemon(), &options).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let result = fake.returned_result();
    let Some(ResultKind::Refs(map)) = result.result else {
        panic!("expected a map");
    };
    assert_eq!(
        map.refs.keys().collect::<Vec<_>>(),
        ["linux/amd64", "linux/arm64"]
    );
    assert!(
        result
            .metadata
            .contains_key("containerimage.config/linux/arm64")
    );
}

#[tokio::test]
async fn the_users_cache_goes_along_with_every_build_of_a_graph() {
    let imports = r#"[{"Type":"registry","Attrs":{"ref":"r.io/cache"}}]"#;
    let options = [("target", "api"), ("cache-imports", imports)];
    let (fake, status) = build(daemon(), &options).await;
    assert_eq!(status, 0);
    let solves = fake.solves();
    let (last, _) = solves.last().expect("a solve");
    assert_eq!(last.cache_imports[0].attrs["ref"], "r.io/cache");
}

#[tokio::test]
async fn sources_are_the_same_op_in_every_solve() {
    let options = [("target", "api"), ("platform", "linux/amd64,linux/arm64")];
    let (fake, status) = build(daemon(), &options).await;
    assert_eq!(status, 0);
    let mut ops = BTreeMap::new();
    for (_, graph) in fake.solves() {
        for bytes in graph.definition.def {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains("gofleet-code") {
                *ops.entry(bytes).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(ops.len(), 1, "{:?}", ops.keys());
    assert!(ops.values().sum::<i32>() >= 2);
}

#[tokio::test]
async fn a_failed_scan_keeps_every_detail() {
    let failure = rpc::Status {
        code: 2,
        message: "process \"/gofleet scan\" did not complete successfully: exit code: 1".to_owned(),
        details: vec![Any {
            type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
            value: br#"{"digest":"sha256:1"}"#.to_vec(),
        }],
    };
    let mut script = daemon();
    let fails = (
        Box::new(|g: &Graph| g.is_exec()) as _,
        Answer::Fail(failure.clone()),
    );
    script.trees.insert(0, fails);
    let (fake, status) = build(script, &[("target", "api")]).await;
    assert_eq!(status, 1);
    let error = fake.returned_error();
    assert_eq!(error.details, failure.details);
    assert!(
        error.message.ends_with(&failure.message),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_missing_capability_is_named_with_the_release_that_has_it() {
    let mut script = daemon();
    script.pong = pong(
        GATEWAY_CAPS,
        &LLB_CAPS.replace("exec.mount.cache.sharing", ""),
    );
    let (fake, status) = build(script, &[("target", "api")]).await;
    assert_eq!(status, 1);
    let message = fake.returned_error().message;
    assert_eq!(
        message,
        "this builder lacks `exec.mount.cache.sharing`; gofleet needs BuildKit 0.12 or newer"
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_is_shown_in_the_spec() {
    let mut script = daemon();
    let spec = "services:\n  api: ./cmd/nowhere\n";
    let tree = Answer::files(&[("fleet.yaml", spec)]);
    let found = Box::new(|g: &Graph| g.is_source("local://dockerfile"));
    script.trees.insert(0, (found, tree));
    let (fake, status) = build(script, &[]).await;
    assert_eq!(status, 1);
    let error = fake.returned_error();
    assert!(
        error.message.contains(" --> fleet.yaml:2:"),
        "{}",
        error.message
    );
    assert_eq!(errdefs::Source::all(&error)[0].ranges[0].start.line, 2);
}

#[tokio::test]
async fn an_unused_build_arg_is_a_warning_under_the_spec() {
    let options = [("target", "api"), ("build-arg:NOBODY", "1")];
    let (fake, status) = build(daemon(), &options).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let [(short, url)] = &warnings(&fake)[..] else {
        panic!("one warning");
    };
    assert!(short.contains("NOBODY"), "{short}");
    assert!(url.ends_with("docs/diagnostics.md#unusedarg"), "{url}");
}

/// The warnings that were shown, with their links.
fn warnings(fake: &FakeGateway) -> Vec<(String, String)> {
    let shown = fake.calls().into_iter().filter_map(|call| match call {
        Call::Warn(request) => {
            let short = String::from_utf8_lossy(&request.short).into_owned();
            Some((short, request.url))
        }
        _ => None,
    });
    shown.collect()
}

/// As for Dockerfiles: the build arg takes the place of the comment.
#[tokio::test]
async fn warnings_are_skipped_or_end_the_build_as_the_user_says() {
    const ARG: &str = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
    let run = async |comment: &str, arg: Option<&str>, call: Option<&str>| {
        let spec = format!("{comment}services:\n  api: ./cmd/api\n");
        let mut options = vec![("build-arg:NOBODY", "1"), ("build-arg:NOTHING", "1")];
        options.extend(arg.map(|arg| (ARG, arg)));
        options.extend(call.map(|call| ("requestid", call)));
        build(daemon_with(&spec), &options).await
    };
    let line = "# syntax=gofleet/gofleet:1\n# check=skip=UnusedArg\n";
    let strict = "# check=error=true\n";
    for (comment, arg, shown) in [
        ("", None, 2),
        (line, None, 0),
        ("", Some("skip=all"), 0),
        ("", Some("skip=OtherRule"), 2),
        (line, Some(""), 2),
        (strict, Some("skip=UnusedArg;error=true"), 0),
        (strict, Some("error=false"), 2),
    ] {
        let (fake, status) = run(comment, arg, None).await;
        assert_eq!(status, 0, "{comment} {arg:?} {:?}", fake.returns());
        assert_eq!(warnings(&fake).len(), shown, "{comment} {arg:?}");
        let (fake, status) = run(comment, arg, Some("frontend.lint")).await;
        assert_eq!(status, 0, "{comment} {arg:?}");
        let lint: serde_json::Value =
            serde_json::from_str(&metadata(&fake, "result.json")).unwrap();
        assert_eq!(lint["warnings"].as_array().unwrap().len(), shown, "{lint}");
        let code = if shown > 0 { "1" } else { "0" };
        assert_eq!(metadata(&fake, "result.statuscode"), code);
    }
    for (comment, arg) in [
        (strict, None),
        ("", Some("error=true")),
        (line, Some("error=1")),
    ] {
        let (fake, status) = run(comment, arg, None).await;
        assert_ne!(status, 0, "{comment} {arg:?}");
        let message = fake.returned_error().message;
        assert!(message.contains("error[UnusedArg]"), "{message}");
        assert!(
            message.contains("NOBODY") && message.contains("NOTHING"),
            "{message}"
        );
        assert_eq!(scans(&fake), 0);
    }
    let (fake, status) = run("", Some("skip"), None).await;
    assert_ne!(status, 0);
    let message = fake.returned_error().message;
    assert!(message.contains("BUILDKIT_DOCKERFILE_CHECK"), "{message}");
}

#[tokio::test]
async fn an_outline_of_a_target_lists_what_its_builds_take() {
    let spec = "go: ${GO:-1.26}\ndefaults:\n  image: ${REGISTRY:-r}/${SERVICE}\n  \
                environment: {LEVEL: '${LEVEL:-info}'}\nservices:\n  api:\n    main: ./cmd/api\n    \
                ldflags: -X main.v=${VERSION:-dev}\n    base: ${BASE:-scratch}\n  worker: ./cmd/worker\n";
    let call = async |spec: &str, target: Option<&str>| {
        let mut options = vec![("requestid", "frontend.outline")];
        options.extend(target.map(|target| ("target", target)));
        let (fake, status) = build(daemon_with(spec), &options).await;
        if status != 0 {
            return Err(fake.returned_error().message);
        }
        let json: serde_json::Value =
            serde_json::from_str(&metadata(&fake, "result.json")).unwrap();
        let args = json["args"].as_array().into_iter().flatten();
        let names = args.map(|arg| arg["name"].as_str().unwrap().to_owned());
        Ok(names.collect::<Vec<_>>().join(" "))
    };
    for (target, args) in [
        (None, "BASE GO LEVEL REGISTRY VERSION"),
        (Some("api"), "BASE GO LEVEL VERSION"),
        (Some("worker"), "GO LEVEL"),
        (Some("all"), "GO LEVEL VERSION"),
        (Some("binaries"), "GO VERSION"),
    ] {
        assert_eq!(call(spec, target).await.as_deref(), Ok(args), "{target:?}");
    }
    let error = call(spec, Some("wroker")).await.unwrap_err();
    assert!(
        error.contains("UnknownTarget") && error.contains("`worker`"),
        "{error}"
    );
    let error = call("discover: [./cmd/...]\n", Some("apu"))
        .await
        .unwrap_err();
    assert!(
        error.contains("UnknownTarget") && error.contains("`api`"),
        "{error}"
    );
    assert_eq!(
        call("discover: [./cmd/...]\n", Some("api"))
            .await
            .as_deref(),
        Ok("")
    );
}

/// A daemon with the example's sources and another spec.
fn daemon_with(spec: &str) -> Script {
    let mut script = daemon();
    let tree = Answer::files(&[("fleet.yaml", spec)]);
    let found = Box::new(|g: &Graph| g.is_source("local://dockerfile"));
    script.trees.insert(0, (found, tree));
    script
}

fn scans(fake: &FakeGateway) -> usize {
    let solves = fake.solves().into_iter();
    solves.filter(|(_, g)| g.name().contains("scan")).count()
}

fn metadata(fake: &FakeGateway, key: &str) -> String {
    String::from_utf8(fake.returned_result().metadata[key].clone()).expect("text")
}

const DISCOVERS: &str = "discover: [./cmd/..., ./nowhere/...]\n";

#[tokio::test]
async fn a_discovered_service_becomes_an_image() {
    let (fake, status) = build(daemon_with(DISCOVERS), &[("target", "api")]).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    assert!(
        fake.returned_result()
            .metadata
            .contains_key("containerimage.config")
    );
    assert_eq!(scans(&fake), 1);
    let warned = fake.calls().into_iter().find_map(|call| match call {
        Call::Warn(request) => Some(String::from_utf8_lossy(&request.short).into_owned()),
        _ => None,
    });
    assert!(warned.is_some_and(|short| short.contains("./nowhere/...")));
}

#[tokio::test]
async fn calls_answer_with_discovered_services() {
    let call = async |id: &str| {
        let (fake, status) = build(daemon_with(DISCOVERS), &[("requestid", id)]).await;
        assert_eq!(status, 0, "{id}: {:?}", fake.returns());
        (metadata(&fake, "result.txt"), scans(&fake))
    };
    let (targets, scans) = call("frontend.targets").await;
    assert!(targets.contains("api") && scans == 1, "{targets}");
    let (bake, scans) = call("frontend.bake").await;
    assert!(bake.contains("target \"api\"") && scans == 1, "{bake}");
    let (lint, scans) = call("frontend.lint").await;
    assert!(lint.contains("NothingDiscovered") && scans == 1, "{lint}");
    // What a target takes is in the spec alone.
    assert_eq!(call("frontend.outline").await.1, 0);
}

#[tokio::test]
async fn an_outline_lists_what_fetching_takes() {
    let spec = "modules: {GOPROXY: '${PROXY}'}\nsecrets:\n  - netrc\n  - id=GIT_AUTH_TOKEN.example.com,env=A\n\
                services: {api: .}\n";
    let options = [
        ("requestid", "frontend.outline"),
        ("build-arg:PROXY", "https://me:hidden@proxy.example.com"),
    ];
    let (fake, status) = build(daemon_with(spec), &options).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let json = metadata(&fake, "result.json");
    assert!(!json.contains("hidden"), "{json}");
    let outline: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lines = |list: &str| -> Vec<(String, Option<u64>)> {
        let entries = outline[list].as_array().unwrap().iter();
        let entries = entries.map(|entry| {
            assert_eq!(entry.get("required"), None);
            let line = &entry["location"]["ranges"][0]["start"]["line"];
            (entry["name"].as_str().unwrap().to_owned(), line.as_u64())
        });
        entries.collect()
    };
    let secrets = lines("secrets");
    assert_eq!(secrets.len(), 18);
    for (name, line) in [
        ("netrc", Some(3)),
        ("GIT_AUTH_TOKEN.example.com", Some(4)),
        ("GOPROXY", None),
    ] {
        assert!(secrets.contains(&(name.to_owned(), line)), "{secrets:?}");
    }
    assert_eq!(lines("ssh"), [("default".to_owned(), None)]);
}

/// A credential in the spec stays out of the error and of what the client prints beside it.
#[tokio::test]
async fn credentials_in_a_spec_are_not_repeated() {
    let spec =
        "modules: {GOPROXY: 'https://me:hidden@proxy.example.com'}\nservices: {api: .}\noops: 1\n";
    let (fake, status) = build(daemon_with(spec), &[]).await;
    assert_ne!(status, 0);
    let returns = format!("{:?}", fake.returns());
    assert!(returns.contains("PlainCredentials"), "{returns}");
    let error = fake.returns().into_iter().find_map(|r| r.error).unwrap();
    assert!(!error.message.contains("hidden"));
    assert!(error.details.is_empty());

    let (fake, _) = build(daemon_with(spec), &[("requestid", "frontend.lint")]).await;
    let answers = metadata(&fake, "result.json") + &metadata(&fake, "result.txt");
    assert!(answers.contains("PlainCredentials"), "{answers}");
    assert!(!answers.contains("hidden"), "{answers}");
}

/// Listing what is written down costs no look at the sources.
#[tokio::test]
async fn calls_scan_only_to_discover() {
    for id in ["frontend.targets", "frontend.bake", "frontend.outline"] {
        let (fake, status) = build(daemon(), &[("requestid", id)]).await;
        assert_eq!((status, scans(&fake)), (0, 0), "{id}");
    }
    let (fake, status) = build(daemon(), &[("requestid", "frontend.lint")]).await;
    assert_eq!((status, scans(&fake)), (0, 1));
}

#[tokio::test]
async fn a_check_answers_with_what_discovery_finds_wrong() {
    let script = daemon_with("discover: ./*\n");
    let (fake, status) = build(script, &[("requestid", "frontend.lint")]).await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let lint = metadata(&fake, "result.txt");
    assert!(lint.contains("InvalidPattern"), "{lint}");
}
