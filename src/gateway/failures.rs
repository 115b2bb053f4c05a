//! Several build steps of one request that failed, as one error.
//!
//! In: what the daemon said about each, and the names of those that are built. Out: the text
//! and the details of one status. Asking the daemon is left to the handler.

use std::fmt;

use buildkit_proto::errdefs::{self, Detail};
use buildkit_proto::prost_types::Any;

use super::error::{MAX_SNIPPETS, RpcError};

/// How many names of built services are listed.
const MAX_NAMES: usize = 200;

/// How the daemon says that a step got SIGKILL, which nobody but the kernel sends it
/// (BuildKit v0.32, `solver/pb` and `executor`: 128 and the signal's number).
const KILLED: &str = "exit code: 137";

/// What failed and what did not. Nothing is there because something else failed.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    failed: Vec<Failure>,
    built: Vec<String>,
}

/// One thing that failed.
#[derive(Clone, Debug)]
struct Failure {
    /// Who needs it, with the place of each: more than one when they have a step in common.
    labels: Vec<String>,
    error: RpcError,
}

impl Failures {
    /// Adds a build that failed; `place` is where the user wrote it.
    pub fn add(&mut self, place: &str, label: &str, error: RpcError) {
        let label = format!("{place}: {label}");
        let same = |known: &&mut Failure| step(&known.error) == step(&error);
        match self.failed.iter_mut().find(same) {
            Some(known) => known.labels.push(label),
            None => self.failed.push(Failure {
                labels: vec![label],
                error,
            }),
        }
    }

    /// Adds a build that is there.
    pub fn add_built(&mut self, label: &str) {
        self.built.push(label.to_owned());
    }

    /// Whether there is more to say than the daemon says by itself, which names one failure,
    /// nothing that is built, and no reason for a step that was killed.
    #[must_use]
    pub fn say_more(&self) -> bool {
        match self.failed.len() {
            0 => false,
            1 => !self.built.is_empty() || self.killed(),
            _ => true,
        }
    }

    /// Whether the kernel has ended a step.
    fn killed(&self) -> bool {
        let mut failed = self.failed.iter();
        failed.any(|failure| failure.error.status.message.contains(KILLED))
    }

    pub(super) fn code(&self) -> Option<i32> {
        self.failed.first().map(|failure| failure.error.status.code)
    }

    /// The places of all failures, and everything else of the first one: what a debugger
    /// opens is one step.
    pub(super) fn details(&self) -> Vec<Any> {
        let is_place = |detail: &&Any| detail.type_url == errdefs::Source::TYPE_URL;
        let first = self.failed.iter().take(1);
        let mut out: Vec<Any> = first
            .flat_map(|failure| &failure.error.status.details)
            .filter(|detail| !is_place(detail))
            .cloned()
            .collect();
        let mut places: Vec<Any> = Vec::new();
        let mut size = 0;
        let all = (self.failed.iter()).flat_map(|failure| &failure.error.status.details);
        for place in all.filter(is_place) {
            size += place.value.len();
            if size > MAX_SNIPPETS && !places.is_empty() {
                break;
            }
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
        // What is added last is printed first.
        places.reverse();
        out.append(&mut places);
        out
    }
}

/// What tells one failed step from another.
fn step(error: &RpcError) -> (Option<String>, &str) {
    let vertex = errdefs::Vertex::all(&error.status).pop();
    (vertex.map(|vertex| vertex.digest), &error.status.message)
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: usize = self.failed.iter().map(|failure| failure.labels.len()).sum();
        let all = failed + self.built.len();
        let builds = if all == 1 { "build" } else { "builds" };
        write!(f, "{failed} of {all} {builds} failed")?;
        match self.built.len() {
            0 => {}
            1 => f.write_str(", the other one is built")?,
            n => write!(f, ", the other {n} are built")?,
        }
        f.write_str("; what each step said is above, under its name\n")?;
        for failure in &self.failed {
            write!(f, "\n{}: {}", failure.labels.join("\n"), failure.error)?;
        }
        if !self.built.is_empty() {
            let names = &self.built[..self.built.len().min(MAX_NAMES)];
            write!(f, "\n\nbuilt: {}", names.join(", "))?;
            match self.built.len() - names.len() {
                0 => {}
                more => write!(f, " and {more} more")?,
            }
        }
        if self.killed() {
            f.write_str(
                "\n\nhint: exit code 137 is a step that was killed, mostly because there was no \
                 memory left for it; give the builder more, or build one service after the other: \
                 `--build-arg GOFLEET_PARALLEL=1`",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use buildkit_proto::{pb, rpc};

    fn failed(digest: &str, line: i32, message: &str) -> RpcError {
        let file = pb::SourceInfo {
            filename: "fleet.yaml".to_owned(),
            ..pb::SourceInfo::default()
        };
        let position = Some(pb::Position { line, character: 0 });
        let range = pb::Range {
            start: position,
            end: position,
        };
        let vertex = errdefs::Vertex {
            digest: digest.to_owned(),
        };
        RpcError {
            call: "Evaluate",
            context: None,
            status: rpc::Status {
                code: 2,
                message: message.to_owned(),
                details: vec![
                    vertex.to_any(),
                    errdefs::Source::new(&file, &[range]).to_any(),
                ],
            },
        }
    }

    fn of(failures: Failures) -> rpc::Status {
        super::super::error::Error::Builds(failures).to_status()
    }

    #[test]
    fn every_failure_has_its_place_and_its_words() {
        let mut failures = Failures::default();
        failures.add("fleet.yaml:2", "api", failed("sha256:a", 2, "exit code: 1"));
        failures.add_built("db");
        failures.add("fleet.yaml:4", "web", failed("sha256:b", 4, "exit code: 2"));
        failures.add_built("mail");
        assert!(failures.say_more());
        let status = of(failures);
        assert_eq!(
            status.message,
            "2 of 4 builds failed, the other 2 are built; what each step said is above, under \
             its name\n\nfleet.yaml:2: api: exit code: 1\nfleet.yaml:4: web: exit code: 2\n\n\
             built: db, mail"
        );
        let lines: Vec<i32> = errdefs::Source::all(&status)
            .iter()
            .map(|source| source.ranges[0].start.line)
            .collect();
        // Clients print the last one first.
        assert_eq!(lines, [4, 2]);
        let vertices = errdefs::Vertex::all(&status);
        assert_eq!(vertices.len(), 1);
        assert_eq!(vertices[0].digest, "sha256:a");
    }

    #[test]
    fn a_step_that_was_killed_says_what_helps() {
        let mut failures = Failures::default();
        failures.add(
            "fleet.yaml:2",
            "api",
            failed("sha256:a", 2, "exit code: 137"),
        );
        assert!(failures.say_more());
        let message = of(failures).message;
        assert!(message.starts_with("1 of 1 build failed; "), "{message}");
        assert!(
            message.contains("--build-arg GOFLEET_PARALLEL=1"),
            "{message}"
        );
    }

    #[test]
    fn a_step_that_several_need_fails_once() {
        let mut failures = Failures::default();
        failures.add("fleet.yaml:2", "api", failed("sha256:a", 2, "no space"));
        failures.add("fleet.yaml:3", "web", failed("sha256:a", 2, "no space"));
        // The daemon says as much.
        assert!(!failures.say_more());
        failures.add_built("db");
        assert!(failures.say_more());
        let status = of(failures);
        assert!(
            status
                .message
                .ends_with("\nfleet.yaml:2: api\nfleet.yaml:3: web: no space\n\nbuilt: db"),
            "{}",
            status.message
        );
        assert_eq!(errdefs::Source::all(&status).len(), 1);
    }
}
