//! `cargo xtask shapes`: random small repositories of unusual shape, compared with the
//! `go` command.
//!
//! The test is `tests/shapes`; the tests look at a few dozen repositories. `--seeded` shows
//! that it finds what it is for: faults that were mended once are put back one at a time,
//! each into a copy of this work tree, and each has to be found.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::engine::Engine;
use crate::image::{self, How};
use crate::root;
use crate::run::{output, shown};

/// Minutes of a run without `--minutes` and `--count`.
const MINUTES: &str = "10";

/// What to look at.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) minutes: Option<String>,
    pub(crate) seed: Option<String>,
    pub(crate) count: Option<String>,
    /// Features to keep, as a finding names them.
    pub(crate) only: Option<String>,
    /// Features to do without, by name.
    pub(crate) without: Option<String>,
    /// Without the engine.
    pub(crate) no_daemon: bool,
}

/// Looks at repositories.
///
/// # Errors
///
/// Something was found, or the engine does not start.
pub(crate) fn run(options: &Options, how: How) -> Result<()> {
    let mut command = test(&root(), options);
    if options.no_daemon {
        command.arg("closures_of_any_shape");
    } else {
        let engine = Engine::start(None)?;
        image::build(&engine, how)?;
        engine.apply(&mut command);
        command.args(["--include-ignored", "--test-threads=2"]);
    }
    shown(&mut command).context("random shapes found something")
}

fn test(dir: &Path, options: &Options) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(dir)
        .args([
            "test",
            "--package=gofleet",
            "--test=shapes",
            "--",
            "--nocapture",
        ])
        .env("RUST_BACKTRACE", "0");
    let minutes = match (&options.minutes, &options.count, &options.only) {
        (None, None, None) => Some(MINUTES.to_string()),
        (minutes, ..) => minutes.clone(),
    };
    for (name, value) in [
        ("MINUTES", &minutes),
        ("SEED", &options.seed),
        ("COUNT", &options.count),
        ("ONLY", &options.only),
        ("WITHOUT", &options.without),
    ] {
        if let Some(value) = value {
            command.env(format!("GOFLEET_SHAPES_{name}"), value);
        }
    }
    command
}

/// Puts faults back, one at a time, and looks whether they are found.
///
/// `tests/shapes/faults/NAME.patch` is the fault; the first line names a seed and features
/// that show it, so that this takes minutes and no hours.
///
/// # Errors
///
/// One is not found, or no longer fits the sources.
pub(crate) fn seeded() -> Result<()> {
    let mut results: BTreeMap<String, String> = BTreeMap::new();
    let mut missed = false;
    for file in faults()? {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let found = fault(&file).with_context(|| format!("the fault {name}"))?;
        missed |= !found;
        let word = if found { "found" } else { "NOT FOUND" };
        eprintln!("shapes: {name}: {word}");
        results.insert(name, word.to_string());
    }
    let lines: Vec<String> = results
        .iter()
        .map(|(name, word)| format!("{word:<10} {name}"))
        .collect();
    eprintln!("{}", lines.join("\n"));
    if missed {
        bail!("not all faults are found");
    }
    Ok(())
}

fn faults() -> Result<Vec<PathBuf>> {
    let dir = root().join("tests/shapes/faults");
    let mut files = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| format!("no {}", dir.display()))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "patch")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether one fault is found.
fn fault(file: &Path) -> Result<bool> {
    // One place for all, so that most of it is compiled once.
    let copy = root().join("target/shapes-seeded");
    let _ = fs::remove_dir_all(copy.join("tree"));
    let tree = copy.join("tree");
    output(
        Command::new("git")
            .current_dir(root())
            .args(["worktree", "prune"]),
    )?;
    output(
        Command::new("git")
            .current_dir(root())
            .args(["worktree", "add", "--detach", "--force"])
            .arg(&tree)
            .arg("HEAD"),
    )?;
    let applied = output(
        Command::new("git")
            .current_dir(&tree)
            .args(["apply", "--3way"])
            .arg(file),
    );
    let found = applied.and_then(|_| look(&tree, &copy, file));
    let removed = output(
        Command::new("git")
            .current_dir(root())
            .args(["worktree", "remove", "--force"])
            .arg(&tree),
    );
    let found = found?;
    removed?;
    Ok(found)
}

fn look(tree: &Path, copy: &Path, file: &Path) -> Result<bool> {
    let text = fs::read_to_string(file)?;
    let mut options = Options {
        no_daemon: true,
        ..Options::default()
    };
    // `seed 12 only 0,3`: the rest of a patch's head is for people.
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        match key {
            "seed" => options.seed = Some(value.to_string()),
            "only" => options.only = Some(value.to_string()),
            "count" => options.count = Some(value.to_string()),
            _ => bail!("{}: its first line has no `{key}`", file.display()),
        }
    }
    let target = copy.join("target");
    let mut build = test(tree, &options);
    build.env("CARGO_TARGET_DIR", &target).arg("--list");
    output(&mut build).context("it does not compile")?;
    let mut command = test(tree, &options);
    command
        .env("CARGO_TARGET_DIR", &target)
        .arg("closures_of_any_shape");
    Ok(!command.status()?.success())
}
