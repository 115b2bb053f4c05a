//! What a group of processes does, by what the kernel counts: whether bytes arrive, whether
//! it computes, and how much memory it holds.
//!
//! Source: `proc(5)`. What is not there (another system, or a kernel without these
//! counters) is `None`, and nobody is ended for it.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};

/// What a look at a group of processes found, as numbers that grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Bytes that were read, from anywhere: the network, files, and each other.
    pub(super) read: u64,
    /// Hundredths of a second of a processor.
    pub(super) cpu: u64,
}

/// The processes of a group: a command, and what it starts.
#[derive(Debug)]
pub(super) struct Group {
    leader: u32,
    seen: BTreeMap<u32, Counted>,
    /// Of all that there were, also of those that have ended.
    total: Counted,
}

impl Group {
    /// That of a process which leads one.
    pub(super) fn new(leader: u32) -> Self {
        Self {
            leader,
            seen: BTreeMap::new(),
            total: Counted::default(),
        }
    }

    /// Looks again.
    pub(super) fn look(&mut self) -> Option<Counted> {
        counted(self.leader)?;
        let entries = fs::read_dir("/proc").ok()?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for pid in names.filter_map(|name| name.parse::<u32>().ok()) {
            let is_member = stat(pid).is_some_and(|fields| group_of(&fields) == Some(self.leader));
            if let Some(now) = counted(pid).filter(|_| is_member) {
                let before = self.seen.insert(pid, now).unwrap_or_default();
                self.total.read += now.read.saturating_sub(before.read);
                self.total.cpu += now.cpu.saturating_sub(before.cpu);
            }
        }
        Some(self.total)
    }

    /// Bytes of memory that the leader has filled.
    pub(super) fn memory(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.leader)).ok()?;
        Some(number(&text, "RssAnon:")? << 10)
    }

    /// Ends all of them.
    pub(super) fn end(&self) {
        let leader = i32::try_from(self.leader).ok().and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // One that is gone needs no end.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

fn counted(pid: u32) -> Option<Counted> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let fields = stat(pid)?;
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Counted {
        read: number(&io, "rchar:")?,
        cpu: ticks(11)? + ticks(12)?,
    })
}

/// The fields of `stat` behind the name, which may hold anything: the first is the state.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn group_of(fields: &[String]) -> Option<u32> {
    fields.get(2)?.parse().ok()
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn bytes_of_a_child_count_and_it_ends_with_the_group() {
        let mut shell = Command::new("sh")
            .args(["-c", "head -c 1000000 /dev/zero | wc -c; sleep 600 & wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut group = Group::new(shell.id());
        let mut out = [0; 8];
        shell.stdout.as_mut().unwrap().read_exact(&mut out).unwrap();
        assert_eq!(&out, b"1000000\n");
        assert!(group.look().is_some());
        assert!(group.memory().unwrap() > 0);
        group.end();
        // Its end is that of the sleeping child, too, which holds the pipe open.
        shell
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut Vec::new())
            .unwrap();
        assert!(!shell.wait().unwrap().success());
    }

    #[test]
    fn what_is_not_there_is_not_counted() {
        assert_eq!(Group::new(u32::MAX).look(), None);
    }
}
