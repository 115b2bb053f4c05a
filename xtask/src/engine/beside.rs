//! A buildkitd beside the engine's own, with nothing in its cache and nobody else's
//! work: for measurements and faults. It ends with its value, and its state is removed.
//!
//! It runs as in a container, in a process and a mount namespace of its own: when it ends, its
//! steps and its mounts are gone, and it ends with the process that started it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use super::buildkitd::Config;
use super::state::Cache;
use super::{Engine, daemons, ensure_builder, parts};
use crate::run::{self, output};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
/// Its configuration and its log, in its state.
const CONFIG: &str = "buildkitd.toml";
const LOG: &str = "log";

/// What tells one from another.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setup<'a> {
    /// More lines for its worker, in the configuration's words.
    pub(crate) worker: &'a str,
    /// Whether it collects garbage by itself.
    pub(crate) gc: bool,
}

/// The daemon.
pub(crate) struct Beside {
    /// The program that made the namespaces.
    process: Child,
    /// The engine with this daemon instead of its own.
    pub(crate) engine: Engine,
    builder: String,
    state: PathBuf,
    /// What it leaves outside of its state.
    sockets: [PathBuf; 2],
    programs: PathBuf,
}

impl Beside {
    /// Starts one. `state` is emptied; `name` tells its builder from others. Call it from the
    /// main thread, or from one that lives as long: the daemon ends with the thread.
    ///
    /// # Errors
    ///
    /// It does not answer in time; the message holds the end of its log.
    pub(crate) fn start(engine: &Engine, name: &str, state: &Path, setup: Setup) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("a buildkitd of its own needs root; run this command as root");
        }
        let cache = Cache::open()?;
        let (programs, runc) = {
            let _lock = cache.lock()?;
            let go = parts::host_go()?;
            let programs = parts::buildkit().build(&cache, &go)?;
            (programs, parts::runc().build(&cache, &go)?.join("runc"))
        };
        daemons::remove_state(state)?;
        fs::create_dir_all(state)?;
        // The number of this process: two runs must not share a socket or a builder.
        let builder = format!("gofleet-{name}-{}", std::process::id());
        let socket = cache.run(&format!("{builder}.sock"));
        let otel = cache.run(&format!("{builder}-otel.sock"));
        let config = Config {
            root: &state.join("root"),
            socket: &socket,
            otel: &otel,
            runc: &runc,
            registry: &engine.registry,
            worker: setup.worker,
            gc: setup.gc,
        };
        fs::write(state.join(CONFIG), config.text())?;
        let host = format!("unix://{}", socket.display());
        let mut own = engine.clone();
        own.variables
            .insert("BUILDKIT_HOST".to_owned(), host.clone());
        own.variables
            .insert("BUILDX_BUILDER".to_owned(), builder.clone());
        let mut beside = Self {
            process: spawn(&programs, state)?,
            engine: own,
            builder,
            state: state.to_path_buf(),
            sockets: [socket, otel],
            programs,
        };
        beside.wait()?;
        ensure_builder(
            &beside.engine,
            &cache.docker_config(),
            &beside.builder,
            &host,
        )?;
        Ok(beside)
    }

    /// Ends it as a crash does, and its steps with it.
    ///
    /// # Errors
    ///
    /// Its end cannot be waited for.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let daemon = self.pid();
        self.process.kill()?;
        self.process.wait()?;
        // The kernel ends the namespace after its first process.
        while daemon.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts it again after [`Beside::kill`], on what it had.
    ///
    /// # Errors
    ///
    /// It does not answer in time; the message holds the end of its log.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.programs, &self.state)?;
        self.wait()
    }

    /// Its process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        let id = self.process.id();
        // proc_pid_task_children(5).
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// A `buildctl` that talks to it.
    pub(crate) fn buildctl(&self) -> Command {
        let mut command = Command::new(self.programs.join("buildctl"));
        self.engine.apply(&mut command);
        command
    }

    fn wait(&mut self) -> Result<()> {
        let began = Instant::now();
        while output(self.buildctl().args(["debug", "workers"])).is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || began.elapsed() > START {
                bail!(
                    "a second buildkitd does not answer:\n{}",
                    run::tail(&self.state.join(LOG), 15)
                );
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Starts the daemon of a state. Its log goes on where an earlier one ended.
fn spawn(programs: &Path, state: &Path) -> Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(state.join(LOG))?;
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .args(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(programs.join("buildkitd"))
        .arg("--config")
        .arg(state.join(CONFIG))
        .env_remove("BUILDKIT_HOST")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start a buildkitd with setpriv and unshare (util-linux)")
}

impl Drop for Beside {
    fn drop(&mut self) {
        let mut remove_builder = self.engine.docker();
        remove_builder.args(["buildx", "rm", "--keep-daemon", &self.builder]);
        let _ = output(&mut remove_builder);
        // The one that made the namespaces ends with the daemon, and hears no signal before.
        if let Some(pid) = self.pid() {
            let _ = run::signal(pid, Signal::TERM);
        }
        let began = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            if began.elapsed() > STOP {
                let _ = self.process.kill();
            }
            sleep(Duration::from_millis(20));
        }
        for socket in &self.sockets {
            let _ = fs::remove_file(socket);
        }
        let _ = daemons::remove_state(&self.state);
    }
}
