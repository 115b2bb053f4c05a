//! A control group with a memory limit, and how much of it is used.
//!
//! Linux, `admin-guide/cgroup-v1/memory.rst`, `admin-guide/cgroup-v2.rst` and
//! `filesystems/proc.rst`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const V1: &str = "/sys/fs/cgroup/memory";
const V2: &str = "/sys/fs/cgroup";
/// How often memory is looked at.
const BEAT: Duration = Duration::from_millis(100);

/// A group below the root; it is removed with the value, when nothing runs in it.
pub(crate) struct Cgroup {
    dir: PathBuf,
    v2: bool,
}

/// What was used while something ran, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Most memory of programs: it cannot be taken away from them.
    pub(crate) programs: u64,
    /// Most memory with the page cache, which shrinks when there is no room for it.
    pub(crate) all: u64,
    /// How often the limit was met, so that something had to shrink or to die.
    pub(crate) limit_met: u64,
    /// Programs that the kernel ended because there was no memory, on the whole machine:
    /// version 1 counts them for the group of the program alone, which is gone with it.
    pub(crate) killed: u64,
}

impl Cgroup {
    /// Makes the group `name`, with this limit in bytes.
    ///
    /// # Errors
    ///
    /// It cannot be made: that needs root, and a memory controller.
    pub(crate) fn new(name: &str, limit: u64) -> Result<Self> {
        let v2 = !Path::new(V1).is_dir();
        let dir = Path::new(if v2 { V2 } else { V1 }).join(name);
        if v2
            && !fs::read_to_string(Path::new(V2).join("cgroup.subtree_control"))?.contains("memory")
        {
            bail!("the memory controller is not on for groups below {V2}");
        }
        fs::create_dir_all(&dir)
            .with_context(|| format!("cannot make the control group {}", dir.display()))?;
        let group = Self { dir, v2 };
        if v2 {
            // What runs in it is in groups of its own below.
            group.write("cgroup.subtree_control", "+memory")?;
            group.write("memory.swap.max", "0")?;
        }
        group.set_limit(limit)?;
        Ok(group)
    }

    /// Leaves this many bytes, in addition to what is used now.
    ///
    /// # Errors
    ///
    /// The kernel does not take the limit.
    pub(crate) fn leave(&self, bytes: u64) -> Result<()> {
        self.set_limit(self.all() + bytes)
    }

    /// Sets another limit, in bytes.
    ///
    /// # Errors
    ///
    /// The kernel does not take it: version 1 takes no limit that it cannot reach at once.
    pub(crate) fn set_limit(&self, limit: u64) -> Result<()> {
        let file = if self.v2 {
            "memory.max"
        } else {
            "memory.limit_in_bytes"
        };
        self.write(file, &limit.to_string())
    }

    /// Runs `work` and says what was used meanwhile.
    ///
    /// # Errors
    ///
    /// The group cannot be read.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> T) -> Result<(T, Used)> {
        if !self.v2 {
            self.write("memory.max_usage_in_bytes", "0")?;
        }
        let (met_before, killed_before) = (self.limit_met(), killed());
        let done = AtomicBool::new(false);
        let (result, mut used) = scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut used = Used::default();
                while !done.load(Ordering::Relaxed) {
                    used.programs = used.programs.max(self.programs());
                    used.all = used.all.max(self.all());
                    sleep(BEAT);
                }
                used
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            (result, sampler.join().unwrap_or_default())
        });
        used.all = used.all.max(self.most());
        used.limit_met = self.limit_met().saturating_sub(met_before);
        used.killed = killed().saturating_sub(killed_before);
        Ok((result, used))
    }

    fn programs(&self) -> u64 {
        // Version 1 has the group's own beside the sum of all below.
        let name = if self.v2 { "anon" } else { "total_rss" };
        self.member("memory.stat", name)
    }

    fn all(&self) -> u64 {
        self.number(if self.v2 {
            "memory.current"
        } else {
            "memory.usage_in_bytes"
        })
    }

    /// The most since [`Cgroup::measure`] began, as the kernel saw it; only version 1 can
    /// start anew.
    fn most(&self) -> u64 {
        if self.v2 {
            0
        } else {
            self.number("memory.max_usage_in_bytes")
        }
    }

    fn limit_met(&self) -> u64 {
        if self.v2 {
            self.member("memory.events", "max")
        } else {
            self.number("memory.failcnt")
        }
    }

    fn number(&self, file: &str) -> u64 {
        let text = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    fn member(&self, file: &str, name: &str) -> u64 {
        member(&self.dir.join(file), name)
    }

    fn write(&self, file: &str, value: &str) -> Result<()> {
        let path = self.dir.join(file);
        fs::write(&path, value)
            .with_context(|| format!("cannot write {value} to {}", path.display()))
    }
}

fn killed() -> u64 {
    member(Path::new("/proc/vmstat"), "oom_kill")
}

/// The value of a `name value` line.
fn member(file: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(have, _)| *have == name)
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.dir);
        // In version 1 every controller has a tree of its own, and the container runtime
        // made the group in all of them.
        if let Some(name) = self.dir.file_name().filter(|_| !self.v2) {
            for tree in fs::read_dir(V2).into_iter().flatten().flatten() {
                remove(&tree.path().join(name));
            }
        }
    }
}

/// Removes a group and those below: none can be removed as files are.
fn remove(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(dir);
}
