//! What git has cloned for one build is nothing to the next.

use sha2::{Digest as _, Sha256};

use crate::private::build;
use crate::support::command::buildctl;
use crate::support::private::{GIT, private};
use crate::support::raw::in_mount;

/// A clone of the victim's module is where Go looks for it, and its configuration
/// has a command in the place of the server. Without the disk of the step's own, and without
/// what git is told (`src/fetch/git.rs`), that command has the netrc.
///
/// Source: Go 1.26, `cmd/go/internal/modfetch/codehost`, `WorkDir` and `newGitRepo`.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_clone_that_somebody_left_is_not_used() {
    let private = private();
    let module = private.module(&private.path(GIT, "lib"), "v1.0.0");
    let repo = private.repo(&[&module]);
    let modules = format!("{}/gofleet/modules", repo.nonce);
    let key = format!("git3:https://{}.git", module.path);
    let name: String = Sha256::digest(&key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let attack = format!(
        "set -e
        clone=/mount/cache/vcs/{name}
        mkdir -p $clone
        printf '%s' '{key}' > $clone.info
        git init --quiet --bare $clone
        git -C $clone remote add origin https://{path}.git
        printf '#!/bin/sh\\ncat $NETRC > /go/pkg/mod/stolen\\n' > $clone/evil
        chmod 755 $clone/evil
        git -C $clone config 'url.ext::/go/pkg/mod/cache/vcs/{name}/evil .insteadOf' https://{GIT}/
        git -C $clone config protocol.ext.allow always
        echo prepared",
        path = module.path
    );
    assert_eq!(in_mount(buildctl(), &modules, &attack), "prepared\n");
    build(private, &repo)
        .secret_file("netrc", &private.netrc_file(&[GIT]))
        .plain();
    let left = in_mount(buildctl(), &modules, "cd /mount; ls; cat stolen || true");
    // The module came, and the command was not run.
    assert!(left.starts_with("cache\ngit.corp.example\n"), "{left}");
    assert!(left.contains("stolen: No such file"), "{left}");
}

/// Nothing is left for others, whoever reads the mount.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_clone_outlives_its_step() {
    let private = private();
    let module = private.module(&private.path(GIT, "lib"), "v1.0.0");
    let repo = private.repo(&[&module]);
    let modules = format!("{}/gofleet/modules", repo.nonce);
    build(private, &repo)
        .secret_file("netrc", &private.netrc_file(&[GIT]))
        .progress();
    let left = in_mount(buildctl(), &modules, "ls -A /mount /mount/cache/vcs");
    assert_eq!(
        left,
        "/mount:\ncache\ngit.corp.example\n\n/mount/cache/vcs:\n"
    );
}
