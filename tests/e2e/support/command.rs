//! Runs the clients' commands, with a limit, and keeps what they say.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// After this a command hangs. No build of these tests comes near it.
const LIMIT: Duration = Duration::from_secs(600);
/// How much of a failed command's output is shown.
const TAIL_BYTES: usize = 6000;

/// A command to run.
pub(crate) struct Tool {
    command: Command,
    stdin: Vec<u8>,
}

/// How a command ended and what it said.
pub(crate) struct Output {
    /// As a person would type it.
    line: String,
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// `docker` of the engine.
pub(crate) fn docker() -> Tool {
    Tool::new("docker")
}

/// `buildctl`, which asks BUILDKIT_HOST.
pub(crate) fn buildctl() -> Tool {
    Tool::new("buildctl")
}

impl Tool {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        // Terminal output would differ from what scripts see, and hints change with versions.
        command
            .env("NO_COLOR", "1")
            .env("DOCKER_CLI_HINTS", "false");
        Self {
            command,
            stdin: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs it and expects success.
    pub(crate) fn ok(self) -> Output {
        let output = self.run();
        assert!(
            output.status.success(),
            "{}",
            output.report("should succeed")
        );
        output
    }

    /// Runs it and expects failure, not death by a signal.
    pub(crate) fn fails(self) -> Output {
        let output = self.run();
        let code = output.status.code();
        assert!(
            code.is_some_and(|code| code != 0),
            "{}",
            output.report("should fail")
        );
        output
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Output {
        self.interrupted(|_| false)
    }

    /// Runs it, and interrupts it as a person does when it writes such a line to its standard
    /// error.
    pub(crate) fn interrupted(
        mut self,
        mut at: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Output {
        let line = line(&self.command);
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Of its own: plugins of `docker` must end with it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{line}`: {error}"));
        let stdin = child.stdin.take();
        let bytes = std::mem::take(&mut self.stdin);
        // A command that does not read its input closes it; its exit code tells the rest.
        let writer = thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&bytes)));
        let stdout = drain(child.stdout.take());
        let group = group_of(&child);
        let stderr = lines(child.stderr.take(), move |line| {
            if at(line) {
                let _ = group.map(|group| kill_process_group(group, Signal::INT));
            }
        });
        let status = wait(&mut child);
        let _ = writer.join();
        let stdout = stdout.join().unwrap();
        let stderr = String::from_utf8_lossy(&stderr.join().unwrap()).into_owned();
        let Some(status) = status else {
            panic!(
                "`{line}` did not end within {} s\n{}",
                LIMIT.as_secs(),
                tail(&stderr)
            );
        };
        Output {
            line,
            status,
            stdout,
            stderr,
        }
    }
}

impl Output {
    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Both streams as text.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.text(), self.stderr)
    }

    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Expects each of `parts` in what it said.
    pub(crate) fn says<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> &Self {
        let all = self.all();
        for part in parts {
            assert!(
                all.contains(part),
                "{}",
                self.report(&format!("should say `{part}`"))
            );
        }
        self
    }

    /// Expects none of `parts` in what it said.
    pub(crate) fn never_says<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> &Self {
        let all = self.all();
        for part in parts {
            assert!(
                !all.contains(part),
                "{}",
                self.report(&format!("should not say `{part}`"))
            );
        }
        self
    }

    /// The command, how it ended and the end of what it said.
    pub(crate) fn report(&self, expected: &str) -> String {
        format!(
            "`{}` {expected}: {}\n{}",
            self.line,
            self.status,
            tail(&self.all())
        )
    }
}

/// Waits for the end; `None` after the limit, when the whole group is ended.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if began.elapsed() > LIMIT {
            if let Some(group) = group_of(child) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// The same, with a look at each line when it is there.
fn lines(
    pipe: Option<impl Read + Send + 'static>,
    mut look: impl FnMut(&str) + Send + 'static,
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let Some(pipe) = pipe else { return bytes };
        let mut pipe = BufReader::new(pipe);
        let mut begin = 0;
        while let Ok(1..) = pipe.read_until(b'\n', &mut bytes) {
            look(&String::from_utf8_lossy(&bytes[begin..]));
            begin = bytes.len();
        }
        bytes
    })
}

/// Its own number is that of its group.
fn group_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    words.join(" ")
}

/// The end of a text, without the `statuses` lines of raw progress.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("{\"statuses\""))
        .collect();
    let text = lines.join("\n");
    let mut start = text.len().saturating_sub(TAIL_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}
