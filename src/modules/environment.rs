//! The module cache and the `go` command of the machine we run on.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache::ModuleCache;
use super::step::Go;

/// The `go` command in the search path, with the environment as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoCommand;

impl Go for GoCommand {
    fn run(&self, dir: &Path, args: &[&str]) -> io::Result<Vec<u8>> {
        let output = Command::new("go")
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(io::Error::other(format!(
                "go {}: {}",
                args.join(" "),
                output.status
            )))
        }
    }
}

/// The module cache and the `go` command that the environment names, as Go finds
/// them: `GOMODCACHE`, else `pkg/mod` in the first `GOPATH`, else in `~/go`.
#[must_use]
pub fn of_environment() -> (ModuleCache, GoCommand) {
    let var = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let go_path = var("GOPATH").and_then(|paths| env::split_paths(&paths).next());
    let home = var("HOME").map(|home| PathBuf::from(home).join("go"));
    let dir = var("GOMODCACHE")
        .map(PathBuf::from)
        .or_else(|| go_path.or(home).map(|path| path.join("pkg/mod")))
        .unwrap_or_default();
    (ModuleCache::new(dir), GoCommand)
}
