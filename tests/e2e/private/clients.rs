//! The same credentials from every client: buildx, bake with the printed file, compose.

use std::path::Path;

use super::PROXIES;
use crate::support::command::{Tool, docker};
use crate::support::engine::{engine, needs_docker};
use crate::support::private::{GIT, PROXY, Private, SSH, private};
use crate::support::repo::Repo;

const SPEC: &str = "\
modules:
  GOPRIVATE: '*.corp.example'
  GOPROXY: PROXIES
secrets:
  - id=netrc,src=netrc
  - id=ca,src=ca.pem
  - id=known_hosts,src=known_hosts
  - id=GIT_AUTH_TOKEN,env=CORP_TOKEN
ssh: default
services:
  api: ./cmd/api
";

/// A repository that needs a login of each kind, with the files of its secrets beside it.
fn repo(private: &Private) -> Repo {
    let hosts = [(PROXY, "money"), (GIT, "lib"), (SSH, "lib.git")];
    let modules = hosts.map(|(host, name)| private.module(&private.path(host, name), "v1.0.0"));
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    repo.spec(&SPEC.replace("PROXIES", PROXIES));
    repo.write("netrc", &private.netrc(&[PROXY]));
    let copy = |name: &str, from: &Path| {
        std::fs::copy(from, repo.file(name)).unwrap();
    };
    copy("ca.pem", private.ca());
    copy("known_hosts", private.known_hosts());
    repo.write(".dockerignore", "netrc\nca.pem\nknown_hosts\n");
    repo
}

/// What the shell of a user has.
fn surroundings(tool: Tool, private: &Private) -> Tool {
    tool.env("CORP_TOKEN", private.token())
        .env("SSH_AUTH_SOCK", private.ssh_auth_sock())
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_printed_bake_file_carries_secrets_and_agent() {
    let private = private();
    let repo = repo(private);
    let printed = docker()
        .args(["buildx", "build", "--builder", &engine().builder])
        .args(["-f", "fleet.yaml", "--call", "bake", "."])
        .dir(repo.path())
        .ok();
    let text = printed.text();
    for entry in ["id=netrc", "id=GIT_AUTH_TOKEN", "CORP_TOKEN", "default"] {
        assert!(text.contains(entry), "{entry}:\n{text}");
    }
    let bake = |more: &[&str]| {
        let hosts: Vec<String> = private
            .hosts()
            .map(|(name, address)| format!("*.extra-hosts.{name}={address}"))
            .collect();
        let tool = docker()
            .args(["buildx", "bake", "--builder", &engine().builder])
            .args(["--file", "-", "--progress", "plain", "--allow", "ssh"])
            .args(hosts.iter().flat_map(|host| ["--set", host.as_str()]))
            .args(["--set", "*.output=type=cacheonly"])
            .args(more)
            .dir(repo.path())
            .stdin(printed.stdout.clone());
        surroundings(tool, private)
    };
    bake(&[]).ok().says(["[api] go build ./cmd/api"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn compose_hands_secrets_and_agent_on() {
    needs_docker();
    let private = private();
    let repo = repo(private);
    let hosts: String = private
        .hosts()
        .map(|(name, address)| format!("        - {name}:{address}\n"))
        .collect();
    repo.write(
        "compose.yaml",
        &format!(
            "services:
  api:
    image: private-{nonce}
    build:
      context: .
      dockerfile: fleet.yaml
      target: api
      ssh: [default]
      secrets: [netrc, ca, known_hosts, GIT_AUTH_TOKEN]
      extra_hosts:
{hosts}secrets:
  netrc: {{file: netrc}}
  ca: {{file: ca.pem}}
  known_hosts: {{file: known_hosts}}
  GIT_AUTH_TOKEN: {{environment: CORP_TOKEN}}
",
            nonce = repo.nonce
        ),
    );
    let compose = docker()
        .args(["compose", "--progress", "plain", "build"])
        .dir(repo.path());
    surroundings(compose, private).ok();
    let run = docker()
        .args(["run", "--rm", &format!("private-{}", repo.nonce)])
        .ok();
    assert!(run.stderr.contains("v1.0.0"), "{}", run.stderr);
    docker()
        .args(["image", "rm", &format!("private-{}", repo.nonce)])
        .ok();
}

/// The outline of a target lists them, so that people see what there is to give.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_outline_lists_secrets_and_agent() {
    let private = private();
    let repo = repo(private);
    let outline = docker()
        .args(["buildx", "build", "--builder", &engine().builder])
        .args(["-f", "fleet.yaml", "--call", "outline,format=json", "."])
        .dir(repo.path())
        .ok();
    let outline: serde_json::Value = serde_json::from_slice(&outline.stdout).unwrap();
    let names = |list: &str| -> Vec<String> {
        let entries = outline[list].as_array().unwrap().iter();
        entries
            .map(|entry| entry["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert!(names("secrets").contains(&"netrc".to_owned()));
    assert!(names("secrets").contains(&"GIT_AUTH_TOKEN".to_owned()));
    assert_eq!(names("ssh"), ["default"]);
}
