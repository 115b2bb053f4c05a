//! Secrets are nowhere: not in what a build exports, says or leaves behind, also when
//! it fails.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;

use crate::support::build::{Build, build_on};
use crate::support::command::Tool;
use crate::support::daemon::Daemon;
use crate::support::private::{GIT, MTLS, PROXY, Private, SSH, private};
use crate::support::repo::Repo;

/// A build with every credential there is.
fn everything(private: &Private, daemon: &Daemon, repo: &Repo) -> Build {
    let (user, password) = (private.user(), private.password());
    build_on(daemon, repo)
        .target("api")
        .reaching(private)
        .secret_file("ca", private.ca())
        .secret_file("netrc", &private.netrc_file(&[PROXY, GIT]))
        .secret_file("known_hosts", private.known_hosts())
        .secret_file("client_cert", private.client_cert())
        .secret_file("client_key", private.client_key())
        .secret("GIT_AUTH_TOKEN", private.token())
        .secret(
            "GOPROXY",
            &format!("https://{user}:{password}@{PROXY},direct"),
        )
        .secret("GOPRIVATE", super::PRIVATE)
        .ssh(private.ssh_auth_sock())
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_secret_is_exported_said_or_kept() {
    let private = private();
    let hosts = [
        (PROXY, "money"),
        (GIT, "lib"),
        (SSH, "lib.git"),
        (MTLS, "lib.git"),
    ];
    let modules = hosts.map(|(host, name)| private.module(&private.path(host, name), "v1.0.0"));
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    let daemon = Daemon::start();
    let out = TempDir::new().unwrap();
    let cache = out.path().join("cache");
    let image = out.path().join("image.tar");

    let export = format!("type=local,dest={},mode=max", cache.display());
    let built = everything(private, &daemon, &repo)
        .args(["--export-cache", &export])
        .args(["--opt", "attest:provenance=mode=max"])
        .tool("plain", Some(&format!("type=oci,dest={}", image.display())))
        .ok();
    fs::write(out.path().join("progress"), &built.stderr).unwrap();

    // One that fails while it compiles, and one that fails while it fetches.
    repo.write("cmd/api/broken.go", "package main\n\nvar x int = \"y\"\n");
    let failed = everything(private, &daemon, &repo).fails();
    failed.says(["broken.go:3"]);
    fs::write(out.path().join("failed"), &failed.stderr).unwrap();
    let gone = private.module(&private.path(GIT, "lib"), "v1.0.0");
    let (user, password) = (private.user(), private.password());
    let refused = everything(private, &daemon, &private.repo(&[&gone]))
        .secret("GIT_AUTH_TOKEN", &format!("{password}-wrong"))
        .secret(
            "GOPROXY",
            &format!("https://{user}:{password}@{GIT}/no-proxy"),
        )
        .secret("GOPRIVATE", "")
        .fails();
    refused.says([gone.path.as_str()]);
    fs::write(out.path().join("refused"), &refused.stderr).unwrap();

    let logs = Tool::new("buildctl")
        .args(["--addr", &daemon.address, "debug", "histories"])
        .ok();
    assert!(logs.stdout.len() > 100);
    fs::write(out.path().join("histories"), &logs.stdout).unwrap();

    // What is looked for would be found.
    let texts = ["cmd/api", "go mod download"];
    let found = search(out.path(), &texts.map(str::to_owned));
    assert!(found.len() > 2, "{found:?}");
    let found = search(daemon.state(), &texts.map(str::to_owned));
    assert!(found.len() > 2, "{found:?}");

    let secrets = private.secrets();
    assert_eq!(search(out.path(), &secrets), [""; 0]);
    // All that the daemon keeps: cache, mounts, records of builds.
    assert_eq!(search(daemon.state(), &secrets), [""; 0]);
}

/// The files below a directory that hold one of these texts, compressed or not.
pub(super) fn search(dir: &Path, texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_path_buf()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(path),
                Ok(kind) if kind.is_file() => {
                    let bytes = fs::read(&path).unwrap_or_default();
                    let mut plain = Vec::new();
                    // Larger ones are layers of base images.
                    if bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < 32 << 20 {
                        let _ = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain);
                    }
                    if has(&bytes, texts) || has(&plain, texts) {
                        found.push(path.display().to_string());
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn has(bytes: &[u8], texts: &[String]) -> bool {
    texts
        .iter()
        .any(|text| memchr::memmem::find(bytes, text.as_bytes()).is_some())
}
