//! A daemon's side of one request, without a daemon.
//!
//! In: a [`Script`]: what trees hold, which steps fail, what the daemon can do.
//! Out: a record of every call, and complaints about calls that a real daemon
//! would refuse or misread. It is the generated server over any stream; what it
//! answers and how it fails are those of BuildKit v0.32
//! (`frontend/gateway/gateway.go`): solves are lazy, failures show when a tree
//! is read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use buildkit_proto::caps::ApiCap;
use buildkit_proto::gateway::llb_bridge_server::{LlbBridge, LlbBridgeServer};
use buildkit_proto::gateway::{
    EvaluateRequest, EvaluateResponse, ExecMessage, InputsRequest, InputsResponse,
    NewContainerRequest, NewContainerResponse, PingRequest, PongResponse, ReadDirRequest,
    ReadDirResponse, ReadFileRequest, ReadFileResponse, Ref, ReleaseContainerRequest,
    ReleaseContainerResponse, ResolveImageConfigRequest, ResolveImageConfigResponse,
    ResolveSourceGitResponse, ResolveSourceHttpResponse, ResolveSourceImageResponse,
    ResolveSourceMetaRequest, ResolveSourceMetaResponse, ReturnRequest, ReturnResponse,
    SolveRequest, SolveResponse, StatFileRequest, StatFileResponse, WarnRequest, WarnResponse,
    result,
};
use buildkit_proto::prost::Message;
use buildkit_proto::prost_types::Timestamp;
use buildkit_proto::{fsutil, pb, rpc};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

/// The daemon's limit for messages, both ways.
const MAX_MESSAGE: usize = 16 << 20;

/// What reading a tree gives.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Files by path, without a leading slash.
    Tree(BTreeMap<String, Vec<u8>>),
    /// The step fails.
    Fail(rpc::Status),
    /// The step never ends.
    Hang,
    /// The daemon goes away.
    HangUp,
}

impl Answer {
    /// A tree of text files.
    pub(crate) fn files(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Self::Tree(files.iter().map(file).collect())
    }
}

/// What an image reference stands for.
#[derive(Clone)]
pub(crate) enum ImageAnswer {
    /// Digest and config.
    Config(String, String),
    /// A policy makes another source of it.
    Other(String),
    /// No image but a repository, with a commit.
    Commit(String),
    /// No image but a download, with the time of its last change.
    Modified(i64),
}

type Matcher = Box<dyn Fn(&Graph) -> bool + Send + Sync>;

/// How the daemon behaves.
pub(crate) struct Script {
    /// The answer to the first call.
    pub(crate) pong: PongResponse,
    /// The first graph that matches gives its answer.
    pub(crate) trees: Vec<(Matcher, Answer)>,
    /// Frontend inputs.
    pub(crate) inputs: BTreeMap<String, pb::Definition>,
    /// Images, by reference.
    pub(crate) images: BTreeMap<String, ImageAnswer>,
    /// What the first result that is returned is refused with.
    pub(crate) refuse_result: Option<&'static str>,
    /// Never answer the first call.
    pub(crate) silent: bool,
    /// What the first call is refused with.
    pub(crate) refuse_ping: Option<&'static str>,
    /// Bytes of the largest graph that is taken.
    pub(crate) max_graph: Option<usize>,
}

impl Default for Script {
    /// A current daemon that has no files.
    fn default() -> Self {
        Self {
            pong: pong(GATEWAY_CAPS, LLB_CAPS),
            trees: Vec::new(),
            inputs: BTreeMap::new(),
            images: BTreeMap::new(),
            refuse_result: None,
            silent: false,
            refuse_ping: None,
            max_graph: None,
        }
    }
}

impl Script {
    /// Adds an answer.
    pub(crate) fn on(
        mut self,
        matcher: impl Fn(&Graph) -> bool + Send + Sync + 'static,
        answer: Answer,
    ) -> Self {
        self.trees.push((Box::new(matcher), answer));
        self
    }

    /// Adds an answer for the local directory that holds the spec.
    pub(crate) fn spec(self, name: &str, text: &str) -> Self {
        self.on(
            |graph| graph.is_source("local://dockerfile"),
            Answer::files(&[(name, text)]),
        )
    }
}

/// The gateway capabilities of BuildKit v0.32.
pub(crate) const GATEWAY_CAPS: &str = "\
    solve.base resolveimage resolveimage.resolvemode readfile return returnmap readdir statfile \
    importcaches proto.refarray reference.output frontend.inputs gateway.solve.metadata \
    gateway.exec frontend.caps gateway.solve.evaluate gateway.evaluate gateway.warnings \
    reference.attestations source.metaresolver";

/// The LLB capabilities of BuildKit v0.32 (`solver/pb/caps.go`).
pub(crate) const LLB_CAPS: &str = "\
    source.image source.image.resolvemode source.image.layerlimit source.image.checksum \
    source.ocilayout source.imageblob \
    source.local source.local.unique source.local.sessionid source.local.includepatterns \
    source.local.followpaths source.local.excludepatterns source.local.sharedkeyhint \
    source.local.differ source.local.metadatatransfer \
    source.git source.git.keepgitdir source.git.fullurl source.git.httpauth \
    source.git.knownsshhosts source.git.mountsshsock source.git.subdir source.git.checksum \
    source.git.skipsubmodules source.git.signatureverify source.git.mtime \
    source.git.fetchbycommit source.git.bundle source.git.checkoutbundle \
    source.http source.http.auth source.http.checksum source.http.perm source.http.header \
    source.http.signatureverify soruce.http.uidgid source.buildop.llbfilename \
    exec.meta.base exec.meta.cgroup.parent exec.meta.network exec.meta.network.proxy \
    exec.meta.proxyenv exec.meta.security exec.meta.security.devices.v1 \
    exec.meta.setsdefaultpath exec.meta.ulimit exec.meta.cdi \
    exec.meta.removemountstubs.recursive exec.meta.linux.resources \
    exec.mount.bind exec.mount.bind.readwrite-nooutput exec.mount.cache \
    exec.mount.cache.sharing exec.mount.cache.content exec.mount.selector exec.mount.tmpfs \
    exec.mount.tmpfs.size exec.mount.secret exec.mount.ssh \
    exec.cgroup exec.secretenv exec.validexitcode \
    file.base file.rm.wildcard file.rm.nofollowsymlink file.copy.includeexcludepatterns \
    file.copy.requiredpaths file.copy.alwaysreplaceexistingdestpaths file.copy.modestring \
    file.symlink.create \
    constraints platform meta.ignorecache meta.description meta.exportcache \
    mergeop diffop passthroughop";

/// The answer of a daemon with these capabilities, separated by blanks.
pub(crate) fn pong(gateway: &str, llb: &str) -> PongResponse {
    let cap = |id: &str| ApiCap {
        id: id.to_owned(),
        enabled: true,
        ..ApiCap::default()
    };
    PongResponse {
        frontend_api_caps: gateway.split_whitespace().map(cap).collect(),
        llb_caps: llb.split_whitespace().map(cap).collect(),
        workers: Vec::new(),
    }
}

/// A solved graph, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// The definition as sent.
    pub(crate) definition: pb::Definition,
    /// The op whose output was asked for.
    pub(crate) head: pb::Op,
    /// Its digest.
    pub(crate) digest: String,
}

impl Graph {
    fn read(definition: &pb::Definition) -> Result<Self, String> {
        let ops = definition.def.iter().map(|bytes| {
            let op = pb::Op::decode(bytes.as_slice()).map_err(|e| e.to_string())?;
            Ok((buildkit_llb::Digest::of(bytes).to_string(), op))
        });
        let ops: Vec<(String, pb::Op)> = ops.collect::<Result<_, String>>()?;
        for (digest, _) in &ops {
            if !definition.metadata.contains_key(digest) {
                return Err(format!("op {digest} has no metadata entry"));
            }
        }
        let Some((_, terminal)) = ops.last() else {
            return Err("a definition without ops".to_owned());
        };
        let (None, Some(input)) = (&terminal.op, terminal.inputs.first()) else {
            return Err("the last op is no terminal".to_owned());
        };
        let head = ops.iter().find(|(digest, _)| *digest == input.digest);
        let (digest, head) = head.cloned().ok_or("the terminal points nowhere")?;
        Ok(Self {
            definition: definition.clone(),
            head,
            digest,
        })
    }

    /// The source op at the head, if it is one.
    pub(crate) fn source(&self) -> Option<&pb::SourceOp> {
        match &self.head.op {
            Some(pb::op::Op::Source(source)) => Some(source),
            _ => None,
        }
    }

    /// Whether the head is a source of this identifier.
    pub(crate) fn is_source(&self, identifier: &str) -> bool {
        self.source().is_some_and(|s| s.identifier == identifier)
    }

    /// Whether the head is an exec.
    pub(crate) fn is_exec(&self) -> bool {
        matches!(self.head.op, Some(pb::op::Op::Exec(_)))
    }

    /// An attribute of the source at the head.
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.source()?.attrs.get(name).map(String::as_str)
    }

    /// The name that the user sees.
    pub(crate) fn name(&self) -> &str {
        let metadata = self.definition.metadata.get(&self.digest);
        metadata
            .and_then(|m| m.description.get("llb.customname"))
            .map_or("", String::as_str)
    }
}

/// A call as it was received.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Ping,
    Inputs,
    Solve(Box<SolveRequest>, Box<Graph>),
    Evaluate,
    ReadFile(ReadFileRequest),
    ReadDir(ReadDirRequest),
    StatFile(StatFileRequest),
    ResolveImageConfig(ResolveImageConfigRequest),
    ResolveSourceMeta(Box<ResolveSourceMetaRequest>),
    Warn(WarnRequest),
    NewContainer(NewContainerRequest),
    Return(ReturnRequest),
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    refs: BTreeMap<String, Graph>,
    returned: bool,
    complaints: Vec<String>,
}

struct Shared {
    script: Script,
    state: Mutex<State>,
    hang_up: Notify,
    /// Notified when a call hangs, so that tests know when to act.
    hanging: Notify,
}

/// The fake daemon. Clones share one record.
#[derive(Clone)]
pub(crate) struct FakeGateway {
    shared: Arc<Shared>,
}

impl FakeGateway {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            shared: Arc::new(Shared {
                script,
                state: Mutex::default(),
                hang_up: Notify::new(),
                hanging: Notify::new(),
            }),
        }
    }

    /// Serves on one end of a new in-memory stream and gives the other.
    pub(crate) fn in_memory(&self) -> DuplexStream {
        // As small as a pipe, so that flow control is part of every test.
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(self.clone().serve(ours));
        theirs
    }

    /// Serves on a stream until it ends or the script hangs up.
    pub(crate) async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let service = LlbBridgeServer::new(self.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::select! {
            _ = connection => {}
            () = self.shared.hang_up.notified() => {}
        }
    }

    /// Waits until a call hangs.
    pub(crate) async fn wait_for_hang(&self) {
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, self.shared.hanging.notified())
            .await
            .expect("no call hangs");
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Every graph so far.
    pub(crate) fn solves(&self) -> Vec<(SolveRequest, Graph)> {
        let solve = |call| match call {
            Call::Solve(request, graph) => Some((*request, *graph)),
            _ => None,
        };
        self.calls().into_iter().filter_map(solve).collect()
    }

    /// Every answer so far.
    pub(crate) fn returns(&self) -> Vec<ReturnRequest> {
        let answer = |call| match call {
            Call::Return(request) => Some(request),
            _ => None,
        };
        self.calls().into_iter().filter_map(answer).collect()
    }

    /// The error of the only answer.
    #[track_caller]
    pub(crate) fn returned_error(&self) -> rpc::Status {
        let mut returns = self.returns();
        assert_eq!(returns.len(), 1, "expected one answer");
        returns.remove(0).error.expect("an error")
    }

    /// The result of the only answer.
    #[track_caller]
    pub(crate) fn returned_result(&self) -> buildkit_proto::gateway::Result {
        let mut returns = self.returns();
        assert_eq!(returns.len(), 1, "expected one answer");
        let answer = returns.remove(0);
        assert!(answer.error.is_none(), "{:?}", answer.error);
        answer.result.expect("a result")
    }

    /// Fails the test if a call was not as a daemon wants it.
    #[track_caller]
    pub(crate) fn assert_no_complaints(&self) {
        let state = self.state();
        assert!(state.complaints.is_empty(), "{:#?}", state.complaints);
        assert!(
            state.calls.is_empty() || matches!(state.calls[0], Call::Ping),
            "the first call is {:?}",
            state.calls[0]
        );
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().expect("no panic under the lock")
    }

    fn record(&self, call: Call) {
        let mut state = self.state();
        if state.returned {
            state
                .complaints
                .push(format!("a call after Return: {call:?}"));
        }
        state.calls.push(call);
    }

    fn complain(&self, complaint: String) -> Status {
        self.state().complaints.push(complaint.clone());
        Status::unknown(complaint)
    }

    /// The files of a ref, as far as its step gets.
    async fn tree(&self, id: &str) -> Result<BTreeMap<String, Vec<u8>>, Status> {
        let graph = self.state().refs.get(id).cloned();
        let Some(graph) = graph else {
            return Err(self.complain(format!("no such ref: {id}")));
        };
        let found = self.shared.script.trees.iter();
        let mut found = found.filter(|(matches, _)| matches(&graph));
        match found.next().map(|(_, answer)| answer.clone()) {
            Some(Answer::Tree(files)) => Ok(files),
            Some(Answer::Fail(status)) => Err(status_of(&status)),
            Some(Answer::Hang) => {
                self.shared.hanging.notify_one();
                std::future::pending().await
            }
            Some(Answer::HangUp) => {
                self.shared.hang_up.notify_one();
                std::future::pending().await
            }
            None => Ok(BTreeMap::new()),
        }
    }
}

/// A failed call as Go's gRPC server sends it: the whole status in the trailer.
fn status_of(status: &rpc::Status) -> Status {
    Status::with_details(
        status.code.into(),
        status.message.clone(),
        status.encode_to_vec().into(),
    )
}

fn no_such_file(path: &str) -> Status {
    Status::unknown(format!("lstat /tmp/mnt/{path}: no such file or directory"))
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl LlbBridge for FakeGateway {
    async fn ping(&self, _: Request<PingRequest>) -> Reply<PongResponse> {
        self.record(Call::Ping);
        if self.shared.script.silent {
            std::future::pending().await
        }
        match self.shared.script.refuse_ping {
            Some(reason) => Err(Status::unknown(reason)),
            None => Ok(Response::new(self.shared.script.pong.clone())),
        }
    }

    async fn inputs(&self, _: Request<InputsRequest>) -> Reply<InputsResponse> {
        self.record(Call::Inputs);
        Ok(Response::new(InputsResponse {
            definitions: self.shared.script.inputs.clone(),
        }))
    }

    async fn resolve_image_config(
        &self,
        request: Request<ResolveImageConfigRequest>,
    ) -> Reply<ResolveImageConfigResponse> {
        let request = request.into_inner();
        self.record(Call::ResolveImageConfig(request.clone()));
        match self.shared.script.images.get(&request.r#ref) {
            Some(ImageAnswer::Config(digest, config)) => {
                Ok(Response::new(ResolveImageConfigResponse {
                    digest: digest.clone(),
                    config: config.clone().into_bytes(),
                    r#ref: String::new(),
                }))
            }
            _ => Err(Status::unknown(format!("{}: not found", request.r#ref))),
        }
    }

    async fn resolve_source_meta(
        &self,
        request: Request<ResolveSourceMetaRequest>,
    ) -> Reply<ResolveSourceMetaResponse> {
        let request = request.into_inner();
        self.record(Call::ResolveSourceMeta(Box::new(request.clone())));
        let mut source = request
            .source
            .ok_or_else(|| Status::invalid_argument("source is required"))?;
        // Two lookups of one image at the same time must meet here.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let reference = source.identifier.split_once("://").map_or("", |(_, r)| r);
        let mut answer = ResolveSourceMetaResponse::default();
        match self.shared.script.images.get(reference) {
            Some(ImageAnswer::Config(digest, config)) => {
                answer.image = Some(ResolveSourceImageResponse {
                    digest: digest.clone(),
                    config: config.clone().into_bytes(),
                    attestation_chain: None,
                });
            }
            Some(ImageAnswer::Other(identifier)) => source.identifier.clone_from(identifier),
            Some(ImageAnswer::Commit(object)) => {
                let wanted = request.git.is_some_and(|git| git.return_object);
                let object = if wanted { object.as_bytes() } else { b"" };
                answer.git = Some(ResolveSourceGitResponse {
                    commit_object: object.to_vec(),
                    ..ResolveSourceGitResponse::default()
                });
            }
            Some(ImageAnswer::Modified(seconds)) => {
                answer.http = Some(ResolveSourceHttpResponse {
                    last_modified: Some(Timestamp {
                        seconds: *seconds,
                        nanos: 0,
                    }),
                    ..ResolveSourceHttpResponse::default()
                });
            }
            None => return Err(Status::unknown(format!("{reference}: not found"))),
        }
        answer.source = Some(source);
        Ok(Response::new(answer))
    }

    async fn solve(&self, request: Request<SolveRequest>) -> Reply<SolveResponse> {
        let request = request.into_inner();
        let size = request.encoded_len();
        if let Some(limit) = self.shared.script.max_graph.filter(|limit| size > *limit) {
            let text = format!("grpc: received message larger than max ({size} vs. {limit})");
            return Err(Status::resource_exhausted(text));
        }
        let definition = request.definition.clone().unwrap_or_default();
        let graph = Graph::read(&definition).map_err(|problem| self.complain(problem))?;
        self.record(Call::Solve(
            Box::new(request.clone()),
            Box::new(graph.clone()),
        ));
        if !request.allow_result_return || !request.allow_result_array_ref {
            self.complain("a solve that does not allow results".to_owned());
        }
        let id = {
            let mut state = self.state();
            let id = format!("ref{}", state.refs.len());
            state.refs.insert(id.clone(), graph);
            id
        };
        if request.evaluate {
            self.tree(&id).await?;
        }
        let reference = Ref {
            id,
            def: Some(definition),
        };
        Ok(Response::new(SolveResponse {
            r#ref: String::new(),
            result: Some(buildkit_proto::gateway::Result {
                result: Some(result::Result::Ref(reference)),
                ..Default::default()
            }),
        }))
    }

    async fn evaluate(&self, request: Request<EvaluateRequest>) -> Reply<EvaluateResponse> {
        let id = request.into_inner().r#ref;
        self.record(Call::Evaluate);
        self.tree(&id).await?;
        Ok(Response::new(EvaluateResponse {}))
    }

    async fn read_file(&self, request: Request<ReadFileRequest>) -> Reply<ReadFileResponse> {
        let request = request.into_inner();
        self.record(Call::ReadFile(request.clone()));
        let files = self.tree(&request.r#ref).await?;
        let path = request.file_path.trim_start_matches('/');
        let data = files.get(path).ok_or_else(|| no_such_file(path))?;
        let data = match request.range {
            Some(range) => {
                let size = |n: i64| usize::try_from(n).expect("a size");
                let start = size(range.offset).min(data.len());
                let end = start.saturating_add(size(range.length)).min(data.len());
                data[start..end].to_vec()
            }
            None => data.clone(),
        };
        Ok(Response::new(ReadFileResponse { data }))
    }

    async fn read_dir(&self, request: Request<ReadDirRequest>) -> Reply<ReadDirResponse> {
        let request = request.into_inner();
        self.record(Call::ReadDir(request.clone()));
        let files = self.tree(&request.r#ref).await?;
        let stat = |(path, data): (&String, &Vec<u8>)| stat(path, data);
        let entries = files.iter().filter(|(path, _)| !path.contains('/'));
        Ok(Response::new(ReadDirResponse {
            entries: entries.map(stat).collect(),
        }))
    }

    async fn stat_file(&self, request: Request<StatFileRequest>) -> Reply<StatFileResponse> {
        let request = request.into_inner();
        self.record(Call::StatFile(request.clone()));
        let files = self.tree(&request.r#ref).await?;
        let path = request.path.trim_start_matches('/');
        let prefix = format!("{path}/");
        let stat = match files.get(path) {
            Some(data) => stat(path, data),
            None if path == "." || files.keys().any(|f| f.starts_with(&prefix)) => fsutil::Stat {
                path: path.to_owned(),
                // Go's directory bit.
                mode: 1 << 31 | 0o755,
                ..fsutil::Stat::default()
            },
            None => return Err(no_such_file(path)),
        };
        Ok(Response::new(StatFileResponse { stat: Some(stat) }))
    }

    async fn warn(&self, request: Request<WarnRequest>) -> Reply<WarnResponse> {
        let request = request.into_inner();
        let known = self
            .state()
            .refs
            .values()
            .any(|g| g.digest == request.digest);
        if !known {
            self.complain(format!("a warning for an unseen vertex {}", request.digest));
        }
        self.record(Call::Warn(request));
        Ok(Response::new(WarnResponse {}))
    }

    async fn r#return(&self, request: Request<ReturnRequest>) -> Reply<ReturnResponse> {
        let request = request.into_inner();
        if let (Some(reason), Some(_)) = (self.shared.script.refuse_result, &request.result) {
            return Err(Status::unknown(reason));
        }
        self.record(Call::Return(request.clone()));
        let mut state = self.state();
        if request.result.is_some() == request.error.is_some() {
            state.complaints.push("neither result nor error".to_owned());
        }
        if request.error.is_some_and(|error| error.code == 0) {
            state.complaints.push("an error with code 0".to_owned());
        }
        if let Some(result) = &request.result {
            let complaints = check_result(result, &state.refs);
            state.complaints.extend(complaints);
        }
        state.returned = true;
        Ok(Response::new(ReturnResponse {}))
    }

    async fn new_container(
        &self,
        request: Request<NewContainerRequest>,
    ) -> Reply<NewContainerResponse> {
        self.record(Call::NewContainer(request.into_inner()));
        Ok(Response::new(NewContainerResponse {}))
    }

    async fn release_container(
        &self,
        _: Request<ReleaseContainerRequest>,
    ) -> Reply<ReleaseContainerResponse> {
        Err(self.complain("ReleaseContainer".to_owned()))
    }

    type ExecProcessStream = tonic::codegen::BoxStream<ExecMessage>;

    async fn exec_process(
        &self,
        _: Request<tonic::Streaming<ExecMessage>>,
    ) -> Reply<Self::ExecProcessStream> {
        Err(self.complain("ExecProcess".to_owned()))
    }

    async fn read_file_container(&self, _: Request<ReadFileRequest>) -> Reply<ReadFileResponse> {
        Err(self.complain("ReadFileContainer".to_owned()))
    }

    async fn read_dir_container(&self, _: Request<ReadDirRequest>) -> Reply<ReadDirResponse> {
        Err(self.complain("ReadDirContainer".to_owned()))
    }

    async fn stat_file_container(&self, _: Request<StatFileRequest>) -> Reply<StatFileResponse> {
        Err(self.complain("StatFileContainer".to_owned()))
    }
}

fn stat(path: &str, data: &[u8]) -> fsutil::Stat {
    fsutil::Stat {
        path: path.to_owned(),
        mode: 0o644,
        size: i64::try_from(data.len()).expect("a size"),
        ..fsutil::Stat::default()
    }
}

/// What the daemon's verifier says of a result
/// (BuildKit v0.32, `exporter/verifier/platforms.go`).
fn check_result(
    result: &buildkit_proto::gateway::Result,
    refs: &BTreeMap<String, Graph>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut check_ref = |id: &str| {
        if !id.is_empty() && !refs.contains_key(id) {
            complaints.push(format!("no such ref: {id}"));
        }
    };
    let mut keys = Vec::new();
    match &result.result {
        Some(result::Result::Ref(reference)) => check_ref(&reference.id),
        Some(result::Result::Refs(map)) => {
            for (key, reference) in &map.refs {
                check_ref(&reference.id);
                keys.push(key.clone());
            }
        }
        Some(result::Result::RefDeprecated(id)) => check_ref(id),
        Some(result::Result::RefsDeprecated(map)) => {
            for (key, id) in &map.refs {
                check_ref(id);
                keys.push(key.clone());
            }
        }
        None => complaints.push("a result without a ref".to_owned()),
    }
    if !keys.is_empty() {
        let listed = result
            .metadata
            .get("refs.platforms")
            .map_or(Vec::new(), |json| {
                let json: serde_json::Value = serde_json::from_slice(json).expect("JSON");
                let platforms = json["Platforms"].as_array().cloned().unwrap_or_default();
                let ids = platforms.iter().filter_map(|p| p["ID"].as_str());
                let mut ids: Vec<String> = ids.map(str::to_owned).collect();
                ids.sort();
                ids
            });
        if listed != keys {
            complaints.push(format!("refs {keys:?} but platforms {listed:?}"));
        }
    }
    complaints
}
