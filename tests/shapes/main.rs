//! Random shapes of small repositories, each compared with the `go` command.
//!
//! A seed draws features: modules that replace each other, workspaces, vendored
//! packages, links, hidden directories, tags, embeds, assembly, odd names. For every
//! service of the repository:
//!
//! - its closure holds the files that `go list -deps` names;
//! - the build from the closure alone gives the bytes that `go build` makes of the whole
//!   repository; where `go build` fails, that fails too, or is refused with a message;
//! - after an edit of any kind of file the same is true, and the closure has changed if
//!   the program has;
//! - through the daemon the program prints the same, an edit of what nobody needs builds
//!   nothing, and there and back again gives the same bytes.
//!
//! What is found is shrunk to the features that show it, and kept as a directory.
//! `cargo xtask shapes --minutes 60` looks for more than the tests do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod check;
mod daemon;
mod draft;
mod edit;
mod features;
mod finding;
mod go;
mod places;
#[path = "../shared/rng.rs"]
mod rng;
mod shrink;
mod toolchain;
mod tree;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use check::Check;
use daemon::Daemon;
use features::{Feature, features};
use finding::Finding;
use shrink::shrink;
use tempfile::TempDir;
use tree::Tree;

/// Repositories of a run of the tests, and the first one's seed.
const COUNT: u64 = 30;
const SEED: u64 = 1;

/// What showed a fault that no small test elsewhere can show: seed and features.
const FOUND: [(u64, &[usize]); 1] = [
    // A module cache is needed, and a member of the workspace that a second scan finds.
    (20032, &[0, 1, 2]),
];

/// The same with the daemon.
const DAEMON_COUNT: u64 = 5;

/// What a run is, from the environment.
struct Run {
    seed: u64,
    count: u64,
    limit: Option<Duration>,
    /// Features to keep, by number, where one repository is looked at again.
    only: Option<Vec<usize>>,
    /// Names of features to do without, while what is known of them is mended.
    without: Vec<String>,
    /// Says what repositories are made of, and looks at none.
    list: bool,
}

impl Run {
    fn of_environment(count: u64) -> Self {
        let minutes = number("GOFLEET_SHAPES_MINUTES");
        let only = std::env::var("GOFLEET_SHAPES_ONLY").ok();
        let only = only.map(|list| list.split(',').filter_map(|n| n.parse().ok()).collect());
        let one = only.is_some();
        let without = std::env::var("GOFLEET_SHAPES_WITHOUT").unwrap_or_default();
        Self {
            seed: number("GOFLEET_SHAPES_SEED").unwrap_or(SEED),
            count: match number("GOFLEET_SHAPES_COUNT") {
                _ if one => 1,
                Some(count) => count,
                None if minutes.is_some() => u64::MAX,
                None => count,
            },
            limit: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
            only,
            without: without.split(',').map(str::to_owned).collect(),
            list: std::env::var_os("GOFLEET_SHAPES_LIST").is_some(),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("shapes")
        .join(name)
}

/// Runs a test of this file in a process of its own, whose environment leads the tool to
/// this test's module proxy.
fn in_its_own_process(test: &str) {
    let runs = place("runs");
    fs::create_dir_all(&runs).unwrap();
    let scratch = TempDir::new_in(runs).unwrap();
    let scratch = scratch.path();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("GOFLEET_SHAPES_SCRATCH", scratch)
        .env("GOMODCACHE", Check::fetched(scratch))
        .env(
            "GOPROXY",
            format!("file://{}", scratch.join("proxy").display()),
        )
        .env("GOFLAGS", "-modcacherw")
        .env("GOSUMDB", "off")
        .env("GOENV", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOCACHE", place("trials"))
        .env("GOTELEMETRY", "off")
        .env_remove("GOWORK")
        .status()
        .unwrap();
    assert!(status.success(), "see above");
}

#[test]
fn closures_of_any_shape_build_what_go_builds() {
    in_its_own_process("host");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_daemon_builds_what_go_builds() {
    in_its_own_process("engine");
}

#[test]
#[ignore = "runs in a process of its own"]
fn host() {
    let Some(scratch) = scratch() else { return };
    let check = Check::new(&scratch, &place("warm"));
    look(COUNT, &check, |seed, features, again| {
        check.host(seed, features, again)
    });
    eprintln!("{}", check.counts.borrow());
}

#[test]
fn what_was_found_once_is_not_found_again() {
    in_its_own_process("found");
}

#[test]
#[ignore = "runs in a process of its own"]
fn found() {
    let Some(scratch) = scratch() else { return };
    let check = Check::new(&scratch, &place("warm-found"));
    for (seed, only) in FOUND {
        let mut kept: Vec<_> = features(seed).into_iter().enumerate().collect();
        kept.retain(|(at, _)| only.contains(at));
        if let Err(found) = check.host(seed, &kept, None) {
            panic!("seed {seed}, features {only:?}: {found}");
        }
    }
}

#[test]
#[ignore = "runs in a process of its own"]
fn engine() {
    let Some(scratch) = scratch() else { return };
    let check = Check::new(&scratch, &place("warm-engine"));
    let daemon = Daemon::new(&scratch, &check);
    look(DAEMON_COUNT, &check, |seed, features, again| {
        daemon.check(&check, seed, features, again)
    });
}

fn scratch() -> Option<PathBuf> {
    std::env::var_os("GOFLEET_SHAPES_SCRATCH").map(PathBuf::from)
}

/// Looks at one repository after the other, and fails with all that was found.
fn look(
    count: u64,
    maker: &Check,
    check: impl Fn(u64, &[(usize, Feature)], Option<&Finding>) -> Result<(), Finding>,
) {
    let run = Run::of_environment(count);
    let began = Instant::now();
    let mut findings: BTreeMap<String, String> = BTreeMap::new();
    let mut done = 0;
    for seed in run.seed..run.seed.saturating_add(run.count) {
        if run.limit.is_some_and(|limit| began.elapsed() > limit) {
            break;
        }
        done += 1;
        let mut all: Vec<(usize, Feature)> = features(seed).into_iter().enumerate().collect();
        if let Some(only) = &run.only {
            all.retain(|(at, _)| only.contains(at));
        }
        all.retain(|(_, feature)| !run.without.contains(&name(feature)));
        if run.list {
            eprintln!("seed {seed}:\n{}", lines(&all));
            continue;
        }
        let Err(found) = check(seed, &all, None) else {
            continue;
        };
        let (fewer, found) = shrink(all, found, |features, again| {
            check(seed, features, Some(again))
        });
        let draft = features::draft(&fewer);
        let tree = maker.go.materialised(&draft, "nonce", &maker.world);
        let text = report(seed, &fewer, &found, &tree);
        let shape = shape(&fewer, &found);
        match findings.get(&shape) {
            None => eprintln!("{text}"),
            Some(_) => eprintln!("seed {seed}: again {shape}, --only {}", numbers(&fewer)),
        }
        findings.entry(shape).or_insert(text);
    }
    eprintln!(
        "{done} repositories from seed {}, in {} s",
        run.seed,
        began.elapsed().as_secs()
    );
    assert!(findings.is_empty(), "{} kinds of findings", findings.len());
}

/// What people read about a finding; the repository is kept.
fn report(seed: u64, features: &[(usize, Feature)], found: &Finding, tree: &Tree) -> String {
    let kept = place("found").join(seed.to_string());
    tree.put(&kept);
    format!(
        "seed {seed}: {found}\n{}  kept in {}\n  again: cargo xtask shapes --seed {seed} --only {}\n",
        lines(features),
        kept.display(),
        numbers(features)
    )
}

fn lines(features: &[(usize, Feature)]) -> String {
    let lines = features
        .iter()
        .map(|(at, feature)| format!("  {at}: {feature:?}\n"));
    lines.collect()
}

fn name(feature: &Feature) -> String {
    let text = format!("{feature:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

fn numbers(features: &[(usize, Feature)]) -> String {
    let numbers: Vec<String> = features.iter().map(|(at, _)| at.to_string()).collect();
    // None at all is a list, too.
    numbers.join(",") + if numbers.is_empty() { "none" } else { "" }
}

/// What tells kinds of findings from each other: the features without their values.
fn shape(features: &[(usize, Feature)], found: &Finding) -> String {
    let mut names: Vec<String> = features.iter().map(|(_, f)| name(f)).collect();
    names.sort();
    names.dedup();
    format!("{:?} of {}", found.kind, names.join(", "))
}
