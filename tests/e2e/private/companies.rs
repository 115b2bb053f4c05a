//! Two companies' repositories on one daemon, each built with the logins of both: neither finds
//! what is the other's, and no server is shown it.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use super::PRIVATE;
use super::leaks::search;
use crate::support::build::{Build, build_on, push};
use crate::support::command::Tool;
use crate::support::daemon::Daemon;
use crate::support::engine::engine;
use crate::support::private::{
    GIT, MTLS, Module, PARTNER_GIT, PARTNER_PROXY, PARTNER_REGISTRY, PROXY, Private, REGISTRY, SSH,
    private,
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
    let [go, base] = ["golang:1.26", "scratch"].map(pushed);
    let config = registry_logins(private);
    // In both orders, in the same mounts. Modules are new each time, so that all are fetched.
    let orders = [[Corp, Partner, Command], [Command, Partner, Corp]];
    for (i, company) in orders.as_flattened().iter().enumerate() {
        let dir = out.path().join(format!("{i}-{company:?}"));
        fs::create_dir(&dir).unwrap();
        let repo = repository(private, *company, &go, &base);
        let cache = format!("type=local,dest={},mode=max", dir.join("cache").display());
        let archive = format!("type=oci,dest={}", dir.join("image.tar").display());
        let mut build = with_logins(build_on(&daemon, &repo), private, *company)
            .args(["--opt", "attest:provenance=mode=max"]);
        if i < 2 {
            build = build.args(["--export-cache", &cache]);
        }
        let tool = build.tool("plain", Some(&archive));
        let built = tool.env("DOCKER_CONFIG", config.path()).ok();
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
    for host in [PROXY, GIT, REGISTRY] {
        assert!(shows(host, private.login().secrets()) > 0, "{host}");
        assert_eq!(shows(host, private.partner().secrets()), 0, "{host}");
    }
    for host in [PARTNER_PROXY, PARTNER_GIT, PARTNER_REGISTRY] {
        assert!(shows(host, private.partner().secrets()) > 0, "{host}");
        assert_eq!(shows(host, private.login().secrets()), 0, "{host}");
    }
}

/// The configuration of a client that is logged in to both registries.
fn registry_logins(private: &Private) -> TempDir {
    let logins = [
        (REGISTRY, private.login()),
        (PARTNER_REGISTRY, private.partner()),
    ];
    let logins = logins.map(|(host, login)| {
        let login = STANDARD.encode(format!("{}:{}", login.user, login.password));
        (private.registry(host), json!({"auth": login}))
    });
    let config = json!({"auths": BTreeMap::from(logins)});
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    dir
}

/// An image with the command, as the engine's registry names it.
fn pushed(from: &str) -> String {
    let dir = Repo::new();
    let name = format!("e2e/auth:{}", dir.nonce);
    dir.write("auth", AUTH).write(
        "Dockerfile",
        &format!("FROM {from}\nCOPY --chmod=755 auth /usr/local/bin/auth\n"),
    );
    push(&dir, &format!("{}/{name}", engine().registry));
    name
}

/// What a company builds: modules and a base image of its servers alone.
fn repository(private: &Private, company: Company, go: &str, base: &str) -> Repo {
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
    let registry = match company {
        Corp => private.registry(REGISTRY),
        Partner | Command => private.registry(PARTNER_REGISTRY),
    };
    let command = match company {
        Corp | Partner => String::new(),
        Command => {
            let registry = &engine().registry;
            format!("go: {registry}/{go}\nmodules: {{GOAUTH: /usr/local/bin/auth}}\n")
        }
    };
    repo.spec(&format!(
        "{command}services:\n  api: {{main: ./cmd/api, base: \"{registry}/{base}\"}}\n"
    ));
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
