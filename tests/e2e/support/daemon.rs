//! A second buildkitd with nothing in its cache, for what must hold on any machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::engine::engine;

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);

/// A buildkitd of its own; it ends with the value, and its state is removed.
pub(crate) struct Daemon {
    process: Child,
    /// Address for `buildctl --addr`.
    pub(crate) address: String,
    // Sockets have short paths only; the state needs a disk with room.
    sockets: TempDir,
    state: TempDir,
}

impl Daemon {
    /// Starts it, with the engine's registry as mirror of `docker.io`.
    pub(crate) fn start() -> Self {
        let sockets = TempDir::new().unwrap();
        let state = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let address = format!("unix://{}/buildkitd.sock", sockets.path().display());
        let registry = &engine().registry;
        let config = format!(
            r#"root = "{root}"
[grpc]
address = ["{address}"]
[otel]
socketPath = "{sockets}/otel.sock"
[worker.oci]
enabled = true
snapshotter = "overlayfs"
binary = "{runc}"
gc = false
[worker.containerd]
enabled = false
[registry."docker.io"]
mirrors = ["{registry}"]
[registry."{registry}"]
http = true
insecure = true
"#,
            root = state.path().join("root").display(),
            sockets = sockets.path().display(),
            runc = runc().display(),
        );
        let file = sockets.path().join("buildkitd.toml");
        fs::write(&file, config).unwrap();
        let log = fs::File::create(sockets.path().join("log")).unwrap();
        let process = Command::new("buildkitd")
            .arg("--config")
            .arg(&file)
            .env_remove("BUILDKIT_HOST")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start buildkitd: {error}"));
        let mut daemon = Self {
            process,
            address,
            sockets,
            state,
        };
        daemon.wait();
        daemon
    }

    /// Where it keeps everything.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    fn wait(&mut self) {
        let began = Instant::now();
        let answers = || {
            Command::new("buildctl")
                .args(["--addr", &self.address, "debug", "workers"])
                .output()
        };
        while !answers().unwrap().status.success() {
            let ended = self.process.try_wait().unwrap();
            if ended.is_some() || began.elapsed() > START {
                let log = fs::read_to_string(self.sockets.path().join("log")).unwrap_or_default();
                panic!("the second buildkitd does not answer: {ended:?}\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // By its number, which is ours until `wait` has returned.
        if let Some(pid) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::TERM);
        }
        let began = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            if began.elapsed() > STOP {
                let _ = self.process.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The container runtime: on PATH, or beside the folder of the engine's buildkitd.
fn runc() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(dir) = dirs.iter().find(|dir| dir.join("runc").is_file()) {
        return dir.join("runc");
    }
    let own = dirs.iter().find(|dir| dir.join("buildkitd").is_file());
    let parts = own
        .and_then(|dir| dir.parent())
        .expect("no buildkitd on PATH: run `cargo xtask test`");
    let mut built: Vec<PathBuf> = fs::read_dir(parts)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|dir| is_runc(dir))
        .map(|dir| dir.join("runc"))
        .collect();
    built.sort();
    built.pop().expect("no runc on PATH or beside buildkitd")
}

fn is_runc(dir: &Path) -> bool {
    let name = dir
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    name.starts_with("runc-") && dir.join("runc").is_file()
}
