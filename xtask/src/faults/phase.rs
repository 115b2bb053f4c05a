//! The phases of a build, as its progress names them.

use serde_json::Value;

/// Where a fault comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The image of the frontend is looked up.
    Resolve,
    /// A base image is fetched and unpacked.
    Pull,
    /// The frontend reads the sources.
    Scan,
    Download,
    Check,
    Compile,
    /// `go build`, which is mostly the linker here.
    Link,
    /// Programs are written to a directory of the client.
    Export,
    /// An image is packed and sent to a registry.
    Push,
}

impl Phase {
    /// What a table calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resolve => "the pull of the frontend",
            Self::Pull => "pull",
            Self::Scan => "scan",
            Self::Download => "download",
            Self::Check => "check",
            Self::Compile => "compile",
            Self::Link => "link",
            Self::Export => "export",
            Self::Push => "push",
        }
    }

    /// What is in the name of a step of this phase, and in none of another.
    fn step(self) -> &'static str {
        match self {
            Self::Resolve => "resolve image config",
            Self::Pull => "FROM golang",
            Self::Scan => "scan sources",
            Self::Download => "go mod download",
            Self::Check => "check modules",
            Self::Compile => "compile shared packages",
            Self::Link => "go build",
            Self::Export => "exporting to client directory",
            Self::Push => "exporting to image",
        }
    }

    /// Whether a line of raw progress says that it has begun and not ended
    /// (BuildKit v0.32, `client/graph.go`, `SolveStatus`).
    pub(super) fn begins(self, line: &str) -> bool {
        if !line.contains(self.step()) {
            return false;
        }
        let report: Value = serde_json::from_str(line).unwrap_or_default();
        let vertices = report["vertexes"].as_array();
        vertices.into_iter().flatten().any(|vertex| {
            let name = vertex["name"].as_str().unwrap_or_default();
            name.contains(self.step())
                && !vertex["started"].is_null()
                && vertex["completed"].is_null()
                && vertex["cached"] != Value::Bool(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_begins_with_a_step_that_runs() {
        let line = |more: &str| {
            format!(r#"{{"vertexes":[{{"name":"[a] go build ./cmd/a","started":"x"{more}}}]}}"#)
        };
        assert!(Phase::Link.begins(&line("")));
        assert!(!Phase::Link.begins(&line(r#","completed":"y""#)));
        assert!(!Phase::Link.begins(&line(r#","cached":true"#)));
        assert!(!Phase::Download.begins(&line("")));
    }
}
