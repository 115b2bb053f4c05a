//! What a program can do that runs in a build step, whoever got it there.

use crate::support::build::buildx;
use crate::support::engine::engine;
use crate::support::repo::Repo;

/// A builder image whose `go` tries things first, and says how that went.
pub(super) fn builder(script: &str) -> String {
    let dir = Repo::new();
    let tag = format!("{}/e2e/builder:{}", engine().registry, dir.nonce);
    let bin = "/usr/local/go/bin";
    dir.write(
        "go",
        &format!("#!/bin/sh\n{script}\nexec {bin}/go.real \"$@\"\n"),
    )
    .write(
        "Dockerfile",
        &format!("FROM golang:1.26\nRUN mv {bin}/go {bin}/go.real\nCOPY --chmod=755 go {bin}/go\n"),
    );
    buildx(&dir)
        .spec("Dockerfile")
        .args(["--push", "--tag", &tag])
        .tool("plain", None)
        .ok();
    tag
}

pub(super) fn two_services(go: &str) -> Repo {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api")
        .requiring_program("cmd/worker")
        .spec(&format!(
            "go: {go}\nservices:\n  api: ./cmd/api\n  worker: ./cmd/worker\n"
        ));
    repo
}

/// The compile of shared packages (`go list -export`) says nothing, so what was tried is noted
/// where the build steps behind it find it.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_build_step_cannot_write_modules() {
    let go = builder(
        "case \"$*\" in build*|*-export*)
        if touch \"$GOMODCACHE/evil\"; then echo WROTE; else echo FENCED; fi >> \"$GOCACHE/tried\"
        cat \"$GOCACHE/tried\" >&2
        esac",
    );
    let repo = two_services(&go);
    let built = buildx(&repo)
        .target("binaries")
        .fetching()
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
        .plain();
    built.never_says(["WROTE"]);
    let said = built.all();
    // One build step sees two tries, the other three: the first is that of shared packages.
    assert!(said.matches("FENCED\n").count() >= 5, "{said}");
}
