//! A Git repository and a server for it on loopback.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::command::Tool;

const START: Duration = Duration::from_secs(20);

/// `git daemon` over one directory of repositories; it ends with the value.
pub(crate) struct GitServer {
    server: Child,
    port: u16,
}

impl GitServer {
    /// Serves the repositories below `base`.
    pub(crate) fn start(base: &Path) -> Self {
        let folder = Tool::new("git").arg("--exec-path").ok().text();
        // Not through `git`, which would have to pass our signal on.
        let program = Path::new(folder.trim()).join("git-daemon");
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new(&program)
            .args(["--listen=127.0.0.1", "--export-all", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", base.display()))
            .arg(base)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let mut this = Self { server, port };
        this.wait();
        this
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.server.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < START,
                "git-daemon does not answer: {ended:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address of a repository, with an optional `#ref:subdir`.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("git://127.0.0.1:{}/{repository}", self.port)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Makes a repository of everything below `dir`, with one commit on `main`.
pub(crate) fn commit_all(dir: &Path) {
    let git = |args: &[&str]| {
        Tool::new("git")
            .args([
                "-c",
                "user.name=gofleet",
                "-c",
                "user.email=gofleet@example.com",
            ])
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(args)
            .dir(dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .ok()
    };
    if !dir.join(".git").exists() {
        git(&["init", "--quiet"]);
    }
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "sources"]);
}
