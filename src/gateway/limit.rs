//! How large a graph may be.
//!
//! A graph travels in one message, and no graph can name the result of another: a
//! `Ref` that a daemon gives back carries its whole definition, and that is what has to
//! be sent to build on it (BuildKit v0.32, `frontend/gateway/grpcclient/client.go`,
//! `reference.ToState`). So a single result cannot be handed over in parts, and what is
//! too large has to be divided by who asks: a target for each service, whose graphs are
//! small whatever else the repository holds.
//!
//! - 16 MiB since BuildKit v0.14 (`frontend/gateway/gateway.go`, `serve`: containerd's
//!   `DefaultMaxRecvMsgSize`; moby/buildkit pull request 4969);
//! - 4 MiB before, gRPC's own default (v0.12.5, the same function names no limit).
//!
//! Who takes less than 16 MiB is not known before it is tried: the call fails, the
//! connection stays, and the message has both sizes.

use super::error::RpcError;

/// Code of a message that is too large, among other things.
const RESOURCE_EXHAUSTED: i32 = 8;

/// What a refused message was measured against, if a call failed for its size
/// (google.golang.org/grpc, `rpc_util.go`: `received message larger than max (N vs. M)`).
pub(super) fn refused_by(error: &RpcError) -> Option<usize> {
    if error.status.code != RESOURCE_EXHAUSTED {
        return None;
    }
    let (_, rest) = error.status.message.split_once("larger than max (")?;
    let (_, limit) = rest.split_once(" vs. ")?;
    limit.split_once(')')?.0.parse().ok()
}

/// A size for people: whole MiB, or with one digit where that says too little.
pub(super) fn mebibytes(bytes: usize) -> String {
    match (bytes >> 20, bytes % (1 << 20)) {
        (whole, 0) => format!("{whole} MiB"),
        (whole, part) => format!("{whole}.{} MiB", (part * 10) >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_refusals() {
        let refused = |code, message: &str| {
            let status = tonic::Status::new(code, message);
            refused_by(&RpcError::new("Solve", &status))
        };
        let text = "grpc: received message larger than max (5242880 vs. 4194304)";
        assert_eq!(refused(tonic::Code::ResourceExhausted, text), Some(4 << 20));
        assert_eq!(refused(tonic::Code::Unknown, text), None);
        let other = "exit code: 1";
        assert_eq!(refused(tonic::Code::ResourceExhausted, other), None);
    }

    #[test]
    fn sizes_are_said_in_mebibytes() {
        assert_eq!(mebibytes(4 << 20), "4 MiB");
        assert_eq!(mebibytes((4 << 20) + 1), "4.0 MiB");
        assert_eq!(mebibytes((5 << 20) + (3 << 19)), "6.5 MiB");
    }
}
