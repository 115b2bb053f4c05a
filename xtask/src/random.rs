//! `cargo xtask random`: many random edits, each compared with a clean build.
//!
//! The test is `tests/random`; the tests run a few of its steps.

use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::shown;

/// Steps of a run without `--steps`.
const STEPS: &str = "1000";

/// Runs the test.
///
/// # Errors
///
/// A binary is stale, or does not build from its closure.
pub(crate) fn run(steps: Option<&str>, seed: Option<&str>) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        .args([
            "test",
            "--package=gofleet",
            "--test=random",
            "--",
            "--nocapture",
        ])
        .env("GOFLEET_RANDOM_STEPS", steps.unwrap_or(STEPS));
    if let Some(seed) = seed {
        command.env("GOFLEET_RANDOM_SEED", seed);
    }
    shown(&mut command).context("random edits found something")
}
