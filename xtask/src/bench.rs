//! `cargo xtask bench`: measurements, with the figures of docs/performance.md.

mod compare;
mod heavy;
mod memory;
mod progress;
mod repository;
mod sources;
mod transfer;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::root;
use crate::run::shown;

/// Measures what needs no engine: `scan` against a plain read of the same files
/// (`benches/scan`), `graph`s of many services (`benches/graph`).
///
/// # Errors
///
/// The measurement cannot be made.
pub(crate) fn alone(what: &str) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        .args(["bench", "--package", "gofleet", "--bench", what]);
    shown(&mut command).with_context(|| format!("`{what}` was not measured"))
}

/// Runs a measurement that needs the engine. `frontend`: the image that specs name;
/// `services`: how many, for those that can be smaller.
///
/// # Errors
///
/// There is no such measurement, or something that it runs fails.
pub(crate) fn on_engine(what: &str, frontend: &str, services: Option<&str>) -> Result<()> {
    let services = services
        .map(str::parse)
        .transpose()
        .context("`--services` is a number")?;
    if services.is_some() && what != "memory" {
        bail!("only `bench memory` takes `--services`");
    }
    match what {
        "memory" => memory::run(&folder(what)?, frontend, services),
        "sources" => sources::run(&folder(what)?, frontend),
        "transfer" => transfer::run(&folder(what)?, frontend),
        _ => bail!(
            "there is no measurement `{what}`; there are: \
             compare, graph, memory, scan, sources, transfer"
        ),
    }
}

/// Compares gofleet with the limit and with what people use now. `words`: the rest of
/// the command line.
///
/// # Errors
///
/// A word is unknown, or the machine fails.
pub(crate) fn compare(words: &[String], frontend: &str) -> Result<()> {
    compare::run(&folder("compare")?, frontend, words)
}

/// The folder of a measurement, made if it is not there.
fn folder(what: &str) -> Result<PathBuf> {
    let dir = root().join("target/bench").join(what);
    fs::create_dir_all(&dir)?;
    Ok(dir)
}
