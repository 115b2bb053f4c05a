//! A client that speaks to the daemon without gofleet: any command, on any cache mount.

use buildkit_llb::{Describe as _, Exec, Mount, Source, encode_definition};
use tempfile::TempDir;

use super::command::Tool;
use super::repo::nonce;

/// Runs a shell script in the image of Go, with a cache mount at `/mount`; what it prints. `buildctl` is the client.
pub(crate) fn in_mount(buildctl: Tool, id: &str, script: &str) -> String {
    let image = Source::image("docker.io/library/golang:1.26").build();
    let script = format!("exec > /out/said 2>&1\n{script}");
    let output = Exec::new(["sh", "-c", &script])
        .mount(Mount::bind("/", &image).readonly())
        .mount(Mount::cache("/mount", id))
        .mount(Mount::scratch("/out"))
        // Never cached.
        .env("NONCE", nonce())
        .name("somebody else's step")
        .build()
        .output("/out")
        .unwrap();
    let out = TempDir::new().unwrap();
    let dest = format!("type=local,dest={}", out.path().display());
    buildctl
        .args(["build", "--output", &dest])
        .stdin(encode_definition(&output.marshal()))
        .ok();
    std::fs::read_to_string(out.path().join("said")).unwrap()
}
