//! One request from start to end: connect, ask, answer once, end.
//!
//! In: the process's environment and standard streams (or any stream), and a
//! handler that turns a request into a result. Out: exactly one `Return` and
//! an exit status. How a result is made is left to the handler.
//!
//! How a frontend ends (BuildKit v0.32, `frontend/gateway/gateway.go`): an
//! error that was returned wins over the exit status; a result counts only
//! with status 0; the build goes on until the process is gone.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};
use std::task::Poll;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::Gateway;
use super::environment::Request;
use super::error::Error;
use super::result::FrontendResult;
use super::stdio;

/// How long the daemon may take to accept an answer. Results are checked
/// there, but nothing is built.
const RETURN_LIMIT: Duration = Duration::from_secs(60);

/// Exit status when the daemon has a result.
const SUCCESS: u8 = 0;
/// Exit status when the request failed; as upstream's frontends, which do not
/// end with 0 after an error either.
const FAILURE: u8 = 1;
/// Base of the exit statuses of signals.
const SIGNALLED: i32 = 128;

/// Runs frontend mode for this process, which then has to exit with the
/// status that comes back.
///
/// SIGTERM and SIGINT end the process at once, whatever it is doing: as first
/// process of its container it would otherwise ignore them.
pub fn run<H>(handler: H) -> ExitCode
where
    H: AsyncFnOnce(&Gateway, &Request) -> Result<FrontendResult, Error>,
{
    for signal in [SIGTERM, SIGINT] {
        let always = Arc::new(AtomicBool::new(true));
        let status = SIGNALLED + signal;
        if let Err(error) = signal_hook::flag::register_conditional_shutdown(signal, status, always)
        {
            eprintln!("gofleet: cannot listen for signal {signal}: {error}");
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("gofleet: cannot start: {error}");
            return ExitCode::from(FAILURE);
        }
    };
    let status = runtime.block_on(async {
        match stdio::take() {
            Ok(wire) => serve(wire, &Request::from_env(), handler).await,
            Err(error) => {
                eprintln!("gofleet: cannot use the standard streams: {error}");
                FAILURE
            }
        }
    });
    // A blocking read of the wire must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(status)
}

/// Serves one request on a stream and says the exit status.
///
/// Whatever the handler does, including a panic, the daemon gets one answer,
/// unless the stream is closed. The last word on standard error is the error.
pub async fn serve<S, H>(stream: S, request: &Request, handler: H) -> u8
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    H: AsyncFnOnce(&Gateway, &Request) -> Result<FrontendResult, Error>,
{
    let (gateway, mut closed) = match Gateway::connect(stream, request).await {
        Ok(connected) => connected,
        Err(error) => {
            eprintln!("gofleet: {error}");
            if matches!(error, Error::BridgeClosed(_)) {
                eprintln!(
                    "gofleet: without a command, this program is run by BuildKit; try `gofleet help`"
                );
            }
            return FAILURE;
        }
    };
    let answer = tokio::select! {
        biased;
        answer = guarded(handler(&gateway, request)) => answer,
        reason = closed.wait() => Err(Error::BridgeClosed(reason)),
    };
    let answered = async {
        match answer {
            Ok(result) => match gateway.return_result(&result).await {
                // What the daemon does not accept leaves the request open.
                Err(error @ (Error::Rpc(_) | Error::MissingCap(_))) => {
                    Err(fail(&gateway, error).await)
                }
                other => other,
            },
            Err(error) => Err(fail(&gateway, error).await),
        }
    };
    let ended = tokio::select! {
        biased;
        ended = tokio::time::timeout(RETURN_LIMIT, answered) => ended,
        reason = closed.wait() => Ok(Err(Error::BridgeClosed(reason))),
    };
    match ended {
        Ok(Ok(())) => SUCCESS,
        Ok(Err(error)) => {
            eprintln!("gofleet: {error}");
            FAILURE
        }
        Err(_) => {
            eprintln!("gofleet: the builder did not take the answer");
            FAILURE
        }
    }
}

/// Returns an error, and gives back the one that matters.
async fn fail(gateway: &Gateway, error: Error) -> Error {
    if matches!(error, Error::BridgeClosed(_)) {
        return error;
    }
    match gateway.return_error(&error).await {
        Ok(()) => error,
        Err(failure) => Error::BridgeClosed(format!("{failure}; the error was: {error}")),
    }
}

/// Runs a handler and turns a panic into an error.
///
/// State is not shared with anything that lives on after a panic, so there is
/// nothing it could leave broken.
async fn guarded<T>(handler: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    note_panics();
    let mut handler = pin!(handler);
    std::future::poll_fn(|cx| {
        match panic::catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => {
                let place = PANIC_PLACE.take();
                let place = place.unwrap_or_else(|| "an unknown place".to_owned());
                Poll::Ready(Err(Error::Internal(format!(
                    "panic at {place}: {}",
                    message(panic.as_ref())
                ))))
            }
        }
    })
    .await
}

thread_local! {
    /// Where this thread panicked last.
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics leave their place behind; a caught one has its message alone.
/// They still write to standard error as always.
fn note_panics() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANIC_PLACE.set(info.location().map(ToString::to_string));
            previous(info);
        }));
    });
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
