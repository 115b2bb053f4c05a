//! A buildkitd of a measurement's own: its cache is empty, its steps run in a control
//! group, and nothing of it is left afterwards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::engine::{self, Engine};
use crate::run::{output, tail};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(60);

/// The daemon, and the builder by which buildx knows it.
pub(crate) struct Daemon<'a> {
    engine: &'a Engine,
    process: Child,
    dir: PathBuf,
    pub(crate) builder: String,
}

impl<'a> Daemon<'a> {
    /// Starts it with its state in `dir`, and its steps in groups below `cgroup`.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub(crate) fn start(engine: &'a Engine, dir: &Path, cgroup: &str) -> Result<Self> {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir)?;
        let builder = format!("gofleet-bench-{}", std::process::id());
        let [socket, traces] = sockets(&builder);
        let address = format!("unix://{}", socket.display());
        let config = format!(
            r#"root = "{root}"
[grpc]
address = ["{address}"]
[otel]
socketPath = "{traces}"
[worker.oci]
enabled = true
snapshotter = "overlayfs"
binary = "{runc}"
defaultCgroupParent = "{cgroup}"
[worker.containerd]
enabled = false
[registry."docker.io"]
mirrors = ["{registry}"]
[registry."{registry}"]
http = true
insecure = true
"#,
            root = dir.join("root").display(),
            traces = traces.display(),
            runc = engine::runc()?.display(),
            registry = engine.registry,
        );
        let file = dir.join("buildkitd.toml");
        fs::write(&file, config)?;
        let log = File::create(dir.join("log"))?;
        let process = engine
            .buildkitd()
            .arg("--config")
            .arg(&file)
            .env_remove("BUILDKIT_HOST")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start buildkitd")?;
        let mut daemon = Self {
            engine,
            process,
            dir: dir.to_owned(),
            builder,
        };
        daemon.ready(&address)?;
        Ok(daemon)
    }

    /// Waits for an answer, and tells buildx.
    fn ready(&mut self, address: &str) -> Result<()> {
        let mut create = self.engine.docker();
        create.args(["buildx", "create", "--driver=remote"]);
        output(create.args(["--name", &self.builder, address]))?;
        let began = Instant::now();
        loop {
            let mut inspect = self.engine.docker();
            inspect.args(["buildx", "inspect", "--bootstrap", &self.builder]);
            if output(&mut inspect).is_ok_and(|said| said.contains("running")) {
                return Ok(());
            }
            if self.process.try_wait()?.is_some() || began.elapsed() > START {
                let log = tail(&self.dir.join("log"), 25);
                bail!("the buildkitd of the measurement does not answer\n{log}");
            }
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let mut remove: Command = self.engine.docker();
        let _ = output(remove.args(["buildx", "rm", "--keep-daemon", &self.builder]));
        // By its number, which is ours until `wait` has returned.
        let pid = i32::try_from(self.process.id()).ok();
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let began = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            if began.elapsed() > STOP {
                let _ = self.process.kill();
            }
            sleep(Duration::from_millis(50));
        }
        let _ = fs::remove_dir_all(&self.dir);
        for socket in sockets(&self.builder) {
            let _ = fs::remove_file(socket);
        }
    }
}

/// Its sockets, for clients and for traces. Their paths have to be short.
fn sockets(builder: &str) -> [PathBuf; 2] {
    let dir = std::env::temp_dir();
    ["", "-otel"].map(|suffix| dir.join(format!("{builder}{suffix}.sock")))
}
