//! The tool in the frontend's image, and what the frontend asks it.

use serde_json::Value;

use crate::support::build::{FRONTEND, buildx};
use crate::support::command::docker;
use crate::support::engine::needs_docker;
use crate::support::git::{GitServer, commit_all};
use crate::support::repo::Repo;

/// Two services, one of which uses a package.
fn two_services() -> Repo {
    let repo = Repo::new();
    let module = repo.module();
    repo.program("cmd/api")
        .write(
            "cmd/worker/main.go",
            &format!("package main\n\nimport _ \"{module}/internal/queue\"\n\nfunc main() {{}}\n"),
        )
        .write("internal/queue/queue.go", "package queue\n")
        .spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    repo
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_tool_runs_without_an_install() {
    needs_docker();
    let repo = two_services();
    let run = |args: &[&str]| {
        docker()
            .args(["run", "--rm", "--network", "none"])
            .args([
                "-v",
                &format!("{}:/src", repo.path().display()),
                "-w",
                "/src",
            ])
            .arg(FRONTEND)
            .args(args)
    };
    let closure = run(&["closure", "worker"]).ok();
    assert_eq!(
        closure.text(),
        "cmd/worker/main.go\ngo.mod\ninternal/queue/queue.go\n"
    );
    run(&["why", "worker", "internal/queue/queue.go"])
        .ok()
        .says(["cmd/worker/main.go:3 imports"]);
    run(&["closure", "wroker"])
        .fails()
        .says(["did you mean `worker`?"]);
    // There is no Git in it.
    run(&["affected", "--base", "main"])
        .fails()
        .says(["`git` is not installed", "--base DIR"]);
    run(&["affected", "--base", ".", "--format", "github"])
        .ok()
        .says(["any=false"]);
}

/// The names in an answer.
fn names(json: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(json).unwrap();
    let services = report["services"].as_array().unwrap().iter();
    services
        .map(|s| s["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_frontend_compares_with_another_context() {
    let old = two_services();
    let new = old.copy();
    let call = |base: &str| {
        let base = format!("base={base}");
        let call = ["--call", "affected,format=json", "--build-context", &base];
        let said = buildx(&new).args(call).tool("plain", None).ok();
        names(&said.text())
    };
    let dir = old.path().display().to_string();
    assert_eq!(call(&dir), [""; 0]);
    new.write("internal/queue/queue.go", "package queue\n\nvar x = 1\n");
    new.write("README.md", "x\n");
    assert_eq!(call(&dir), ["worker"]);
    // Rules of an ignore file hold on either side.
    new.write(".dockerignore", "*\n!cmd\n!internal\n!go.mod\n");
    assert_eq!(call(&dir), ["worker"]);

    let served = tempfile::TempDir::new().unwrap();
    old.copy_to(&served.path().join("shop"));
    commit_all(&served.path().join("shop"));
    let server = GitServer::start(served.path());
    assert_eq!(call(&format!("{}#main", server.url("shop"))), ["worker"]);

    let text = buildx(&new).args([
        "--call",
        "affected",
        "--build-context",
        &format!("base={dir}"),
    ]);
    text.tool("plain", None)
        .ok()
        .says(["worker\n", "was modified", "imports"]);
    buildx(&new)
        .args(["--call", "affected"])
        .fails()
        .says(["--build-context base="]);
}
