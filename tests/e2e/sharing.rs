//! What services share is compiled once, whoever builds them and in whatever order.

use std::thread;

use crate::support::build::{Build, buildx};
use crate::support::repo::Repo;
use crate::support::usage::prune_cache_mounts;

const SERVICES: [&str; 3] = ["api", "mail", "worker"];

/// Three services that import one package, which imports some of the standard library.
fn repo() -> Repo {
    let repo = Repo::new();
    let module = repo.module();
    repo.write(
        "lib/lib.go",
        "package lib\n\nimport \"strconv\"\n\nfunc Text(n int) string { return strconv.Itoa(n) }\n",
    );
    let mut spec = "services:\n".to_owned();
    for service in SERVICES {
        let text = format!("{service} {}", repo.nonce);
        repo.write(
            &format!("cmd/{service}/main.go"),
            &format!(
                "package main\n\nimport \"{module}/lib\"\n\nfunc main() {{ println(lib.Text(1), \"{text}\") }}\n"
            ),
        );
        spec += &format!("  {service}: ./cmd/{service}\n");
    }
    repo.spec(&spec);
    repo
}

/// A build with caches that no other test has.
fn build(repo: &Repo, target: &str) -> Build {
    buildx(repo)
        .target(target)
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
}

/// How many steps of a build compiled shared packages.
fn compiles(build: Build) -> usize {
    let said = build.tool("plain", None).ok().stderr;
    said.matches("packages that are shared").count()
}

fn edit_all(repo: &Repo, from: &str, to: &str) {
    for service in SERVICES {
        repo.edit(&format!("cmd/{service}/main.go"), from, to);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn one_solve_compiles_shared_packages_once() {
    let repo = repo();
    assert_eq!(compiles(build(&repo, "binaries")), 1);
    // An edit of each service, with everything else as it was.
    edit_all(&repo, &format!(" {}", repo.nonce), " edited");
    assert_eq!(compiles(build(&repo, "binaries")), 0);
    // And with empty cache mounts.
    prune_cache_mounts(&repo.nonce);
    edit_all(&repo, " edited", " again");
    assert_eq!(compiles(build(&repo, "binaries")), 1);
    // What they share, edited.
    repo.edit("lib/lib.go", "strconv.Itoa(n)", "strconv.Itoa(n + 1)");
    assert_eq!(compiles(build(&repo, "binaries")), 1);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn solves_that_know_nothing_of_each_other_compile_shared_packages_once() {
    let repo = repo();
    let counts = thread::scope(|scope| {
        let builds = SERVICES.map(|service| {
            let build = build(&repo, service);
            scope.spawn(move || compiles(build))
        });
        builds.map(|build| build.join().unwrap())
    });
    assert_eq!(counts.iter().sum::<usize>(), 1, "{counts:?}");
    // Whatever one way of building left, another finds.
    let together = build(&repo, "binaries").progress();
    assert_eq!(together.go_steps(), [""; 0], "{}", together.list());
}
