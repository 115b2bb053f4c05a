//! `cargo xtask bench memory`: what many builds at once need, where memory is limited.
//!
//! Services that each link a large program, built on a daemon whose steps all run in one
//! control group with 4 GiB: by one solve and by the bake file that gofleet prints, with
//! the bound that gofleet has by default; and without a bound. Every round compiles
//! everything, with caches of its own.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::heavy::Heavy;
use crate::cgroup::{Cgroup, Used};
use crate::engine::{Beside, Engine, Setup};
use crate::run::{line, output, say};

/// Services, unless the command line says otherwise.
const SERVICES: usize = 50;
const LIMIT: u64 = 4 << 30;
const GROUP: &str = "gofleet-bench-memory";
/// As many at once as there are services.
const UNBOUND: &str = "GOFLEET_PARALLEL=50";
/// A build that takes so many times as long as with the bound makes no progress: where
/// memory is short, programs often load their own code again and again, and the
/// out-of-memory killer never comes.
const PATIENCE: u32 = 2;

/// How one round went.
struct Round {
    what: &'static str,
    /// `None` when it was stopped.
    status: Option<ExitStatus>,
    wall: Duration,
    used: Used,
    /// What the user reads when it fails.
    said: String,
}

/// Measures and prints a table. `frontend` is the image that specs name.
///
/// # Errors
///
/// The daemon or the control group cannot be made. A build that fails is a result.
pub(crate) fn run(dir: &Path, frontend: &str, services: Option<usize>) -> Result<()> {
    let services = services.unwrap_or(SERVICES);
    let engine = Engine::start(None)?;
    let cgroup = Cgroup::new(GROUP, LIMIT)?;
    let steps = format!("defaultCgroupParent = \"/{GROUP}\"");
    let setup = Setup {
        worker: &steps,
        ..Setup::default()
    };
    let daemon = Beside::start(&engine, "memory", &dir.join("daemon"), setup)?;
    let bench = Bench {
        engine: &daemon.engine,
        cgroup: &cgroup,
        repository: Heavy::new(dir.join("heavy"), frontend, services)?,
        dir,
    };
    let solve = bench.round("one solve", bench.solve(None), None)?;
    let bake = bench.round("bake file", bench.bake()?, None)?;
    let limit = Some(solve.wall * PATIENCE);
    let unbound = bench.round("one solve, no bound", bench.solve(Some(UNBOUND)), limit)?;
    let rounds = [solve, bake, unbound];
    println!("{services} services, {} MiB for all steps", LIMIT >> 20);
    println!(
        "| build | result | time | programs, most | with page cache, most | limit met | killed |\n\
         |---|---|---|---|---|---|---|"
    );
    for round in &rounds {
        println!(
            "| {} | {} | {:.0} s | {} MiB | {} MiB | {} times | {} |",
            round.what,
            match round.status {
                Some(status) if status.success() => "succeeds",
                Some(_) => "fails",
                None => "stalls, stopped",
            },
            round.wall.as_secs_f64(),
            round.used.programs >> 20,
            round.used.all >> 20,
            round.used.limit_met,
            round.used.killed,
        );
    }
    for round in rounds.iter().filter(|round| !round.succeeds()) {
        println!("\n{}:\n{}", round.what, round.said);
    }
    // Without the bound it may fail: that is what the bound is for.
    let [bounded @ .., _] = &rounds;
    match bounded.iter().find(|round| !round.succeeds()) {
        Some(round) => bail!("{} does not succeed within the limit", round.what),
        None => Ok(()),
    }
}

impl Round {
    fn succeeds(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Where rounds run.
struct Bench<'a> {
    /// With the daemon whose steps are in the group.
    engine: &'a Engine,
    cgroup: &'a Cgroup,
    repository: Heavy,
    dir: &'a Path,
}

impl Bench<'_> {
    /// Runs a build of everything, with cold caches, for as long as `limit`.
    fn round(
        &self,
        what: &'static str,
        mut command: Command,
        limit: Option<Duration>,
    ) -> Result<Round> {
        self.repository.edit(&nonce())?;
        say(format!("{what} …"));
        let log = self.log(what);
        let file = File::create(&log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Of its own: the plugin has to end with the command.
            .process_group(0);
        let began = Instant::now();
        let (status, used) = self
            .cgroup
            .measure(|| command.spawn().and_then(|child| wait(child, limit)))?;
        let wall = began.elapsed();
        let status = status.with_context(|| format!("cannot run `{}`", line(&command)))?;
        let ended = status.map_or("stopped".to_owned(), |status| status.to_string());
        say(format!("{what}: {ended}, {:.0} s", wall.as_secs_f64()));
        let text = fs::read_to_string(&log).unwrap_or_default();
        Ok(Round {
            what,
            status,
            wall,
            used,
            said: error(&text),
        })
    }

    /// `docker buildx build` of all binaries.
    fn solve(&self, build_arg: Option<&str>) -> Command {
        let mut command = self.buildx("build");
        command
            .args([
                "--file=fleet.yaml",
                "--target=binaries",
                "--output=type=cacheonly",
            ])
            .args(["--secret=id=GOPROXY", "--secret=id=GOSUMDB"])
            .arg(format!("--build-arg=BUILDKIT_CACHE_MOUNT_NS={}", nonce()));
        if let Some(arg) = build_arg {
            command.arg(format!("--build-arg={arg}"));
        }
        command.arg(".");
        command
    }

    /// `docker buildx bake` of all images: as many solves as there are services.
    fn bake(&self) -> Result<Command> {
        let mut call = self.buildx("build");
        let file = output(call.args(["--file=fleet.yaml", "--call=bake", "."]))?;
        let path = self.dir.join("docker-bake.hcl");
        fs::write(&path, file)?;
        let mut command = self.buildx("bake");
        command.arg("--file").arg(&path);
        let namespace = format!("*.args.BUILDKIT_CACHE_MOUNT_NS={}", nonce());
        for value in [
            "*.output=type=cacheonly",
            "*.secrets+=id=GOPROXY",
            "*.secrets+=id=GOSUMDB",
            &namespace,
        ] {
            command.args(["--set", value]);
        }
        Ok(command)
    }

    /// A command of buildx on the daemon, with where this machine fetches modules from.
    fn buildx(&self, what: &str) -> Command {
        let mut command = self.engine.docker();
        command
            .args(["buildx", what, "--progress=plain"])
            .current_dir(self.repository.path());
        for name in ["GOPROXY", "GOSUMDB"] {
            let value = output(Command::new("go").args(["env", name])).unwrap_or_default();
            command.env(name, value);
        }
        command
    }

    fn log(&self, what: &str) -> PathBuf {
        self.dir
            .join(format!("{}.log", what.replace([' ', ','], "-")))
    }
}

/// How it ended; `None` when it was stopped after `limit`.
fn wait(mut child: Child, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if limit.is_some_and(|limit| began.elapsed() > limit) {
            break;
        }
        sleep(Duration::from_millis(200));
    }
    // By its number, which is ours until `wait` has returned. The client tells the daemon.
    let pid = i32::try_from(child.id()).ok();
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::INT);
    }
    child.wait()?;
    Ok(None)
}

/// What a client says last: from the last line that is about an error to the end.
fn error(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let quoted = |line: &&str| line.starts_with("------") || line.starts_with("ERROR");
    let first = lines.iter().position(quoted).unwrap_or(0);
    let from = first.max(lines.len().saturating_sub(40));
    lines[from..].join("\n")
}

/// Something that no earlier build had.
fn nonce() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("{:x}", now.unwrap_or_default().as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_begins_where_the_client_quotes_the_step() {
        let text = "#1 load\n#2 link: signal: killed\n------\n > [s01] go build:\nlink: signal: killed\n------\nERROR: failed to build\n";
        assert_eq!(
            error(text),
            "------\n > [s01] go build:\nlink: signal: killed\n------\nERROR: failed to build"
        );
    }
}
