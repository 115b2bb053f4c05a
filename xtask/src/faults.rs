//! `cargo xtask faults`: what happens when a part of a build dies, is full, or does not answer.
//!
//! Each row of the table brings one fault into one phase of a build, on a daemon of its own.
//! The build has to end with the right programs or with words that say what is wrong, and the
//! next one has to be right: byte by byte what `go build` makes on this machine.

mod client;
mod disk;
mod fault;
mod machine;
mod phase;
mod row;
mod server;
mod sources;

use std::fs::File;

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, flock};

use crate::engine::{self, Engine};
use crate::image::{self, How};
use crate::root;
use machine::Machine;
use row::{Ends, Row};

/// Rounds of a row without `--rounds`.
const ROUNDS: u32 = 10;

/// What to run.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) rounds: Option<String>,
    /// Rows whose names contain this.
    pub(crate) only: Option<String>,
    /// The rows that CI runs, once each.
    pub(crate) quick: bool,
}

/// Runs the rows and prints a table.
///
/// # Errors
///
/// A round ended in another way than it may, or the daemon does not start.
pub(crate) fn run(options: &Options, how: How) -> Result<()> {
    let rounds = match &options.rounds {
        Some(text) => text.parse()?,
        None if options.quick => 1,
        None => ROUNDS,
    };
    let only = options.only.as_deref().unwrap_or_default();
    let rows = Row::all().into_iter();
    let rows: Vec<Row> = rows
        .filter(|row| row.name().contains(only) && (!options.quick || row.is_quick()))
        .collect();
    if rows.is_empty() {
        let names: Vec<String> = Row::all().into_iter().map(Row::name).collect();
        bail!(
            "no row is called `{only}`; there are:\n{}",
            names.join("\n")
        );
    }
    let engine = Engine::start(None)?;
    image::build(&engine, how)?;
    let dir = root().join("target/faults");
    let lock = File::create(dir.with_extension("lock"))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .context("another `cargo xtask faults` runs in this work tree")?;
    // A run that was killed leaves its disk.
    engine::remove_state(&dir)?;
    let mut machine = Machine::start(&engine, &dir)?;
    let mut wrong = Vec::new();
    println!("| fault | rounds | how the build ends | the next build |\n|---|---|---|---|");
    for row in rows {
        let mut ends = Ends::new();
        for round in 0..rounds {
            match row.round(&mut machine, round) {
                Ok(how) => *ends.entry(how).or_default() += 1,
                Err(error) => {
                    let text = format!("{}, round {round}: {error:#}", row.name());
                    eprintln!("{text}");
                    wrong.push(text);
                    *ends.entry("WRONG".to_owned()).or_default() += 1;
                }
            }
        }
        let next = if ends.contains_key("WRONG") {
            "see below"
        } else {
            "right"
        };
        let ends: Vec<String> = ends
            .into_iter()
            .map(|(how, times)| format!("{how} {times} ×"))
            .collect();
        println!(
            "| {} | {rounds} | {} | {next} |",
            row.name(),
            ends.join(", ")
        );
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("{} rounds are wrong:\n{}", wrong.len(), wrong.join("\n\n")),
    }
}
