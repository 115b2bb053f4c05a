//! The spec, the ignore file and the main context.
//!
//! In: the options of the request. Out: the spec's bytes, ignore patterns, and
//! outputs for the graph. Named contexts are in `named`.
//!
//! Everything is loaded as the Dockerfile frontend loads it, so that vertices
//! and transfers are shared with it and among the solves of a bake: same local
//! names, hints, paths and session (BuildKit v0.32, `frontend/dockerui/config.go`,
//! `context.go`).
//!
//! | load | local | paths | hint | differ |
//! |---|---|---|---|---|
//! | spec | `dockerfile` or `dockerfilekey` | FILE, FILE.dockerignore | the local's name | none |
//! | ignore file | `context` | `.dockerignore` | `context-.dockerignore` | none |
//! | main context | `context` | of the caller | `context-` and the caller's | default |
//!
//! A remote context (Git, download, frontend input) has no ignore file, and the
//! spec is read from it unless `dockerfilekey` says otherwise.

use std::sync::Arc;

use buildkit_llb::{Copy, Describe, Differ, Digest, FileOp, Foreign, Output, Source};
use buildkit_proto::pb;
use futures_util::future::join;
use tokio::sync::OnceCell;

use super::archive;
use super::client::{Gateway, Ref, Solve};
use super::environment::Request;
use super::error::{Error, SpecError};
use crate::ignore::Rules;
use crate::options::git_url::{self, GitUrl};
use crate::options::{CONTEXT_LOCAL, MainContext, Options};

/// Local name and input name of the build file.
const DOCKERFILE: &str = "dockerfile";
/// The ignore file of a context.
pub(super) const IGNORE_FILE: &str = ".dockerignore";
/// Shared key hint of the look for the spec in the context.
const SPEC_HINT: &str = "gofleet-spec";
/// The name that a download gets.
const DOWNLOAD: &str = "context";
/// How much of a download is looked at.
const SNIFF_BYTES: i64 = 1024;

/// Loads what a request names. Everything is loaded at most once.
pub struct Loader<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    pub(super) session: &'a str,
    main: OnceCell<Main>,
    spec: OnceCell<LoadedSpec>,
    ignore: OnceCell<IgnoreFile>,
}

/// The spec as it was read.
#[derive(Clone, Debug)]
pub struct LoadedSpec {
    /// Its path as the client gave it.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The vertex that loaded it, where warnings are shown.
    pub vertex: Digest,
    /// The graph that loads it.
    pub definition: pb::Definition,
    /// The bytes of FILE.dockerignore beside it.
    ignore: Option<Vec<u8>>,
}

impl LoadedSpec {
    /// The file for error details, warnings and source maps.
    #[must_use]
    pub fn source_info(&self) -> Arc<pb::SourceInfo> {
        Arc::new(pb::SourceInfo {
            filename: self.file_name.clone(),
            data: self.bytes.clone(),
            definition: Some(self.definition.clone()),
            language: "YAML".to_owned(),
        })
    }
}

/// The ignore file of the main context: FILE.dockerignore beside the spec, else
/// `.dockerignore`.
#[derive(Clone, Debug, Default)]
pub struct IgnoreFile {
    /// What it says; nothing when there is none.
    pub rules: Rules,
    /// The file for warnings, named as the client has it.
    pub source_info: Arc<pb::SourceInfo>,
}

impl IgnoreFile {
    /// An error says all rules that the daemon does not take.
    fn new(filename: String, bytes: Vec<u8>, definition: pb::Definition) -> Result<Self, Error> {
        let rules = Rules::parse(&bytes);
        let diagnostics = rules.problems();
        let file = Arc::new(pb::SourceInfo {
            filename,
            data: bytes,
            definition: Some(definition),
            language: String::new(),
        });
        if diagnostics.is_empty() {
            let source_info = file;
            return Ok(Self { rules, source_info });
        }
        Err(Error::Files(vec![SpecError { file, diagnostics }]))
    }

    /// Its path as the client gave it; empty for a remote context.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source_info.filename
    }
}

/// A part of the main context.
///
/// Equal queries give equal ops. Different patterns need different hints, or
/// transfers replace each other's stored copy.
#[derive(Clone, Debug, Default)]
pub struct ContextQuery {
    /// What to take, in the syntax of `.dockerignore`; empty means everything.
    pub include: Vec<String>,
    /// What to leave out unless the ignore file takes it back in with `!`.
    pub leave_out: Vec<String>,
    /// What to leave out whatever the ignore file says.
    pub exclude: Vec<String>,
    /// Paths to take with everything that symbolic links on them lead to. In trees
    /// of the graph, where links are there anyway, they are names like `include`.
    pub follow: Vec<String>,
    /// Whether the ignore file does not count: to find out what it hides.
    pub despite_ignore: bool,
    /// Role of this part, such as `sources`.
    pub hint: String,
    /// The step's name for the user.
    pub name: String,
}

/// Where the main context is.
enum Main {
    /// A local directory.
    Local {
        /// A frontend input that holds the spec instead of a local directory.
        spec: Option<Output>,
    },
    /// A tree of the graph.
    Remote {
        root: Output,
        /// The repository or download behind it; inputs have none.
        source: Option<Output>,
        /// Where the spec is read from, without `contextsubdir`; `None` is a
        /// local directory.
        spec: Option<Output>,
        /// The download is the spec itself, under this name.
        spec_name: Option<&'static str>,
    },
}

impl<'a> Loader<'a> {
    /// Prepares loading; nothing is loaded yet.
    #[must_use]
    pub fn new(gateway: &'a Gateway, request: &'a Request, options: &'a Options) -> Self {
        Self {
            gateway,
            options,
            session: &request.session_id,
            main: OnceCell::new(),
            spec: OnceCell::new(),
            ignore: OnceCell::new(),
        }
    }

    /// Reads the spec.
    ///
    /// # Errors
    ///
    /// There is no such file, or the context cannot be loaded.
    pub async fn spec(&self) -> Result<&LoadedSpec, Error> {
        self.spec.get_or_try_init(|| self.load_spec()).await
    }

    /// The ignore file; empty for a remote context.
    ///
    /// # Errors
    ///
    /// The context cannot be loaded. A missing file is no error.
    pub async fn ignore(&self) -> Result<&IgnoreFile, Error> {
        self.ignore.get_or_try_init(|| self.load_ignore()).await
    }

    /// A part of the main context, as an output for the graph. Nothing is
    /// transferred before the graph is built.
    ///
    /// # Errors
    ///
    /// The ignore file or a remote context cannot be loaded.
    pub async fn context(&self, query: &ContextQuery) -> Result<Output, Error> {
        match self.main().await? {
            Main::Local { .. } => {
                let ignored = match query.despite_ignore {
                    true => Vec::new(),
                    false => self.ignore().await?.rules.patterns(),
                };
                let exclude = query.leave_out.iter().cloned().chain(ignored);
                let exclude = exclude.chain(query.exclude.iter().cloned());
                Ok(Source::local(CONTEXT_LOCAL)
                    .session(self.session_of(CONTEXT_LOCAL))
                    .include(query.include.iter().cloned())
                    .exclude(exclude)
                    .follow_paths(query.follow.iter().cloned())
                    .shared_key_hint(format!("{CONTEXT_LOCAL}-{}", query.hint))
                    .name(query.name.clone())
                    .build())
            }
            Main::Remote { root, .. } => Ok(self.part(root, query)),
        }
    }

    /// Whether the spec is the file of its name in the context. It is not when it came from standard
    /// input, which clients call `Dockerfile`, or from another directory.
    ///
    /// # Errors
    ///
    /// The context cannot be loaded.
    pub async fn has_spec(&self) -> Result<bool, Error> {
        let spec = self.spec().await?;
        let name = &spec.file_name;
        if !self.is_local().await? {
            return Ok(true);
        }
        let source = Source::local(CONTEXT_LOCAL)
            .session(self.session_of(CONTEXT_LOCAL))
            .follow_paths([name.as_str()])
            .shared_key_hint(format!("{CONTEXT_LOCAL}-{SPEC_HINT}"))
            .differ(Differ::None)
            .name(format!("[internal] look for {name}"))
            .build();
        let solve = Solve::new(definition(&source)?).evaluate();
        let reference = self.gateway.solve(solve).await?;
        let found = self.read_optional(&reference, name).await?;
        Ok(found.is_some_and(|bytes| bytes == spec.bytes))
    }

    /// Whether the main context is a directory of the client.
    ///
    /// # Errors
    ///
    /// A remote context cannot be loaded.
    pub async fn is_local(&self) -> Result<bool, Error> {
        Ok(matches!(self.main().await?, Main::Local { .. }))
    }

    /// The source that a remote main context comes from.
    pub(super) async fn remote_source(&self) -> Result<Option<&Output>, Error> {
        Ok(match self.main().await? {
            Main::Local { .. } => None,
            Main::Remote { source, .. } => source.as_ref(),
        })
    }

    /// A copy of the wanted part; the tree itself when all of it is wanted.
    fn part(&self, root: &Output, query: &ContextQuery) -> Output {
        let subdir = self.options.contexts.subdir.as_deref();
        let exclude: Vec<&String> = query.leave_out.iter().chain(&query.exclude).collect();
        // Where a link leads is not known here, so links take everything along.
        let include: &[String] = match query.follow.as_slice() {
            [] => &query.include,
            _ => &[],
        };
        if subdir.is_none() && include.is_empty() && exclude.is_empty() {
            return root.clone();
        }
        let copy = Copy::new(root, subdir.unwrap_or("/"), "/")
            .contents_only()
            .include(include.iter().cloned())
            .exclude(exclude.into_iter().cloned());
        FileOp::new().copy(copy).name(query.name.clone()).build()
    }

    async fn main(&self) -> Result<&Main, Error> {
        self.main.get_or_try_init(|| self.load_main()).await
    }

    async fn load_main(&self) -> Result<Main, Error> {
        match &self.options.contexts.main {
            MainContext::Git { url, text } => {
                let name = format!("[internal] load git source {}", git_url::redact(text));
                let root = git(url, &name)?;
                Ok(Main::Remote {
                    spec: Some(root.clone()),
                    source: Some(root.clone()),
                    root,
                    spec_name: None,
                })
            }
            MainContext::Http(url) => self.load_download(url).await,
            MainContext::Local => {
                let inputs = self.gateway.inputs().await?;
                let input = |name| inputs.get(name).map(foreign).transpose();
                let spec = input(DOCKERFILE)?;
                Ok(match input(CONTEXT_LOCAL)? {
                    Some(root) => Main::Remote {
                        root,
                        source: None,
                        spec,
                        spec_name: None,
                    },
                    None => Main::Local { spec },
                })
            }
        }
    }

    /// A download is an archive to unpack, or the spec itself.
    async fn load_download(&self, url: &str) -> Result<Main, Error> {
        let file = Source::http(url)
            .filename(DOWNLOAD)
            .name("[internal] load remote build context")
            .build();
        let what = || format!("cannot load the context {}", git_url::redact(url));
        let reference = self
            .gateway
            .solve(Solve::new(definition(&file)?))
            .await
            .map_err(|e| e.context(what()))?;
        let head = self
            .gateway
            .read_range(&reference, DOWNLOAD, 0, SNIFF_BYTES)
            .await
            .map_err(|e| e.context(what()))?;
        if !archive::is_archive(&head) {
            return Ok(Main::Remote {
                spec: Some(file.clone()),
                source: Some(file.clone()),
                root: file,
                spec_name: Some(DOWNLOAD),
            });
        }
        let unpack = Copy::new(&file, format!("/{DOWNLOAD}"), "/").unpack();
        let root = FileOp::new()
            .copy(unpack)
            .name("[internal] unpack remote build context")
            .build();
        Ok(Main::Remote {
            spec: Some(root.clone()),
            source: Some(file),
            root,
            spec_name: None,
        })
    }

    async fn load_spec(&self) -> Result<LoadedSpec, Error> {
        let main = self.main().await?;
        let (tree, spec_name) = match main {
            // An explicit local directory wins over everything.
            _ if self.options.spec_local.is_some() => (None, None),
            Main::Local { spec } => (spec.clone(), None),
            Main::Remote {
                spec, spec_name, ..
            } => (spec.clone(), *spec_name),
        };
        let file_name = spec_name.unwrap_or(&self.options.filename).to_owned();
        let tree = tree.unwrap_or_else(|| self.spec_source(&file_name));
        let definition = definition(&tree)?;
        let reference = self
            .gateway
            .solve(Solve::new(definition.clone()))
            .await
            .map_err(|e| e.context(format!("cannot load the spec `{file_name}`")))?;
        let ignore = async {
            match main {
                Main::Local { .. } => {
                    let path = format!("{file_name}{IGNORE_FILE}");
                    self.read_optional(&reference, &path).await
                }
                Main::Remote { .. } => Ok(None),
            }
        };
        let (bytes, ignore) = join(self.read_spec(&reference, &file_name), ignore).await;
        let (bytes, ignore) = (bytes?, ignore?);
        Ok(LoadedSpec {
            file_name,
            bytes,
            vertex: tree.digest().clone(),
            definition,
            ignore,
        })
    }

    /// The local directory that holds the spec.
    fn spec_source(&self, file_name: &str) -> Output {
        let local = self.options.spec_local.as_deref().unwrap_or(DOCKERFILE);
        let mut paths = vec![file_name.to_owned(), format!("{file_name}{IGNORE_FILE}")];
        paths.extend(lower_case_dockerfile(file_name));
        Source::local(local)
            .session(self.session_of(local))
            .follow_paths(paths)
            .shared_key_hint(local)
            .differ(Differ::None)
            .name(format!("[internal] load build definition from {file_name}"))
            .build()
    }

    async fn read_spec(&self, reference: &Ref, file_name: &str) -> Result<Vec<u8>, Error> {
        let error = match self.gateway.read_file(reference, file_name).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        if let Some(lower) = lower_case_dockerfile(file_name)
            && let Some(bytes) = self.read_optional(reference, &lower).await?
        {
            return Ok(bytes);
        }
        let hint = if error.is_not_found() {
            " (name it with `-f`, as in `-f fleet.yaml`)"
        } else {
            ""
        };
        Err(error.context(format!("cannot read the spec `{file_name}`{hint}")))
    }

    async fn load_ignore(&self) -> Result<IgnoreFile, Error> {
        if !self.is_local().await? {
            return Ok(IgnoreFile::default());
        }
        let spec = self.spec().await?;
        if let Some(own) = &spec.ignore {
            let name = format!("{}{IGNORE_FILE}", spec.file_name);
            return IgnoreFile::new(name, own.clone(), spec.definition.clone());
        }
        let file = Source::local(CONTEXT_LOCAL)
            .session(self.session_of(CONTEXT_LOCAL))
            .follow_paths([IGNORE_FILE])
            .shared_key_hint(format!("{CONTEXT_LOCAL}-{IGNORE_FILE}"))
            .differ(Differ::None)
            .name(format!("[internal] load {IGNORE_FILE}"))
            .build();
        self.read_ignore(&file).await
    }

    /// Reads `.dockerignore` out of a source that holds it, or nothing.
    pub(super) async fn read_ignore(&self, source: &Output) -> Result<IgnoreFile, Error> {
        let definition = definition(source)?;
        let solve = Solve::new(definition.clone()).evaluate();
        let reference = self.gateway.solve(solve).await?;
        let bytes = self.read_optional(&reference, IGNORE_FILE).await?;
        IgnoreFile::new(
            IGNORE_FILE.to_owned(),
            bytes.unwrap_or_default(),
            definition,
        )
    }

    /// The rules of the first of these files that a source holds.
    pub(super) async fn read_ignore_of(
        &self,
        source: &Output,
        paths: &[&str],
    ) -> Result<Rules, Error> {
        let solve = Solve::new(definition(source)?).evaluate();
        let reference = self.gateway.solve(solve).await?;
        for path in paths {
            if let Some(bytes) = self.read_optional(&reference, path).await? {
                return Ok(Rules::parse(&bytes));
            }
        }
        Ok(Rules::default())
    }

    /// Reads a file that may be absent. As upstream, whatever the daemon says
    /// means absent: only its words could tell more.
    async fn read_optional(&self, reference: &Ref, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.gateway.read_file(reference, path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Rpc(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn session_of(&self, local: &str) -> &str {
        self.options.contexts.session_of(local, self.session)
    }
}

/// The other spelling that the Dockerfile frontend takes, and so transfers.
fn lower_case_dockerfile(file_name: &str) -> Option<String> {
    let lower = "dockerfile";
    match file_name.rsplit_once('/') {
        Some((dir, "Dockerfile")) => Some(format!("{dir}/{lower}")),
        None if file_name == "Dockerfile" => Some(lower.to_owned()),
        _ => None,
    }
}

/// A Git source with everything its URL says.
pub(super) fn git(url: &GitUrl, name: &str) -> Result<Output, Error> {
    let mut source = Source::git(&url.remote).name(name);
    if let Some(reference) = &url.reference {
        source = source.reference(reference);
    }
    if let Some(subdir) = &url.subdir {
        source = source.subdir(subdir);
    }
    if let Some(checksum) = &url.checksum {
        source = source.checksum(checksum);
    }
    if url.keep_git_dir == Some(true) {
        source = source.keep_git_dir();
    }
    if url.submodules == Some(false) {
        source = source.skip_submodules();
    }
    if url.mtime.as_deref() == Some("commit") {
        source = source.commit_times();
    }
    if url.fetch_by_commit {
        source = source.fetch_by_commit();
    }
    let output = source.build();
    definition(&output).map(|_| output)
}

/// A graph that someone else made.
pub(super) fn foreign(definition: &pb::Definition) -> Result<Output, Error> {
    Foreign::from_definition(definition)
        .map_err(|e| Error::Request(format!("the client sent an input that is no graph: {e}")))
}

/// Marshals a graph after a look for values that the daemon would refuse.
pub(super) fn definition(output: &Output) -> Result<pb::Definition, Error> {
    output.check().map_err(|e| Error::Request(e.to_string()))?;
    Ok(output.marshal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_case_name_is_transferred_for_dockerfiles_alone() {
        assert_eq!(
            lower_case_dockerfile("Dockerfile").as_deref(),
            Some("dockerfile")
        );
        assert_eq!(
            lower_case_dockerfile("a/Dockerfile").as_deref(),
            Some("a/dockerfile")
        );
        assert_eq!(lower_case_dockerfile("fleet.yaml"), None);
        assert_eq!(lower_case_dockerfile("a.Dockerfile"), None);
    }
}
