//! Whoever chooses the program of a step does not see the mounts of others.

use super::steps::{builder, two_services};
use crate::support::build::{Build, buildx};
use crate::support::command::buildctl;
use crate::support::raw::in_mount;
use crate::support::repo::Repo;

/// What is in the mounts that everybody shares, in this name space.
fn shared_by_all(namespace: &str) -> String {
    let ids = ["modules", "build"].map(|name| format!("{namespace}/gofleet/{name}"));
    ids.map(|id| in_mount(buildctl(), &id, "ls -A /mount"))
        .concat()
}

fn built(repo: &Repo, namespace: &str) -> Build {
    buildx(repo)
        .target("binaries")
        .fetching()
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", namespace)
}

/// A spec's image, an image that a client puts in the place of ours, a command of a spec.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_another_program_leaves_is_in_no_mount_of_others() {
    let evil = builder("echo x > \"$GOCACHE/evil\"; touch \"$GOMODCACHE/evil\" 2>/dev/null");
    let attacker = two_services(&evil);
    let space = attacker.nonce.clone();
    built(&attacker, &space).plain();

    let replaced = two_services("1.26");
    let context = format!("golang:1.26=docker-image://{evil}");
    built(&replaced, &space)
        .args(["--build-context", &context])
        .plain();

    let command = two_services("1.26");
    let spec = command.read("fleet.yaml");
    command.write(
        "fleet.yaml",
        &format!("{spec}modules:\n  GOAUTH: cp /etc/passwd /root/.cache/go-build/evil\n"),
    );
    built(&command, &space).plain();
    assert_eq!(shared_by_all(&space), "");

    // The victim's, with the image that we choose.
    built(&two_services("1.26"), &space).plain();
    let found = shared_by_all(&space);
    assert!(
        found.contains("github.com") && !found.contains("evil"),
        "{found}"
    );
}

/// A step is known by its key, and what is in a mount is in no key: so the same sources are
/// another step where a command of a spec has seen the mounts.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_step_of_others_comes_from_mounts_that_a_command_has_seen() {
    let victim = two_services("1.26");
    let attacker = victim.copy();
    let spec = victim.read("fleet.yaml");
    let with_command = format!("{spec}modules:\n  GOAUTH: /bin/true\n");
    attacker.write("fleet.yaml", &with_command);
    built(&attacker, &victim.nonce).plain();
    let progress = built(&victim, &victim.nonce).progress();
    for service in ["api", "worker"] {
        let step = progress.step(&format!("[{service}] go build"));
        assert!(!step.cached, "{}", progress.list());
    }
}
