//! `cargo xtask test`: all tests, with an engine for those that need one.
//!
//! Tests that need the engine carry `#[ignore = "needs the engine: cargo xtask test"]`,
//! so that a plain `cargo test` works everywhere; here they run, and an engine that
//! does not start is a failure. Those that an older buildkitd must pass as well
//! have `compat` in their path.

use std::process::Command;

use anyhow::{Context, Result};

use crate::engine::{self, Engine};
use crate::image::{self, How};
use crate::root;
use crate::run::{output, shown};

/// What the paths of the compatibility tests contain.
const COMPAT: &str = "compat";

/// Starts the engine, builds the frontend image and runs `cargo test` with `args`.
/// `older`: only the compatibility tests, on that buildkitd.
///
/// # Errors
///
/// A test fails, or something before the tests; a disk that is almost full is one.
pub(crate) fn run(older: Option<&str>, how: How, args: &[String]) -> Result<()> {
    engine::require_room()?;
    image::build(&Engine::start(None)?, how)?;
    let engine = Engine::start(older)?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    engine.apply(&mut command);
    if let Some(version) = older {
        command.env("GOFLEET_BUILDKIT_VERSION", version);
    }
    // Tests hand it on as users do, `--secret id=GOPROXY,env=GOPROXY`. The machine's
    // setting may lie in a file of the go command, hence the question.
    if let Ok(proxy) = output(Command::new("go").args(["env", "GOPROXY"]).current_dir("/")) {
        command.env("GOPROXY", proxy);
    }
    command.args(arguments(older, args));
    shown(&mut command).context("not all tests passed")
}

/// Arguments for cargo. `args` are `cargo test`'s own, up to a second `--`; what
/// follows that goes to the test programs.
fn arguments(older: Option<&str>, args: &[String]) -> Vec<String> {
    let end = args
        .iter()
        .position(|arg| arg == "--")
        .unwrap_or(args.len());
    let mut all = vec!["test".to_string()];
    if !args[..end]
        .iter()
        .any(|arg| arg == "-p" || arg.starts_with("--package") || arg == "--workspace")
    {
        // All failures at once, as CI shows them.
        all.extend(["--workspace".to_string(), "--no-fail-fast".to_string()]);
    }
    all.extend_from_slice(&args[..end]);
    all.extend(["--".to_string(), "--include-ignored".to_string()]);
    if older.is_some() {
        all.push(COMPAT.to_string());
    }
    all.extend(args.iter().skip(end + 1).cloned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(older: Option<&str>, args: &str) -> String {
        let args: Vec<String> = args.split_whitespace().map(String::from).collect();
        arguments(older, &args).join(" ")
    }

    #[test]
    fn the_tests_that_need_the_engine_are_always_among_them() {
        assert_eq!(
            line(None, ""),
            "test --workspace --no-fail-fast -- --include-ignored"
        );
        assert_eq!(
            line(None, "-p gofleet --test e2e -- --nocapture"),
            "test -p gofleet --test e2e -- --include-ignored --nocapture"
        );
    }

    #[test]
    fn an_older_buildkitd_runs_its_own_tests_only() {
        assert_eq!(
            line(Some("v0.12.5"), ""),
            "test --workspace --no-fail-fast -- --include-ignored compat"
        );
    }
}
