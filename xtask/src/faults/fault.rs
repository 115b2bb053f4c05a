//! The faults: what goes wrong, and what a person may read then.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;

use super::client::Client;
use super::machine::Machine;
use super::phase::Phase;
use super::server::Failure;
use crate::run;

/// What goes wrong in a phase of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    DaemonKilled,
    /// SIGINT, as Ctrl+C sends it.
    ClientInterrupted,
    ClientKilled,
    FrontendKilled,
    /// It is stopped for two seconds, and goes on.
    FrontendStopped,
    DiskFull,
    /// Steps get little memory together.
    MemoryShort,
    Registry(Failure),
    Proxy(Failure),
}

/// Bytes left for all steps when memory is short: the `go` command starts, and what it starts
/// does not end well. What lies on the disk counts as used: it is one in memory.
const SHORT: u64 = 24 << 20;
/// How long a server hangs, and a frontend stands still.
const PAUSE: Duration = Duration::from_secs(2);

impl Fault {
    /// What a table calls it.
    pub(super) fn name(self) -> String {
        let server = |name: &str, failure| match failure {
            Failure::None => format!("{name} answers"),
            Failure::Refuses => format!("{name} refuses connections"),
            Failure::Says500 => format!("{name} answers 500"),
            Failure::Hangs => format!("{name} is silent"),
            Failure::Cuts => format!("{name} cuts answers"),
        };
        match self {
            Self::DaemonKilled => "daemon killed".to_owned(),
            Self::ClientInterrupted => "client interrupted".to_owned(),
            Self::ClientKilled => "client killed".to_owned(),
            Self::FrontendKilled => "frontend killed".to_owned(),
            Self::FrontendStopped => "frontend stopped for a while".to_owned(),
            Self::DiskFull => "disk full".to_owned(),
            Self::MemoryShort => "memory short".to_owned(),
            Self::Registry(failure) => server("registry", failure),
            Self::Proxy(failure) => server("module proxy", failure),
        }
    }

    /// Whether it has to be there before the build begins: a server may be asked before a phase
    /// is reported.
    pub(super) fn before(self, phase: Phase) -> bool {
        matches!(self, Self::Registry(_) | Self::Proxy(_)) && phase != Phase::Pull
    }

    /// Makes it happen.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub(super) fn begin(self, machine: &mut Machine, client: Option<&Client>) -> Result<()> {
        match self {
            Self::DaemonKilled => machine.daemon.kill(),
            Self::ClientInterrupted | Self::ClientKilled => {
                let signal = match self {
                    Self::ClientKilled => Signal::KILL,
                    _ => Signal::INT,
                };
                if let Some(client) = client {
                    client.signal(signal);
                }
                Ok(())
            }
            Self::FrontendKilled => frontends(machine)?
                .into_iter()
                .try_for_each(|pid| run::signal(pid, Signal::KILL)),
            Self::FrontendStopped => {
                let frontends = frontends(machine)?;
                for signal in [Signal::STOP, Signal::CONT] {
                    for pid in &frontends {
                        run::signal(*pid, signal)?;
                    }
                    if signal == Signal::STOP {
                        sleep(PAUSE);
                    }
                }
                Ok(())
            }
            Self::DiskFull => machine.disk.fill(),
            Self::MemoryShort => machine.memory.leave(SHORT),
            Self::Registry(failure) => {
                machine.registry.set(failure);
                Ok(())
            }
            Self::Proxy(failure) => {
                machine.proxy.set(failure);
                Ok(())
            }
        }
    }

    /// Whether somebody mends it while the build still runs, and after how long: nothing here
    /// ends a build that a silent registry holds.
    pub(super) fn mended_after(self) -> Option<Duration> {
        (self == Self::Registry(Failure::Hangs)).then_some(PAUSE)
    }

    /// Mends it.
    ///
    /// # Errors
    ///
    /// It cannot be mended.
    pub(super) fn end(self, machine: &mut Machine) -> Result<()> {
        match self {
            Self::DaemonKilled => machine.daemon.start_again(),
            Self::DiskFull => machine.disk.empty(),
            Self::MemoryShort => machine.memory.set_limit(super::machine::PLENTY),
            Self::Registry(_) => {
                machine.registry.set(Failure::None);
                Ok(())
            }
            Self::Proxy(_) => {
                machine.proxy.set(Failure::None);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Words of which a person reads one when the build fails of it. None: nobody is there to
    /// read.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Self::DaemonKilled => &["Unavailable", "EOF", "connection reset", "closing"],
            Self::ClientInterrupted => &["canceled"],
            Self::ClientKilled => &[],
            Self::FrontendKilled => &["exit code: 137"],
            Self::FrontendStopped => &["none: it has to succeed"],
            Self::DiskFull => &["space left on device"],
            Self::MemoryShort => &[
                "GOFLEET_PARALLEL=1",
                "signal: killed",
                "cannot allocate memory",
            ],
            Self::Registry(failure) | Self::Proxy(failure) => match failure {
                Failure::None => &[],
                Failure::Refuses => &["connection refused"],
                Failure::Says500 => &["500"],
                Failure::Hangs => &["does not answer", "EOF", "timeout", "reset"],
                Failure::Cuts => &["EOF", "unexpected", "reset", "failed to push"],
            },
        }
    }
}

/// Processes of frontends that run in the daemon: gofleet, without an argument.
fn frontends(machine: &Machine) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    let daemon = machine.daemon.pid();
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if command == b"/gofleet\0" && daemon.is_some_and(|daemon| is_below(pid, daemon)) {
            found.push(pid);
        }
    }
    match found.is_empty() {
        true => bail!("no frontend runs"),
        false => Ok(found),
    }
}

/// Whether a process descends from another.
fn is_below(mut pid: u32, above: u32) -> bool {
    while pid > 1 {
        // proc_pid_status(5).
        let status = PathBuf::from(format!("/proc/{pid}/status"));
        let status = fs::read_to_string(status).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        pid = parent
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        if pid == above {
            return true;
        }
    }
    false
}
