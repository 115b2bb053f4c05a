//! What a program can do that runs in a build step, whoever got it there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::build::{buildx, push};
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
    push(&dir, &tag);
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

/// Whatever modes a repository has: files of packages, manifests, files that are embedded.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_source_can_be_run() {
    let go = builder(
        "case \"$*\" in build*)
        echo \"LOOKED $(find /src -type f | wc -l)\" >&2
        find /src -type f -perm /111 -exec echo RUNS {} \\; >&2
        for program in /src/cmd/api/run.sh /src/cmd/api/data/run.sh; do
          if [ -e $program ]; then $program >&2; fi
        done
        esac",
    );
    let repo = two_services(&go);
    let api = repo.read("cmd/api/main.go");
    let embedding = api.replacen("import (", "import (\n\t\"embed\"", 1);
    let embeds = "\n//go:embed run.sh data\nvar programs embed.FS\n\nvar _ = programs\n";
    repo.write("cmd/api/main.go", &format!("{embedding}{embeds}"));
    for path in ["cmd/api/run.sh", "cmd/api/data/run.sh"] {
        repo.write(path, "#!/bin/sh\necho ESCAPED\n");
    }
    for path in [
        "cmd/api/run.sh",
        "cmd/api/data/run.sh",
        "cmd/api/main.go",
        "go.mod",
    ] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(repo.path().join(path), mode).unwrap();
    }
    let built = buildx(&repo)
        .target("binaries")
        .fetching()
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
        .plain();
    built.says(["LOOKED", "Permission denied"]);
    built.never_says(["RUNS", "ESCAPED\n"]);
}
