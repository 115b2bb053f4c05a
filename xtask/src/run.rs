//! Runs other programs and tells people about it.
//!
//! [`logged`] is for the long ones: output to a log file, a line now and then to
//! show that it moves, and on failure the command, the tail of the log and its
//! path. [`output`] is for questions, [`shown`] for programs whose output is the point.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Lines of a log that an error shows.
const TAIL_LINES: usize = 25;
/// How often a running command shows its last line.
const BEAT: Duration = Duration::from_secs(15);

/// Prints one line of progress.
pub(crate) fn say(text: impl AsRef<str>) {
    eprintln!("engine: {}", text.as_ref());
}

/// Runs `command` with its output in `log`, and says `what` and how long it took.
///
/// # Errors
///
/// The program cannot be started or fails; the message holds the tail of the log.
pub(crate) fn logged(what: &str, command: &mut Command, log: &Path) -> Result<()> {
    say(format!("{what} …"));
    let began = Instant::now();
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    let mut beat = began + BEAT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= beat {
            beat += BEAT;
            let last = tail(log, 1);
            let last: String = last.trim().chars().take(100).collect();
            say(format!("  {what}: {} s: {last}", began.elapsed().as_secs()));
        }
        sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!(
            "{what} failed: `{}`: {status}\n{}\nthe whole log: {}",
            line(command),
            tail(log, TAIL_LINES),
            log.display()
        );
    }
    say(format!("{what}: done in {} s", began.elapsed().as_secs()));
    Ok(())
}

/// Runs `command` and returns its standard output, without the last line end.
///
/// # Errors
///
/// The program cannot be started or fails; the message holds what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !out.status.success() {
        bail!(
            "`{}`: {}\n{}",
            line(command),
            out.status,
            last_lines(&String::from_utf8_lossy(&out.stderr), TAIL_LINES)
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_string())
}

/// Runs `command` with this terminal as its output.
///
/// # Errors
///
/// The program cannot be started or fails. What it said is on the screen.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(anyhow!("`{}`: {status}", line(command)))
    }
}

/// Sends a signal to a process.
///
/// # Errors
///
/// There is no such process (any more).
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.context("no number of a process")?, signal)?;
    Ok(())
}

/// Whether a program of this name is on PATH, or where the system keeps its own.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| dir.join(program).is_file())
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    for arg in command.get_args() {
        let arg = arg.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
        words.push(if !arg.is_empty() && arg.chars().all(plain) {
            arg.into_owned()
        } else {
            format!("'{}'", arg.replace('\'', r"'\''"))
        });
    }
    words.join(" ")
}

/// The last `lines` lines of a log, as far as its last 16 KiB go.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let start = file.metadata()?.len().saturating_sub(16 * 1024);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    last_lines(&String::from_utf8_lossy(&read().unwrap_or_default()), lines)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failed_command_shows_itself_its_last_lines_and_its_log() {
        let log = std::env::temp_dir().join(format!("xtask-run-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo first; echo the reason >&2; exit 3"]);
        let error = logged("the thing", &mut command, &log)
            .unwrap_err()
            .to_string();
        std::fs::remove_file(&log).unwrap();
        for part in [
            "the thing failed",
            "sh -c 'echo first",
            "exit status: 3",
            "the reason",
            "run-",
        ] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = output(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("cannot start `no-such-program-here`"));
        assert!(!on_path("no-such-program-here") && on_path("sh"));
    }

    #[test]
    fn a_tail_is_the_last_lines_that_say_something() {
        assert_eq!(last_lines("a\nb\n\nc\n\n", 2), "b\nc");
        assert_eq!(last_lines("", 2), "");
    }
}
