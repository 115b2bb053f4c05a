//! What can end a request other than a result, and how it reaches the user.
//!
//! In: diagnostics of the spec, malformed options, failed calls, missing
//! capabilities, bugs. Out: the `google.rpc.Status` of a `Return`. A status
//! that the daemon sent keeps its code and all of its details: vertex, source
//! snippet, exit code and debugger support of the client depend on them.
//!
//! Contract of BuildKit v0.32: `util/grpcerrors/grpcerrors.go`, `solver/errdefs`.

use std::fmt;
use std::sync::Arc;

use buildkit_proto::errdefs::{self, Detail};
use buildkit_proto::prost::Message;
use buildkit_proto::prost_types::Any;
use buildkit_proto::{pb, rpc};

use super::caps::MissingCap;
use super::failures::Failures;
use super::limit::mebibytes;
use crate::diag::{self, Diagnostic, Span};
use crate::options::OptionError;

/// Status codes of gRPC that we set ourselves. Clients print messages of
/// `UNKNOWN` as they are and may put the name of any other code in front.
const UNKNOWN: i32 = 2;
const UNIMPLEMENTED: i32 = 12;

/// How many problems of a spec are listed; a machine wrote a file with more.
const MAX_LISTED: usize = 100;
/// How many bytes of snippets are sent, in bytes. Each holds the whole file;
/// daemons before v0.13 take no more than 4 MiB in one message.
pub(super) const MAX_SNIPPETS: usize = 1 << 20;

/// Why a request has no result.
#[derive(Clone, Debug)]
pub enum Error {
    /// Problems of the spec, each with its place.
    Spec(SpecError),
    /// Problems of other files, such as modules that cannot be had.
    Files(Vec<SpecError>),
    /// Malformed options of the client.
    Options(Vec<OptionError>),
    /// The daemon answered a call with an error.
    Rpc(RpcError),
    /// Build steps failed, one or more of several.
    Builds(Failures),
    /// The connection to the daemon is gone; nobody is left to tell.
    BridgeClosed(String),
    /// A graph is larger than the messages that the builder takes, in bytes.
    TooLarge {
        /// The graph.
        bytes: usize,
        /// A message.
        limit: usize,
    },
    /// The builder cannot do something the graph needs.
    MissingCap(MissingCap),
    /// The client needs a frontend capability that we do not have.
    UnsupportedFrontendCap(String),
    /// The client sent a subrequest that we do not know.
    UnknownSubrequest(String),
    /// A problem of the request that has no place in a file.
    Request(String),
    /// A bug of ours.
    Internal(String),
}

/// Problems of one file, to be shown with its lines.
#[derive(Clone, Debug)]
pub struct SpecError {
    /// The file. Its name and bytes go into every snippet.
    pub file: Arc<pb::SourceInfo>,
    /// The problems, in the order they are to be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// A call that failed on the daemon's side.
#[derive(Clone, Debug)]
pub struct RpcError {
    /// The call, such as `Solve`.
    pub call: &'static str,
    /// What we were doing, for people; printed in front of the daemon's message.
    pub context: Option<String>,
    /// What the daemon sent.
    pub status: rpc::Status,
}

impl Error {
    /// Says what was being done, in front of the daemon's own message. Other
    /// errors speak for themselves and stay as they are.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        if let Self::Rpc(error) = &mut self {
            error.context.get_or_insert(context.into());
        }
        self
    }

    /// Whether the daemon said that a file does not exist. It has no typed
    /// answer for that, only its message (BuildKit v0.32, `cache/util/fsutil.go`).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.status.message.contains("no such file or directory"))
    }

    /// Whether a registry said that it has no such image, or none for the platform. It comes
    /// as a message alone, in words of containerd's (`docker/resolver.go`, `images/image.go`).
    #[must_use]
    pub fn is_no_image(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.status.message.contains("not found"))
    }

    /// The status for the `error` of a `Return`.
    #[must_use]
    pub fn to_status(&self) -> rpc::Status {
        let mut status = rpc::Status {
            code: UNKNOWN,
            message: self.to_string(),
            details: Vec::new(),
        };
        match self {
            Self::Spec(error) => status.details = error.snippets(),
            Self::Files(errors) => {
                let details = errors.iter().rev().flat_map(SpecError::snippets);
                status.details = details.collect();
            }
            Self::Rpc(error) => {
                status.code = if error.status.code == 0 {
                    UNKNOWN
                } else {
                    error.status.code
                };
                status.details.clone_from(&error.status.details);
            }
            Self::Builds(failures) => {
                let code = failures.code().filter(|code| *code != 0);
                status.code = code.unwrap_or(UNKNOWN);
                status.details = failures.details();
            }
            Self::UnsupportedFrontendCap(name) => {
                status.code = UNIMPLEMENTED;
                status.details = vec![errdefs::FrontendCap { name: name.clone() }.to_any()];
            }
            Self::UnknownSubrequest(name) => {
                status.details = vec![errdefs::Subrequest { name: name.clone() }.to_any()];
            }
            Self::Options(_)
            | Self::BridgeClosed(_)
            | Self::TooLarge { .. }
            | Self::MissingCap(_)
            | Self::Request(_)
            | Self::Internal(_) => {}
        }
        status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(error) => error.fmt(f),
            Self::Files(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    if i > 0 {
                        f.write_str("\n\n")?;
                    }
                    error.fmt(f)?;
                }
                Ok(())
            }
            Self::Options(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    if i > 0 {
                        f.write_str("\n")?;
                    }
                    error.fmt(f)?;
                }
                Ok(())
            }
            Self::Rpc(error) => error.fmt(f),
            Self::Builds(failures) => failures.fmt(f),
            Self::BridgeClosed(reason) => {
                write!(f, "the connection to the builder is closed: {reason}")
            }
            Self::TooLarge { bytes, limit } => write!(
                f,
                "the build graph has {} and this builder takes {}",
                mebibytes(*bytes),
                mebibytes(*limit)
            ),
            Self::MissingCap(missing) => missing.fmt(f),
            // Clients put `unsupported frontend capability NAME` and
            // `unsupported request NAME` in front.
            Self::UnsupportedFrontendCap(_) => {
                f.write_str("this version of gofleet does not have it")
            }
            Self::UnknownSubrequest(_) => f.write_str(
                "gofleet answers frontend.affected, frontend.bake, frontend.lint, frontend.outline, \
                 frontend.targets and frontend.subrequests.describe",
            ),
            Self::Request(message) => f.write_str(message),
            Self::Internal(message) => write!(
                f,
                "internal error: {message}; this is a bug of gofleet {}, please report it",
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

impl std::error::Error for Error {}

impl SpecError {
    /// One detail per line that has a problem, for clients to print. Clients print the lines
    /// around it too, and the daemon keeps the whole file in its record.
    fn snippets(&self) -> Vec<Any> {
        if !diag::shows_lines(&self.diagnostics) {
            return Vec::new();
        }
        let mut ranges: Vec<pb::Range> = Vec::new();
        for span in self.diagnostics.iter().filter_map(|d| d.span) {
            let new = range(span);
            let lines = |r: &pb::Range| (r.start.map(|p| p.line), r.end.map(|p| p.line));
            if !ranges.iter().any(|known| lines(known) == lines(&new)) {
                ranges.push(new);
            }
        }
        let mut details = Vec::new();
        let mut size = 0;
        for range in ranges {
            let detail = errdefs::Source::new(&self.file, &[range]).to_any();
            size += detail.value.len();
            if size > MAX_SNIPPETS && !details.is_empty() {
                break;
            }
            details.push(detail);
        }
        // The order turns round on its way through the daemon (seen with buildctl
        // and buildx on v0.32.2): what is added last is printed first.
        details.reverse();
        details
    }
}

impl fmt::Display for SpecError {
    /// All problems as [`diag::render`] writes them. The client prints the
    /// lines of the file itself, from the details.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.file.filename;
        let shown = &self.diagnostics[..self.diagnostics.len().min(MAX_LISTED)];
        let rendered = diag::render(shown, name);
        let rendered = rendered.trim_end();
        match self.diagnostics.len() {
            0 | 1 => f.write_str(rendered),
            // The message follows `ERROR: failed to solve: ` on one line; a
            // list of several starts below it.
            n => {
                write!(f, "{n} problems in {name}\n\n{rendered}")?;
                match n - shown.len() {
                    0 => Ok(()),
                    more => write!(f, "\n\nand {more} more"),
                }
            }
        }
    }
}

impl RpcError {
    /// Reads the status of a failed call. The typed details travel as a whole
    /// encoded status beside the plain code and message.
    pub(super) fn new(call: &'static str, received: &tonic::Status) -> Self {
        let plain = || rpc::Status {
            code: received.code().into(),
            message: received.message().to_owned(),
            details: Vec::new(),
        };
        let status = match rpc::Status::decode(received.details()) {
            Ok(status) if !received.details().is_empty() => status,
            _ => plain(),
        };
        Self {
            call,
            context: None,
            status,
        }
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(context) = &self.context {
            write!(f, "{context}: ")?;
        }
        if self.status.message.is_empty() {
            write!(f, "{} failed with code {}", self.call, self.status.code)
        } else {
            f.write_str(&self.status.message)
        }
    }
}

/// The lines of a span as printers want them: both ends present, the end on
/// the last line that has a character of the span.
fn range(span: Span) -> pb::Range {
    let position = |line: u32, column: u32| pb::Position {
        line: i32::try_from(line).unwrap_or(i32::MAX),
        // Wire columns count from 0 and nobody prints them.
        character: i32::try_from(column.saturating_sub(1)).unwrap_or(i32::MAX),
    };
    let (start, mut end) = (span.start, span.end);
    if end.column <= 1 && end.line > start.line {
        end.line -= 1;
    }
    pb::Range {
        start: Some(position(start.line, start.column)),
        end: Some(position(end.line.max(start.line), end.column)),
    }
}

/// The `Warn` form of a range, for diagnostics that do not stop the build.
pub(super) fn warn_ranges(span: Option<Span>) -> Vec<pb::Range> {
    span.map(range).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Pos, Rule};

    fn spec_error(diagnostics: Vec<Diagnostic>) -> Error {
        Error::Spec(SpecError {
            file: Arc::new(pb::SourceInfo {
                filename: "fleet.yaml".to_owned(),
                data: b"services:\n  api:\n    mian: .\n".to_vec(),
                language: "YAML".to_owned(),
                definition: None,
            }),
            diagnostics,
        })
    }

    fn unknown_field() -> Diagnostic {
        Diagnostic::new(Rule::UnknownField, "unknown field `mian` in service `api`")
            .at(Span {
                start: Pos { line: 3, column: 5 },
                end: Pos { line: 3, column: 9 },
            })
            .hint("did you mean `main`?")
    }

    #[test]
    fn one_problem_is_shown_with_place_and_hint() {
        let status = spec_error(vec![unknown_field()]).to_status();
        assert_eq!(status.code, UNKNOWN);
        assert_eq!(
            status.message,
            "error[UnknownField]: unknown field `mian` in service `api`\n \
             --> fleet.yaml:3:5\n\
             hint: did you mean `main`?"
        );
        let sources = errdefs::Source::all(&status);
        assert_eq!(sources.len(), 1);
        let range = &sources[0].ranges[0];
        assert_eq!((range.start.line, range.end.line), (3, 3));
        let info = sources[0].info.as_ref().expect("the file");
        assert_eq!(info.data, b"services:\n  api:\n    mian: .\n");
    }

    /// A client prints the lines around a place, and any may be the one with the credential.
    #[test]
    fn with_a_credential_in_the_spec_no_line_is_sent() {
        let secret = Diagnostic::new(Rule::PlainCredentials, "`GOPROXY` holds credentials");
        let status = spec_error(vec![unknown_field(), secret]).to_status();
        assert_eq!(status.details, []);
        assert!(status.message.contains("fleet.yaml:3:5"));
    }

    #[test]
    fn several_problems_are_all_listed() {
        let second = Diagnostic::new(Rule::NoServices, "nothing to build");
        let status = spec_error(vec![unknown_field(), second]).to_status();
        assert!(
            status
                .message
                .starts_with("2 problems in fleet.yaml\n\nerror[")
        );
        assert!(status.message.contains("unknown field `mian`"));
        assert!(status.message.contains("nothing to build"));
        // A problem without a place has no snippet.
        assert_eq!(status.details.len(), 1);
    }

    fn at(line: u32) -> Diagnostic {
        Diagnostic::new(Rule::NoServices, "m").at(Span::at(line, 1))
    }

    #[test]
    fn snippets_are_in_the_order_that_clients_print() {
        let status = spec_error(vec![at(1), at(2), at(1), at(3)]).to_status();
        let sources = errdefs::Source::all(&status);
        let lines: Vec<i32> = sources.iter().map(|s| s.ranges[0].start.line).collect();
        // Read from the end, each line once.
        assert_eq!(lines, [3, 2, 1]);
    }

    #[test]
    fn large_errors_stay_below_the_message_limit() {
        let Error::Spec(mut error) = spec_error((1..1000).map(at).collect()) else {
            unreachable!();
        };
        Arc::make_mut(&mut error.file).data = vec![b'a'; 400_000];
        let status = Error::Spec(error).to_status();
        assert_eq!(status.details.len(), 1);
        assert!(status.encoded_len() < 2 << 20);
        assert!(status.message.starts_with("999 problems"));
        assert!(status.message.ends_with("and 899 more"));
    }

    #[test]
    fn a_block_span_ends_on_its_last_line() {
        let range = range(Span {
            start: Pos { line: 2, column: 3 },
            end: Pos { line: 4, column: 1 },
        });
        assert_eq!(range.end.map(|p| p.line), Some(3));
    }

    #[test]
    fn a_received_status_keeps_code_and_details() {
        let details = vec![
            Any {
                type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
                value: br#"{"digest":"sha256:0"}"#.to_vec(),
            },
            Any {
                type_url: "something/unknown+json".to_owned(),
                value: vec![0, 255],
            },
        ];
        let sent = rpc::Status {
            code: 8,
            message: "exit code: 1".to_owned(),
            details: details.clone(),
        };
        let received = tonic::Status::with_details(
            tonic::Code::ResourceExhausted,
            "exit code: 1",
            sent.encode_to_vec().into(),
        );
        let error = Error::Rpc(RpcError::new("Solve", &received)).context("building `api`");
        let status = error.to_status();
        assert_eq!((status.code, status.details), (8, details));
        assert_eq!(status.message, "building `api`: exit code: 1");
        // The first context is the nearest one.
        assert_eq!(
            error.context("further out").to_string(),
            "building `api`: exit code: 1"
        );
    }

    #[test]
    fn a_status_without_details_is_taken_as_it_is() {
        let received =
            tonic::Status::new(tonic::Code::Unknown, "lstat /x: no such file or directory");
        let error = Error::Rpc(RpcError::new("ReadFile", &received));
        assert!(error.is_not_found());
        assert_eq!(error.to_status().code, UNKNOWN);
    }

    #[test]
    fn refusals_carry_their_details() {
        let status = Error::UnknownSubrequest("frontend.foo".to_owned()).to_status();
        assert_eq!(errdefs::Subrequest::all(&status)[0].name, "frontend.foo");
        assert_eq!(status.code, UNKNOWN);
        let status = Error::UnsupportedFrontendCap("moby.x".to_owned()).to_status();
        assert_eq!(errdefs::FrontendCap::all(&status)[0].name, "moby.x");
        assert_eq!(status.code, UNIMPLEMENTED);
    }
}
