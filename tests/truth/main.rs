//! The truth test: closures of real repositories against the `go` command.
//!
//! `cargo xtask truth [-- NAMES]` runs it; it needs the `go` command and a module
//! proxy, and hours on a cold cache. For every main package of every repository in
//! `modules` the closure must hold all files that `go list -deps` names on any of
//! four platforms, and for some of them the build from the closure alone must give
//! the same bytes.
#![expect(clippy::print_stdout, reason = "a program: its answer belongs there")]

mod build;
mod exact;
mod modules;
mod prepare;
mod report;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use modules::REPOS;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(text.into().into())
}

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let lists_only = std::env::args().any(|a| a == "--lists");
    let unknown: Vec<&String> = names
        .iter()
        .filter(|name| !REPOS.iter().any(|repo| repo.name == name.as_str()))
        .collect();
    if !unknown.is_empty() {
        let known: Vec<&str> = REPOS.iter().map(|repo| repo.name).collect();
        println!("unknown: {unknown:?}; known: {}", known.join(" "));
        return ExitCode::FAILURE;
    }
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("truth");
    let mut total = report::Total::default();
    for repo in REPOS {
        if names.is_empty() || names.iter().any(|name| name == repo.name) {
            match verdict::judge(repo, &scratch.join(repo.name), lists_only) {
                Ok(verdict) => {
                    println!("{verdict}");
                    total.add(verdict);
                }
                Err(error) => {
                    println!("{}: {error}", repo.name);
                    total.broken += 1;
                }
            }
        }
    }
    println!("{total}");
    if total.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
