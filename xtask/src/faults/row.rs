//! The rows of the table: a fault in a phase, or many builds at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::client::Ended;
use super::fault::Fault;
use super::machine::{Machine, fine};
use super::phase::Phase;
use super::server::Failure;
use crate::run::output;

/// How rounds ended, and how often.
pub(super) type Ends = BTreeMap<String, usize>;

/// What one row of the table does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row {
    In(Phase, Fault),
    /// `prune --all` and `du` without a pause, while one edit after the other is built.
    Prune,
    /// Twenty clients build one repository.
    Clients,
    /// Two clients build different edits of one repository.
    Edits,
}

/// How far into a phase the fault comes: a little more in each round.
const STEP: Duration = Duration::from_millis(60);
const CLIENTS: usize = 20;
/// Edits that are built while something else goes on.
const EDITS: usize = 3;

impl Row {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        use Failure::{Cuts, Hangs, Refuses, Says500};
        use Phase::{Check, Compile, Download, Export, Link, Pull, Push, Resolve, Scan};
        let mut rows = Vec::new();
        for fault in [
            Fault::DaemonKilled,
            Fault::ClientInterrupted,
            Fault::ClientKilled,
        ] {
            let phases = [Pull, Scan, Download, Check, Compile, Link, Export, Push];
            rows.extend(phases.map(|phase| Self::In(phase, fault)));
        }
        for fault in [Fault::FrontendKilled, Fault::FrontendStopped] {
            rows.extend([Scan, Download, Link].map(|phase| Self::In(phase, fault)));
        }
        let phases = [Pull, Download, Compile, Link, Push];
        rows.extend(phases.map(|phase| Self::In(phase, Fault::DiskFull)));
        rows.extend([Compile, Link].map(|phase| Self::In(phase, Fault::MemoryShort)));
        for failure in [Refuses, Says500, Hangs, Cuts] {
            let phases = [Resolve, Pull, Push];
            rows.extend(phases.map(|phase| Self::In(phase, Fault::Registry(failure))));
            rows.push(Self::In(Download, Fault::Proxy(failure)));
        }
        rows.extend([Self::Prune, Self::Clients, Self::Edits]);
        rows
    }

    /// Those that CI runs.
    pub(super) fn is_quick(self) -> bool {
        use Phase::{Compile, Download, Link, Scan};
        match self {
            Self::In(phase, fault) => matches!(
                (phase, fault),
                (Link, Fault::DaemonKilled | Fault::MemoryShort)
                    | (Download, Fault::ClientKilled)
                    | (Scan, Fault::FrontendKilled)
                    | (Compile, Fault::DiskFull)
                    | (Download, Fault::Proxy(Failure::Cuts))
            ),
            Self::Edits => true,
            Self::Prune | Self::Clients => false,
        }
    }

    /// What the table and `--only` call it.
    pub(super) fn name(self) -> String {
        match self {
            Self::In(phase, fault) => format!("{} in {}", fault.name(), phase.name()),
            Self::Prune => "prune and du all the time".to_owned(),
            Self::Clients => format!("{CLIENTS} clients at once"),
            Self::Edits => "two clients with different edits".to_owned(),
        }
    }

    /// Runs a round of it; how it ended.
    ///
    /// # Errors
    ///
    /// It ended in another way than it may.
    pub(super) fn round(self, machine: &mut Machine, round: u32) -> Result<String> {
        match self {
            Self::In(phase, fault) => one(machine, phase, fault, round),
            Self::Prune => pruned(machine),
            Self::Clients => clients(machine),
            Self::Edits => edits(machine),
        }
    }
}

fn one(machine: &mut Machine, phase: Phase, fault: Fault, round: u32) -> Result<String> {
    match (phase, fault) {
        (Phase::Pull | Phase::Resolve, _) => machine.prune(&["--all"])?,
        // Modules that are there are not asked for.
        (_, Fault::Proxy(_)) => machine.prune(&["--filter", "type==exec.cachemount"])?,
        _ => {}
    }
    let sources = machine.sources()?;
    let before = fault.before(phase);
    if before && phase == Phase::Push {
        // All but the push is cached, so that nothing else asks the server.
        fine(machine.build(&sources)?.end()?)?;
    }
    if before {
        fault.begin(machine, None)?;
    }
    let mut client = machine.build_to(&sources, phase)?;
    let mut met = true;
    if !before {
        met = client.wait_for(phase)?;
        thread::sleep(STEP * round);
        fault.begin(machine, Some(&client))?;
    }
    if let Some(after) = fault.mended_after() {
        thread::sleep(after);
        fault.end(machine)?;
    }
    let ended = client.end();
    fault.end(machine)?;
    let ended = ended?;
    if !met {
        bail!("the build ended before {}:\n{}", phase.name(), ended.said);
    }
    let how = judge(fault, &ended)?;
    if round == 0 {
        let said: Vec<&str> = ended.said.lines().rev().take(12).collect();
        let said: Vec<&str> = said.into_iter().rev().collect();
        eprintln!(
            "{} in {}:\n{}\n",
            fault.name(),
            phase.name(),
            said.join("\n")
        );
    }
    if ended.fine && phase != Phase::Push {
        machine.right(&sources)?;
    }
    let next = machine.again(&sources, phase);
    let (next, how) = match next {
        Err(error) if is_left_over(fault, &error) => {
            let how = format!("{how}, and `{LEFT_OVER}` before the next build");
            (machine.again(&sources, phase), how)
        }
        next => (next, how),
    };
    next.map_err(|error| anyhow!("the next build {error:#}"))?;
    Ok(how)
}

/// What BuildKit says when a snapshot has the number of one that a killed daemon was making. The
/// build after that takes another number.
const LEFT_OVER: &str = "file exists";

fn is_left_over(fault: Fault, error: &anyhow::Error) -> bool {
    let text = error.to_string();
    fault == Fault::DaemonKilled && text.contains("failed to rename") && text.contains(LEFT_OVER)
}

/// How a build ended that met a fault.
fn judge(fault: Fault, ended: &Ended) -> Result<String> {
    if ended.fine {
        return Ok("right".to_owned());
    }
    for words in ["panicked", "closed unexpectedly", "exit code: 101"] {
        if ended.said.contains(words) {
            bail!("a panic:\n{}", ended.said);
        }
    }
    let words = fault.words();
    let said = words.iter().find(|word| ended.said.contains(**word));
    match said {
        Some(word) => Ok(format!("`{word}`")),
        None if words.is_empty() => Ok("ended".to_owned()),
        None => bail!("says nothing of {words:?}:\n{}", ended.said),
    }
}

fn pruned(machine: &Machine) -> Result<String> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for words in [&["prune", "--all"][..], &["du"]] {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let _ = output(machine.daemon.buildctl().args(words));
                }
            });
        }
        let built = (0..EDITS).try_for_each(|edit| {
            let sources = machine.sources()?;
            sources.edit(&format!("pruned {edit}"))?;
            fine(machine.build(&sources)?.end()?)?;
            machine.right(&sources)
        });
        done.store(true, Ordering::Relaxed);
        built
    })?;
    Ok("right".to_owned())
}

fn clients(machine: &Machine) -> Result<String> {
    let sources = machine.sources()?;
    let copies = (0..CLIENTS)
        .map(|number| sources.copy(&number.to_string()))
        .collect::<Result<Vec<_>>>()?;
    let running = copies
        .iter()
        .map(|copy| machine.build(copy))
        .collect::<Result<Vec<_>>>()?;
    for client in running {
        fine(client.end()?)?;
    }
    copies.iter().try_for_each(|copy| machine.right(copy))?;
    Ok("right".to_owned())
}

fn edits(machine: &Machine) -> Result<String> {
    let sources = machine.sources()?;
    let pair = [sources.copy("left")?, sources.copy("right")?];
    for edit in 0..EDITS {
        for (copy, side) in pair.iter().zip(["left", "right"]) {
            copy.edit(&format!("{side} {edit}"))?;
        }
        let running = [machine.build(&pair[0])?, machine.build(&pair[1])?];
        for client in running {
            fine(client.end()?)?;
        }
        pair.iter().try_for_each(|copy| machine.right(copy))?;
    }
    Ok("right".to_owned())
}
