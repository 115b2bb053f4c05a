//! Fetching modules: what a step that fetches takes from a client.
//!
//! Two kinds of steps fetch: the download of a module root, and the look in front of every
//! build step whether its modules are still at hand. They alone have a network, and they
//! alone see settings and credentials; build steps have neither, so nothing of this is in
//! their keys. This module is the table of what there is, for
//! everyone who asks: the spec's `secrets`, the lowering, `--call outline`, and the
//! program that runs in the step.
//!
//! # Files
//!
//! - `environment`: credentials as `go`, git and ssh look for them; `netrc`, `hosts`;
//! - `go`: running the commands; `git`: what git obeys; `redact`: messages without secrets;
//! - `silence`: ending those that wait in vain, by what their `trace` says and their
//!   `processes` do;
//! - `problem`: why a module cannot be had; `advice`: what to do about it.

mod advice;
mod environment;
mod git;
mod go;
mod hosts;
mod netrc;
mod problem;
mod processes;
mod redact;
mod silence;
mod trace;

pub use advice::advice;
pub use environment::{AGENT_SOCKET, Given, HOME, Places, SECRET_PREFIX, prepare};
pub use go::{Go, GoCommand, GoError, NoGo};
pub use hosts::{host_of, is_fetchable};
pub use problem::{Kind, Problem, problem};
pub use silence::{MAX_TIMEOUT, Silence, TIMEOUT};
pub use trace::is_about;

/// Settings of the `go` command about where modules come from (`go help environment`,
/// Go 1.26). They come from `modules:` in the spec, from build args, or, because they may
/// hold credentials, from secrets; the later of these wins.
pub const SETTINGS: [&str; 8] = [
    "GOAUTH",
    "GOINSECURE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "GOVCS",
];

/// Proxies, as secrets; as build args they are the client's business and BuildKit's.
pub const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/// A token for git over https and for servers that answer `?go-get=1`, as BuildKit's
/// git source takes it; `GIT_AUTH_TOKEN.HOST` is for one host.
pub const TOKEN: &str = "GIT_AUTH_TOKEN";

/// Id of the agent that `--ssh` forwards.
pub const AGENT: &str = "default";

/// Where the files of secrets are in a step: `/run/secrets/ID`.
pub const SECRETS_DIR: &str = "/run/secrets";

/// Secrets that are files.
pub const FILES: [&str; 5] = [NETRC, KNOWN_HOSTS, CA, CLIENT_CERT, CLIENT_KEY];

/// Logins by host, for module proxies and for git over https.
pub const NETRC: &str = "netrc";

/// Keys of ssh servers.
pub const KNOWN_HOSTS: &str = "known_hosts";

/// Certificates (PEM) that are trusted beside those of the builder image.
pub const CA: &str = "ca";

/// A client certificate (PEM) for git over https.
pub const CLIENT_CERT: &str = "client_cert";

/// The key of the client certificate (PEM).
pub const CLIENT_KEY: &str = "client_key";

/// The ids of secrets that mean something to a step that fetches, but those of
/// [`TOKEN`] for one host.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    let credentials = [TOKEN].into_iter().chain(FILES);
    SETTINGS.into_iter().chain(PROXIES).chain(credentials)
}

/// Whether a secret's id means something to a step that fetches.
#[must_use]
pub fn is_secret(id: &str) -> bool {
    let host = id
        .strip_prefix(TOKEN)
        .and_then(|rest| rest.strip_prefix('.'));
    id == TOKEN
        || host.is_some_and(|host| !host.is_empty())
        || SETTINGS.contains(&id)
        || PROXIES.contains(&id)
        || FILES.contains(&id)
}
