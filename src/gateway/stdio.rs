//! The wire of frontend mode: standard input and output.
//!
//! In: file descriptors 0 and 1 of the process. Out: one duplex stream that
//! owns them. After [`take`], descriptor 1 is standard error and descriptor 0
//! is empty, so that nothing else in the process (a panic, a dependency, a
//! child) can put a byte on the wire or eat one.
//!
//! The daemon gives us pipes (BuildKit v0.32, `frontend/gateway/gateway.go`,
//! `newPipe`); anything else works too, through blocking reads and writes.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use tokio::io::{AsyncRead, AsyncWrite, Join, join};
use tokio::net::unix::pipe;

/// A half of the wire.
type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Moves the standard streams to private descriptors.
///
/// Call it first thing in the process, inside a tokio runtime.
///
/// # Errors
///
/// The streams cannot be duplicated, which a running process does not see.
pub fn take() -> io::Result<Join<Input, Output>> {
    let input = private(io::stdin().as_fd())?;
    let output = private(io::stdout().as_fd())?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    // A file system without /dev/null is odd but no reason to fail.
    if let Ok(null) = File::open("/dev/null") {
        rustix::stdio::dup2_stdin(null.as_fd())?;
    }
    Ok(join(reader(input)?, writer(output)?))
}

/// A duplicate above the standard descriptors that children do not inherit.
fn private(fd: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

fn reader(fd: OwnedFd) -> io::Result<Input> {
    let file = File::from(fd);
    if file.metadata()?.file_type().is_fifo() {
        Ok(Box::new(pipe::Receiver::from_owned_fd(file.into())?))
    } else {
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }
}

fn writer(fd: OwnedFd) -> io::Result<Output> {
    let file = File::from(fd);
    if file.metadata()?.file_type().is_fifo() {
        Ok(Box::new(pipe::Sender::from_owned_fd(file.into())?))
    } else {
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }
}
