//! `cargo xtask bench`: measurements that need no engine.

use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::shown;

/// Measures the scan against a plain read of the same files (`benches/scan`).
///
/// # Errors
///
/// The measurement cannot be made.
pub(crate) fn scan() -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        .args(["bench", "--package", "gofleet", "--bench", "scan"]);
    shown(&mut command).context("the scan was not measured")
}
