//! Why a module cannot be had: what `go`, git and ssh say, sorted by what helps.

use serde::{Deserialize, Serialize};

use super::environment::Given;
use super::go::Go;
use super::hosts::{host_in, host_of};

/// A module that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Its path; empty when the message names none.
    pub module: String,
    /// Its version.
    pub version: String,
    /// The server that was asked, as far as the message says it.
    pub host: String,
    /// What kind of failure it is.
    pub kind: Kind,
    /// What the command said, without secrets.
    pub text: String,
    /// The manifest that names the module, relative to the context.
    pub manifest: String,
    /// The line there, from 1.
    pub line: u32,
    /// The services that need it, by their keys in the request; empty is all.
    pub services: Vec<String>,
}

/// What kind of failure it is, which decides what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// The server wants a login.
    NoLogin,
    /// The server refuses the login that was given.
    LoginRefused,
    /// The server refuses, and says why.
    Refused,
    /// The ssh server takes none of the agent's keys, or there is no agent.
    NoKey,
    /// The ssh server's key is not known.
    UnknownHostKey,
    /// The server's certificate is signed by nobody that is trusted.
    UntrustedCertificate,
    /// The server wants a client certificate.
    NoClientCertificate,
    /// There is no git in the builder image.
    NoGit,
    /// There is no ssh in the builder image.
    NoSsh,
    /// The server does not know the module, or does not say that it does.
    NotFound,
    /// A public checksum database was asked about a private module.
    NotInSumDatabase,
    /// There is no server, or no way to it.
    Unreachable,
    /// The server takes the connection, and then says nothing, or does not stop.
    Silent,
    /// The server is out of order, and says so.
    OutOfOrder,
    /// What the server sends is no module, or not all of it.
    NoModule,
    /// What was fetched is not what `go.sum` says.
    ChecksumMismatch,
    /// A setting forbids to fetch it.
    Forbidden,
    /// The URL of a proxy cannot be read.
    BadUrl,
    /// The manifests want a newer Go than the builder image has.
    OldGo,
    /// A secret of the build cannot be used.
    BadSecret,
    /// Anything else.
    Other,
}

impl Kind {
    /// Whether it may be gone a moment later, with the same credentials and manifests.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::OutOfOrder | Self::NoModule | Self::Other
        )
    }
}

/// Sorts what was said about a module; `given` says which logins there are.
#[must_use]
pub(super) fn classify(text: &str, host: &str, given: &Given) -> Kind {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["checksum mismatch", "SECURITY ERROR"]) {
        Kind::ChecksumMismatch
    } else if says(&["requires go >= "]) {
        Kind::OldGo
    } else if says(&[
        "invalid port",
        "invalid userinfo",
        "invalid URL escape",
        "in host name",
    ]) {
        Kind::BadUrl
    } else if says(&[
        "\"git\": executable file not found",
        "failed to execute git",
    ]) {
        Kind::NoGit
    } else if says(&["cannot run ssh", "ssh: not found", "ssh: No such file"]) {
        Kind::NoSsh
    } else if says(&["Host key verification failed", "REMOTE HOST IDENTIFICATION"]) {
        Kind::UnknownHostKey
    } else if says(&[
        "Permission denied (publickey",
        "Too many authentication failures",
    ]) {
        Kind::NoKey
    } else if says(&[
        "tls: certificate required",
        "certificate required",
        "could not load PEM client certificate",
        "error reading X.509 key or certificate file",
        "No required SSL certificate was sent",
        "The requested URL returned error: 400",
        // How a connection ends when the certificate is missed after the handshake.
        "A TLS fatal alert",
        "gnutls_handshake() failed",
        "getpeername() failed",
        "Broken pipe",
        "broken pipe",
    ]) {
        Kind::NoClientCertificate
    } else if says(&[
        "x509: ",
        "certificate verification failed",
        "SSL certificate problem",
    ]) {
        Kind::UntrustedCertificate
    } else if says(&[
        "nothing came for",
        "the answer has no end",
        "Operation too slow",
    ]) {
        Kind::Silent
    } else if says(&["disabled by GOPROXY=off", "GOVCS disallows", "refusing to"]) {
        Kind::Forbidden
    } else if says(&["403 Forbidden"]) && response(text).is_some() {
        Kind::Refused
    } else if says(&[
        "401 Unauthorized",
        "403 Forbidden",
        "407 Proxy",
        "could not read Username",
        "could not read Password",
        "Authentication failed",
        "terminal prompts disabled",
        "Access denied",
        "The requested URL returned error: 403",
    ]) {
        if given.has_login(host) {
            Kind::LoginRefused
        } else {
            Kind::NoLogin
        }
    } else if says(&[
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "The requested URL returned error: 5",
        "stopped after 10 redirects",
        "redirected from secure URL",
    ]) {
        Kind::OutOfOrder
    } else if says(&[
        "invalid response from proxy",
        "not a valid zip file",
        "unexpected EOF",
        "malformed response",
        "gzip: invalid",
        "proxy returned info for version",
        "downloaded zip file too large",
        " has unexpected file ",
    ]) {
        Kind::NoModule
    } else if says(&["verifying"]) && says(&["404 Not Found", "410 Gone"]) {
        Kind::NotInSumDatabase
    } else if says(&[
        "404 Not Found",
        "410 Gone",
        "unknown revision",
        "not found",
        "does not appear to be a git repository",
        "is this a git repository?",
        "no matching versions",
    ]) && !says(&["executable file not found"])
    {
        Kind::NotFound
    } else if says(&[
        "no such host",
        "connection refused",
        "i/o timeout",
        "TLS handshake timeout",
        "network is unreachable",
        "Could not resolve host",
        "Failed to connect",
        "Connection timed out",
        "Connection refused",
        "Name or service not known",
        "connection reset",
    ]) {
        Kind::Unreachable
    } else {
        Kind::Other
    }
}

/// What a server answered besides its status, on one line. Its name for the status says nothing.
pub(super) fn response(text: &str) -> Option<String> {
    let (_, answer) = text.split_once("server response:")?;
    let words: Vec<&str> = answer.split_whitespace().collect();
    let answer = words.join(" ");
    let plain = answer.trim_end_matches('.').to_lowercase();
    let is_status = ["", "forbidden", "403 forbidden", "access denied"].contains(&plain.as_str());
    (!is_status).then_some(answer)
}

/// Makes a problem of what was said about a module at a version.
#[must_use]
pub fn problem((module, version): (&str, &str), text: &str, go: &dyn Go) -> Problem {
    // First of all: what looks like a host may be half of a login.
    let text = &go.redact(text);
    let host = asked(module, text);
    Problem {
        module: module.to_owned(),
        version: version.to_owned(),
        kind: classify(text, &host, &go.given()),
        host,
        text: tidy(text),
        manifest: String::new(),
        line: 0,
        services: Vec::new(),
    }
}

/// The server that a message is about.
fn asked(module: &str, text: &str) -> String {
    if let Some(host) = host_in(text) {
        return host;
    }
    // `git@HOST: Permission denied (publickey).`, and what a resolver says.
    let ssh = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("git@"))
        .find_map(|rest| rest.split_once(':'));
    match ssh {
        Some((host, _)) => host.to_owned(),
        None => host_of(module).to_owned(),
    }
}

/// The lines of a message that say something, without paths of the step and without
/// what a server may have sent for a terminal to obey.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !line.starts_with("go: downloading") && !line.starts_with("go: finding")
    });
    let lines = lines.map(|line| line.replace(char::is_control, ""));
    let lines: Vec<String> = lines.map(|line| without_cache_dir(&line)).collect();
    lines.join("\n")
}

/// `git … in /go/pkg/mod/cache/vcs/HASH: exit status 128:` without the directory.
fn without_cache_dir(line: &str) -> String {
    let Some((before, rest)) = line.split_once(" in /") else {
        return line.to_owned();
    };
    match rest.split_once(": ") {
        Some((dir, after)) if dir.contains("/cache/vcs/") => format!("{before}: {after}"),
        _ => line.to_owned(),
    }
}

impl Problem {
    /// A secret that cannot be used: nothing can be fetched.
    #[must_use]
    pub fn of_secret(text: String) -> Self {
        Self {
            module: String::new(),
            version: String::new(),
            host: String::new(),
            kind: Kind::BadSecret,
            text,
            manifest: String::new(),
            line: 0,
            services: Vec::new(),
        }
    }

    /// Says which manifest names the module, and where. `go.sum` is what a wrong
    /// checksum is about.
    pub fn locate<'a>(&mut self, manifests: impl Iterator<Item = (&'a String, &'a String)>) {
        let wanted = match self.kind {
            Kind::ChecksumMismatch => "go.sum",
            _ => "go.mod",
        };
        for (path, text) in manifests.filter(|(path, _)| path.ends_with(wanted)) {
            let line = text.lines().position(|line| self.is_named(line));
            if let Some(line) = line.and_then(|line| u32::try_from(line + 1).ok()) {
                self.manifest.clone_from(path);
                self.line = line;
                return;
            }
        }
    }

    fn is_named(&self, line: &str) -> bool {
        let line = line.split("//").next().unwrap_or(line);
        let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
        let found = words.any(|word| word == self.module);
        found && (self.kind != Kind::ChecksumMismatch || line.contains(&self.version))
    }
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
