//! `cargo xtask bench sources`: what the sources of many services cost.
//!
//! Fifty services of 5,600 files each, built by one `docker buildx build`, on the
//! engine. Compiling would hide what is measured, so the builder image's `go` is a
//! small program that writes an output file and ends: what is left is the client's
//! transfer, the scan, the frontend, the trees of sources, and fifty containers.
//! The same fifty containers with one source file each are the floor beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::progress::Report;
use super::repository::Repository;
use crate::engine::Engine;
use crate::image::megabytes;
use crate::run::{output, say};

/// The image whose `go` compiles nothing, as the registry knows it.
pub(super) const BUILDER: &str = "gofleet/bench-go:1";
/// Builds of each kind; the middle one counts.
const ROUNDS: usize = 3;

/// A file of one service, one in a directory that is mounted and one in a
/// directory that is copied, both of a package that all services import.
const LEAF: &str = "cmd/s07/f03.go";
const SHARED: &str = "lib/g003/p02/f02.go";
const SHARED_INNER: &str = "lib/g003/f02.go";

/// The program that stands for `go build -o=FILE PACKAGE`.
const GO: &str = r#"package main

import (
	"os"
	"strings"
)

func main() {
	for _, arg := range os.Args {
		if file, ok := strings.CutPrefix(arg, "-o="); ok {
			if err := os.WriteFile(file, []byte(file), 0o755); err != nil {
				panic(err)
			}
		}
	}
}
"#;

/// Measures and prints a table. `frontend` is the image that specs name.
///
/// # Errors
///
/// A build fails.
pub(crate) fn run(dir: &Path, frontend: &str) -> Result<()> {
    let engine = Engine::start(None)?;
    builder(&engine, dir)?;
    say("writing 28,700 files");
    let mut large = Repository::large(dir.join("large"), frontend, BUILDER)?;
    let mut floor = Repository::floor(dir.join("floor"), frontend, BUILDER)?;

    let bench = Bench {
        engine: &engine,
        dir,
    };
    let mut table = Table::default();
    let cold = bench.build(&large, "cold")?;
    bench.build(&floor, "floor-cold")?;
    table.row("everything new", &[cold]);
    let (mut same, mut leaf, mut shared, mut inner) = (vec![], vec![], vec![], vec![]);
    let (mut floors, mut floor_same) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        same.push(bench.build(&large, "same")?);
        floor_same.push(bench.build(&floor, "floor-same")?);
        large.edit(LEAF)?;
        leaf.push(bench.build(&large, "leaf")?);
        // Side by side, because the machine is not the same from minute to minute.
        large.edit(SHARED)?;
        shared.push(bench.build(&large, "shared")?);
        floor.edit_every_main()?;
        floors.push(bench.build(&floor, "floor")?);
        large.edit(SHARED_INNER)?;
        inner.push(bench.build(&large, "inner")?);
    }
    large.write("lib/g003/p02/unrelated/u.go", "package unrelated\n")?;
    let unrelated = bench.build(&large, "unrelated")?;
    large.umask(0o077)?;
    let umask = bench.build(&large, "umask")?;

    let (shared_time, floor_time) = (middle(&shared), middle(&floors));
    let inner_time = middle(&inner);
    table.row("nothing", &same);
    table.row("one file of one service", &leaf);
    table.row("a file that all services read", &shared);
    table.row("the same, in a directory with packages below", &inner);
    table.row(
        "a new directory below a package that all import",
        &[unrelated],
    );
    table.row("all modes, as with another umask", &[umask]);
    table.row("floor: 50 services of one file, nothing", &floor_same);
    table.row("floor: 50 services of one file, every file", &floors);
    println!("{}", table.text());
    println!(
        "shared file ÷ floor: {:.2}; in a directory with packages below: {:.2}",
        shared_time.as_secs_f64() / floor_time.as_secs_f64(),
        inner_time.as_secs_f64() / floor_time.as_secs_f64(),
    );
    println!("graph: {}", graph(&large)?);
    Ok(())
}

/// Rows of what a change did.
#[derive(Default)]
struct Table(String);

impl Table {
    fn row(&mut self, changed: &str, reports: &[Report]) {
        let mut sorted: Vec<&Report> = reports.iter().collect();
        sorted.sort_by_key(|report| report.wall);
        let (first, middle) = (sorted[0], sorted[sorted.len() / 2]);
        let _ = writeln!(
            self.0,
            "| {changed} | {:.2} s | {:.2} s | {} | {} | {} | {} |",
            middle.wall.as_secs_f64(),
            first.wall.as_secs_f64(),
            middle.builds(),
            middle.ran("scan sources"),
            middle.ran("] sources"),
            megabytes(middle.sent("load Go sources")),
        );
    }

    fn text(&self) -> String {
        let head = "| changed | time, middle of the rounds | shortest | build steps \
                    | scans | copies of sources | sent |\n|---|---|---|---|---|---|---|";
        format!("{head}\n{}", self.0)
    }
}

/// Where builds run and leave what they said.
struct Bench<'a> {
    engine: &'a Engine,
    dir: &'a Path,
}

impl Bench<'_> {
    fn build(&self, repository: &Repository, kind: &str) -> Result<Report> {
        let mut command = self.engine.docker();
        command
            .args(["buildx", "build", "--target=binaries", "--file=fleet.yaml"])
            .arg(".")
            .current_dir(repository.path());
        let report = Report::of(&mut command, &self.dir.join(format!("{kind}.jsonl")))?;
        say(format!(
            "{kind}: {:.2} s, {} build steps",
            report.wall.as_secs_f64(),
            report.builds()
        ));
        Ok(report)
    }
}

/// Makes the image whose `go` compiles nothing, for the engine's registry.
///
/// # Errors
///
/// It cannot be compiled, built or pushed.
pub(super) fn builder(engine: &Engine, dir: &Path) -> Result<()> {
    let context = dir.join("go");
    fs::create_dir_all(&context)?;
    fs::write(context.join("main.go"), GO)?;
    let mut go = Command::new("go");
    go.args([
        "build",
        "-trimpath",
        "-ldflags=-s -w -buildid=",
        "-o=go",
        "main.go",
    ])
    .env("CGO_ENABLED", "0")
    .current_dir(&context);
    output(&mut go)?;
    fs::write(
        context.join("Dockerfile"),
        "FROM scratch\nCOPY go /usr/local/go/bin/go\nENV PATH=/usr/local/go/bin\n",
    )?;
    let mut build = engine.docker();
    build
        .args(["buildx", "build", "--provenance=false", "--quiet"])
        // The same image every time: another one would build everything again.
        .arg("--build-arg=SOURCE_DATE_EPOCH=0")
        .arg(format!(
            "--output=type=image,push=true,rewrite-timestamp=true,name={}/{BUILDER}",
            engine.registry
        ))
        .arg(".")
        .current_dir(&context);
    output(&mut build).map(drop)
}

/// What the frontend's own part of it costs.
fn graph(repository: &Repository) -> Result<String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "bench",
            "--quiet",
            "--package=gofleet",
            "--bench=graph",
            "--",
        ])
        .arg(repository.path())
        .current_dir(crate::root());
    output(&mut command)
}

/// The report whose time is in the middle.
fn middle(reports: &[Report]) -> Duration {
    let mut times: Vec<Duration> = reports.iter().map(|report| report.wall).collect();
    times.sort();
    times[times.len() / 2]
}
