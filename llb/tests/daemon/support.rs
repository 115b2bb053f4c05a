//! `buildctl`, and servers on loopback for sources.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, thread};

use buildkit_llb::{encode_definition, pb};
use serde_json::Value;

/// A temporary directory.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gofleet-llb-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A vertex as the daemon reports it.
#[derive(Debug, Default)]
pub(crate) struct Vertex {
    pub(crate) name: String,
    pub(crate) inputs: BTreeSet<String>,
}

/// What came of a solve.
pub(crate) struct Solve {
    pub(crate) success: bool,
    /// By digest.
    pub(crate) vertices: BTreeMap<String, Vertex>,
    /// What `buildctl` wrote besides the status.
    pub(crate) log: String,
}

/// Solves a definition. `locals` are names and directories in turn.
pub(crate) fn solve(definition: &pb::Definition, locals: &[&str], out: Option<&Dir>) -> Solve {
    let mut command = buildctl();
    command.args(["build", "--progress=rawjson"]);
    for local in locals.chunks(2) {
        command
            .arg("--local")
            .arg(format!("{}={}", local[0], local[1]));
    }
    if let Some(out) = out {
        let dest = out.path().display();
        command
            .arg("--output")
            .arg(format!("type=local,dest={dest}"));
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`buildctl` in PATH: run `cargo xtask test`");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&encode_definition(definition)).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let mut log = String::new();
    let mut vertices: BTreeMap<String, Vertex> = BTreeMap::new();
    for line in text.lines() {
        let Ok(status) = serde_json::from_str::<Value>(line) else {
            log += line;
            log.push('\n');
            continue;
        };
        for vertex in status["vertexes"].as_array().into_iter().flatten() {
            let digest = vertex["digest"].as_str().unwrap().to_owned();
            let known = vertices.entry(digest).or_default();
            known.name = vertex["name"].as_str().unwrap().to_owned();
            let inputs = vertex["inputs"].as_array().into_iter().flatten();
            let inputs = inputs.map(|input| input.as_str().unwrap().to_owned());
            known.inputs.extend(inputs);
        }
    }
    Solve {
        success: output.status.success(),
        vertices,
        log,
    }
}

fn buildctl() -> Command {
    let host = std::env::var_os("BUILDKIT_HOST");
    assert!(host.is_some(), "no BUILDKIT_HOST: run `cargo xtask test`");
    Command::new("buildctl")
}

/// Whether the daemon is from before a version.
pub(crate) fn is_older_than(version: (u32, u32)) -> bool {
    let output = buildctl().args(["debug", "info"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let word = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix('v'))
        .expect("a version");
    let mut numbers = word
        .split('.')
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next()) < version
}

/// A server of one file.
pub(crate) struct HttpServer(u16);

impl HttpServer {
    /// Serves until the test process ends.
    pub(crate) fn start(body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own affair.
                let _ = answer(stream, body);
            }
        });
        HttpServer(port)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/file", self.0)
    }
}

fn answer(mut stream: TcpStream, body: &str) -> std::io::Result<()> {
    let request = BufReader::new(stream.try_clone()?).lines();
    let mut lines = request
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    lines.for_each(drop);
    let body_if_asked = if first.starts_with("HEAD") { "" } else { body };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body_if_asked}",
        body.len()
    )
}

/// A git server of one repository with one commit.
pub(crate) struct GitServer {
    _repository: Dir,
    daemon: Child,
    port: u16,
}

impl GitServer {
    pub(crate) fn start() -> Self {
        let repository = Dir::new();
        let path = repository.path().join("repo");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), "from git\n").unwrap();
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        git(&path, &["add", "."]);
        let who = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
        git(
            &path,
            &[&who[..], &["commit", "--quiet", "-m", "one"]].concat(),
        );

        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        // Not through `git`, which would leave it running when it is stopped.
        let daemon = Path::new(&git(&path, &["--exec-path"])).join("git-daemon");
        let daemon = Command::new(daemon)
            .args(["--export-all", "--listen=127.0.0.1", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", repository.path().display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = GitServer {
            _repository: repository,
            daemon,
            port,
        };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("git-daemon does not listen");
    }

    pub(crate) fn url(&self) -> String {
        format!("git://127.0.0.1:{}/repo", self.port)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Runs git and gives what it prints.
fn git(repository: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("`git` in PATH");
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
