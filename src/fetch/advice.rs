//! What to do about a module that cannot be had: the message for people.

use super::hosts::host_of;
use super::problem::{Kind, Problem, response};
use super::{CA, CLIENT_CERT, CLIENT_KEY, KNOWN_HOSTS, NETRC, TIMEOUT, TOKEN};
use crate::diag::{Diagnostic, Rule, Span};

/// The diagnostic of a problem. `builder` is the image that the commands ran in.
#[must_use]
pub fn advice(problem: &Problem, builder: &str) -> Diagnostic {
    let (rule, what) = what(problem, builder);
    let mut message = what;
    for line in problem.text.lines() {
        message += "\n  ";
        message += line;
    }
    let diagnostic = Diagnostic::new(rule, message).hint(next_step(problem));
    match problem.line {
        0 => diagnostic,
        line => diagnostic.at(Span::at(line, 1)),
    }
}

fn what(problem: &Problem, builder: &str) -> (Rule, String) {
    let Problem { host, .. } = problem;
    let module = match (problem.module.as_str(), problem.version.as_str()) {
        ("", _) => "the modules".to_owned(),
        (path, "") => format!("module `{path}`"),
        (path, version) => format!("module `{path}` {version}"),
    };
    match problem.kind {
        Kind::NoLogin => (
            Rule::NoLogin,
            format!("`{host}` wants a login for {module}"),
        ),
        Kind::LoginRefused => (
            Rule::NoLogin,
            format!("`{host}` refuses the login that it was given for {module}"),
        ),
        Kind::Refused => (
            Rule::ModuleUnavailable,
            match response(&problem.text) {
                Some(answer) => format!("`{host}` refuses {module}: {answer}"),
                None => format!("`{host}` refuses {module}"),
            },
        ),
        Kind::NoKey => (
            Rule::NoLogin,
            format!("`{host}` was offered no ssh key that it takes for {module}"),
        ),
        Kind::UnknownHostKey => (
            Rule::UntrustedServer,
            format!("the ssh key of `{host}` is not known, which {module} comes from"),
        ),
        Kind::UntrustedCertificate => (
            Rule::UntrustedServer,
            format!("the certificate of `{host}` is not trusted, which {module} comes from"),
        ),
        Kind::NoClientCertificate => (
            Rule::NoLogin,
            format!("`{host}` wants a client certificate for {module}"),
        ),
        Kind::NoGit => (
            Rule::NoGit,
            format!("builder image `{builder}` has no git, which {module} of `{host}` needs"),
        ),
        Kind::NoSsh => (
            Rule::NoGit,
            format!("builder image `{builder}` has no ssh, which {module} of `{host}` needs"),
        ),
        Kind::NotFound | Kind::NotInSumDatabase => (
            Rule::ModuleNotFound,
            format!("`{host}` does not know {module}"),
        ),
        Kind::Unreachable => (
            Rule::ServerUnreachable,
            format!("cannot reach `{host}` for {module}"),
        ),
        Kind::Silent => (
            Rule::ServerUnreachable,
            format!("`{host}` does not answer for {module}"),
        ),
        Kind::OutOfOrder => (
            Rule::ServerUnreachable,
            format!("`{host}` is out of order for {module}"),
        ),
        Kind::NoModule => (
            Rule::ModuleUnavailable,
            format!("what `{host}` sends for {module} is no module, or not all of it"),
        ),
        Kind::ChecksumMismatch => (
            Rule::ChecksumMismatch,
            format!("{module} is not what `go.sum` says"),
        ),
        Kind::Forbidden => (
            Rule::ModuleUnavailable,
            format!("{module} may not be fetched"),
        ),
        Kind::OldGo => (
            Rule::ModuleUnavailable,
            format!("the Go of builder image `{builder}` is too old for {module}"),
        ),
        Kind::BadSecret => (
            Rule::InvalidSecret,
            "a secret of the build cannot be used".to_owned(),
        ),
        Kind::BadUrl | Kind::Other => (Rule::ModuleUnavailable, format!("cannot fetch {module}")),
    }
}

fn next_step(problem: &Problem) -> String {
    let Problem { host, .. } = problem;
    let own_host = host_of(&problem.module) == host.split(':').next().unwrap_or(host);
    let netrc = format!("`--secret id={NETRC},src=$HOME/.netrc`");
    let known_hosts = format!("`--secret id={KNOWN_HOSTS},src=$HOME/.ssh/known_hosts`");
    match problem.kind {
        Kind::NoLogin if own_host => format!(
            "give a token with `--secret id={TOKEN}.{host},env={TOKEN}`, a login with {netrc}, or \
             use ssh with `--ssh default`, {known_hosts} and `GOPRIVATE`"
        ),
        Kind::NoLogin => format!(
            "give a login for `{host}` with {netrc}, or in the URL of \
             `--secret id=GOPROXY,env=GOPROXY`"
        ),
        Kind::LoginRefused => format!(
            "the login for `{host}` is wrong or expired, or may not read this: it comes from \
             `--secret id={NETRC}`, `--secret id={TOKEN}` or `--secret id={TOKEN}.{host}`"
        ),
        Kind::Refused => format!(
            "ask those who run `{host}`; if it wants a login, give one with {netrc}, or in the URL \
             of `--secret id=GOPROXY,env=GOPROXY`"
        ),
        Kind::NoKey => format!(
            "forward an agent that has the key (`ssh-add -l` lists them) with `--ssh default`, \
             or give a login with {netrc}"
        ),
        Kind::UnknownHostKey => {
            format!("give the keys of the servers that you trust with {known_hosts}")
        }
        Kind::UntrustedCertificate => {
            format!(
                "give the certificate of the authority that signed it with `--secret id={CA},src=ca.pem`"
            )
        }
        Kind::NoClientCertificate if problem.text.contains("go-get=1") => {
            "the go command has no client certificates: end the module's path in `.git`, so that \
             git alone asks, or take it from a module proxy"
                .to_owned()
        }
        Kind::NoClientCertificate => format!(
            "give it with `--secret id={CLIENT_CERT},src=client.pem --secret \
             id={CLIENT_KEY},src=client-key.pem`"
        ),
        Kind::NoGit | Kind::NoSsh => {
            "take a builder image that has it, such as `go: golang:1.26`, or a module proxy with \
             `GOPROXY` under `modules`"
                .to_owned()
        }
        Kind::NotFound if own_host => format!(
            "check path and version; many servers say this of private repositories too, when they \
             get no login: `--secret id={TOKEN}.{host},env={TOKEN}`, {netrc}, or `--ssh default` \
             with `GOPRIVATE`"
        ),
        Kind::NotFound => format!(
            "check path and version; if the module is private, `GOPRIVATE: {}` under `modules` \
             asks its own server",
            host_of(&problem.module)
        ),
        Kind::NotInSumDatabase => format!(
            "commit a complete `go.sum` (`go mod tidy`), or say that the module is private: \
             `GOPRIVATE: {}` under `modules`",
            host_of(&problem.module)
        ),
        Kind::Unreachable => {
            "check the name, and the network of the builder; proxies are given with \
             `--build-arg HTTPS_PROXY=…`, module proxies with `--secret id=GOPROXY,env=GOPROXY`"
                .to_owned()
        }
        Kind::Silent => format!(
            "try again, and ask those who run `{host}`; `--build-arg {TIMEOUT}=SECONDS` waits longer, \
             and in `GOPROXY` the module proxy behind a `|` is asked after any failure"
        ),
        Kind::OutOfOrder => format!(
            "try again, and ask those who run `{host}`; in `GOPROXY` the module proxy behind a `|` \
             is asked after any failure"
        ),
        Kind::NoModule => format!(
            "open the address in a browser: a login page or a filter may stand in front of `{host}`, \
             or its file is damaged there"
        ),
        Kind::ChecksumMismatch => {
            "somebody changed the module or `go.sum`: find out who; if the change is meant, remove \
             its lines from `go.sum` and run `go mod tidy`"
                .to_owned()
        }
        Kind::Forbidden if problem.text.contains("insecure URL") => "logins are sent over https \
             alone: write `https://` in the URL of the proxy"
            .to_owned(),
        Kind::Forbidden => "a setting of `modules`, a build arg or a secret says so: see \
             `go help environment` for GOPROXY and GOVCS"
            .to_owned(),
        Kind::OldGo => "take a newer one: `go: VERSION` in the spec, or nothing, and the image \
             follows the `go` line of `go.mod`"
            .to_owned(),
        Kind::BadUrl => {
            "the URL of a proxy cannot be read: in a password, write characters such as \
             `#`, `/`, `?`, `%`, `@` and `,` as `%XX`"
                .to_owned()
        }
        Kind::BadSecret => "docs/private-modules.md says what each secret holds".to_owned(),
        Kind::Other => "`go mod download` on your machine should say the same; \
             docs/private-modules.md has what builds get"
            .to_owned(),
    }
}
