//! Two companies' repositories on one daemon, each built with the logins of both: neither finds
//! what is the other's, and no server is shown it.

use std::fs;

use tempfile::TempDir;

use super::PRIVATE;
use super::leaks::search;
use crate::support::build::{Build, build_on, push};
use crate::support::command::Tool;
use crate::support::daemon::Daemon;
use crate::support::engine::engine;
use crate::support::private::{
    GIT, MTLS, Module, PARTNER_GIT, PARTNER_PROXY, PROXY, Private, SSH, private,
};
use crate::support::repo::Repo;

/// Says the login of a host of `$NETRC`, as the go command asks for it (Go 1.26, `go help goauth`).
const AUTH: &str = "#!/bin/sh
while read -r key value; do
  case $key in
  machine) host=$value ;;
  login) user=$value ;;
  password)
    login=$(printf '%s:%s' \"$user\" \"$value\" | base64 -w0)
    printf 'https://%s/\\n\\nAuthorization: Basic %s\\n\\n' \"$host\" \"$login\" ;;
  esac
done < \"$NETRC\"
";

/// Who builds.
#[derive(Clone, Copy, Debug)]
enum Company {
    /// A login in the address of the proxy, a token, an agent, a client certificate.
    Corp,
    /// A netrc, a token of one host.
    Partner,
    /// The same, whose spec names a command that says the login.
    Command,
}

use Company::{Command, Corp, Partner};

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_secret_of_two_companies_is_shown_exported_said_or_kept() {
    let private = private();
    let (daemon, out) = (Daemon::start(), TempDir::new().unwrap());
    let image = image_with_command();
    // In both orders, in the same mounts. Modules are new each time, so that all are fetched.
    let orders = [[Corp, Partner, Command], [Command, Partner, Corp]];
    for (i, company) in orders.as_flattened().iter().enumerate() {
        let dir = out.path().join(format!("{i}-{company:?}"));
        fs::create_dir(&dir).unwrap();
        let repo = repository(private, *company, &image);
        let cache = format!("type=local,dest={},mode=max", dir.join("cache").display());
        let archive = format!("type=oci,dest={}", dir.join("image.tar").display());
        let mut build = with_logins(build_on(&daemon, &repo), private, *company)
            .args(["--opt", "attest:provenance=mode=max"]);
        if i < 2 {
            build = build.args(["--export-cache", &cache]);
        }
        let built = build.tool("plain", Some(&archive)).ok();
        built.says(["go mod download", "go build ./cmd/api"]);
        fs::write(dir.join("progress"), &built.stderr).unwrap();
    }
    let records = Tool::new("buildctl")
        .args(["--addr", &daemon.address, "debug", "histories"])
        .ok();
    assert!(records.stdout.len() > 100);
    fs::write(out.path().join("records"), &records.stdout).unwrap();

    assert_own_logins(private);
    for dir in [out.path(), daemon.state()] {
        // What is looked for would be found.
        let there = search(dir, &["cmd/api".to_owned()]);
        assert!(there.len() > 2, "{there:?}");
        assert_eq!(search(dir, &private.secrets()), [""; 0]);
    }
}

/// No server was shown the login of the other company, whoever built.
fn assert_own_logins(private: &Private) {
    let shows = |host: &str, logins: Vec<String>| {
        let requests = private.requests("").into_iter();
        let shown = requests.filter(|asked| asked.host == host);
        let shown = shown.filter(|asked| logins.iter().any(|l| asked.authorization.contains(l)));
        shown.count()
    };
    for host in [PROXY, GIT] {
        assert!(shows(host, private.login().secrets()) > 0, "{host}");
        assert_eq!(shows(host, private.partner().secrets()), 0, "{host}");
    }
    for host in [PARTNER_PROXY, PARTNER_GIT] {
        assert!(shows(host, private.partner().secrets()) > 0, "{host}");
        assert_eq!(shows(host, private.login().secrets()), 0, "{host}");
    }
}

/// A builder image that has the command.
fn image_with_command() -> String {
    let dir = Repo::new();
    let tag = format!("{}/e2e/auth:{}", engine().registry, dir.nonce);
    dir.write("auth", AUTH).write(
        "Dockerfile",
        "FROM golang:1.26\nCOPY --chmod=755 auth /usr/local/bin/auth\n",
    );
    push(&dir, &tag);
    tag
}

/// What a company builds: modules of its servers alone.
fn repository(private: &Private, company: Company, image: &str) -> Repo {
    let modules = |hosts: &[(&str, &str)]| -> Vec<Module> {
        let paths = hosts.iter().map(|(host, name)| private.path(host, name));
        paths.map(|path| private.module(&path, "v1.0.0")).collect()
    };
    let modules = match company {
        Corp => modules(&[
            (PROXY, "money"),
            (GIT, "lib"),
            (SSH, "lib.git"),
            (MTLS, "lib.git"),
        ]),
        Partner => modules(&[(PARTNER_PROXY, "money"), (PARTNER_GIT, "lib")]),
        Command => modules(&[(PARTNER_PROXY, "money")]),
    };
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    if let Command = company {
        repo.spec(&format!(
            "go: {image}\nmodules:\n  GOAUTH: /usr/local/bin/auth\nservices:\n  api: ./cmd/api\n"
        ));
    }
    repo
}

/// All that a developer of both has: the company's own, and what is for the other's servers.
fn with_logins(build: Build, private: &Private, company: Company) -> Build {
    let (corp, partner) = (private.login(), private.partner());
    let netrc = |corp_hosts: &[&str], partner_hosts: &[&str]| {
        private.file(&(corp.netrc(corp_hosts) + &partner.netrc(partner_hosts)))
    };
    let both = netrc(&[PROXY, GIT], &[PARTNER_PROXY, PARTNER_GIT]);
    let build = build
        .target("api")
        .reaching(private)
        .secret_file("ca", private.ca())
        .secret_file("known_hosts", private.known_hosts())
        .secret_file("client_cert", private.client_cert())
        .secret_file("client_key", private.client_key())
        .ssh(private.ssh_auth_sock());
    let in_private = |build: Build, hosts| build.build_arg("GOPRIVATE", hosts);
    let token = format!("GIT_AUTH_TOKEN.{PARTNER_GIT}");
    match company {
        Corp => {
            let proxy = format!("https://{}:{}@{PROXY},direct", corp.user, corp.password);
            // For all hosts that are private, the one with certificates, too.
            in_private(build, PRIVATE)
                .secret("GOPROXY", &proxy)
                .secret("GIT_AUTH_TOKEN", &corp.token)
                .secret(&token, &partner.token)
                .secret_file("netrc", &netrc(&[], &[PARTNER_PROXY, PARTNER_GIT]))
        }
        Partner => in_private(build, "*.partner.example")
            .build_arg("GOPROXY", &format!("https://{PARTNER_PROXY},direct"))
            .secret(&token, &partner.token)
            .secret(&format!("GIT_AUTH_TOKEN.{GIT}"), &corp.token)
            .secret_file("netrc", &both),
        Command => in_private(build, "*.partner.example")
            .build_arg("GOPROXY", &format!("https://{PARTNER_PROXY},direct"))
            .secret_file("netrc", &both),
    }
}
