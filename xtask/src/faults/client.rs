//! A client of the daemon, watched through the progress that it reports.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::phase::Phase;
use crate::run::line;

/// A build that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(240);

/// A build that runs.
pub(super) struct Client {
    process: Child,
    lines: Receiver<String>,
    began: Instant,
    text: String,
}

/// A build that has ended.
pub(super) struct Ended {
    /// Whether it succeeded.
    pub(super) fine: bool,
    /// What a person reads of it: the errors, and what failed steps said.
    pub(super) said: String,
}

impl Client {
    /// Starts a `docker buildx build --progress=rawjson …`.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Of its own: what is ended is docker and its plugin, and not this program.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", line(&command)))?;
        let output = process.stderr.take().context("it has no output")?;
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            process,
            lines,
            began: Instant::now(),
            text: String::new(),
        })
    }

    /// Waits until a phase has begun; `false` when the build has ended without it.
    ///
    /// # Errors
    ///
    /// The build hangs.
    pub(super) fn wait_for(&mut self, phase: Phase) -> Result<bool> {
        while let Some(line) = self.next()? {
            if phase.begins(&line) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends a signal to docker and its plugin.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok();
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// The build hangs.
    pub(super) fn end(mut self) -> Result<Ended> {
        while self.next()?.is_some() {}
        let status = self.process.wait()?;
        Ok(Ended {
            fine: status.success(),
            said: said(&self.text),
        })
    }

    /// The next line; `None` at the end.
    fn next(&mut self) -> Result<Option<String>> {
        let left = PATIENCE.saturating_sub(self.began.elapsed());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.text += &line;
                self.text.push('\n');
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                self.signal(Signal::KILL);
                let _ = self.process.wait();
                bail!("hangs:\n{}", said(&self.text))
            }
        }
    }
}

/// What of raw progress is for people: what steps say, their errors, and the last word
/// (BuildKit v0.32, `client/graph.go`, `SolveStatus`).
fn said(text: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        for line in text.lines() {
            if !line.is_empty() && said.last().is_none_or(|last| last != line) {
                said.push(line.to_owned());
            }
        }
    };
    for line in text.lines() {
        let Ok(report) = serde_json::from_str::<Value>(line) else {
            add(line);
            continue;
        };
        for log in report["logs"].as_array().into_iter().flatten() {
            let data = log["data"].as_str().unwrap_or_default();
            let data = STANDARD.decode(data).unwrap_or_default();
            add(&String::from_utf8_lossy(&data));
        }
        for vertex in report["vertexes"].as_array().into_iter().flatten() {
            add(vertex["error"].as_str().unwrap_or_default());
        }
    }
    said.join("\n")
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.signal(Signal::KILL);
            let _ = self.process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_says_is_read() {
        let text = "{\"logs\":[{\"data\":\"bm8gcm9vbQo=\"}],\"vertexes\":[{\"error\":\"exit code: 1\"}]}\n\
                    ERROR: failed\n";
        assert_eq!(said(text), "no room\nexit code: 1\nERROR: failed");
    }
}
