//! Layers of several module roots: each has a key of its own, and all compile in turns.

use std::collections::BTreeSet;

use buildkit_llb::pb;
use gofleet::local::Local;

use super::Ops;
use crate::support::checkout::Checkout;

const FIRST: &str = "[deps a] compile packages of modules";
const SUMS: &str = "x.org/y v1.0.0 h1:a\nx.org/y v1.0.0/go.mod h1:b\n";
const SECOND: &str = "[deps b] compile packages of modules";

/// Two module roots that import one package, in layers.
fn repository() -> Checkout {
    let repo = Checkout::new();
    for dir in ["a", "b"] {
        let manifest = format!("module m/{dir}\ngo 1.26\nrequire x.org/y v1.0.0\n");
        let main = "package main\n\nimport _ \"x.org/y\"\n";
        repo.write(&format!("{dir}/go.mod"), &manifest)
            .write(&format!("{dir}/go.sum"), SUMS)
            .write(&format!("{dir}/main.go"), main);
    }
    repo.write(
        "fleet.yaml",
        "cache: layer\nservices:\n  a: ./a\n  b: ./b\n",
    );
    repo
}

fn ops(repo: &Checkout, target: &str) -> Ops {
    Ops::of(
        &Local::new(repo.file("fleet.yaml"), repo.path().to_owned()),
        target,
    )
}

/// The id of the mount whose lock is a turn.
fn turns(ops: &Ops) -> BTreeSet<&str> {
    let mounts = [FIRST, SECOND].map(|name| &ops.exec(name).mounts);
    let caches = mounts
        .into_iter()
        .flatten()
        .filter_map(|m| m.cache_opt.as_ref());
    let locked = caches.filter(|cache| cache.sharing == pb::CacheSharingOpt::Locked as i32);
    locked.map(|cache| cache.id.as_str()).collect()
}

#[test]
fn each_layer_has_a_key_of_its_own() {
    let repo = repository();
    let before = ops(&repo, "deps");
    assert_eq!(turns(&before), BTreeSet::from(["gofleet/compile/m/a"]));
    for (service, step) in [("a", FIRST), ("b", SECOND)] {
        assert_eq!(ops(&repo, service).digest(step), before.digest(step));
    }
    let main = "package main\n\nimport (\n\t_ \"x.org/y\"\n\t_ \"x.org/y/z\"\n)\n";
    repo.write("b/main.go", main);
    let after = ops(&repo, "deps");
    assert_eq!(before.digest(FIRST), after.digest(FIRST));
    assert_ne!(before.digest(SECOND), after.digest(SECOND));
}

/// What a command has seen may be in its mount, and from there in the layer.
#[test]
fn a_layer_from_mounts_that_a_command_has_seen_is_no_one_elses() {
    let repo = repository();
    let before = ops(&repo, "deps");
    repo.append("fleet.yaml", "modules: {GOAUTH: /bin/true}\n");
    let after = ops(&repo, "deps");
    let marker = |ops: &Ops| {
        let mut mounts = ops.exec(FIRST).mounts.iter();
        let marker = mounts
            .find(|mount| mount.dest == "/run/gofleet/modules")
            .unwrap();
        let input = usize::try_from(marker.input).unwrap();
        ops.0[FIRST].1.inputs[input].digest.clone()
    };
    assert_ne!(marker(&before), marker(&after));
}

/// One alone is compiled by Go, without a word of ours in its key.
#[test]
fn the_only_layer_has_nothing_of_the_frontend_in_its_key() {
    let repo = repository();
    repo.write("fleet.yaml", "cache: layer\nservices:\n  a: ./a\n");
    let ops = ops(&repo, "a");
    assert_eq!(ops.exec(FIRST).meta.as_ref().unwrap().args[0], "go");
    assert!(ops.exec(FIRST).mounts.iter().all(|m| m.cache_opt.is_none()));
}
