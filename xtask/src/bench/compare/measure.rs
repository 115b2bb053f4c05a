//! One build of one contestant, and what it took.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::contestant::{Invocation, METADATA};
use super::cpu::{Cpu, settle};
use crate::bench::progress::Report;
use crate::run;

/// Digests of images by service.
pub(super) type Digests = BTreeMap<String, String>;

/// What a build took.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measurement {
    /// Seconds on the clock, and of processors: with what the daemon still does when
    /// the client has ended.
    pub(super) wall: f64,
    pub(super) cpu: f64,
    /// Steps that ran a program, and those of them that compile. `None`: no daemon built.
    pub(super) steps: Option<usize>,
    pub(super) builds: Option<usize>,
    /// Bytes of context and files that the client sent.
    pub(super) sent: Option<u64>,
    /// Images with the digest that they had before, and all images.
    pub(super) same: Option<(usize, usize)>,
}

/// A measurement, or the first line of why there is none.
pub(super) type Outcome = std::result::Result<Measurement, String>;

/// Runs the commands of one build. `dir`: the contestant's own. `daemon`: the process
/// whose time counts. Returns the digests of the images, too.
///
/// # Errors
///
/// The machine fails. A build that fails is an outcome.
pub(super) fn measure(
    invocations: Vec<Invocation>,
    dir: &Path,
    daemon: Option<u32>,
) -> Result<(Outcome, Digests)> {
    let _ = fs::remove_file(dir.join(METADATA));
    let before = Cpu::now(daemon)?;
    let began = Instant::now();
    let mut said = String::new();
    let mut progress = false;
    let mut failure = None;
    for mut invocation in invocations {
        progress |= invocation.progress;
        if invocation.progress {
            invocation.command.arg("--progress=rawjson");
        }
        let log = dir.join("stderr");
        let status = invocation
            .command
            .stdin(Stdio::null())
            .stdout(File::create(dir.join(invocation.stdout))?)
            .stderr(File::create(&log)?)
            .status()
            .with_context(|| format!("cannot start `{}`", run::line(&invocation.command)))?;
        let text = fs::read_to_string(&log)?;
        if !status.success() {
            failure = Some(reason(&text));
            break;
        }
        said.push_str(&text);
    }
    let wall = began.elapsed().as_secs_f64();
    if let Some(daemon) = daemon {
        settle(daemon)?;
    }
    if let Some(why) = failure {
        return Ok((Err(why), Digests::new()));
    }
    let cpu = Cpu::now(daemon)?.since(before);
    let mut measurement = Measurement {
        wall,
        cpu,
        ..Measurement::default()
    };
    if progress {
        let report = Report::parse(&said);
        measurement.steps = Some(report.execs());
        // A Dockerfile's RUN that compiles, or gofleet's build step.
        measurement.builds = Some(report.ran("go build "));
        measurement.sent = Some(report.sent(""));
    }
    Ok((Ok(measurement), digests(dir)))
}

/// What bake wrote about its images. ko prints one digest for its whole layout, which
/// says nothing about one image.
fn digests(dir: &Path) -> Digests {
    let text = fs::read_to_string(dir.join(METADATA)).unwrap_or_default();
    let baked: Value = serde_json::from_str(&text).unwrap_or_default();
    baked
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, one)| {
            let digest = one["containerimage.digest"].as_str()?;
            Some((name.clone(), digest.to_owned()))
        })
        .collect()
}

/// How many images kept their digest. `None`: there are none to compare.
pub(super) fn same(before: &Digests, after: &Digests) -> Option<(usize, usize)> {
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let kept = after
        .iter()
        .filter(|(name, digest)| before.get(*name) == Some(digest))
        .count();
    Some((kept, after.len()))
}

/// The line that says why a client failed.
fn reason(said: &str) -> String {
    let lines = || {
        said.lines()
            .filter(|line| !line.starts_with('{') && !line.trim().is_empty())
    };
    let line = lines()
        .rfind(|line| line.to_lowercase().contains("error"))
        .or_else(|| lines().next_back())
        .unwrap_or("it said nothing");
    let line = line.trim().trim_start_matches("ERROR: ");
    // A table has room for so much.
    let cut = line
        .char_indices()
        .nth(160)
        .map_or(line.len(), |(at, _)| at);
    line[..cut].replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_failure_is_one_line_without_progress() {
        let said = "{\"vertexes\":[]}\nERROR: target deps: no such target | x\n\n";
        assert_eq!(reason(said), "target deps: no such target / x");
        assert_eq!(reason("{}\n"), "it said nothing");
        assert_eq!(reason(&"x".repeat(400)).len(), 160);
    }

    #[test]
    fn images_are_the_same_by_name() {
        let digests = |list: &[(&str, &str)]| -> Digests {
            let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
            list.iter().map(own).collect()
        };
        let before = digests(&[("a", "1"), ("b", "2")]);
        let after = digests(&[("a", "1"), ("b", "3")]);
        assert_eq!(same(&before, &after), Some((1, 2)));
        assert_eq!(same(&before, &Digests::new()), None);
    }
}
