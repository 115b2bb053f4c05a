//! Running the `go` command: on a user's machine, and in a step that fetches.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::thread;

use super::environment::Given;
use super::redact::Redactor;

/// The `go` command, where there is one.
pub trait Go: Sync {
    /// Runs it in a directory; its standard output.
    ///
    /// # Errors
    ///
    /// There is none, or it failed.
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError>;

    /// The same, where it is no news that it fails: nobody reads what it says.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    fn try_out(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        self.run(dir, args)
    }

    /// Whether it may be asked if it builds with something.
    fn tries(&self) -> bool {
        true
    }

    /// Runs git as Go would, to hear what Go does not pass on.
    ///
    /// # Errors
    ///
    /// There is none, or it failed.
    fn git(&self, _dir: &Path, _args: &[&str]) -> Result<Vec<u8>, GoError> {
        Err(GoError::NotRun)
    }

    /// Which credentials it has.
    fn given(&self) -> Given {
        Given::default()
    }

    /// A text without the secrets that it knows.
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Why there is no output of a `go` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoError {
    /// There is no `go` command, or it was not asked.
    NotRun,
    /// It could not be started, or its output could not be read.
    Io(String),
    /// It ended with an error.
    Failed {
        /// What it wrote before.
        stdout: Vec<u8>,
        /// What it says about it, without secrets.
        stderr: String,
    },
}

impl fmt::Display for GoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun => f.write_str("there is no `go` command"),
            Self::Io(text) => write!(f, "cannot run the `go` command: {text}"),
            Self::Failed { stderr, .. } => f.write_str(stderr.trim()),
        }
    }
}

impl From<io::Error> for GoError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotRun,
            _ => Self::Io(error.to_string()),
        }
    }
}

/// The `go` command in the search path.
#[derive(Debug, Clone, Default)]
pub struct GoCommand {
    /// Its whole environment; `None` leaves that of this process.
    pub(super) env: Option<BTreeMap<String, String>>,
    /// Which credentials there are in it.
    pub(super) given: Given,
    /// What its messages must not hold.
    pub(super) redactor: Redactor,
    /// Whether its messages go to our own standard error while it runs.
    pub(super) echo: bool,
}

impl Go for GoCommand {
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        self.command("go", dir, args)
    }

    fn try_out(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let quiet = Self {
            echo: false,
            ..self.clone()
        };
        quiet.run(dir, args)
    }

    fn git(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        self.command("git", dir, args)
    }

    fn given(&self) -> Given {
        self.given.clone()
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}

impl GoCommand {
    fn command(&self, program: &str, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let mut command = Command::new(program);
        if let Some(env) = &self.env {
            command.env_clear().envs(env);
        }
        let mut child = command
            .args(args)
            .current_dir(dir)
            // Nobody is there to answer.
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let messages = child.stderr.take();
        let mut stdout = Vec::new();
        let stderr = thread::scope(|scope| {
            let reader = scope.spawn(|| self.messages(messages));
            if let Some(mut out) = child.stdout.take() {
                out.read_to_end(&mut stdout)?;
            }
            let broken = |_| io::Error::other("its messages could not be read");
            reader.join().map_err(broken)
        })?;
        if child.wait()?.success() {
            Ok(stdout)
        } else {
            Err(GoError::Failed { stdout, stderr })
        }
    }

    /// Reads what the command says, line by line, and passes it on.
    fn messages(&self, from: Option<ChildStderr>) -> String {
        let mut out = String::new();
        let Some(from) = from else { return out };
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = self.redactor.redact(&String::from_utf8_lossy(&line));
            if self.echo {
                eprint!("{text}");
            }
            out.push_str(&text);
            line.clear();
        }
        out
    }
}

/// A Go command that is not there.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGo;

impl Go for NoGo {
    fn run(&self, _: &Path, _: &[&str]) -> Result<Vec<u8>, GoError> {
        Err(GoError::NotRun)
    }
}
