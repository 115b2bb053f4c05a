//! Just enough HTTP to ask a daemon on this machine a question.
//!
//! One request per connection, HTTP/1.0, so that an answer ends where the
//! connection ends. No TLS: everything here is on loopback or a unix socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Media types of every kind of manifest that a registry may answer with.
pub(crate) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Longest wait for any one read or write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Status code and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// GET over TCP; `address` is `IP:PORT`.
pub(crate) fn get(address: &str, path: &str, accept: &str) -> Result<Answer> {
    let address: SocketAddr = address.parse().context("not an IP:PORT address")?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    exchange(stream, path, accept)
}

/// GET over a unix socket.
pub(crate) fn get_unix(socket: &Path, path: &str) -> Result<Answer> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    exchange(stream, path, "*/*")
}

/// A manifest or index of the registry, by tag or digest. `None`: not there.
pub(crate) fn manifest(registry: &str, repository: &str, reference: &str) -> Result<Option<Value>> {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let answer = get(registry, &path, MANIFESTS)
        .with_context(|| format!("the registry at {registry} does not answer"))?;
    match answer.status {
        200 => Ok(Some(serde_json::from_slice(&answer.body)?)),
        404 => Ok(None),
        status => bail!("the registry answered {status} for {repository}:{reference}"),
    }
}

fn exchange(mut stream: impl Read + Write, path: &str, accept: &str) -> Result<Answer> {
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("not an HTTP answer")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let status = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split_whitespace().nth(1))
        .and_then(|code| code.parse().ok())
        .context("not an HTTP answer")?;
    Ok(Answer {
        status,
        body: bytes[end + 4..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn status_and_body_are_read() {
        let answer = parse(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n{}\r\n\r\n").unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (404, b"{}\r\n\r\n".as_slice())
        );
        assert!(parse(b"").is_err() && parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}
