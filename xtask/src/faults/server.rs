//! Servers on loopback that fail when they are told to: a relay in front of a real one, and a
//! module proxy out of a directory.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// How a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Failure {
    /// Not at all.
    None,
    /// Nobody listens.
    Refuses,
    /// Every answer is a 500.
    Says500,
    /// It accepts and is silent.
    Hangs,
    /// Answers end in the middle.
    Cuts,
}

/// How often a relay looks whether it should fail.
const BEAT: Duration = Duration::from_millis(20);
/// Bytes of an answer before it is cut: less than any layer or module of the tests has.
const CUT: usize = 1000;

/// What passes bytes on to another server, or not.
#[derive(Clone)]
pub(super) struct Relay {
    address: SocketAddr,
    failure: Arc<AtomicU8>,
}

impl Relay {
    /// Starts one in front of `upstream`, for as long as the program runs.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub(super) fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let relay = Self {
            address: listener.local_addr()?,
            failure: Arc::default(),
        };
        let own = relay.clone();
        thread::spawn(move || own.listen(listener, upstream));
        Ok(relay)
    }

    /// `IP:PORT`.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Fails from now on, in connections that are open as well.
    pub(super) fn set(&self, failure: Failure) {
        self.failure.store(failure as u8, Ordering::SeqCst);
    }

    fn is(&self, failure: Failure) -> bool {
        self.failure.load(Ordering::SeqCst) == failure as u8
    }

    fn listen(&self, listener: TcpListener, upstream: SocketAddr) {
        let mut listener = Some(listener);
        loop {
            if self.is(Failure::Refuses) {
                listener = None;
            } else if listener.is_none() {
                listener = TcpListener::bind(self.address).ok();
            }
            let accepted = listener.as_ref().and_then(|listener| {
                listener.set_nonblocking(true).ok()?;
                listener.accept().ok()
            });
            let Some((client, _)) = accepted else {
                thread::sleep(BEAT);
                continue;
            };
            let own = self.clone();
            thread::spawn(move || own.serve(client, upstream));
        }
    }

    fn serve(&self, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        client.set_nonblocking(false)?;
        let began = self.failure.load(Ordering::SeqCst);
        let changed = || self.failure.load(Ordering::SeqCst) != began;
        if self.is(Failure::Says500) {
            let _ = client.read(&mut [0; 4096])?;
            let body = "the server is out of order";
            return write!(
                client,
                "HTTP/1.1 500 Internal Server Error\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
        }
        if self.is(Failure::Hangs) {
            while !changed() {
                thread::sleep(BEAT);
            }
            return Ok(());
        }
        let server = TcpStream::connect(upstream)?;
        let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
        let limit = self.is(Failure::Cuts).then_some(CUT);
        thread::scope(|scope| {
            scope.spawn(|| pass(from_client, to_server, None, &changed));
            scope.spawn(|| pass(server, client, limit, &changed));
        });
        Ok(())
    }
}

/// Passes bytes on until one side ends, `limit` is reached or `stop` says so; then both end.
fn pass(mut from: TcpStream, mut to: TcpStream, limit: Option<usize>, stop: &impl Fn() -> bool) {
    let mut left = limit.unwrap_or(usize::MAX);
    let mut buffer = vec![0; 64 << 10];
    let _ = from.set_read_timeout(Some(BEAT));
    while left > 0 && !stop() {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read.min(left),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        };
        left -= read;
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Serves the files below a directory, for as long as the program runs; its address. A
/// module cache's `cache/download` is a module proxy (`go help goproxy`).
///
/// # Errors
///
/// There is no free port.
pub(super) fn files(dir: PathBuf) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let dir = dir.clone();
            thread::spawn(move || answer(client, &dir));
        }
    });
    Ok(address)
}

fn answer(mut client: TcpStream, dir: &std::path::Path) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match fs::read(dir.join(path.trim_start_matches('/'))) {
        Ok(body) if !path.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", b"not here".to_vec()),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    client.write_all(&body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http;

    #[test]
    fn a_relay_fails_in_the_way_it_is_told_to() {
        let dir = std::env::temp_dir().join(format!("xtask-relay-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("file"), vec![b'x'; 10_000]).unwrap();
        let relay = Relay::start(files(dir.clone()).unwrap()).unwrap();
        let get = || http::get(&relay.address(), "/file", "*/*");
        assert_eq!(get().unwrap().body.len(), 10_000);
        relay.set(Failure::Says500);
        assert_eq!(get().unwrap().status, 500);
        relay.set(Failure::Cuts);
        assert!(get().unwrap().body.len() < CUT);
        relay.set(Failure::Refuses);
        while get().is_ok() {}
        relay.set(Failure::None);
        while get().is_err() {}
        assert_eq!(get().unwrap().body.len(), 10_000);
        fs::remove_dir_all(dir).unwrap();
    }
}
