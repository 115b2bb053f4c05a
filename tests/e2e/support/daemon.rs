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
        let process = Command::new(buildkitd())
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

/// The daemon of the version that the run of the tests asks for, or else that on PATH.
fn buildkitd() -> PathBuf {
    match std::env::var("GOFLEET_BUILDKIT_VERSION") {
        Ok(version) => part(&format!("buildkit-{version}-"), "buildkitd"),
        Err(_) => PathBuf::from("buildkitd"),
    }
}

/// The container runtime: on PATH, or beside the folder of the engine's buildkitd.
fn runc() -> PathBuf {
    let on_path = path().into_iter().find(|dir| dir.join("runc").is_file());
    on_path.map_or_else(|| part("runc-", "runc"), |dir| dir.join("runc"))
}

/// A program of the engine, in a folder that begins like this.
fn part(folder: &str, program: &str) -> PathBuf {
    let own = path()
        .into_iter()
        .find(|dir| dir.join("buildkitd").is_file());
    let own = own.expect("no buildkitd on PATH: run `cargo xtask test`");
    let named = |dir: &PathBuf| {
        let name = dir.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(folder) && dir.join(program).is_file()
    };
    let mut built: Vec<PathBuf> = fs::read_dir(own.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(named)
        .collect();
    built.sort();
    let newest = built.pop();
    let newest = newest.unwrap_or_else(|| panic!("no {folder}…/{program} beside {own:?}"));
    newest.join(program)
}

fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}
