//! HTTP/2 over one duplex stream, for the generated gRPC client.
//!
//! In: any stream, usually the standard streams. Out: a service that sends
//! requests, and a future that tells when the connection has ended. There is
//! one connection and no second try: a lost bridge cannot come back.
//!
//! hyper is used directly rather than tonic's `Channel`: a channel reconnects,
//! balances and buffers, none of which a pair of pipes can do, and its code
//! would be a good part of the frontend's image.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tonic::body::Body;

/// Largest message that the daemon sends or takes, in bytes (containerd's
/// defaults, which BuildKit v0.32 uses in `frontend/gateway/gateway.go`).
pub const MAX_MESSAGE: usize = 16 << 20;

/// Errors come with the user's whole file in their trailers, so headers may be
/// as large as messages. hyper's own limit is 16 KiB.
const MAX_HEADERS: u32 = 16 << 20;

/// How much the daemon may send ahead of our reading, in bytes.
const WINDOW: u32 = 1 << 20;

/// A connection that requests can be sent on. Cheap to clone.
#[derive(Clone)]
pub struct Bridge {
    requests: http2::SendRequest<Body>,
}

/// Tells when the connection has ended.
#[derive(Clone)]
pub struct Closed {
    reason: watch::Receiver<Option<String>>,
}

/// Starts HTTP/2 on a stream. The preface is sent at once, before the first
/// request: the daemon waits no more than 10 s for it.
///
/// # Errors
///
/// The stream broke before the preface was sent.
pub async fn connect<S>(stream: S) -> Result<(Bridge, Closed), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (requests, connection) = http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(MAX_HEADERS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| describe(&error))?;
    let (end, reason) = watch::channel(None);
    tokio::spawn(async move {
        let reason = match connection.await {
            Ok(()) => "the builder hung up".to_owned(),
            Err(error) => describe(&error),
        };
        // Nobody listens any more when the request is over.
        let _ = end.send(Some(reason));
    });
    Ok((Bridge { requests }, Closed { reason }))
}

impl Closed {
    /// Waits until the connection has ended and says why.
    pub async fn wait(&mut self) -> String {
        match self.reason.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            // The connection's task is gone without a word: it panicked.
            Err(_) => "the connection broke".to_owned(),
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl tower_service::Service<http::Request<Body>> for Bridge {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.requests.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request))
    }
}
