//! Images, and what stands in for them.

use std::collections::BTreeMap;

use buildkit_llb::{FileOp, Mkdir, Platform, ResolveMode};
use buildkit_proto::gateway::ResolveSourceMetaRequest;
use gofleet::gateway::named::Image;
use gofleet::gateway::{Error, FrontendResult, Loader, Solve};
use gofleet::options::Options;

use super::run;
use crate::support::fake_gateway::{
    Answer, Call, FakeGateway, Graph, ImageAnswer, LLB_CAPS, Script, pong,
};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux"}"#;

fn config() -> ImageAnswer {
    ImageAnswer::Config(DIGEST.to_owned(), CONFIG.to_owned())
}

fn with_image(reference: &str) -> Script {
    Script {
        images: [(reference.to_owned(), config())].into(),
        ..Script::default()
    }
}

fn amd64() -> Platform {
    Platform::parse("linux/amd64").expect("a platform")
}

/// Loads an image and solves its tree.
async fn load(
    script: Script,
    pairs: &[(&str, &str)],
    reference: &str,
) -> (FakeGateway, Result<(Image, Option<Graph>), Error>) {
    let pairs = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let options = Options::from_map(&pairs.collect::<BTreeMap<_, _>>()).expect("options");
    let mut image = Err(Error::Request("not run".to_owned()));
    let (fake, _) = run(script, async |gateway, request| {
        let loader = Loader::new(gateway, request, &options);
        image = loader.image(reference, &amd64(), "[base] image").await;
        if let Ok(Image {
            output: Some(output),
            ..
        }) = &image
        {
            gateway.solve(Solve::new(output.marshal())).await?;
        }
        Ok(FrontendResult::default())
    })
    .await;
    let graph = fake.solves().pop().map(|(_, graph)| graph);
    (fake, image.map(|image| (image, graph)))
}

fn lookups(fake: &FakeGateway) -> Vec<ResolveSourceMetaRequest> {
    let lookup = |call| match call {
        Call::ResolveSourceMeta(request) => Some(*request),
        _ => None,
    };
    fake.calls().into_iter().filter_map(lookup).collect()
}

#[tokio::test]
async fn images_are_pinned_to_the_digest_they_have_now() {
    let script = with_image("docker.io/library/golang:1.26");
    let (fake, loaded) = load(script, &[("image-resolve-mode", "pull")], "golang:1.26").await;
    let (image, graph) = loaded.expect("an image");
    let graph = graph.expect("a graph");
    assert!(graph.is_source(&format!(
        "docker-image://docker.io/library/golang:1.26@{DIGEST}"
    )));
    assert_eq!(graph.attr("image.resolvemode"), Some("pull"));
    assert_eq!(graph.name(), "[base] image");
    let platform = graph.head.platform.expect("a platform");
    assert_eq!(
        (platform.os.as_str(), platform.architecture.as_str()),
        ("linux", "amd64")
    );
    assert_eq!(image.config.as_deref(), Some(CONFIG.as_bytes()));
    let lookup = lookups(&fake).remove(0);
    assert_eq!(lookup.resolve_mode, "pull");
    assert_eq!(
        lookup.log_name,
        "[internal] load metadata for docker.io/library/golang:1.26"
    );
}

#[tokio::test]
async fn equal_lookups_share_one_call() {
    let script = with_image("docker.io/library/golang:1.26");
    let (fake, status) = run(script, async |gateway, _| {
        let amd = amd64();
        let arm = Platform::parse("linux/arm64").expect("a platform");
        let reference = "docker.io/library/golang:1.26";
        let look_up = async |platform| {
            let mode = ResolveMode::Default;
            gateway
                .resolve_image_config(reference, platform, mode, "log")
                .await
        };
        let (one, two, other) = tokio::join!(look_up(&amd), look_up(&amd), look_up(&arm));
        assert_eq!(one?, two?);
        other?;
        look_up(&amd).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 0);
    assert_eq!(lookups(&fake).len(), 2);
}

#[tokio::test]
async fn old_daemons_are_asked_the_old_way() {
    let mut script = with_image("docker.io/library/golang:1.26");
    script.pong = pong(
        "solve.base resolveimage readfile return proto.refarray",
        LLB_CAPS,
    );
    let (fake, loaded) = load(script, &[], "golang:1.26").await;
    let (image, _) = loaded.expect("an image");
    assert_eq!(
        image.reference,
        format!("docker.io/library/golang:1.26@{DIGEST}")
    );
    assert!(fake.calls().iter().any(|call| matches!(
        call,
        Call::ResolveImageConfig(r) if r.resolve_mode == "default" && r.resolver_type == 0
    )));
}

#[tokio::test]
async fn a_missing_image_is_the_daemons_own_error() {
    let (_, loaded) = load(Script::default(), &[], "nowhere/x").await;
    let error = loaded.expect_err("no image");
    assert_eq!(error.to_string(), "docker.io/nowhere/x:latest: not found");
}

#[tokio::test]
async fn scratch_is_no_image() {
    let (fake, loaded) = load(Script::default(), &[], "scratch").await;
    assert!(loaded.is_ok_and(|(image, _)| image.output.is_none()));
    assert!(lookups(&fake).is_empty());
}

#[tokio::test]
async fn a_named_context_replaces_an_image() {
    let script = with_image("docker.io/acme/go:1");
    let pairs = [("context:golang:1.26", "docker-image://acme/go:1")];
    let (fake, loaded) = load(script, &pairs, "docker.io/library/golang:1.26").await;
    let (_, graph) = loaded.expect("an image");
    let graph = graph.expect("a graph");
    assert!(graph.is_source(&format!("docker-image://docker.io/acme/go:1@{DIGEST}")));
    assert_eq!(graph.name(), "[context golang:1.26] acme/go:1");
    assert_eq!(
        lookups(&fake)[0].log_name,
        "[context golang:1.26] load metadata for docker.io/acme/go:1"
    );
}

#[tokio::test]
async fn an_oci_layout_of_the_client_replaces_an_image() {
    let label = format!("docker.io/library/base:latest@{DIGEST}");
    let value = format!("oci-layout://store/sub:tag@{DIGEST}");
    let (fake, loaded) = load(with_image(&label), &[("context:base", &value)], "base").await;
    let (_, graph) = loaded.expect("an image");
    let graph = graph.expect("a graph");
    assert!(graph.is_source(&format!("oci-layout://{label}")));
    assert_eq!(graph.attr("oci.store"), Some("store/sub"));
    assert_eq!(graph.attr("oci.session"), Some("session"));
    let source = lookups(&fake).remove(0).source.expect("a source");
    assert_eq!(source.attrs["oci.store"], "store/sub");
}

#[tokio::test]
async fn an_input_brings_its_graph_and_its_config() {
    let tree = FileOp::new().mkdir(Mkdir::new("/bin")).build();
    let script = Script {
        inputs: [("0".to_owned(), tree.marshal())].into(),
        ..Script::default()
    };
    let pairs = [
        ("context:base", "input:0"),
        ("input-metadata:0", r#"{"containerimage.config":"e30="}"#),
    ];
    let (_, loaded) = load(script, &pairs, "base").await;
    let (image, graph) = loaded.expect("an image");
    assert_eq!(image.config.as_deref(), Some(b"{}".as_slice()));
    assert_eq!(graph.expect("a graph").digest, tree.digest().to_string());
    let (_, missing) = load(Script::default(), &[("context:base", "input:9")], "base").await;
    assert_eq!(
        missing.expect_err("no input").to_string(),
        "context `base`: the client sent no input `9`"
    );
}

#[tokio::test]
async fn a_local_directory_brings_its_ignore_file() {
    let script = Script::default().on(
        |g| g.attr("local.followpaths").is_some(),
        Answer::files(&[(".dockerignore", "tmp")]),
    );
    let pairs = [
        ("context:base", "local:base_dir"),
        ("sharedkey:localdir:base", "key"),
        ("local-sessionid:base_dir", "other"),
    ];
    let (fake, loaded) = load(script, &pairs, "base").await;
    let (image, graph) = loaded.expect("a tree");
    assert!(image.config.is_none());
    let graph = graph.expect("a graph");
    assert!(graph.is_source("local://base_dir"));
    assert_eq!(graph.attr("local.excludepatterns"), Some(r#"["tmp"]"#));
    assert_eq!(graph.attr("local.sharedkeyhint"), Some("context:base-key"));
    assert_eq!(graph.attr("local.session"), Some("other"));
    let (_, ignore) = fake.solves().remove(0);
    assert_eq!(
        ignore.attr("local.sharedkeyhint"),
        Some("context:base-.dockerignore")
    );
    assert_eq!(ignore.name(), "[context base] load .dockerignore");
}

#[tokio::test]
async fn git_and_downloads_are_trees() {
    let pairs = [("context:base", "https://h/r.git#main")];
    let (_, loaded) = load(Script::default(), &pairs, "base").await;
    let (_, graph) = loaded.expect("a tree");
    assert!(graph.expect("a graph").is_source("git://h/r.git#main"));
    let pairs = [("context:base", "https://h/base.tar")];
    let (_, loaded) = load(Script::default(), &pairs, "base").await;
    let (_, graph) = loaded.expect("a tree");
    let graph = graph.expect("a graph");
    assert!(graph.is_source("https://h/base.tar"));
    assert_eq!(graph.attr("http.filename"), Some("context"));
}

#[tokio::test]
async fn values_that_name_nothing_are_told() {
    for (value, part) in [
        ("somewhere", "expected TYPE:VALUE"),
        ("ftp://x", "unknown type of source"),
        ("git://", "context `base`"),
        ("oci-layout://x", "expected `oci-layout://STORE@DIGEST`"),
        ("docker-image://UPPER", "upper-case"),
    ] {
        let (_, loaded) = load(Script::default(), &[("context:base", value)], "base").await;
        match loaded {
            Err(error) => assert!(error.to_string().contains(part), "{value}: {error}"),
            Ok(_) if value == "git://" => {}
            Ok(_) => panic!("{value} loaded"),
        }
    }
}

#[tokio::test]
async fn policies_may_send_an_image_elsewhere() {
    let other = |to: &str| ImageAnswer::Other(to.to_owned());
    let script = Script {
        images: [(
            "docker.io/library/base:latest".to_owned(),
            other("https://h/r.git"),
        )]
        .into(),
        ..Script::default()
    };
    let (_, loaded) = load(script, &[], "base").await;
    let (_, graph) = loaded.expect("a tree");
    assert!(graph.expect("a graph").is_source("git://h/r.git"));
    // A circle ends.
    let circle = Script {
        images: [(
            "docker.io/library/base:latest".to_owned(),
            other("docker-image://docker.io/library/base:latest"),
        )]
        .into(),
        ..Script::default()
    };
    let (fake, loaded) = load(circle, &[], "base").await;
    let message = loaded.expect_err("a circle").to_string();
    assert!(message.contains("in a circle"), "{message}");
    assert_eq!(lookups(&fake).len(), 1);
}
