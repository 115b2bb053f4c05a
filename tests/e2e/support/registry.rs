//! Asks the loopback registry what it has.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::engine::engine;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";
const PATIENCE: Duration = Duration::from_secs(30);

/// A manifest or index under a tag, with its digest.
pub(crate) struct Tagged {
    pub(crate) digest: String,
    pub(crate) body: Value,
}

/// What a tag names: `repository` without the registry's address.
pub(crate) fn tagged(repository: &str, tag: &str) -> Tagged {
    let path = format!("/v2/{repository}/manifests/{tag}");
    let mut stream = TcpStream::connect(&engine().registry).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // HTTP/1.0, so that the answer ends where the connection ends.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {MANIFESTS}\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    assert!(
        head.lines().next().unwrap().contains(" 200 "),
        "{path}: {head}"
    );
    let digest = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("docker-content-digest")
            .then(|| value.trim().to_owned())
    });
    Tagged {
        digest: digest.unwrap(),
        body: serde_json::from_slice(&bytes[end + 4..]).unwrap(),
    }
}
