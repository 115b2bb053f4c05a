//! `cargo xtask bench transfer`: what a client sends of a context with 2 GiB of junk
//! and no ignore file.

use std::path::Path;

use anyhow::{Result, bail};

use super::progress::Report;
use super::repository::Repository;
use super::sources::{BUILDER, builder};
use crate::engine::Engine;
use crate::image::megabytes;

/// `node_modules`, `.git` and media. The files are sparse: they cost no disk here,
/// and would be sent whole.
const JUNK: u64 = 2 << 30;
/// Sent and wanted may differ by this much, in per cent: names and modes are sent too.
const MORE: u64 = 20;

/// Measures and prints a table.
///
/// # Errors
///
/// A build fails, or the client sends too much.
pub(crate) fn run(dir: &Path, frontend: &str) -> Result<()> {
    let engine = Engine::start(None)?;
    builder(&engine, dir)?;
    let (repository, wanted) = Repository::junk(dir.join("junk"), frontend, BUILDER, JUNK)?;
    let build = |target: &str| {
        let mut command = engine.docker();
        command
            .args([
                "buildx",
                "build",
                "--file=fleet.yaml",
                "--target",
                target,
                ".",
            ])
            .current_dir(repository.path());
        Report::of(&mut command, &dir.join(format!("{target}.jsonl")))
    };
    let all = wanted.code + wanted.assets.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let first = build("binaries")?;
    let mut rows = vec![("all services, first time", first.wall, first.sent(""), all)];
    let again = build("binaries")?;
    rows.push(("all services, again", again.wall, again.sent(""), 0));
    for (name, bytes) in wanted.assets {
        let one = build(name)?;
        rows.push((name, one.wall, one.sent("other files"), bytes));
    }
    println!("| build | time | sent | read by builds |\n|---|---|---|---|");
    let mut too_much = false;
    for (what, wall, sent, bytes) in rows {
        println!(
            "| {what} | {:.2} s | {} | {} |",
            wall.as_secs_f64(),
            megabytes(sent),
            megabytes(bytes)
        );
        too_much |= bytes > 0 && sent > bytes + bytes * MORE / 100;
    }
    if too_much {
        bail!("the client sends more than {MORE} % above what builds read");
    }
    Ok(())
}
