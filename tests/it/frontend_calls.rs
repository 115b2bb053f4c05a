//! What a build asks the daemon, call by call, and that it does not ask more when there
//! are more services. `docs/performance.md` explains the list.

use std::collections::BTreeMap;

use buildkit_llb::{FileOp, Mkdir};
use buildkit_proto::prost::Message as _;
use gofleet::frontend::handle;
use gofleet::gateway::{Request, serve};
use gofleet::modules::{Answer as Found, MODULES_FILE};
use gofleet::scan::{INDEX_FILE, scan};

use crate::support::checkout::Checkout;
use crate::support::fake_gateway::{Answer, Call, FakeGateway, Graph, ImageAnswer, Script};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The answers to a build of a service, in the order in which they are waited for.
/// Lines that begin alike run side by side.
const CALLS: [&str; 16] = [
    "Ping",
    "Inputs",
    "Solve [internal] load build definition from fleet.yaml",
    "ReadFile fleet.yaml",
    "ReadFile fleet.yaml.dockerignore",
    "Solve [internal] load .dockerignore",
    "ReadFile .dockerignore",
    "Solve [internal] scan sources",
    "ReadFile index.json",
    "ResolveSourceMeta docker-image://docker.io/library/golang:1.26",
    "ResolveSourceMeta docker-image://docker.io/library/golang:1.26-alpine",
    "NewContainer gofleet/build gofleet/modules",
    "Solve [modules] go mod download",
    "ReadFile modules.json",
    // The result.
    "Solve",
    "Evaluate",
];

/// A repository of services that share packages, and a module that they need.
fn repository(services: usize) -> Checkout {
    let repo = Checkout::new();
    let mut spec = "services:\n".to_owned();
    for n in 0..services {
        spec += &format!("  s{n}: ./cmd/s{n}\n");
        let main = "package main\nimport _ \"m.org/m/lib\"\nfunc main() {}\n";
        repo.write(&format!("cmd/s{n}/main.go"), main);
    }
    repo.write("fleet.yaml", &spec)
        .write(
            "go.mod",
            "module m.org/m\ngo 1.26\nrequire a.org/x v1.0.0\n",
        )
        .write(
            "go.sum",
            "a.org/x v1.0.0 h1:x\na.org/x v1.0.0/go.mod h1:x\n",
        )
        .write("lib/lib.go", "package lib\nimport _ \"a.org/x\"\n");
    repo
}

/// A daemon that has a repository, with everything cached.
fn daemon(repo: &Checkout) -> Script {
    let index = serde_json::to_vec(&scan(repo.path(), &[]).unwrap()).unwrap();
    let spec = std::fs::read(repo.file("fleet.yaml")).unwrap();
    let found = serde_json::to_vec(&Found::default()).unwrap();
    let tree = |name: &str, bytes| Answer::Tree(BTreeMap::from([(name.to_owned(), bytes)]));
    let named = |name: &'static str| move |graph: &Graph| graph.name() == name;
    let mut script = Script::default()
        .on(
            |graph| graph.is_source("local://dockerfile"),
            tree("fleet.yaml", spec),
        )
        .on(named("[internal] scan sources"), tree(INDEX_FILE, index))
        .on(
            named("[modules] go mod download"),
            tree(MODULES_FILE, found),
        );
    let go = r#"{"config":{"Env":["PATH=/usr/local/go/bin:/bin"]}}"#;
    let go = ImageAnswer::Config(DIGEST.to_owned(), go.to_owned());
    for tag in ["1.26", "1.26-alpine"] {
        let reference = format!("docker.io/library/golang:{tag}");
        script.images.insert(reference, go.clone());
    }
    script
}

async fn build(script: Script, target: &str) -> FakeGateway {
    let fake = FakeGateway::new(script);
    let workers = r#"[{"platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
    let mut request = Request::from_vars([
        ("BUILDKIT_SESSION_ID".into(), "session".into()),
        ("BUILDKIT_WORKERS".into(), workers.into()),
    ]);
    request.options = BTreeMap::from([("target".to_owned(), target.to_owned())]);
    let image = FileOp::new().mkdir(Mkdir::new("/frontend")).build();
    request.frontend_bin = Some(image.marshal());
    let status = serve(fake.in_memory(), &request, handle).await;
    fake.assert_no_complaints();
    assert_eq!(status, 0, "{:?}", fake.returns());
    fake
}

/// A call in a line. The last solve, the result's, is only called that.
fn line(call: &Call) -> String {
    match call {
        Call::Ping => "Ping".to_owned(),
        Call::Inputs => "Inputs".to_owned(),
        Call::Solve(_, graph) if graph.name().contains("join") => "Solve".to_owned(),
        Call::Solve(_, graph) => format!("Solve {}", graph.name()),
        Call::ReadFile(read) => format!("ReadFile {}", read.file_path),
        Call::ResolveSourceMeta(meta) => {
            let source = meta.source.clone().unwrap_or_default();
            format!("ResolveSourceMeta {}", source.identifier)
        }
        Call::NewContainer(request) => {
            let ids = request.mounts.iter().filter_map(|m| m.cache_opt.as_ref());
            let ids: Vec<&str> = ids.map(|cache| cache.id.as_str()).collect();
            format!("NewContainer {}", ids.join(" "))
        }
        Call::Return(_) => "Return".to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn calls_do_not_grow_with_services() {
    for services in [2, 3, 50] {
        let repo = repository(services);
        for target in ["s0", "all", "binaries"] {
            let fake = build(daemon(&repo), target).await;
            let mut lines: Vec<String> = fake.calls().iter().map(line).collect();
            assert_eq!(lines.pop().as_deref(), Some("Return"));
            assert_eq!(lines, CALLS, "{services} services, target {target}");
        }
    }
}

/// Whatever else is in a repository, a target's graphs stay small: what is sent for
/// another service is its name and a few numbers.
#[tokio::test]
async fn graphs_of_a_target_hardly_grow_with_services() {
    let mut sizes = Vec::new();
    for services in [2, 102] {
        let fake = build(daemon(&repository(services)), "s0").await;
        let sent = fake
            .solves()
            .iter()
            .map(|(r, _)| r.encoded_len())
            .sum::<usize>();
        sizes.push(sent);
    }
    // Twice: in the download's solve and in the result's.
    let each = (sizes[1] - sizes[0]) / 100 / 2;
    assert!(each < 80, "{each} bytes for each service: {sizes:?}");
}

/// Bake and compose ask once per target; the daemon runs one scan and one download for
/// all of them if these are the same ops.
#[tokio::test]
async fn all_targets_share_the_scan_and_the_download() {
    let repo = repository(3);
    let mut seen = Vec::new();
    for target in ["s0", "s1", "s2", "all", "binaries"] {
        let fake = build(daemon(&repo), target).await;
        let mut solves = fake.solves();
        solves.pop();
        let digests: Vec<String> = solves.into_iter().map(|(_, graph)| graph.digest).collect();
        seen.push(digests);
    }
    assert_eq!(seen[0].len(), 4);
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

/// A daemon that takes no more than a graph has says so in its own words; the user reads
/// what to do.
#[tokio::test]
async fn a_graph_that_is_refused_for_its_size_gets_advice() {
    let repo = repository(50);
    let script = Script {
        max_graph: Some(20_000),
        ..daemon(&repo)
    };
    let fake = FakeGateway::new(script);
    let mut request = Request::from_vars([("BUILDKIT_SESSION_ID".into(), "session".into())]);
    request.options = BTreeMap::from([("target".to_owned(), "binaries".to_owned())]);
    let image = FileOp::new().mkdir(Mkdir::new("/frontend")).build();
    request.frontend_bin = Some(image.marshal());
    assert_ne!(serve(fake.in_memory(), &request, handle).await, 0);
    let message = fake.returned_error().message;
    assert!(message.starts_with("the build graph has 0."), "{message}");
    assert!(message.contains("50 services"), "{message}");
    assert!(message.contains("--call bake"), "{message}");
}
