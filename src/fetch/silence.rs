//! Ending a command that waits for a server which says nothing.
//!
//! Neither the `go` command nor git nor ssh gives up on a server that takes a connection and
//! is silent. So somebody looks at what the command and its children read. A slow line is
//! no silence, nor is a command that computes; an answer that fills the memory is none that
//! any module has.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::hosts::host_in;
use super::processes::{Counted, Group};
use super::trace::{Trace, is_about, module_in};

/// Variable and build arg: for how many seconds a server may be silent.
pub const TIMEOUT: &str = "GOFLEET_FETCH_TIMEOUT";

/// The same without it. A command that is ended runs once more, so module proxies that
/// fetch a module when they are first asked for it have twice that.
const SECONDS: u64 = 120;

/// The longest that can be asked for.
pub const MAX_TIMEOUT: u32 = 3600;

/// Fewer bytes a second are as good as none: one byte now and then keeps no build alive.
const LOW: u64 = 1000;

/// More of a processor than this, in percent, is no waiting.
const BUSY: u64 = 25;

/// Go reads most answers into memory, whatever their size, and holds a tenth of this otherwise.
const MAX_MEMORY: u64 = 1 << 30;

/// Most requests in a line that says what is waited for.
const MAX_SHOWN: usize = 3;

/// A command that was ended, because a server said nothing or did not stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// What it waited for: addresses, and commands of git.
    waiting: Vec<String>,
    why: String,
    /// Whether bytes came, and did not stop.
    pub(super) is_endless: bool,
}

impl Silence {
    /// What is to be said about one module; nothing when it was not asked for.
    #[must_use]
    pub fn about(&self, module: &str, version: &str) -> Option<String> {
        let mut waiting = self.waiting.iter();
        let asked = waiting.find(|asked| is_about(asked, module, version))?;
        Some(format!("{asked}: {}", self.why))
    }

    /// The first module that was asked for, as far as an address says it: a module's path
    /// begins with a name that has a dot, and the paths of proxies hardly ever have one.
    #[must_use]
    pub fn module(&self) -> Option<(String, String)> {
        self.waiting.iter().find_map(|asked| {
            let (path, version) = module_in(asked)?;
            let elements: Vec<&str> = path.split('/').collect();
            let at = (1..elements.len()).find(|at| elements[*at].contains('.'))?;
            Some((elements[at..].join("/"), version))
        })
    }

    /// Waiting for this.
    #[cfg(test)]
    pub(crate) fn of(waiting: &str) -> Self {
        Self {
            waiting: vec![waiting.to_owned()],
            why: "nothing came for 120 s".to_owned(),
            is_endless: false,
        }
    }

    /// The servers that were asked.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        self.waiting.iter().filter_map(|w| host_in(w)).collect()
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waiting.as_slice() {
            [] => f.write_str(&self.why),
            some => write!(f, "{}: {}", shown(some), self.why),
        }
    }
}

/// The first few of what is waited for.
fn shown(waiting: &[String]) -> String {
    let mut text = waiting[..waiting.len().min(MAX_SHOWN)].join(", ");
    if waiting.len() > MAX_SHOWN {
        text += &format!(" and {} more", waiting.len() - MAX_SHOWN);
    }
    text
}

/// For how long a server may be silent in an environment.
pub(super) fn limit(env: &BTreeMap<String, String>) -> Duration {
    let seconds = env.get(TIMEOUT).and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.filter(|n| *n > 0).unwrap_or(SECONDS))
}

/// Looks at a group of processes until its command is over, which closes the channel, or has to
/// be ended: then it says why.
pub(super) fn watch(
    limit: Duration,
    leader: u32,
    trace: &Mutex<Trace>,
    over: &Receiver<()>,
    say: &dyn Fn(&str),
) -> Option<Silence> {
    let mut group = Group::new(leader);
    let mut quiet = Quiet::default();
    let mut told = 0;
    let begin = Instant::now();
    let pause = (limit / 10).clamp(Duration::from_millis(100), Duration::from_secs(1));
    let waiting = || {
        trace
            .lock()
            .map(|trace| trace.waiting())
            .unwrap_or_default()
    };
    let ended = |group: &Group, why: String, is_endless| {
        group.end();
        let waiting = waiting();
        Some(Silence {
            waiting,
            why,
            is_endless,
        })
    };
    while over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let lines = trace.lock().map_or(0, |trace| trace.lines());
        let Some(counted) = group.look() else {
            continue;
        };
        let silent = quiet.look(begin.elapsed(), counted, lines);
        if silent >= limit {
            let why = format!("nothing came for {} s", limit.as_secs());
            return ended(&group, why, false);
        }
        if group.memory().is_some_and(|bytes| bytes > MAX_MEMORY) {
            return ended(&group, "the answer has no end".to_owned(), true);
        }
        // Four times at most, and again when it begins anew.
        let quarters = silent.as_millis() * 4 / limit.as_millis().max(1);
        let (waiting, seconds) = (waiting(), silent.as_secs());
        if quarters > told && seconds > 0 && !waiting.is_empty() {
            let waiting = shown(&waiting);
            say(&format!(
                "nothing came for {seconds} s, still waiting for {waiting}"
            ));
        }
        told = quarters;
    }
    None
}

/// How long nothing has come.
#[derive(Debug, Default)]
struct Quiet {
    /// When something came last, and what had been counted then.
    since: Duration,
    then: Counted,
    lines: usize,
    /// The last look.
    looked: Duration,
    cpu: u64,
}

impl Quiet {
    /// Takes what is counted at a time; for how long nothing has come by then.
    fn look(&mut self, now: Duration, counted: Counted, lines: usize) -> Duration {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let read = counted.read.saturating_sub(self.then.read);
        let arrives = read > 0 && read * 1000 >= millis(now.saturating_sub(self.since)) * LOW;
        let computed = counted.cpu.saturating_sub(self.cpu) * 10;
        let computes = computed * 100 > millis(now.saturating_sub(self.looked)) * BUSY;
        (self.looked, self.cpu) = (now, counted.cpu);
        if arrives || computes || lines != self.lines {
            (self.since, self.then, self.lines) = (now, counted, lines);
        }
        now.saturating_sub(self.since)
    }
}

/// A list of module proxies without those that were silent, where Go goes on to the next one
/// after any failure.
pub(super) fn beyond(proxies: &str, hosts: &[String]) -> String {
    let mut out = String::new();
    for entry in proxies.split_inclusive([',', '|']) {
        let is_silent = host_in(entry).is_some_and(|host| hosts.contains(&host));
        if !(is_silent && entry.ends_with('|')) {
            out += entry;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn read(read: u64) -> Counted {
        Counted { read, cpu: 0 }
    }

    #[test]
    fn a_slow_line_is_no_silence_and_a_drip_is() {
        let mut slow = Quiet::default();
        let mut drip = Quiet::default();
        for second in 1..1000 {
            assert_eq!(
                slow.look(seconds(second), read(second * 1500), 0),
                seconds(0)
            );
            assert_eq!(
                drip.look(seconds(second), read(second * 40), 0),
                seconds(second)
            );
        }
    }

    #[test]
    fn who_computes_or_asks_is_not_waiting() {
        let mut quiet = Quiet::default();
        let busy = |cpu| Counted { read: 0, cpu };
        assert_eq!(quiet.look(seconds(1), busy(0), 0), seconds(1));
        assert_eq!(quiet.look(seconds(2), busy(100), 0), seconds(0));
        assert_eq!(quiet.look(seconds(3), busy(101), 0), seconds(1));
        assert_eq!(quiet.look(seconds(4), busy(101), 1), seconds(0));
        assert_eq!(quiet.look(seconds(9), busy(102), 1), seconds(5));
    }

    #[test]
    fn a_proxy_is_left_out_where_go_would_try_the_next() {
        let silent = ["a.example".to_owned()];
        let beyond = |list| beyond(list, &silent);
        assert_eq!(
            beyond("https://u:p@a.example/go|https://b.example,direct"),
            "https://b.example,direct"
        );
        assert_eq!(
            beyond("https://a.example,https://b.example"),
            "https://a.example,https://b.example"
        );
        assert_eq!(beyond("direct"), "direct");
    }

    #[test]
    fn it_is_said_which_module_was_asked_for() {
        let silence = Silence::of("https://p.example/go/a.org/!x/@v/v1.0.0.zip");
        assert_eq!(
            silence.about("a.org/X", "v1.0.0").as_deref(),
            Some("https://p.example/go/a.org/!x/@v/v1.0.0.zip: nothing came for 120 s")
        );
        assert_eq!(silence.hosts(), ["p.example"]);
        let module = ("a.org/X".to_owned(), "v1.0.0".to_owned());
        assert_eq!(silence.module(), Some(module));
    }

    #[test]
    fn the_limit_is_a_number_of_seconds() {
        let env = |text: &str| BTreeMap::from([(TIMEOUT.to_owned(), text.to_owned())]);
        assert_eq!(limit(&env("7")), seconds(7));
        assert_eq!(limit(&env("0")), seconds(SECONDS));
        assert_eq!(limit(&BTreeMap::new()), seconds(SECONDS));
    }
}
