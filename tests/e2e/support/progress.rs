//! What a build did, read from `--progress=rawjson`.
//!
//! Each line is one report of the daemon in JSON (BuildKit v0.32, `client/graph.go`,
//! `SolveStatus`). A vertex is reported several times; reports are merged by digest.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// No steps.
pub(crate) const NOTHING: [&str; 0] = [];

/// Words in the names of steps that run a program. Everything else (constant
/// directories, local sources) completes "not cached" in every build.
const EXECS: [&str; 8] = [
    "go build ",
    "go mod download",
    "check modules",
    "compile shared",
    "compile standard",
    "compile packages of modules",
    "unpack dependencies",
    "scan sources",
];

/// Everything that one build reported.
#[derive(Default)]
pub(crate) struct Progress {
    vertices: BTreeMap<String, Vertex>,
    /// Bytes that the client sent, by vertex and transfer.
    sent: BTreeMap<(String, String), u64>,
    /// Short texts of warnings.
    pub(crate) warnings: Vec<String>,
}

/// One vertex.
#[derive(Default, Clone)]
pub(crate) struct Vertex {
    pub(crate) name: String,
    pub(crate) cached: bool,
    /// Start and end of the longest stretch of work on it: looking for it in the
    /// cache is a stretch of its own.
    worked: Option<(SystemTime, SystemTime)>,
    pub(crate) error: String,
    pub(crate) logs: String,
}

#[derive(Deserialize)]
struct Report {
    vertexes: Option<Vec<VertexReport>>,
    statuses: Option<Vec<Status>>,
    logs: Option<Vec<Log>>,
    warnings: Option<Vec<Warning>>,
}

#[derive(Deserialize)]
struct VertexReport {
    digest: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    cached: bool,
    started: Option<String>,
    completed: Option<String>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    vertex: String,
    #[serde(default)]
    current: u64,
}

#[derive(Deserialize)]
struct Log {
    vertex: String,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Warning {
    #[serde(default)]
    short: String,
}

impl Progress {
    /// Reads a client's standard error. Lines that are no reports are skipped.
    pub(crate) fn parse(text: &str) -> Self {
        let mut progress = Self::default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            if let Ok(report) = serde_json::from_str(line) {
                progress.add(report);
            }
        }
        assert!(!progress.vertices.is_empty(), "no progress in:\n{text}");
        progress
    }

    fn add(&mut self, report: Report) {
        for one in report.vertexes.unwrap_or_default() {
            let vertex = self.vertices.entry(one.digest).or_default();
            vertex.name = one.name;
            // After a cache import a CACHED vertex may complete a second time, when its
            // layers are pulled.
            vertex.cached |= one.cached;
            let stretch = time(one.started).zip(time(one.completed));
            vertex.worked = [vertex.worked, stretch]
                .into_iter()
                .flatten()
                .max_by_key(|(start, end)| end.duration_since(*start).unwrap_or_default());
            if !one.error.is_empty() {
                vertex.error = one.error;
            }
        }
        for status in report.statuses.unwrap_or_default() {
            if status.id.starts_with("transferring ") {
                let sent = self.sent.entry((status.vertex, status.id)).or_default();
                *sent = status.current.max(*sent);
            }
        }
        for log in report.logs.unwrap_or_default() {
            let bytes = STANDARD.decode(log.data).unwrap_or_default();
            let vertex = self.vertices.entry(log.vertex).or_default();
            vertex.logs.push_str(&String::from_utf8_lossy(&bytes));
        }
        for warning in report.warnings.unwrap_or_default() {
            let bytes = STANDARD.decode(warning.short).unwrap_or_default();
            self.warnings
                .push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    /// All vertices.
    pub(crate) fn vertices(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.values()
    }

    /// The names of steps that ran a program, sorted: those that came from the
    /// cache are not among them.
    pub(crate) fn executed(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .vertices()
            .filter(|vertex| vertex.runs_a_program() && vertex.ran())
            .map(|vertex| vertex.name.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// The names of steps that failed.
    pub(crate) fn failed(&self) -> Vec<&str> {
        let failed = self.vertices().filter(|vertex| !vertex.error.is_empty());
        failed.map(|vertex| vertex.name.as_str()).collect()
    }

    /// Bytes that the client sent for steps with this text in their names.
    pub(crate) fn sent(&self, text: &str) -> u64 {
        let named = |digest: &str| self.vertices[digest].name.contains(text);
        let sent = self.sent.iter().filter(|((digest, _), _)| named(digest));
        sent.map(|(_, bytes)| bytes).sum()
    }

    /// The names of steps that ran the Go command.
    pub(crate) fn go_steps(&self) -> Vec<&str> {
        self.executed()
            .into_iter()
            // buildx writes the name of a bake target into the brackets.
            .filter(|name| !name.contains("internal] "))
            .collect()
    }

    /// The only vertex with this text in its name.
    pub(crate) fn step(&self, text: &str) -> &Vertex {
        let found: Vec<_> = self
            .vertices()
            .filter(|vertex| vertex.name.contains(text))
            .collect();
        match found.as_slice() {
            [one] => one,
            _ => panic!(
                "{} steps with `{text}` in their names:\n{}",
                found.len(),
                self.list()
            ),
        }
    }

    /// One line per vertex, for messages.
    pub(crate) fn list(&self) -> String {
        let state = |vertex: &Vertex| match (vertex.cached, vertex.worked) {
            (true, _) => "CACHED",
            (false, Some(_)) => "ran",
            (false, None) => "not run",
        };
        self.vertices()
            .map(|vertex| format!("{:8} {}\n", state(vertex), vertex.name))
            .collect()
    }
}

impl Vertex {
    /// Whether it was done in this build.
    pub(crate) fn ran(&self) -> bool {
        !self.cached && self.worked.is_some()
    }

    fn runs_a_program(&self) -> bool {
        EXECS.iter().any(|text| self.name.contains(text))
    }

    /// Whether both were being worked on at one moment.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self.worked, other.worked) {
            (Some((from, to)), Some((other_from, other_to))) => from < other_to && other_from < to,
            _ => false,
        }
    }
}

fn time(text: Option<String>) -> Option<SystemTime> {
    humantime::parse_rfc3339(&text?).ok()
}
