//! The configuration of a buildkitd: what all those of the engine have in common, and what
//! each has of its own. The file is TOML (buildkit v0.32.2: docs/buildkitd.toml.md).

use std::path::Path;

/// What one has of its own.
pub(super) struct Config<'a> {
    /// Folder of its caches.
    pub(super) root: &'a Path,
    /// Socket for clients.
    pub(super) socket: &'a Path,
    /// Socket for traces. Unless it is named, every buildkitd of a machine takes the same one.
    pub(super) otel: &'a Path,
    /// The program that runs steps.
    pub(super) runc: &'a Path,
    /// Where base images are looked for first: `127.0.0.1:PORT`.
    pub(super) registry: &'a str,
    /// More lines for the worker.
    pub(super) worker: &'a str,
    /// Whether garbage is collected. To measure cache mounts that holds them, and who needs one
    /// meanwhile gets a new one, empty (`solver/llbsolver/mounts/mount.go`).
    pub(super) gc: bool,
}

impl Config<'_> {
    /// The text of its `buildkitd.toml`.
    pub(super) fn text(&self) -> String {
        format!(
            r#"root = "{root}"
[grpc]
address = ["unix://{socket}"]
[otel]
socketPath = "{otel}"
[worker.oci]
enabled = true
snapshotter = "overlayfs"
binary = "{runc}"
gc = {gc}
{worker}
[worker.containerd]
enabled = false
[registry."docker.io"]
mirrors = ["{registry}"]
[registry."{registry}"]
http = true
insecure = true
"#,
            root = self.root.display(),
            socket = self.socket.display(),
            otel = self.otel.display(),
            runc = self.runc.display(),
            registry = self.registry,
            worker = self.worker.trim_end(),
            gc = self.gc,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_the_worker_are_in_its_table() {
        let config = Config {
            root: Path::new("/state/root"),
            socket: Path::new("/run/b.sock"),
            otel: Path::new("/run/b-otel.sock"),
            runc: Path::new("/bin/runc"),
            registry: "127.0.0.1:5601",
            worker: "max-parallelism = 2\n",
            gc: false,
        };
        let text = config.text();
        let from = text.find("[worker.oci]").unwrap_or_default();
        let to = text.find("[worker.containerd]").unwrap_or_default();
        assert_eq!(
            &text[from..to],
            "[worker.oci]\nenabled = true\nsnapshotter = \"overlayfs\"\nbinary = \"/bin/runc\"\n\
             gc = false\nmax-parallelism = 2\n"
        );
    }
}
