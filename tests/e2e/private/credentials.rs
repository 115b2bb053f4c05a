//! Each way of giving a credential builds; without it the message names the module, the
//! host and the flag, before anything is compiled.

use super::build;
use crate::support::build::Build;
use crate::support::private::{GIT, MTLS, Module, PROXY, Private, SSH, private};
use crate::support::repo::Repo;

/// One module on one server, imported by one service.
struct Story {
    private: &'static Private,
    module: Module,
    repo: Repo,
    host: &'static str,
}

impl Story {
    fn new(host: &'static str, name: &str) -> Self {
        let private = private();
        let module = private.module(&private.path(host, name), "v1.0.0");
        let repo = private.repo(&[&module]);
        Self {
            private,
            module,
            repo,
            host,
        }
    }

    fn build(&self) -> Build {
        build(self.private, &self.repo)
    }

    /// Expects it to build, and the server to have been asked.
    fn builds(&self, build: Build) {
        let progress = build.progress();
        let steps = progress.go_steps();
        assert_eq!(
            steps,
            ["[api] go build ./cmd/api", "[modules] go mod download"]
        );
    }

    /// Expects it to fail with these words, and nothing to be compiled.
    fn refused(&self, build: Build, words: &[&str]) {
        let output = build.fails();
        output.says([self.module.path.as_str(), self.host, "go.mod:5"]);
        output.says(words.iter().copied());
        output.never_says(["go build ./cmd/api"]);
    }
}

const NETRC: &str = "--secret id=netrc,src=$HOME/.netrc";

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_proxy_takes_a_netrc_file() {
    let story = Story::new(PROXY, "money");
    story.refused(story.build(), &["error[NoLogin]", NETRC]);
    let netrc = story.private.netrc_file(&[PROXY]);
    story.builds(story.build().secret_file("netrc", &netrc));
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_proxy_takes_the_login_of_its_url() {
    let story = Story::new(PROXY, "money");
    let (user, password) = (story.private.user(), story.private.password());
    let url = |password: &str| format!("https://{user}:{password}@{PROXY}");
    story.refused(
        story.build().secret("GOPROXY", &url("wrong-word")),
        &["error[NoLogin]", "--secret id=GOPROXY,env=GOPROXY"],
    );
    story.builds(story.build().secret("GOPROXY", &url(password)));
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn git_takes_a_token_for_private_hosts() {
    for name in ["lib", "lib.git"] {
        let story = Story::new(GIT, name);
        let flag = format!("--secret id=GIT_AUTH_TOKEN.{GIT},env=GIT_AUTH_TOKEN");
        story.refused(
            story.build(),
            &["error[NoLogin]", &flag, NETRC, "--ssh default"],
        );
        story.refused(
            story.build().secret("GIT_AUTH_TOKEN", "wrong-token"),
            &["refuses the login"],
        );
        let token = story.private.token();
        story.builds(story.build().secret("GIT_AUTH_TOKEN", token));
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn git_takes_a_token_of_one_host_and_a_netrc_file() {
    let story = Story::new(GIT, "lib");
    let id = format!("GIT_AUTH_TOKEN.{GIT}");
    let token = story.private.token();
    // Not private by any setting: the host is named.
    let open = |build: Build| {
        build
            .build_arg("GOPRIVATE", "")
            .build_arg("GOPROXY", "direct")
    };
    story.builds(open(story.build()).secret(&id, token));
    let story = Story::new(GIT, "lib");
    let netrc = story.private.netrc_file(&[GIT]);
    story.builds(story.build().secret_file("netrc", &netrc));
}

/// A general token is for private hosts: no other server gets to see it.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_token_is_shown_to_private_hosts_alone() {
    let story = Story::new(GIT, "lib");
    let token = story.private.token();
    let build = story
        .build()
        .build_arg("GOPRIVATE", "other.example")
        .build_arg("GOPROXY", "direct")
        .secret("GIT_AUTH_TOKEN", token);
    story.refused(build, &["error[NoLogin]"]);
    let asked = story.private.requests(part(&story.module));
    assert!(asked.iter().any(|r| r.host == GIT), "{asked:?}");
    assert!(
        asked.iter().all(|r| r.authorization.is_empty()),
        "{asked:?}"
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn git_over_ssh_takes_an_agent_and_trusts_known_hosts_alone() {
    for name in ["lib", "lib.git"] {
        let story = Story::new(SSH, name);
        story.refused(story.build(), &["--ssh default"]);
        let agent = story.private.ssh_auth_sock();
        story.refused(
            story.build().ssh(agent),
            &[
                "error[UntrustedServer]",
                "--secret id=known_hosts,src=$HOME/.ssh/known_hosts",
            ],
        );
        let known = |build: Build| build.secret_file("known_hosts", story.private.known_hosts());
        let other = story.private.other_ssh_auth_sock();
        story.refused(
            known(story.build().ssh(other)),
            &["error[NoLogin]", "--ssh default"],
        );
        story.builds(known(story.build().ssh(agent)));
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn git_over_https_takes_a_client_certificate() {
    let story = Story::new(MTLS, "lib.git");
    story.refused(
        story.build(),
        &["error[NoLogin]", "--secret id=client_cert,src="],
    );
    story.builds(
        story
            .build()
            .secret_file("client_cert", story.private.client_cert())
            .secret_file("client_key", story.private.client_key()),
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_certificate_of_ones_own_authority_has_to_be_given() {
    for (host, name) in [(PROXY, "money"), (GIT, "lib"), (GIT, "lib.git")] {
        let story = Story::new(host, name);
        let netrc = story.private.netrc_file(&[PROXY, GIT]);
        let without = story
            .build()
            .secret_file("netrc", &netrc)
            // The later of two secrets of one name counts; an empty one is none.
            .secret("ca", "");
        story.refused(
            without,
            &["error[UntrustedServer]", "--secret id=ca,src=ca.pem"],
        );
    }
}

/// The official images on Alpine have no git.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_builder_without_git_is_named() {
    let story = Story::new(GIT, "lib");
    story
        .repo
        .spec("go: golang:1.26-alpine\nservices:\n  api: ./cmd/api\n");
    let token = story.private.token();
    let build = story.build().secret("GIT_AUTH_TOKEN", token);
    story.refused(
        build,
        &[
            "error[NoGit]",
            "`golang:1.26-alpine` has no git",
            "go: golang:1.26",
        ],
    );
    // A module proxy needs none.
    let story = Story::new(PROXY, "money");
    story
        .repo
        .spec("go: golang:1.26-alpine\nservices:\n  api: ./cmd/api\n");
    let netrc = story.private.netrc_file(&[PROXY]);
    story.builds(story.build().secret_file("netrc", &netrc));
}

/// All that is missing is said at once.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn everything_that_is_missing_is_said_at_once() {
    let private = private();
    let hosts = [
        (PROXY, "money"),
        (GIT, "lib"),
        (SSH, "lib.git"),
        (MTLS, "lib.git"),
    ];
    let modules = hosts.map(|(host, name)| private.module(&private.path(host, name), "v1.0.0"));
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    let output = build(private, &repo).fails();
    output.says(["4 problems in go.mod"]);
    output.says(modules.iter().map(|module| module.path.as_str()));
}

/// The part of a module's path that no other test has.
fn part(module: &Module) -> &str {
    module.path.split('/').nth(1).unwrap()
}
