//! `cargo xtask truth`: closures of real repositories against the `go` command.
//!
//! The test itself is `tests/truth`; it needs no engine, but the `go` command, a
//! module proxy, some GiB of disk and patience, so `cargo test` does not run it.

use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::shown;

/// Runs the test, optimised, for the repositories named or for all.
///
/// # Errors
///
/// A closure is wrong, or too wide.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        .args([
            "test",
            "--package",
            "gofleet",
            "--release",
            "--test",
            "truth",
            "--",
        ])
        .args(args);
    shown(&mut command).context("not all closures are as they should be")
}
