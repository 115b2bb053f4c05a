//! Starts, checks and ends daemons.
//!
//! A daemon is known by a record in `run/`: its process id with the moment it
//! started, so that a number that the kernel has given to somebody else is never
//! taken for it, and a key of its program and settings, so that a change of
//! either restarts it. Nothing is ever ended by name.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::state::{Cache, key, write_atomically};
use crate::run::{self, line, say};

/// Time to answer after the start. Docker restores its containers first.
const START: Duration = Duration::from_secs(60);
/// Time for a running one to answer before it counts as dead.
const ALIVE: Duration = Duration::from_secs(10);
/// Time to end after SIGTERM. Docker ends its containers first.
const STOP: Duration = Duration::from_secs(30);

/// One daemon as it should run.
pub(crate) struct Daemon {
    /// With its version: `buildkitd-v0.32.2`.
    pub(crate) name: String,
    pub(crate) command: Command,
    /// Its configuration file and what it holds.
    pub(crate) config: (PathBuf, String),
    /// Sockets and pid files that a dead one leaves behind.
    pub(crate) leftovers: Vec<PathBuf>,
    /// Whether it answers.
    pub(crate) answers: Box<dyn Fn() -> bool>,
}

impl Daemon {
    /// Makes it run as described: nothing if it does, else a fresh start.
    ///
    /// # Errors
    ///
    /// It does not answer in time; the message holds the tail of its log.
    pub(crate) fn ensure(mut self, cache: &Cache) -> Result<()> {
        let wanted = key([line(&self.command), self.config.1.clone()]);
        if let Some(record) = Record::load(cache, &self.name) {
            if record.key == wanted && record.alive() {
                if wait(ALIVE, || (self.answers)() || !record.alive()) && record.alive() {
                    return Ok(());
                }
                say(format!("{} does not answer, starting it anew", self.name));
            } else if record.alive() {
                say(format!(
                    "{} has other settings, starting it anew",
                    self.name
                ));
            } else {
                say(format!("{} is gone, starting it anew", self.name));
            }
            end(cache, &self.name)?;
        }
        for path in &self.leftovers {
            let _ = fs::remove_file(path);
        }
        write_atomically(&self.config.0, self.config.1.as_bytes())?;
        let log = cache.log(&self.name);
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .current_dir("/")
            // Of its own, so that Ctrl-C in this terminal does not reach it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", line(&self.command)))?;
        let record = Record {
            pid: child.id(),
            started: started(child.id()).unwrap_or_default(),
            key: wanted,
        };
        record.save(cache, &self.name)?;
        let mut ended = None;
        let answers = wait(START, || {
            ended = child.try_wait().ok().flatten();
            ended.is_some() || (self.answers)()
        });
        let why = match ended {
            Some(status) => format!("ended at once: {status}"),
            None if !answers => format!("does not answer within {} s", START.as_secs()),
            None => {
                say(format!("{} runs (process {})", self.name, record.pid));
                return Ok(());
            }
        };
        let text = format!(
            "{} {why}: `{}`\n{}\nits log: {}",
            self.name,
            line(&self.command),
            run::tail(&log, 25),
            log.display()
        );
        // Reaps it too.
        let _ = child.kill();
        let _ = child.wait();
        end(cache, &self.name)?;
        bail!(text)
    }
}

/// Whether the daemon `name` was started by this engine and still runs.
pub(crate) fn alive(cache: &Cache, name: &str) -> bool {
    Record::load(cache, name).is_some_and(|record| record.alive())
}

/// Names of all daemons with a record, dead or alive.
pub(crate) fn recorded(cache: &Cache) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(cache.run(""))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".process").map(String::from));
    }
    names.sort();
    Ok(names)
}

/// Ends the daemon `name` if it runs, and unmounts what it has mounted.
///
/// # Errors
///
/// It survives SIGKILL, or something is busy.
pub(crate) fn end(cache: &Cache, name: &str) -> Result<()> {
    if let Some(record) = Record::load(cache, name)
        && record.alive()
    {
        record.signal(Signal::TERM)?;
        if !wait(STOP, || !record.alive()) {
            record.signal(Signal::KILL)?;
            if !wait(ALIVE, || !record.alive()) {
                bail!("{name} (process {}) cannot be ended", record.pid);
            }
        }
        say(format!("{name} ended"));
    }
    // A dockerd that was killed leaves its containerd and their shims, which hold mounts.
    end_orphans(cache, name)?;
    unmount_below(&cache.daemon(name))?;
    unmount_below(&cache.run(name))?;
    let _ = fs::remove_file(record_path(cache, name));
    Ok(())
}

/// Ends containerds and shims whose command line names the daemon's folder in
/// `run/`: Docker started them, with sockets of its own.
fn end_orphans(cache: &Cache, name: &str) -> Result<()> {
    let folder = format!("{}/", cache.run(name).display());
    let find = || -> Result<Vec<Record>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<String> = command
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            let child = words.first().is_some_and(|program| {
                let program = program.rsplit('/').next().unwrap_or_default();
                program == "containerd" || program == "containerd-shim-runc-v2"
            });
            if child && words.iter().any(|word| word.starts_with(&folder)) {
                found.extend(started(pid).map(|started| Record {
                    pid,
                    started,
                    key: String::new(),
                }));
            }
        }
        Ok(found)
    };
    for signal in [Signal::TERM, Signal::KILL] {
        let orphans = find()?;
        for orphan in &orphans {
            orphan.signal(signal)?;
        }
        if wait(ALIVE, || orphans.iter().all(|orphan| !orphan.alive())) {
            break;
        }
    }
    Ok(())
}

/// Removes a daemon's folder `state`, and what it has mounted there. The daemon has ended.
///
/// # Errors
///
/// Something there cannot be unmounted or removed.
pub(crate) fn remove_state(state: &Path) -> Result<()> {
    if state.exists() {
        // First: what is mounted there may be anybody's.
        unmount_below(state)?;
        fs::remove_dir_all(state).with_context(|| format!("cannot remove {}", state.display()))?;
    }
    Ok(())
}

/// Unmounts all that is mounted below `dir`, the deepest first.
fn unmount_below(dir: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    for point in mounts_below(&table, dir) {
        rustix::mount::unmount(&point, rustix::mount::UnmountFlags::DETACH)
            .with_context(|| format!("cannot unmount {}", point.display()))?;
    }
    Ok(())
}

/// Mount points below `dir`, and those elsewhere of an overlay whose layers are
/// (daemons look into a snapshot that way), in the text of `/proc/self/mountinfo`
/// (proc(5)), the last mounted first.
fn mounts_below(table: &str, dir: &Path) -> Vec<PathBuf> {
    let layer = format!("lowerdir={}/", dir.display());
    let mut points: Vec<PathBuf> = Vec::new();
    for line in table.lines() {
        let Some(point) = line.split(' ').nth(4) else {
            continue;
        };
        let point = PathBuf::from(point.replace(r"\040", " "));
        if (point.starts_with(dir) && point != dir) || line.contains(&layer) {
            points.push(point);
        }
    }
    points.reverse();
    points
}

/// Asks `ready` until it says yes or the time is over.
fn wait(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if ready() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
}

/// Who a process is: its number and when it started.
struct Record {
    pid: u32,
    /// Boot and clock tick of the start.
    started: String,
    key: String,
}

impl Record {
    fn load(cache: &Cache, name: &str) -> Option<Self> {
        let value: Value =
            serde_json::from_slice(&fs::read(record_path(cache, name)).ok()?).ok()?;
        Some(Self {
            pid: value["pid"].as_u64()?.try_into().ok()?,
            started: value["started"].as_str()?.to_string(),
            key: value["key"].as_str()?.to_string(),
        })
    }

    fn save(&self, cache: &Cache, name: &str) -> Result<()> {
        let value = json!({"pid": self.pid, "started": self.started, "key": self.key});
        write_atomically(&record_path(cache, name), value.to_string().as_bytes())
    }

    fn alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        if self.alive() {
            match kill_process(pid, signal) {
                Err(rustix::io::Errno::SRCH) | Ok(()) => {}
                Err(error) => bail!("cannot signal process {}: {error}", self.pid),
            }
        }
        Ok(())
    }
}

fn record_path(cache: &Cache, name: &str) -> PathBuf {
    cache.run(&format!("{name}.process"))
}

/// When the process started, as something that no other process ever has with
/// this number. `None`: no such process, or it has ended and nobody asked for its status yet.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): the name in parentheses may hold anything; after it the fields from state (3) on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (state, start) = (fields.first()?, fields.get(19)?);
    if matches!(*state, "Z" | "X") {
        return None;
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{}/{start}", boot.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start_not_by_its_number_alone() {
        let own = Record {
            pid: std::process::id(),
            started: started(std::process::id()).unwrap(),
            key: String::new(),
        };
        assert!(own.alive());
        let other = Record {
            started: "another boot/1".to_string(),
            ..own
        };
        assert!(!other.alive());
        // Must not end this very process.
        other.signal(Signal::KILL).unwrap();
    }

    #[test]
    fn a_process_that_ended_is_not_alive_even_unreaped() {
        let mut child = Command::new("true").spawn().unwrap();
        assert!(wait(Duration::from_secs(5), || started(child.id()).is_none()));
        child.wait().unwrap();
    }

    #[test]
    fn only_mounts_of_the_folder_are_named_the_last_first() {
        let table = "1 2 0:1 / /c/d rw - overlay o rw\n3 1 0:2 / /c/d/a rw - overlay o rw\n\
                     4 3 0:3 / /c/d/a/b\\040c rw - tmpfs t rw\n5 1 0:4 / /c/dx rw - tmpfs t rw\n\
                     6 1 0:5 / /tmp/look ro - overlay o ro,lowerdir=/c/d/1:/c/d/2\n\
                     7 1 0:6 / /tmp/other ro - overlay o ro,lowerdir=/c/dx/1\n";
        assert_eq!(
            mounts_below(table, Path::new("/c/d")),
            ["/tmp/look", "/c/d/a/b c", "/c/d/a"].map(PathBuf::from)
        );
    }
}
