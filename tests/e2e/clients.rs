//! Every client gives the same image: the digest of the platform manifest without
//! attestations is the same from all of them.

use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::support::build::{buildctl_dockerfile, buildctl_gateway, buildx, docker_build};
use crate::support::command::{Tool, docker};
use crate::support::engine::{engine, needs_docker};
use crate::support::oci::{self, Image};
use crate::support::registry;
use crate::support::repo::Repo;

const SPEC: &str = "\
defaults:
  image: ${REGISTRY:-shop.example}/${SERVICE}:${TAG:-dev}
services:
  api: ./cmd/api
  worker:
    main: ./cmd/worker
    command: --queue jobs
";

/// Two services of few packages.
fn two_services() -> Repo {
    let repo = Repo::new();
    repo.program("cmd/api").program("cmd/worker").spec(SPEC);
    repo
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn every_client_of_buildkit_gives_one_digest() {
    let repo = Repo::copy_of("examples/hello");
    let expected = buildx(&repo).target("api").image().image().digest.clone();
    for (client, build) in [
        (
            "dockerfile.v0 with the syntax line",
            buildctl_dockerfile(&repo),
        ),
        ("gateway.v0 with source", buildctl_gateway(&repo)),
    ] {
        let built = build.target("api").image();
        assert_eq!(built.image().digest, expected, "{client}");
        assert_eq!(built.progress.go_steps(), [""; 0], "{client} built again");
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn dockers_own_builder_gives_the_same_digest() {
    needs_docker();
    let repo = two_services();
    let expected = buildx(&repo).target("api").image();
    let built = docker_build(&repo).target("api").image();
    assert_same(built.image(), expected.image());
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_push_puts_the_same_manifest_into_the_registry() {
    let repo = two_services();
    let expected = buildx(&repo).target("api").image().image().digest.clone();
    let name = format!("{}/e2e/pushed:{}", engine().registry, repo.nonce);
    for _ in 0..2 {
        let push = buildx(&repo).target("api").args(["--push", "--tag", &name]);
        push.tool("plain", None).ok();
        let found = registry::tagged("e2e/pushed", &repo.nonce);
        assert!(
            found.body["layers"].is_array(),
            "an index where a manifest was expected: {}",
            found.body
        );
        assert_eq!(found.digest, expected);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_printed_bake_file_builds_tags_and_pushes_every_service() {
    let repo = two_services();
    let printed = buildx(&repo)
        .args(["--call", "bake"])
        .tool("plain", None)
        .ok()
        .text();
    let bake = || {
        docker()
            .args(["buildx", "bake", "--file", "-", "--push"])
            .dir(repo.path())
            .env("REGISTRY", format!("{}/e2e", engine().registry))
            .env("TAG", &repo.nonce)
            .stdin(printed.clone())
    };
    bake().ok();
    for service in ["api", "worker"] {
        let expected = buildx(&repo).target(service).image();
        let found = registry::tagged(&format!("e2e/{service}"), &repo.nonce);
        assert_eq!(found.digest, expected.image().digest, "{service}");
    }
    // A deployment sees no change where there is none.
    bake().ok();
    let again = registry::tagged("e2e/api", &repo.nonce);
    assert_eq!(
        again.digest,
        buildx(&repo).target("api").image().image().digest
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn build_args_are_variables_of_the_bake_file_and_each_service_is_a_target() {
    let repo = Repo::new();
    let program = "package main\n\nimport \"os\"\n\nvar version string\n\n\
                   func main() { os.Stdout.WriteString(os.Args[0][:0] + version) }\n";
    repo.write("one/main.go", program)
        .write("two/main.go", program)
        .spec(
            "defaults:\n  ldflags: -X main.version=${SERVICE}-${VERSION:-none}\nservices:\n  \
             api.v2: ./one\n  api_v2: ./two\n",
        );
    let call = |format: &str| {
        let call = format!("bake{format}");
        buildx(&repo).args(["--call", &call]).tool("plain", None)
    };
    for printed in [call("").ok().text(), call(",format=json").ok().text()] {
        for (env, version) in [(Some("7"), "7"), (None, "none")] {
            let out = TempDir::new().unwrap();
            let dest = |target: &str, service: &str| {
                let dest = out.path().join(service).display().to_string();
                format!("{target}.output=type=local,dest={dest}")
            };
            let mut bake = docker()
                .args(["buildx", "bake", "--file", "-"])
                .args(["--allow", &format!("fs.write={}", out.path().display())])
                .args(["--set", &dest("api_v2_2", "api.v2")])
                .args(["--set", &dest("api_v2", "api_v2")])
                .dir(repo.path())
                .stdin(printed.clone());
            if let Some(env) = env {
                bake = bake.env("VERSION", env);
            }
            bake.ok();
            for service in ["api.v2", "api_v2"] {
                let program = out
                    .path()
                    .join(format!("{service}/usr/local/bin/{service}"));
                let said = Tool::new(program).ok().text();
                assert_eq!(said, format!("{service}-{version}"));
            }
        }
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_bake_file_written_by_hand_gives_the_same_images() {
    let repo = two_services();
    let out = TempDir::new().unwrap();
    let target = |service: &str| {
        let dest = out.path().join(service);
        format!(
            "target \"{service}\" {{\n  dockerfile = \"fleet.yaml\"\n  target = \"{service}\"\n  \
             attest = [\"type=provenance,disabled=true\"]\n  output = [\"type=oci,dest={}\"]\n}}\n",
            dest.display()
        )
    };
    let file = format!(
        "group \"default\" {{ targets = [\"api\", \"worker\"] }}\n{}{}",
        target("api"),
        target("worker")
    );
    docker()
        .args(["buildx", "bake", "--file", "-"])
        .args(["--allow", &format!("fs.write={}", out.path().display())])
        .dir(repo.path())
        .stdin(file)
        .ok();
    for service in ["api", "worker"] {
        let expected = buildx(&repo).target(service).image();
        assert_same(&oci::read_one(&out.path().join(service)), expected.image());
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn compose_builds_the_same_layers_and_configuration() {
    needs_docker();
    let repo = two_services();
    let service = |name: &str| {
        format!(
            "  {name}:\n    image: e2e/compose-{name}:{}\n    \
             build: {{context: ., dockerfile: fleet.yaml, target: {name}}}\n",
            repo.nonce
        )
    };
    repo.write(
        "compose.yaml",
        &format!("services:\n{}{}", service("api"), service("worker")),
    );
    let compose = |words: &[&str]| {
        let tool: Tool = docker().arg("compose").args(words);
        tool.dir(repo.path()).env("BUILDX_BUILDER", "default").ok()
    };
    compose(&["build"]);
    let out = TempDir::new().unwrap();
    for service in ["api", "worker"] {
        let expected = buildx(&repo).target(service).image();
        let archive = out.path().join(service);
        let name = format!("e2e/compose-{service}:{}", repo.nonce);
        docker()
            .args(["image", "save", &name, "--output"])
            .arg(&archive)
            .ok();
        docker().args(["image", "rm", &name]).ok();
        let image = oci::read_one(&archive);
        assert_eq!(image.diff_ids(), expected.image().diff_ids(), "{service}");
        assert_eq!(
            without_compose_labels(&image.config),
            expected.image().config,
            "{service}"
        );
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn flags_of_dockerfile_builds_are_taken_and_change_no_image() {
    let repo = two_services();
    let expected = buildx(&repo).target("api").image();
    let flags = [
        "--add-host",
        "db.internal:10.0.0.7",
        "--ulimit",
        "nofile=4096:8192",
        "--shm-size",
        "32m",
    ];
    let built = buildx(&repo)
        .target("api")
        .args(flags)
        .args(["--network", "none", "--pull"])
        .image();
    assert_eq!(
        built.progress.go_steps(),
        ["[api] go build ./cmd/api"],
        "hosts and limits are in the key"
    );
    assert_same(built.image(), expected.image());
    // Proxies are in no key, as with Dockerfiles.
    let proxied = buildx(&repo)
        .target("api")
        .build_arg("HTTP_PROXY", "http://user:password@proxy.invalid:3128")
        .image();
    assert_eq!(
        proxied.progress.executed(),
        [""; 0],
        "{}",
        proxied.progress.list()
    );
    assert_same(proxied.image(), expected.image());
}

/// The configuration as it would be without Compose's own labels.
fn without_compose_labels(config: &Value) -> Value {
    let mut config = config.clone();
    let settings = config["config"].as_object_mut().unwrap();
    let labels = settings.remove("Labels").unwrap_or_default();
    let labels: Map<String, Value> = labels
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("com.docker.compose."))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !labels.is_empty() {
        settings.insert("Labels".to_owned(), labels.into());
    }
    config
}

/// Compares part by part first, for a message that says what differs.
fn assert_same(image: &Image, expected: &Image) {
    assert_eq!(image.config, expected.config);
    assert_eq!(image.manifest, expected.manifest);
    assert_eq!(image.digest, expected.digest);
}
