//! Private modules: what is fetched with whose credentials, and what is said without.

use crate::support::build::{Build, buildx};
use crate::support::private::{GIT, MTLS, Module, PROXY, PUBLIC, Private, SSH, VANITY, private};
use crate::support::repo::Repo;

/// The servers themselves, with a Dockerfile that has nothing of ours: each lets in who
/// has the credential.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_private_servers_let_in_who_may() {
    let private = private();
    let vanity = private.path(VANITY, "lib");
    let hidden = private.path(GIT, "hidden");
    private.vanity(&vanity, &format!("https://{hidden}.git"));
    let modules = [
        private.module(&private.path(PROXY, "money"), "v1.0.0"),
        private.module(&private.path(PUBLIC, "lib"), "v1.0.0"),
        private.module(&private.path(GIT, "lib"), "v1.2.0"),
        private.module(&private.path(GIT, "lib.git"), "v1.2.0"),
        private.module(&private.path(MTLS, "lib.git"), "v1.0.0"),
        private.module(&private.path(SSH, "lib"), "v1.0.0"),
        private.module(&private.path(SSH, "lib.git"), "v1.0.0"),
        private.publish_at(&hidden, &vanity, "v0.1.0", &[("lib.go", HELLO)]),
    ];
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    dockerfile(private, &repo)
        .secret_file("netrc", &private.netrc_file(&[PROXY, GIT]))
        .secret_file("client_cert", private.client_cert())
        .secret_file("client_key", private.client_key())
        .ssh(private.ssh_auth_sock())
        .tool("plain", None)
        .ok();
    for module in &modules {
        let asked = private.requests(part(module));
        assert!(!asked.is_empty(), "{}", module.path);
    }
    let asked = private.requests(part(&modules[2]));
    let secrets = private.secrets();
    assert!(
        asked.iter().any(|request| request.host == GIT
            && request.status == 200
            && secrets
                .iter()
                .any(|secret| request.authorization.ends_with(secret))),
        "{asked:?}"
    );
}

/// And nobody else.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_private_servers_refuse_others() {
    let private = private();
    let refused = |host: &str, name: &str, said: &str| {
        let module = private.module(&private.path(host, name), "v1.0.0");
        dockerfile(private, &private.repo(&[&module]))
            .ssh(private.other_ssh_auth_sock())
            .fails()
            .says([said]);
    };
    refused(PROXY, "lib", "@v/v1.0.0.zip: 401 Unauthorized");
    refused(GIT, "lib", "?go-get=1: 401 Unauthorized");
    refused(MTLS, "lib.git", "no secure protocol found for repository");
    refused(SSH, "lib", "Permission denied (publickey)");
}

/// The part of a module's path that no other test has.
fn part(module: &Module) -> &str {
    module.path.split('/').nth(1).unwrap()
}

/// A build by a Dockerfile, with everything that is no credential.
fn dockerfile(private: &Private, repo: &Repo) -> Build {
    repo.write("Dockerfile", DOCKERFILE);
    buildx(repo)
        .spec("Dockerfile")
        .reaching(private)
        .secret_file("ca", private.ca())
        .secret_file("known_hosts", private.known_hosts())
}

const HELLO: &str = "package lib\n\nfunc Hello() string { return \"hello\" }\n";

const DOCKERFILE: &str = r#"FROM golang:1.26
WORKDIR /src
COPY . .
ENV GIT_TERMINAL_PROMPT=0 GOSUMDB=off \
    GOPROXY=https://goproxy.corp.example,https://public.example,direct GONOPROXY=*.corp.example \
    SSL_CERT_FILE=/run/secrets/ca GIT_SSL_CAINFO=/run/secrets/ca \
    GIT_SSL_CERT=/run/secrets/client_cert GIT_SSL_KEY=/run/secrets/client_key \
    GIT_SSH_COMMAND="ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/run/secrets/known_hosts"
RUN git config --global url.ssh://git@ssh.corp.example/.insteadOf https://ssh.corp.example/
RUN --mount=type=secret,id=netrc,target=/root/.netrc --mount=type=secret,id=ca \
    --mount=type=secret,id=client_cert --mount=type=secret,id=client_key \
    --mount=type=secret,id=known_hosts --mount=type=ssh \
    go build -o /api ./cmd/api && /api
"#;
