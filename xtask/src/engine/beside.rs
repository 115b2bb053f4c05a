//! A buildkitd beside the engine's own, with nothing in its cache and nobody else's
//! work: for measurements. It ends with its value, and its state is removed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::buildkitd::Config;
use super::state::Cache;
use super::{Engine, daemons, ensure_builder, parts};
use crate::run::{self, output};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);

/// The daemon.
pub(crate) struct Beside {
    process: Child,
    /// The engine with this daemon instead of its own.
    pub(crate) engine: Engine,
    builder: String,
    state: PathBuf,
    /// What it leaves outside of its state.
    sockets: [PathBuf; 2],
    buildctl: PathBuf,
}

impl Beside {
    /// Starts one. `state` is emptied; `name` tells its builder from others; `worker` is
    /// more lines for its worker, in the configuration's words.
    ///
    /// # Errors
    ///
    /// It does not answer in time; the message holds the end of its log.
    pub(crate) fn start(engine: &Engine, name: &str, state: &Path, worker: &str) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("a buildkitd for measurements needs root; run this command as root");
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
            worker,
        };
        let file = state.join("buildkitd.toml");
        fs::write(&file, config.text())?;
        let log = state.join("log");
        let to_log = File::create(&log)?;
        let process = Command::new(programs.join("buildkitd"))
            .arg("--config")
            .arg(&file)
            .env_remove("BUILDKIT_HOST")
            .stdin(Stdio::null())
            .stdout(to_log.try_clone()?)
            .stderr(to_log)
            .spawn()
            .context("cannot start a buildkitd")?;
        let host = format!("unix://{}", socket.display());
        let mut own = engine.clone();
        own.variables
            .insert("BUILDKIT_HOST".to_owned(), host.clone());
        own.variables
            .insert("BUILDX_BUILDER".to_owned(), builder.clone());
        let mut beside = Self {
            process,
            engine: own,
            builder,
            state: state.to_path_buf(),
            sockets: [socket, otel],
            buildctl: programs.join("buildctl"),
        };
        beside.wait(&log)?;
        ensure_builder(
            &beside.engine,
            &cache.docker_config(),
            &beside.builder,
            &host,
        )?;
        Ok(beside)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A `buildctl` that talks to it.
    pub(crate) fn buildctl(&self) -> Command {
        let mut command = Command::new(&self.buildctl);
        self.engine.apply(&mut command);
        command
    }

    fn wait(&mut self, log: &Path) -> Result<()> {
        let began = Instant::now();
        while output(self.buildctl().args(["debug", "workers"])).is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || began.elapsed() > START {
                bail!(
                    "a second buildkitd does not answer:\n{}",
                    run::tail(log, 15)
                );
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let mut remove_builder = self.engine.docker();
        remove_builder.args(["buildx", "rm", "--keep-daemon", &self.builder]);
        let _ = output(&mut remove_builder);
        // By its number, which is ours until its status was asked for.
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
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
