//! What one build did, from `--progress=rawjson`: one report of the daemon a line
//! (BuildKit v0.32, `client/graph.go`, `SolveStatus`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::run;

/// What one build did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// From the start of the client to its end.
    pub(crate) wall: Duration,
    /// Name and whether it came from the cache, by digest.
    steps: BTreeMap<String, Step>,
    /// Bytes that the client sent, by vertex and transfer.
    sent: BTreeMap<(String, String), u64>,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    /// Whether it came from the cache, once it is done. The first answer counts: targets
    /// of a bake file that find what another one just built say that it was cached, and
    /// what came from a cache may be pulled later and then is done once more.
    cached: Option<bool>,
}

/// Words in the names of steps that run a program: those of a Dockerfile, and gofleet's.
/// Constant directories and local sources complete "not cached" in every build.
const EXECS: [&str; 6] = [
    "] RUN ",
    "] go build ",
    "] go mod download",
    "] check modules",
    "] compile shared",
    "] scan sources",
];

impl Report {
    /// Runs a build and keeps what it said in `log`.
    ///
    /// # Errors
    ///
    /// The build fails; the message holds the end of what it said.
    pub(crate) fn of(command: &mut Command, log: &Path) -> Result<Self> {
        let began = Instant::now();
        let out = command
            .args(["--progress", "rawjson"])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{}`", run::line(command)))?;
        let wall = began.elapsed();
        fs::write(log, &out.stderr)?;
        if !out.status.success() {
            bail!(
                "`{}`: {}\n{}",
                run::line(command),
                out.status,
                run::tail(log, 10)
            );
        }
        let mut report = Self::parse(&String::from_utf8_lossy(&out.stderr));
        report.wall = wall;
        Ok(report)
    }

    /// Reads what a client wrote to standard error. Lines that are no reports are skipped.
    pub(crate) fn parse(text: &str) -> Self {
        let mut report = Self::default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            if let Ok(value) = serde_json::from_str(line) {
                report.add(&value);
            }
        }
        report
    }

    fn add(&mut self, value: &Value) {
        let list = |name: &str| value[name].as_array().into_iter().flatten();
        for vertex in list("vertexes") {
            let digest = vertex["digest"].as_str().unwrap_or_default();
            let step = self.steps.entry(digest.to_owned()).or_default();
            step.name = vertex["name"].as_str().unwrap_or_default().to_owned();
            if step.cached.is_none() && vertex["completed"].is_string() {
                step.cached = Some(vertex["cached"] == true);
            }
        }
        for status in list("statuses") {
            let id = status["id"].as_str().unwrap_or_default();
            if id.starts_with("transferring ") {
                let vertex = status["vertex"].as_str().unwrap_or_default();
                let key = (vertex.to_owned(), id.to_owned());
                let sent = self.sent.entry(key).or_default();
                *sent = (*sent).max(status["current"].as_u64().unwrap_or_default());
            }
        }
    }

    /// Build steps that ran.
    pub(crate) fn builds(&self) -> usize {
        self.ran("] go build ")
    }

    /// Steps with this text in their name that ran.
    pub(crate) fn ran(&self, text: &str) -> usize {
        let ran = |step: &&Step| step.name.contains(text) && step.cached == Some(false);
        self.steps.values().filter(ran).count()
    }

    /// Steps that ran a program.
    pub(crate) fn execs(&self) -> usize {
        EXECS.iter().map(|text| self.ran(text)).sum()
    }

    /// Bytes that the client sent for steps with this text in their name.
    pub(crate) fn sent(&self, text: &str) -> u64 {
        let named = |digest: &str| {
            self.steps
                .get(digest)
                .is_some_and(|step| step.name.contains(text))
        };
        self.sent
            .iter()
            .filter(|((vertex, _), _)| named(vertex))
            .map(|(_, bytes)| bytes)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_once_and_transfers_by_their_last_report() {
        let report = Report::parse(
            r#"
{"vertexes":[{"digest":"a","name":"[x] go build ./x"},{"digest":"b","name":"load"}]}
{"vertexes":[{"digest":"a","name":"[x] go build ./x","completed":"t"}]}
{"vertexes":[{"digest":"c","name":"[y] go build ./y","completed":"t","cached":true}]}
{"statuses":[{"id":"transferring context:","vertex":"b","current":10}]}
{"statuses":[{"id":"transferring context:","vertex":"b","current":25},{"id":"extracting","vertex":"b","current":7}]}
no report
"#,
        );
        assert_eq!((report.builds(), report.execs()), (1, 1));
        assert_eq!(report.sent("load"), 25);
        assert_eq!(report.sent("go build"), 0);
    }

    #[test]
    fn the_first_end_of_a_step_says_whether_it_ran() {
        let report = Report::parse(
            r#"
{"vertexes":[{"digest":"a","name":"[a 1/1] RUN x","completed":"t"},{"digest":"b","name":"[b 1/1] RUN y","completed":"t","cached":true}]}
{"vertexes":[{"digest":"a","name":"[a 1/1] RUN x","completed":"t","cached":true},{"digest":"b","name":"[b 1/1] RUN y","completed":"t"}]}
"#,
        );
        assert_eq!((report.ran("RUN x"), report.ran("RUN y")), (1, 0));
        assert_eq!(report.execs(), 1);
    }
}
