//! Cache mounts while a build is under way.

use std::thread;

use crate::support::build::build_on;
use crate::support::command::buildctl;
use crate::support::daemon::Daemon;
use crate::support::engine::heavy;
use crate::support::repo::Repo;
use crate::support::usage::cache_mounts;

/// Garbage collection measures a mount that nobody uses, and a step that asks for it at that
/// moment gets an empty one, without what the step before it looked for. So from the first
/// step to the last the mount has to be in use.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn cache_mounts_are_in_use_until_everything_is_built() {
    let _heavy = heavy();
    let repo = Repo::with_requirement();
    let mut spec = "services:\n".to_owned();
    for service in ["api", "mail", "web"] {
        repo.requiring_program(&format!("cmd/{service}"));
        spec += &format!("  {service}: ./cmd/{service}\n");
    }
    repo.spec(&spec);
    let daemon = Daemon::start();
    let modules = || {
        let asked = buildctl().args(["--addr", &daemon.address]);
        cache_mounts(asked, "gofleet/modules")
    };
    // One step after the other, so that none has the mount for another.
    let build = build_on(&daemon, &repo).target("binaries").fetching();
    let build = build.build_arg("GOFLEET_PARALLEL", "1").tool("plain", None);
    let mut seen = Vec::new();
    let built = thread::scope(|scope| {
        let building = scope.spawn(|| build.ok());
        while !building.is_finished() {
            seen.extend(modules().iter().map(|mount| mount.in_use));
        }
        building.join().unwrap()
    });
    built.says(["[api] go build", "[mail] go build", "[web] go build"]);
    seen.dedup();
    // The frontend ends before the client does.
    seen.pop_if(|in_use| !*in_use);
    assert_eq!(seen, [true], "in use, not in use, …");
    assert_eq!(modules().len(), 1);
}
