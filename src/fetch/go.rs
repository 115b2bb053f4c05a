//! Running the `go` command: on a user's machine, and in a step that fetches, where it is
//! watched.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::environment::Given;
use super::redact::Redactor;
use super::silence::{self, Silence};
use super::trace::Trace;

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

    /// The same with an empty module cache and without checksums: what servers send, and not
    /// what it should be.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    fn unchecked(&self, _cache: &Path, _dir: &Path, _args: &[&str]) -> Result<Vec<u8>, GoError> {
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
        /// The addresses that it was answered from, in their order.
        answered: Vec<String>,
    },
    /// It was ended: a server said nothing, or did not stop.
    Silent(Silence),
}

impl fmt::Display for GoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun => f.write_str("there is no `go` command"),
            Self::Io(text) => write!(f, "cannot run the `go` command: {text}"),
            Self::Failed { stderr, .. } => f.write_str(stderr.trim()),
            Self::Silent(silence) => silence.fmt(f),
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
    /// For how long servers may be silent; `None` lets it wait for ever.
    pub(super) limit: Option<Duration>,
}

impl Go for GoCommand {
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let args = self.traced(args);
        match self.command("go", dir, &args) {
            Err(GoError::Silent(silence)) if !silence.is_endless => {
                self.say(&format!("{silence}: trying once more"));
                self.beyond(&silence).command("go", dir, &args)
            }
            other => other,
        }
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

    fn unchecked(&self, cache: &Path, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let mut other = Self {
            echo: false,
            ..self.clone()
        };
        let env = other.env.get_or_insert_with(BTreeMap::new);
        let cache = cache.to_string_lossy();
        for (name, value) in [
            ("GOMODCACHE", cache.as_ref()),
            ("GOFLAGS", "-mod=mod -modcacherw"),
            ("GOSUMDB", "off"),
            ("GOWORK", "off"),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
        other.command("go", dir, &other.traced(args))
    }

    fn given(&self) -> Given {
        self.given.clone()
    }

    fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }
}

impl GoCommand {
    /// Has a command that may fetch say what it asks for.
    fn traced<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        let at = match args {
            ["mod", "download" | "graph", ..] => 2,
            ["list", ..] => 1,
            _ => 0,
        };
        let (verb, rest) = args.split_at(at);
        let flag = (self.limit.is_some() && at > 0).then_some("-x");
        verb.iter()
            .copied()
            .chain(flag)
            .chain(rest.iter().copied())
            .collect()
    }

    /// The command for another try, without the proxies that Go would not ask again.
    fn beyond(&self, silence: &Silence) -> Self {
        let mut next = self.clone();
        if let Some(proxies) = next.env.as_mut().and_then(|env| env.get_mut("GOPROXY")) {
            *proxies = silence::beyond(proxies, &silence.hosts());
        }
        next
    }

    fn command(&self, program: &str, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let mut command = Command::new(program);
        if let Some(env) = &self.env {
            command.env_clear().envs(env);
        }
        if self.limit.is_some() {
            command.process_group(0);
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
        let leader = child.id();
        let messages = child.stderr.take();
        let trace = Mutex::new(Trace::of(program, args));
        let mut stdout = Vec::new();
        let (stderr, silence) = thread::scope(|scope| {
            let reader = scope.spawn(|| self.messages(messages, &trace));
            // Closed when the command is over.
            let (running, over) = mpsc::channel::<()>();
            let watcher = self.limit.map(|limit| {
                let trace = &trace;
                let say = |text: &str| self.say(text);
                scope.spawn(move || silence::watch(limit, leader, trace, &over, &say))
            });
            let read = child
                .stdout
                .take()
                .map(|mut out| out.read_to_end(&mut stdout));
            drop(running);
            read.transpose()?;
            let broken = |_| io::Error::other("its messages could not be read");
            let silence = watcher.and_then(|watcher| watcher.join().unwrap_or_default());
            Ok::<_, io::Error>((reader.join().map_err(broken)?, silence))
        })?;
        let status = child.wait()?;
        match silence {
            _ if status.success() => Ok(stdout),
            Some(silence) => Err(GoError::Silent(silence)),
            None => Err(GoError::Failed {
                stdout,
                stderr,
                answered: trace.into_inner().unwrap_or_default().answered(),
            }),
        }
    }

    fn say(&self, text: &str) {
        if self.echo {
            eprintln!("{text}");
        }
    }

    /// Reads what the command says, line by line, and passes it on; what is for the watcher
    /// alone goes to the trace.
    fn messages(&self, from: Option<ChildStderr>, trace: &Mutex<Trace>) -> String {
        let mut out = String::new();
        let Some(from) = from else { return out };
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = self.redactor.redact(&String::from_utf8_lossy(&line));
            line.clear();
            let is_trace = trace.lock().is_ok_and(|mut trace| trace.read(&text));
            if is_trace && self.limit.is_some() {
                continue;
            }
            if self.echo {
                eprint!("{text}");
            }
            out.push_str(&text);
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
