//! The real program as a daemon starts it, with a fake daemon on its standard
//! streams.
//!
//! Every byte of its standard output is kept and checked: it must be HTTP/2
//! from the first to the last.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, join};
use tokio::process::{Child, Command};

use super::fake_gateway::FakeGateway;

/// How long a story may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A running frontend.
pub(crate) struct Frontend {
    child: Child,
    wire: Arc<Mutex<Vec<u8>>>,
    /// Reads the standard output to its end.
    serving: tokio::task::JoinHandle<()>,
}

/// How a frontend ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
    /// All of its standard output.
    pub(crate) wire: Vec<u8>,
}

/// What stands for the standard streams.
#[derive(Clone, Copy)]
pub(crate) enum Streams {
    /// Two pipes, as BuildKit has them.
    Pipes,
    /// One socket for both.
    Socket,
}

/// The program, with an environment as a daemon gives it.
fn command(options: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gofleet"));
    let workers = r#"[{"id":"w","labels":{},"platforms":[{"architecture":"amd64","os":"linux"}],
        "gcPolicy":null,"buildkitVersion":{"package":"p","version":"v0.32.2","revision":"r"}}]"#;
    command
        .env_clear()
        .env("BUILDKIT_SESSION_ID", "session")
        .env("BUILDKIT_WORKERS", workers)
        .env("BUILDKIT_EXPORTEDPRODUCT", "")
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (number, (key, value)) in options.iter().enumerate() {
        command.env(
            format!("BUILDKIT_FRONTEND_OPT_{number}"),
            format!("{key}={value}"),
        );
    }
    command
}

impl Frontend {
    /// Starts the program with a fake daemon on the other side.
    pub(crate) fn start(fake: &FakeGateway, streams: Streams, options: &[(&str, &str)]) -> Self {
        let mut command = command(options);
        let (reader, writer): (
            Box<dyn AsyncRead + Send + Unpin>,
            Box<dyn AsyncWrite + Send + Unpin>,
        );
        let child;
        match streams {
            Streams::Pipes => {
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut started = command.spawn().expect("the program starts");
                reader = Box::new(started.stdout.take().expect("a pipe"));
                writer = Box::new(started.stdin.take().expect("a pipe"));
                child = started;
            }
            Streams::Socket => {
                let (ours, theirs) = UnixStream::pair().expect("a socket");
                let again = theirs.try_clone().expect("a socket");
                command
                    .stdin(OwnedFd::from(theirs))
                    .stdout(OwnedFd::from(again));
                child = command.spawn().expect("the program starts");
                // Or our own copies would keep the other end open.
                drop(command);
                ours.set_nonblocking(true).expect("a socket");
                let ours = tokio::net::UnixStream::from_std(ours).expect("a socket");
                let (read, write) = ours.into_split();
                (reader, writer) = (Box::new(read), Box::new(write));
            }
        }
        let wire = Arc::new(Mutex::new(Vec::new()));
        let reader = Recorder {
            inner: reader,
            bytes: Arc::clone(&wire),
        };
        let serving = tokio::spawn(fake.clone().serve(join(reader, writer)));
        Self {
            child,
            wire,
            serving,
        }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Waits for the end.
    pub(crate) async fn wait(mut self) -> Ended {
        let mut stderr = self.child.stderr.take().expect("a pipe");
        let mut text = String::new();
        let ended = async {
            let (status, read) = tokio::join!(self.child.wait(), stderr.read_to_string(&mut text));
            read.expect("its messages are UTF-8");
            // What is still in the pipe.
            self.serving.await.expect("the fake daemon lives");
            status.expect("its status")
        };
        let status = tokio::time::timeout(LIMIT, ended).await;
        let wire = self.wire.lock().expect("no panic").clone();
        Ended {
            status: status.expect("the program hangs"),
            stderr: text,
            wire,
        }
    }
}

/// Runs the program with fixed bytes as its input, and gives its output.
pub(crate) async fn run_with_input(input: &[u8]) -> Ended {
    let mut command = command(&[]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may be gone before it has read all of it.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, input).await;
    drop(stdin);
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
    let output = output.expect("the program hangs").expect("its output");
    Ended {
        status: output.status,
        stderr: String::from_utf8(output.stderr).expect("its messages are UTF-8"),
        wire: output.stdout,
    }
}

/// Fails if the output is anything but one side of an HTTP/2 connection
/// (RFC 9113, sections 3.4 and 4.1). `cut` allows the last frame to be partial.
#[track_caller]
pub(crate) fn assert_http2(wire: &[u8], cut: bool) {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: u8 = 4;
    const LAST_TYPE: u8 = 9;
    const PUSH_PROMISE: u8 = 5;
    const MAX_FRAME: usize = 1 << 14;
    assert!(
        wire.starts_with(PREFACE),
        "no preface: {:?}",
        wire.get(..24)
    );
    let mut rest = &wire[PREFACE.len()..];
    let mut number = 0;
    while !rest.is_empty() {
        let Some((header, tail)) = rest.split_at_checked(9) else {
            assert!(cut, "{} bytes after the last frame", rest.len());
            return;
        };
        let length =
            usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let kind = header[3];
        assert!(length <= MAX_FRAME, "frame {number} has {length} bytes");
        assert!(
            kind <= LAST_TYPE && kind != PUSH_PROMISE,
            "frame {number} has type {kind}"
        );
        assert!(
            number > 0 || kind == SETTINGS,
            "the first frame has type {kind}"
        );
        let Some((_, next)) = tail.split_at_checked(length) else {
            assert!(cut, "frame {number} is cut");
            return;
        };
        rest = next;
        number += 1;
    }
    assert!(number > 0, "no frames");
}

/// A reader that keeps what it read.
struct Recorder<R> {
    inner: R,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Recorder<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = &buf.filled()[before..];
        self.bytes.lock().expect("no panic").extend_from_slice(new);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::assert_http2;

    fn wire(tail: &[u8]) -> Vec<u8> {
        let mut wire = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        wire.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
        wire.extend(tail);
        wire
    }

    #[test]
    fn the_check_accepts_frames_alone() {
        assert_http2(&wire(&[0, 0, 1, 6, 0, 0, 0, 0, 0, 9]), false);
        for stray in [
            b"oops".as_slice(),
            b"a line of text\n",
            &[0, 0, 2, 6, 0, 0, 0, 0, 0, 9],
        ] {
            let wire = wire(stray);
            let refused = std::panic::catch_unwind(|| assert_http2(&wire, false));
            assert!(refused.is_err(), "{stray:?}");
        }
    }
}
