//! What runs again after an update of gofleet or of the builder image, and that
//! the images do not change with either.

use crate::support::build::{buildx, push};
use crate::support::engine::engine;
use crate::support::oci::Image;
use crate::support::progress::{NOTHING, Progress};
use crate::support::repo::Repo;

/// The images that specs and `go` lines lead to.
const FRONTEND: &str = "gofleet/gofleet:1";
const BUILDER: &str = "golang:1.26";

/// Two services that need a module from elsewhere, so that every kind of step is there.
fn repo() -> Repo {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api")
        .requiring_program("cmd/worker")
        .spec(SERVICES);
    repo
}

const SERVICES: &str = "services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n";

/// An image like `from`, with `lines` of a Dockerfile on top, in the registry.
fn image_from(from: &str, lines: &str) -> String {
    let dir = Repo::new();
    let repository = from.replace(['/', ':'], "-");
    let tag = format!("{}/e2e/{repository}:{}", engine().registry, dir.nonce);
    dir.write("nonce", &dir.nonce)
        .write("Dockerfile", &format!("FROM {from}\n{lines}\n"));
    push(&dir, &tag);
    tag
}

/// Has the spec name another frontend.
fn with_frontend(repo: &Repo, image: &str) {
    repo.write("fleet.yaml", &format!("# syntax={image}\n{SERVICES}"));
}

/// The image of each service, and what building it did.
fn images(repo: &Repo) -> [(Image, Progress); 2] {
    ["api", "worker"].map(|service| {
        let mut built = buildx(repo).target(service).fetching().image();
        (built.images.remove(0), built.progress)
    })
}

fn assert_same_digests(after: &[(Image, Progress); 2], before: &[(Image, Progress); 2]) {
    for ((after, _), (before, _)) in after.iter().zip(before) {
        assert_eq!(after.config, before.config);
        assert_eq!(after.digest, before.digest);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_frontend_with_the_same_graph_compiles_nothing() {
    let repo = repo();
    let before = images(&repo);
    with_frontend(&repo, &image_from(FRONTEND, "COPY nonce /nonce"));
    let after = images(&repo);

    // Our own program may do something else in another version, so its steps run: once
    // those that all services share, and those in front of each build step.
    for ((_, progress), service) in after.iter().zip(["api", "worker"]) {
        let check = format!("[internal] check modules of {service}");
        let share = format!("[internal] compile shared packages of {service}");
        let shared = ["[internal] scan sources", "[modules] go mod download"];
        let mut own = vec![check.as_str(), share.as_str()];
        if service == "api" {
            own.extend(shared);
        }
        assert_eq!(progress.executed(), own, "{}", progress.list());
        assert!(progress.step("] go build ").cached, "{}", progress.list());
    }
    assert_same_digests(&after, &before);

    // And back again: an earlier version finds its own steps.
    with_frontend(&repo, FRONTEND);
    for (_, progress) in &images(&repo) {
        assert_eq!(progress.executed(), NOTHING, "{}", progress.list());
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_builder_image_with_the_same_go_makes_the_same_images() {
    let repo = repo();
    let before = images(&repo);
    let builder = image_from(BUILDER, "COPY nonce /nonce");
    repo.spec(&format!("go: {builder}\n{SERVICES}"));
    let after = images(&repo);
    for ((_, progress), service) in after.iter().zip(["api", "worker"]) {
        // Nobody but Go knows what else of the image it reads.
        let mut steps = vec![
            format!("[{service}] go build ./cmd/{service}"),
            format!("[internal] check modules of {service}"),
            format!("[internal] compile shared packages of {service}"),
        ];
        if service == "api" {
            steps.push("[modules] go mod download".to_owned());
        }
        steps.sort();
        assert_eq!(progress.executed(), steps, "{}", progress.list());
    }
    assert_same_digests(&after, &before);
}
