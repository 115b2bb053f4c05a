//! Processor time of a build: of its client, of the daemon, and of the steps.
//!
//! Linux keeps four numbers per process (proc(5), `/proc/PID/stat`): its own time in
//! user and kernel mode, and that of all children that it has waited for, with theirs.
//!
//! - *Client*: what this process has waited for grows by the client's time, with all
//!   that it started (`docker` starts `docker-buildx`, ko starts `go`). Nothing else is
//!   waited for between two readings.
//! - *Daemon and steps*: buildkitd starts `runc` for each step and waits for it, and
//!   `runc` waits for the step's first process. So the daemon's own time and that of its
//!   children is everything once: frontends, steps, and runc. On a machine with cgroup
//!   v1, a step that was busy for 4 s on a busy machine added 1.81 s here, and
//!   1.77 s to `cpuacct.usage` of BuildKit's own group, which lacks runc. So no cgroup is
//!   asked, and it is the same with either version of them.
//!
//! BuildKit writes the trace of a build three seconds after its end
//! (`solver/llbsolver/history.go`, 0.32), and that of a bake file has the spans of all
//! targets once for each of them. [`settle`] waits for it, so that whoever caused it has it.
//!
//! Not counted: threads of the kernel that write files back, and the registry.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// After a build's end the daemon may start to work again within this time.
const TAIL: Duration = Duration::from_millis(3500);
/// It is at rest when it took no more than [`REST_TICKS`] in this time.
const REST: Duration = Duration::from_millis(500);
const REST_TICKS: u64 = 1;
/// A daemon that never rests has other work, and is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Processor times as counters: only differences mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cpu {
    /// Clock ticks.
    ticks: u64,
}

impl Cpu {
    /// Of the client and, if a build has one, of the daemon with its steps.
    ///
    /// # Errors
    ///
    /// The daemon is gone.
    pub(super) fn now(daemon: Option<u32>) -> Result<Self> {
        let [_, waited_for] = of("self")?;
        let daemon = match daemon {
            Some(pid) => {
                let [own, waited_for] = of(&pid.to_string())?;
                own + waited_for
            }
            None => 0,
        };
        Ok(Self {
            ticks: waited_for + daemon,
        })
    }

    /// Seconds since an earlier reading.
    #[expect(clippy::cast_precision_loss, reason = "seconds with two digits")]
    pub(super) fn since(self, earlier: Self) -> f64 {
        self.ticks.saturating_sub(earlier.ticks) as f64
            / rustix::param::clock_ticks_per_second() as f64
    }
}

/// Waits until the daemon has done what a build left it to do.
///
/// # Errors
///
/// The daemon is gone.
pub(super) fn settle(daemon: u32) -> Result<()> {
    sleep(TAIL);
    let began = Instant::now();
    let mut before = Cpu::now(Some(daemon))?;
    while began.elapsed() < PATIENCE {
        sleep(REST);
        let now = Cpu::now(Some(daemon))?;
        if now.ticks - before.ticks <= REST_TICKS {
            break;
        }
        before = now;
    }
    Ok(())
}

fn of(process: &str) -> Result<[u64; 2]> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    times(&text).with_context(|| format!("{path} is not as proc(5) has it"))
}

/// Own time, and that of children that were waited for.
fn times(stat: &str) -> Option<[u64; 2]> {
    // The name in parentheses may hold anything; the first field after it is the third.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |nth: usize| fields.get(nth - 3)?.parse::<u64>().ok();
    Some([number(14)? + number(15)?, number(16)? + number(17)?])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    #[test]
    fn the_four_times_are_read_past_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 8 7 6 100 20 3000 400 20 0 5 0 99 0 0";
        assert_eq!(times(stat), Some([120, 3400]));
        assert_eq!(times("7 (a) S 1 2"), None);
        assert_eq!(times(""), None);
    }

    #[test]
    fn a_client_that_was_waited_for_counts() {
        let before = Cpu::now(None).unwrap();
        let busy = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
        assert!(
            Command::new("sh")
                .args(["-c", busy])
                .status()
                .unwrap()
                .success()
        );
        let used = Cpu::now(None).unwrap().since(before);
        assert!(used > 0.0, "{used}");
    }
}
