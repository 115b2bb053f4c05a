//! The calls that a frontend makes, typed and usable side by side.
//!
//! In: a connected stream. Out: [`Gateway`], whose methods take `&self`. What
//! the daemon calls "result" is a [`Ref`] here: one lazy tree, built when it
//! is first read or when a solve asks to evaluate it. Results of a whole
//! request are in `result`; loading of contexts is in `load`.
//!
//! Contract of BuildKit v0.32: `frontend/gateway/gateway.go`,
//! `frontend/gateway/grpcclient/client.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::time::Duration;

use buildkit_llb::Digest;
use buildkit_proto::gateway::llb_bridge_client::LlbBridgeClient;
use buildkit_proto::gateway::{
    CacheOptionsEntry, EvaluateRequest, FileRange, InputsRequest, PingRequest, ReadDirRequest,
    ReadFileRequest, ReturnRequest, SolveRequest, StatFileRequest, WarnRequest, result,
};
use buildkit_proto::prost::Message;
use buildkit_proto::{fsutil, gateway, pb};
use tokio::sync::OnceCell;

use super::bridge::{self, Bridge, Closed, MAX_MESSAGE};
use super::caps::{Caps, gateway as cap};
use super::environment::Request;
use super::error::{self, Error, RpcError};
use super::images::ImageCache;
use super::limit;
use super::result::FrontendResult;
use crate::diag::{Diagnostic, Rule, Severity};

/// How long the daemon may take to answer the first call (as upstream's client).
const PING_LIMIT: Duration = Duration::from_secs(15);

/// Bytes of a file that one call asks for. Well below the message limit, and
/// above the size of nearly every file that is read.
const READ_PAGE: i64 = 4 << 20;

/// Largest file that is read as a whole, in bytes. What frontends read is
/// written by people or by our own scan; anything larger is a mistake.
const MAX_FILE: usize = 256 << 20;

/// A result of the daemon: a tree that exists or can be built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ref {
    /// The daemon's name for it; empty stands for scratch.
    pub id: String,
}

impl Ref {
    /// The tree without files.
    #[must_use]
    pub fn scratch() -> Self {
        Self::default()
    }

    /// Whether there is no tree behind it.
    #[must_use]
    pub fn is_scratch(&self) -> bool {
        self.id.is_empty()
    }
}

/// A graph to solve.
#[derive(Clone, Debug, Default)]
pub struct Solve {
    definition: pb::Definition,
    cache_imports: Vec<CacheOptionsEntry>,
    evaluate: bool,
}

impl Solve {
    /// Solves a graph lazily.
    #[must_use]
    pub fn new(definition: pb::Definition) -> Self {
        Self {
            definition,
            ..Self::default()
        }
    }

    /// Passes `--cache-from` on; without it the user's cache has no effect.
    #[must_use]
    pub fn cache_imports(mut self, imports: &[CacheOptionsEntry]) -> Self {
        self.cache_imports = imports.to_vec();
        self
    }

    /// Builds the graph before the call returns, so that it fails here.
    #[must_use]
    pub fn evaluate(mut self) -> Self {
        self.evaluate = true;
        self
    }
}

/// A warning for the user that does not stop the build.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What is said of it in the reference, and how people choose not to see it.
    pub rule: Rule,
    /// One line that says all by itself, behind the name of the rule.
    pub text: String,
    /// More, shown in debug mode.
    pub detail: Vec<String>,
    /// The file it is about.
    pub file: Option<pb::SourceInfo>,
    /// The lines.
    pub ranges: Vec<pb::Range>,
}

impl Warning {
    /// The warning for a diagnostic, in the form of the Dockerfile linter:
    /// `Rule: message (line N)`.
    #[must_use]
    pub fn from_diagnostic(diagnostic: &Diagnostic, file: &pb::SourceInfo) -> Self {
        let mut text = diagnostic.message.clone();
        if let Some(span) = diagnostic.span {
            text.push_str(&format!(" (line {})", span.start.line));
        }
        Self {
            rule: diagnostic.rule,
            text,
            detail: diagnostic.hint.iter().cloned().collect(),
            file: Some(file.clone()),
            ranges: error::warn_ranges(diagnostic.span),
        }
    }

    /// A warning that says its place itself.
    #[must_use]
    pub fn new(rule: Rule, text: String) -> Self {
        Self {
            rule,
            text,
            detail: Vec::new(),
            file: None,
            ranges: Vec::new(),
        }
    }

    /// The error that it is for those who want no warnings.
    pub(crate) fn into_error(self) -> Diagnostic {
        let mut error = Diagnostic::new(self.rule, self.text);
        error.severity = Severity::Error;
        error
    }

    /// The same, with one line, from 1, of a file to show.
    #[must_use]
    pub fn at_line(rule: Rule, text: String, line: u32, file: &pb::SourceInfo) -> Self {
        let position = pb::Position {
            line: i32::try_from(line).unwrap_or(i32::MAX),
            character: 0,
        };
        Self {
            file: Some(file.clone()),
            ranges: vec![pb::Range {
                start: Some(position),
                end: Some(position),
            }],
            ..Self::new(rule, text)
        }
    }
}

/// The daemon's side of one request.
pub struct Gateway {
    client: LlbBridgeClient<Bridge>,
    caps: Caps,
    inputs: OnceCell<BTreeMap<String, pb::Definition>>,
    pub(super) images: ImageCache,
}

impl Gateway {
    /// Starts the connection and asks the daemon what it can do.
    ///
    /// # Errors
    ///
    /// The stream is closed, or the daemon does not answer within 15 s.
    pub async fn connect<S>(stream: S, request: &Request) -> Result<(Self, Closed), Error>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (bridge, mut closed) = bridge::connect(stream).await.map_err(Error::BridgeClosed)?;
        let origin = http::Uri::from_static("http://localhost");
        let client = LlbBridgeClient::with_origin(bridge, origin)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        let mut first = client.clone();
        let pong = tokio::select! {
            biased;
            pong = tokio::time::timeout(PING_LIMIT, first.ping(PingRequest {})) => pong,
            reason = closed.wait() => return Err(Error::BridgeClosed(reason)),
        };
        let pong = match pong {
            Ok(Ok(pong)) => pong,
            Ok(Err(status)) => {
                let error = failed("Ping", &status);
                // Without this the user would read of an exit status alone.
                let answer = ReturnRequest {
                    result: None,
                    error: Some(error.to_status()),
                };
                let _ = tokio::time::timeout(PING_LIMIT, first.r#return(answer)).await;
                return Err(error);
            }
            Err(_) => {
                return Err(Error::BridgeClosed(format!(
                    "the builder did not answer within {} s",
                    PING_LIMIT.as_secs()
                )));
            }
        };
        let pong = pong.into_inner();
        let caps = Caps::new(&pong.frontend_api_caps, &pong.llb_caps, &request.builder());
        let gateway = Self {
            client,
            caps,
            inputs: OnceCell::new(),
            images: ImageCache::default(),
        };
        Ok((gateway, closed))
    }

    /// What the builder can do.
    #[must_use]
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// Solves a graph.
    ///
    /// # Errors
    ///
    /// The builder lacks a capability that the graph declares, the graph is
    /// larger than a message, or the daemon rejects it. Failures of steps show
    /// here only with [`Solve::evaluate`].
    pub async fn solve(&self, solve: Solve) -> Result<Ref, Error> {
        let needed: BTreeSet<String> = solve
            .definition
            .metadata
            .values()
            .flat_map(|metadata| metadata.caps.keys().cloned())
            .collect();
        self.caps.llb.require(&needed).map_err(Error::MissingCap)?;
        let evaluate_in_call = self.caps.gateway.supports(cap::SOLVE_EVALUATE);
        let imports = if self.caps.gateway.supports(cap::IMPORT_CACHES) {
            solve.cache_imports
        } else {
            Vec::new()
        };
        let request = SolveRequest {
            definition: Some(solve.definition),
            cache_imports: imports,
            allow_result_return: true,
            allow_result_array_ref: true,
            evaluate: solve.evaluate && evaluate_in_call,
            ..SolveRequest::default()
        };
        let size = request.encoded_len();
        if size > MAX_MESSAGE {
            return Err(Error::TooLarge {
                bytes: size,
                limit: MAX_MESSAGE,
            });
        }
        let mut client = self.client.clone();
        let answer = match client.solve(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                return Err(match failed("Solve", &status) {
                    Error::Rpc(error) => match limit::refused_by(&error) {
                        Some(limit) => Error::TooLarge { bytes: size, limit },
                        None => Error::Rpc(error),
                    },
                    other => other,
                });
            }
        };
        let reference = single_ref(answer)?;
        if solve.evaluate && !evaluate_in_call && !reference.is_scratch() {
            self.stat_file(&reference, ".").await?;
        }
        Ok(reference)
    }

    /// Builds a tree now.
    ///
    /// # Errors
    ///
    /// A step fails.
    pub async fn evaluate(&self, reference: &Ref) -> Result<(), Error> {
        if !self.caps.gateway.supports(cap::EVALUATE) {
            return self.stat_file(reference, ".").await.map(drop);
        }
        let mut client = self.client.clone();
        let request = EvaluateRequest {
            r#ref: reference.id.clone(),
        };
        let answer = client.evaluate(request).await;
        answer
            .map(drop)
            .map_err(|status| failed("Evaluate", &status))
    }

    /// Reads a whole file of a tree, in as many calls as it takes.
    ///
    /// # Errors
    ///
    /// A step fails, or there is no such file ([`Error::is_not_found`]).
    pub async fn read_file(&self, reference: &Ref, path: &str) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        loop {
            let offset = i64::try_from(data.len()).unwrap_or(i64::MAX);
            let page = self.read_range(reference, path, offset, READ_PAGE).await?;
            let last = i64::try_from(page.len()).unwrap_or(i64::MAX) < READ_PAGE;
            data.extend_from_slice(&page);
            if last {
                return Ok(data);
            }
            if data.len() > MAX_FILE {
                return Err(Error::Request(format!(
                    "`{path}` is larger than {} MiB",
                    MAX_FILE >> 20
                )));
            }
        }
    }

    /// Reads a part of a file: up to `length` bytes from `offset`, fewer at
    /// the end of the file.
    ///
    /// # Errors
    ///
    /// As [`Gateway::read_file`].
    pub async fn read_range(
        &self,
        reference: &Ref,
        path: &str,
        offset: i64,
        length: i64,
    ) -> Result<Vec<u8>, Error> {
        let mut client = self.client.clone();
        let request = ReadFileRequest {
            r#ref: reference.id.clone(),
            file_path: path.to_owned(),
            range: Some(FileRange { offset, length }),
            mount_index: 0,
        };
        let answer = client.read_file(request).await;
        let answer = answer.map_err(|status| failed("ReadFile", &status))?;
        Ok(answer.into_inner().data)
    }

    /// Lists one directory of a tree. `include` is a pattern relative to it;
    /// empty means everything.
    ///
    /// # Errors
    ///
    /// A step fails, or there is no such directory.
    pub async fn read_dir(
        &self,
        reference: &Ref,
        path: &str,
        include: &str,
    ) -> Result<Vec<fsutil::Stat>, Error> {
        self.require(cap::READ_DIR)?;
        let mut client = self.client.clone();
        let request = ReadDirRequest {
            r#ref: reference.id.clone(),
            dir_path: path.to_owned(),
            include_pattern: include.to_owned(),
            mount_index: 0,
        };
        let answer = client.read_dir(request).await;
        let answer = answer.map_err(|status| failed("ReadDir", &status))?;
        Ok(answer.into_inner().entries)
    }

    /// Describes a file of a tree; links are followed. `mode` has Go's bits.
    ///
    /// # Errors
    ///
    /// A step fails, or there is no such file.
    pub async fn stat_file(&self, reference: &Ref, path: &str) -> Result<fsutil::Stat, Error> {
        self.require(cap::STAT_FILE)?;
        let mut client = self.client.clone();
        let request = StatFileRequest {
            r#ref: reference.id.clone(),
            path: path.to_owned(),
            mount_index: 0,
        };
        let answer = client.stat_file(request).await;
        let answer = answer.map_err(|status| failed("StatFile", &status))?;
        Ok(answer.into_inner().stat.unwrap_or_default())
    }

    /// Shows a warning under a vertex. `vertex` must be the digest of a vertex
    /// that the client has seen, or the warning is dropped there. Old builders
    /// show none.
    ///
    /// # Errors
    ///
    /// The call fails.
    pub async fn warn(&self, vertex: &Digest, warning: Warning) -> Result<(), Error> {
        if !self.caps.gateway.supports(cap::WARNINGS) {
            return Ok(());
        }
        let mut client = self.client.clone();
        let request = WarnRequest {
            digest: vertex.to_string(),
            // Upstream's helper never sends 0.
            level: 1,
            short: format!("{}: {}", warning.rule.name(), warning.text).into_bytes(),
            detail: warning.detail.into_iter().map(String::into_bytes).collect(),
            url: warning.rule.url(),
            info: warning.file,
            ranges: warning.ranges,
        };
        let answer = client.warn(request).await;
        answer.map(drop).map_err(|status| failed("Warn", &status))
    }

    /// The graphs that the client passed as inputs, by name. Asked for once.
    ///
    /// # Errors
    ///
    /// The call fails. A builder without inputs has none, which is no error.
    pub async fn inputs(&self) -> Result<&BTreeMap<String, pb::Definition>, Error> {
        let ask = async || {
            if !self.caps.gateway.supports(cap::INPUTS) {
                return Ok(BTreeMap::new());
            }
            let answer = self.client.clone().inputs(InputsRequest {}).await;
            let answer = answer.map_err(|status| failed("Inputs", &status))?;
            Ok(answer.into_inner().definitions)
        };
        self.inputs.get_or_try_init(ask).await
    }

    /// Ends the request with a result.
    ///
    /// # Errors
    ///
    /// The daemon does not take it; the request is then still open.
    pub async fn return_result(&self, result: &FrontendResult) -> Result<(), Error> {
        self.require(cap::RETURN)?;
        if result.is_map() {
            self.require(cap::RETURN_MAP)?;
        }
        let result = result.to_proto(self.caps.gateway.supports(cap::REF_ARRAY));
        self.send_return(ReturnRequest {
            result: Some(result),
            error: None,
        })
        .await
    }

    /// Ends the request with an error.
    ///
    /// # Errors
    ///
    /// The call fails.
    pub async fn return_error(&self, error: &Error) -> Result<(), Error> {
        self.send_return(ReturnRequest {
            result: None,
            error: Some(error.to_status()),
        })
        .await
    }

    async fn send_return(&self, request: ReturnRequest) -> Result<(), Error> {
        let answer = self.client.clone().r#return(request).await;
        answer.map(drop).map_err(|status| failed("Return", &status))
    }

    pub(super) fn client(&self) -> LlbBridgeClient<Bridge> {
        self.client.clone()
    }

    fn require(&self, cap: &str) -> Result<(), Error> {
        self.caps
            .gateway
            .require_one(cap)
            .map_err(Error::MissingCap)
    }
}

/// A failed call: the daemon's status, or the connection's end.
pub(super) fn failed(call: &'static str, status: &tonic::Status) -> Error {
    let mut source = status.source();
    while let Some(cause) = source {
        if cause.is::<hyper::Error>() {
            return Error::BridgeClosed(format!("{call}: {}", bridge::describe(cause)));
        }
        source = cause.source();
    }
    Error::Rpc(RpcError::new(call, status))
}

/// The one tree of an answer. A definition never gives several.
fn single_ref(answer: gateway::SolveResponse) -> Result<Ref, Error> {
    let id = match answer.result.and_then(|result| result.result) {
        Some(result::Result::Ref(reference)) => reference.id,
        Some(result::Result::RefDeprecated(id)) => id,
        None => answer.r#ref,
        Some(result::Result::Refs(_) | result::Result::RefsDeprecated(_)) => {
            return Err(Error::Internal(
                "the builder answered one graph with several results".to_owned(),
            ));
        }
    };
    Ok(Ref { id })
}
