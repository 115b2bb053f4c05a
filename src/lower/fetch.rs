//! The steps that fetch modules: no other step has a network or sees a credential.
//!
//! 1. The download of a module root, one for all services of a spec: it fetches what they
//!    need, and its result is the part of the manifests that each build reads. An update of
//!    one module then runs the builds of those services again that look into that module.
//! 2. In front of every build step, a look whether its modules are still at hand. It runs
//!    when the build step runs, because it is keyed by the same things, and its result is
//!    a constant: what it fetches from, and with which login, is in no build step's key.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::{
    BindMount, CacheMount, Describe as _, Error, ExecBuilder, FileOp, Mkfile, Mount, Output,
    SecretEnv,
};

use super::closures::Closures;
use super::constant::{epoch, quiet};
use super::go::{self, Builder, SOURCE_DIR};
use super::scan::PROGRAM;
use super::settings::StepSettings;
use super::tree;
use crate::closure::{Closure, ModuleRoot};
use crate::fetch::{
    AGENT, AGENT_SOCKET, FILES, HOME, PROXIES, SECRET_PREFIX, SECRETS_DIR, SETTINGS, TOKEN,
    host_of, is_fetchable,
};
use crate::modules::{NEEDED_DIR, NEEDED_FILE, Request, SERVICES_DIR, ServiceRequest};
use crate::plan;

/// Where a build step sees that its modules are at hand.
pub(super) const MARKER_DIR: &str = "/run/gofleet/modules";

/// Name of the marker.
pub(super) const MARKER: &str = "modules";

pub(super) const FRONTEND_DIR: &str = "/run/gofleet/frontend";
const REQUEST_DIR: &str = "/run/gofleet/request";
const REQUEST_FILE: &str = "request.json";
pub(super) const NEEDED_MOUNT: &str = "/run/gofleet/needed";
const OUTPUT_DIR: &str = "/out";
const PACK_DIR: &str = "/packed";

/// What to ask about the services of one module root; `None` where there is nothing
/// to find out: without requirements, and with a vendor directory, whose list has to
/// agree with the whole of `go.mod`.
pub(super) fn request(root: &ModuleRoot, closures: &Closures) -> Option<Request> {
    if !root.is_fetching() {
        return None;
    }
    let mut services: Vec<ServiceRequest> = closures
        .with_tags()
        .filter(|(closure, _)| closure.root.dir == root.dir)
        .map(|(closure, tags)| ServiceRequest::new(key(closure, tags), closure, tags))
        .collect();
    services.sort();
    Some(Request::new(root, services))
}

/// Directory of a service in the result of a download. `@` is in no import path.
pub(super) fn key(closure: &Closure, tags: &[String]) -> String {
    match tags {
        [] => format!("{}/@", closure.main),
        tags => format!("{}/@{}", closure.main, tags.join(",")),
    }
}

/// Path of a service's manifests in the result of a download.
pub(super) fn manifests_dir(closure: &Closure, tags: &[String]) -> String {
    format!("/{SERVICES_DIR}/{}", key(closure, tags))
}

/// The images that fetching steps are made of, and what they take from a client.
#[derive(Clone, Copy)]
pub(super) struct Fetching<'a> {
    /// Where the commands are.
    pub(super) builder: &'a Builder,
    /// Its reference, for messages.
    pub(super) reference: &'a str,
    /// The frontend's own image: it has the program that runs the commands.
    pub(super) frontend: &'a Output,
    /// The module root.
    pub(super) root: &'a ModuleRoot,
    /// Settings of the `go` command, none of them with credentials, and secrets that the
    /// spec names.
    pub(super) from: &'a plan::Fetch,
    pub(super) settings: StepSettings<'a>,
}

/// The results of a download.
#[derive(Debug, Clone)]
pub(super) struct Downloaded {
    /// The part of the manifests that each build reads, and what it needs of modules.
    pub(super) answer: Output,
    /// What builds read of modules, for builders that start empty.
    pub(super) packed: Option<Output>,
}

/// How a download is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    /// What orders it behind other steps, or runs it again.
    pub(super) marker: &'a Output,
    /// Whether modules are packed.
    pub(super) pack: bool,
}

impl Fetching<'_> {
    /// The step that fetches the modules of a root.
    pub(super) fn download(
        &self,
        request: &Request,
        code: &Output,
        how: How<'_>,
    ) -> Result<Downloaded, Error> {
        let json = serde_json::to_vec(request).unwrap_or_default();
        let file = Mkfile::new(format!("/{REQUEST_FILE}"), json)
            .mode(0o644)
            .timestamp(epoch());
        let question = quiet(FileOp::new().mkfile(file), "imports of all services");
        let mut args = program("modules");
        args.extend(how.pack.then(|| format!("--pack={PACK_DIR}")));
        args.push(format!("{REQUEST_DIR}/{REQUEST_FILE}"));
        args.extend([SOURCE_DIR, OUTPUT_DIR].map(str::to_owned));
        let exec = self
            .exec(args, &[])
            // Writable and thrown away: Go adds sums that no build needs. The build
            // itself sees the repository's own.
            .mount(Mount::bind(SOURCE_DIR, &manifest_tree(self.root, code)).no_output())
            .mount(Mount::bind(REQUEST_DIR, &question).readonly())
            .mount(Mount::bind(MARKER_DIR, how.marker).readonly())
            .mount(Mount::scratch(OUTPUT_DIR))
            .mounts(how.pack.then(|| Mount::scratch(PACK_DIR)))
            .name(match self.root.dir.as_str() {
                "." => "[modules] go mod download".to_owned(),
                dir => format!("[modules {dir}] go mod download"),
            })
            .build();
        Ok(Downloaded {
            answer: exec.output(OUTPUT_DIR)?,
            packed: how.pack.then(|| exec.output(PACK_DIR)).transpose()?,
        })
    }

    /// The step in front of a build step, of which it has everything that makes it run.
    pub(super) fn ensure(&self, before: &Before<'_>) -> Result<Output, Error> {
        let mut args = program("fetch");
        args.extend([
            format!("--builder={}", self.reference),
            format!("--looked={MARKER_DIR}"),
            format!("{NEEDED_MOUNT}/{NEEDED_FILE}"),
            SOURCE_DIR.to_owned(),
            "--".to_owned(),
        ]);
        args.extend(before.args.iter().cloned());
        let exec = self
            .exec(args, before.env)
            .mounts(before.sources.iter().cloned())
            .mounts(before.needed())
            .mount(Mount::bind(MARKER_DIR, before.marker))
            .mount(before.turn.clone())
            .name(format!("[internal] check modules of {}", before.label))
            .build();
        exec.output(MARKER_DIR)
    }

    /// A step with a network and credentials. What a client does not give is not there:
    /// whether it is missed is found out by asking for modules.
    fn exec(&self, args: Vec<String>, env: &[(&str, &str)]) -> ExecBuilder {
        let own = self
            .from
            .settings
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()));
        let env: Vec<(&str, &str)> = env.iter().copied().chain(own).collect();
        let mut exec = go::filling_exec(self.builder, self.root, self.settings, args, &env)
            .mount(Mount::bind(FRONTEND_DIR, self.frontend).readonly())
            .mount(Mount::tmpfs(HOME))
            .mount(Mount::ssh(AGENT_SOCKET, AGENT).optional());
        for id in FILES {
            exec = exec.mount(Mount::secret(format!("{SECRETS_DIR}/{id}"), id).optional());
        }
        for id in self.variables() {
            // By another name: an empty secret is none, and must not hide a setting.
            let name = format!("{SECRET_PREFIX}{id}");
            exec = exec.secret_env(SecretEnv::new(&id).name(name).optional());
        }
        self.settings.online(exec)
    }

    /// Ids of the secrets that are variables: settings, proxies, and a token for each
    /// host that a module comes from.
    fn variables(&self) -> BTreeSet<String> {
        let fixed = SETTINGS.iter().chain(&PROXIES).chain([&TOKEN]);
        let modules = self.root.required.iter().chain(&self.root.forks);
        let modules = modules.filter(|path| is_fetchable(path));
        let hosts = modules.map(|path| format!("{TOKEN}.{}", host_of(path)));
        let named = self.from.secrets.iter().map(|secret| secret.id.clone());
        fixed
            .map(|id| (*id).to_owned())
            .chain(hosts)
            .chain(named.filter(|id| id.starts_with(TOKEN)))
            .collect()
    }
}

/// Our program and its first word.
fn program(verb: &str) -> Vec<String> {
    vec![format!("{FRONTEND_DIR}{PROGRAM}"), verb.to_owned()]
}

/// A build step, as far as the step in front of it has to know.
pub(super) struct Before<'a> {
    pub(super) args: &'a [String],
    pub(super) env: &'a [(&'a str, &'a str)],
    pub(super) sources: &'a [BindMount],
    /// The result of the download, if there is one.
    pub(super) downloaded: Option<&'a Output>,
    /// The service's [`key`] in it.
    pub(super) key: &'a str,
    pub(super) marker: &'a Output,
    /// Bounds how many such steps run at once.
    pub(super) turn: CacheMount,
    pub(super) label: &'a str,
}

impl Before<'_> {
    /// The list of modules that the build needs, for steps of our own.
    pub(super) fn needed(&self) -> Option<BindMount> {
        let downloaded = self.downloaded?;
        let list = Mount::bind(NEEDED_MOUNT, downloaded);
        Some(
            list.selector(format!("/{NEEDED_DIR}/{}", self.key))
                .readonly(),
        )
    }
}

/// The manifests and nothing else, with one mode, so that neither another file
/// nor another umask runs the download again.
pub(super) fn manifest_tree(root: &ModuleRoot, code: &Output) -> Output {
    let manifests = root.manifests.iter();
    let manifests = manifests.map(|path| tree::content(code, root.content_of(path), path));
    let links = root.links.iter().map(|path| tree::file(code, path));
    let copies = manifests.chain(links);
    quiet(
        copies.fold(FileOp::new(), FileOp::copy),
        "go.mod and go.sum",
    )
}

/// The downloads of a graph, by module root.
#[derive(Debug, Default)]
pub(super) struct Downloads(BTreeMap<ModuleRoot, Option<Downloaded>>);

impl Downloads {
    /// The download of a root, made by `make` when first asked for.
    pub(super) fn get(
        &mut self,
        root: &ModuleRoot,
        make: impl FnOnce() -> Result<Option<Downloaded>, Error>,
    ) -> Result<Option<Downloaded>, Error> {
        if let Some(known) = self.0.get(root) {
            return Ok(known.clone());
        }
        let step = make()?;
        self.0.insert(root.clone(), step.clone());
        Ok(step)
    }
}
