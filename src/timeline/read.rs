//! Lines of a progress stream → vertices.
//!
//! Each line is one report (BuildKit v0.32, `client/graph.go`, `SolveStatus`), where a
//! vertex has `digest`, `name`, `inputs`, `started`, `completed`, `cached` and `error`.
//! A vertex is reported many times, and may start and complete several times: a source
//! once to find its key and once to be had, any vertex once more for each later solve.
//!
//! A bake file runs several builds into one stream. buildx puts the target's name into
//! the names of vertices, and moves the times of each build by a constant of its own, so
//! one stretch of work on a shared vertex is reported once per target, with times that
//! differ a little. That is why stretches are kept by name here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::time::{Time, parse};

/// What a stream says.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// In the order in which they are first mentioned.
    pub(super) vertices: Vec<Vertex>,
    /// The first start that was reported. What ended earlier was work for other builds,
    /// on a vertex that this one shares with them.
    pub(super) begin: Option<Time>,
    /// The last moment of which anything was reported.
    pub(super) end: Option<Time>,
    /// Lines that are no reports.
    pub(super) skipped: usize,
}

/// One vertex.
#[derive(Debug, Default)]
pub(super) struct Vertex {
    pub(super) digest: String,
    pub(super) inputs: Vec<String>,
    /// What was reported, by the name under which it was.
    pub(super) views: BTreeMap<String, View>,
    /// The last moment that was reported when this vertex was first mentioned.
    pub(super) announced: Option<Time>,
    /// Moments of output, the first of each report.
    pub(super) output: Vec<Time>,
}

/// What one build says of a vertex: stretches by their start.
pub(super) type View = BTreeMap<Time, Stretch>;

/// One stretch of work on a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Time,
    pub(super) end: Option<Time>,
    pub(super) cached: bool,
    pub(super) error: String,
}

#[derive(Deserialize)]
struct Report {
    vertexes: Option<Vec<VertexReport>>,
    statuses: Option<Vec<StatusReport>>,
    logs: Option<Vec<LogReport>>,
    warnings: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct VertexReport {
    #[serde(default)]
    digest: String,
    inputs: Option<Vec<String>>,
    #[serde(default)]
    name: String,
    started: Option<String>,
    completed: Option<String>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct StatusReport {
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct LogReport {
    #[serde(default)]
    vertex: String,
    timestamp: Option<String>,
}

/// Reads a stream. Lines that are no reports are counted.
pub(super) fn read(bytes: &[u8]) -> Stream {
    let mut reader = Reader::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Report>(line) {
            Ok(report) if report.says_anything() => reader.add(report),
            _ => reader.stream.skipped += 1,
        }
    }
    reader.stream
}

impl Report {
    fn says_anything(&self) -> bool {
        self.vertexes.is_some()
            || self.statuses.is_some()
            || self.logs.is_some()
            || self.warnings.is_some()
    }
}

#[derive(Default)]
struct Reader {
    stream: Stream,
    by_digest: BTreeMap<String, usize>,
}

impl Reader {
    fn add(&mut self, report: Report) {
        for vertex in report.vertexes.unwrap_or_default() {
            self.add_vertex(vertex);
        }
        for status in report.statuses.unwrap_or_default() {
            self.see(time(status.timestamp));
        }
        let mut told: Vec<String> = Vec::new();
        for log in report.logs.unwrap_or_default() {
            let Some(at) = time(log.timestamp) else {
                continue;
            };
            self.see(Some(at));
            if told.last() != Some(&log.vertex) {
                let index = self.index(&log.vertex);
                self.stream.vertices[index].output.push(at);
                told.push(log.vertex);
            }
        }
    }

    fn add_vertex(&mut self, report: VertexReport) {
        let index = self.index(&report.digest);
        let (started, completed) = (time(report.started), time(report.completed));
        self.stream.begin = self.stream.begin.or(started);
        self.see(started);
        self.see(completed);
        let vertex = &mut self.stream.vertices[index];
        if let Some(inputs) = report.inputs {
            vertex.inputs = inputs;
        }
        let view = vertex.views.entry(report.name).or_default();
        let Some(start) = started else {
            return;
        };
        let stretch = view.entry(start).or_insert(Stretch {
            start,
            end: None,
            cached: false,
            error: String::new(),
        });
        stretch.end = completed.map(|end| end.max(start)).or(stretch.end);
        stretch.cached |= report.cached;
        if !report.error.is_empty() {
            stretch.error = report.error;
        }
    }

    fn index(&mut self, digest: &str) -> usize {
        if let Some(index) = self.by_digest.get(digest) {
            return *index;
        }
        let index = self.stream.vertices.len();
        self.by_digest.insert(digest.to_owned(), index);
        self.stream.vertices.push(Vertex {
            digest: digest.to_owned(),
            announced: self.stream.end,
            ..Vertex::default()
        });
        index
    }

    fn see(&mut self, at: Option<Time>) {
        self.stream.end = self.stream.end.max(at);
    }
}

fn time(text: Option<String>) -> Option<Time> {
    parse(&text?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_grows_and_another_one_follows() {
        let stream = read(
            br#"{"vertexes":[{"digest":"a","name":"[api] go build"}]}
{"vertexes":[{"digest":"a","name":"[api] go build","started":"2026-01-01T00:00:01Z"}]}
{"vertexes":[{"digest":"a","name":"[api] go build","started":"2026-01-01T00:00:01Z","completed":"2026-01-01T00:00:02Z"}]}
{"vertexes":[{"digest":"a","name":"[api] go build","started":"2026-01-01T00:00:03Z","cached":true}]}
"#,
        );
        let [vertex] = stream.vertices.as_slice() else {
            panic!("{stream:?}");
        };
        let stretches: Vec<_> = vertex.views["[api] go build"].values().collect();
        assert_eq!(stretches.len(), 2);
        assert_eq!(stretches[0].end, Some(stretches[0].start + 1_000_000_000));
        assert!(!stretches[0].cached && stretches[1].cached);
        assert_eq!(stretches[1].end, None);
        assert_eq!(stream.end, Some(stretches[1].start));
    }

    #[test]
    fn other_lines_are_counted() {
        let stream = read(
            b"WARNING: no output\n\n{\"vertexes\":[]}\n{\"a\":1}\n{\"vertexes\":3}\n{\n\xff\n{\"warnings\":[{}]}\n",
        );
        assert_eq!(stream.skipped, 5);
    }
}
