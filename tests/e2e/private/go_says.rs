//! What Go itself objects to, said with its place and the next step; and what it does not.

use super::build;
use crate::support::build::Build;
use crate::support::private::{GIT, Module, PROXY, PUBLIC, Private, private};
use crate::support::progress::NOTHING;
use crate::support::repo::Repo;

/// Two modules of the proxy, and a build that may fetch them.
fn repo() -> (&'static Private, Module, Module, Repo) {
    let private = private();
    let used = private.module(&private.path(PROXY, "used"), "v1.0.0");
    let other = private.module(&private.path(GIT, "other"), "v1.0.0");
    let repo = private.repo(&[&used]);
    (private, used, other, repo)
}

fn with_login(private: &Private, repo: &Repo) -> Build {
    build(private, repo).secret_file("netrc", &private.netrc_file(&[PROXY]))
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_that_nobody_needs_may_be_unavailable() {
    let (private, _, other, repo) = repo();
    let listed = format!(
        "{}\nrequire {} v1.0.0 // indirect\n",
        repo.read("go.mod"),
        other.path
    );
    repo.write("go.mod", &listed);
    repo.write("go.sum", &format!("{}{}", repo.read("go.sum"), other.sums));
    let built = with_login(private, &repo).progress();
    assert_eq!(
        built.go_steps(),
        ["[api] go build ./cmd/api", "[modules] go mod download"]
    );
    // And it builds as well when nobody can say anything about it.
    let gone = format!("{listed}\nrequire nowhere.corp.example/gone v1.0.0 // indirect\n");
    repo.write("go.mod", &gone);
    let built = with_login(private, &repo).progress();
    assert_eq!(built.go_steps(), ["[modules] go mod download"]);
}

/// What only another service needs, and whose login is not given here.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_service_builds_without_the_login_that_another_one_needs() {
    let (private, used, other, repo) = repo();
    repo.requiring(&[&used, &other]);
    let both = repo.read("cmd/api/main.go");
    repo.write("cmd/worker/main.go", &both);
    repo.requiring(&[&used]);
    let api = repo.read("cmd/api/main.go");
    repo.requiring(&[&used, &other]);
    repo.write("cmd/api/main.go", &api);
    repo.spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let target = |build: Build| build.target("worker");
    let built = with_login(private, &repo).progress();
    assert_eq!(built.failed(), NOTHING, "{}", built.list());
    for _ in 0..2 {
        let output = target(with_login(private, &repo)).fails();
        output.says([other.path.as_str(), GIT, "go.mod:7"]);
    }

    // What could not be had is asked for again, and what was found is found by the next build.
    let with_token = || with_login(private, &repo).secret("GIT_AUTH_TOKEN", private.token());
    let built = target(with_token()).progress();
    assert_eq!(built.failed(), NOTHING, "{}", built.list());
    assert!(built.go_steps().contains(&"[modules] go mod download"));
    for build in [target(with_token()), target(with_login(private, &repo))] {
        assert_eq!(build.progress().executed(), NOTHING);
    }
    // No other service is built again for it.
    assert_eq!(with_token().progress().executed(), NOTHING);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_checksum_than_go_sum_has_is_shown_at_its_line() {
    let (private, used, _, repo) = repo();
    let sums = repo.read("go.sum");
    let wrong = sums.replacen("h1:", "h1:AAAA", 1);
    let wrong: String = wrong
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            // A hash is of one length.
            0 => format!("{}=\n", &line[..line.len() - 5]),
            _ => format!("{line}\n"),
        })
        .collect();
    repo.write("go.sum", &wrong);
    let output = with_login(private, &repo).fails();
    output.says([
        "error[ChecksumMismatch]",
        used.path.as_str(),
        "checksum mismatch",
        "go.sum:1",
        "go mod tidy",
    ]);
    output.never_says(["go build ./cmd/api"]);
    // The same where the module is at hand already.
    repo.write("go.sum", &sums);
    with_login(private, &repo).progress();
    repo.write("go.sum", &wrong);
    with_login(private, &repo)
        .fails()
        .says(["error[ChecksumMismatch]", "go.sum:1"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn missing_sums_are_said_before_anything_is_fetched() {
    let (private, used, _, repo) = repo();
    repo.write("go.sum", "");
    let output = with_login(private, &repo)
        // Nobody else is asked about private modules.
        .build_arg("GONOSUMDB", "corp.example")
        .fails();
    output.says(["error[MissingSum]", used.path.as_str(), "cmd/api/main.go:4"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_that_a_public_server_does_not_know_may_be_private() {
    let private = private();
    let module = private.module(&private.path(PUBLIC, "lib"), "v1.0.0");
    let repo = private.repo(&[&module]);
    build(private, &repo)
        .build_arg("GOPROXY", "https://public.example")
        .progress();
    let wrong = repo.read("go.mod").replace("v1.0.0", "v1.9.9");
    repo.write("go.mod", &wrong);
    repo.write("go.sum", &repo.read("go.sum").replace("v1.0.0", "v1.9.9"));
    build(private, &repo)
        .build_arg("GOPROXY", "https://public.example")
        .fails()
        .says([
            "error[ModuleNotFound]",
            PUBLIC,
            "v1.9.9",
            "go.mod:5",
            "GOPRIVATE",
        ]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_replacement_by_a_private_fork_is_fetched_from_its_host() {
    let private = private();
    let public = private.module(&private.path(PUBLIC, "lib"), "v1.0.0");
    // As forks are: the original's path in go.mod, another place.
    let place = private.path(GIT, "fork");
    let manifest = format!("module {}\n\ngo 1.26\n", public.path);
    let code = "package lib\n\nfunc Hello() string { return \"fork\" }\n";
    let files = [("go.mod", manifest.as_str()), ("lib.go", code)];
    let fork = private.publish(&place, "v1.1.0", &files);
    let repo = private.repo(&[&public]);
    let replace = format!(
        "{}\nreplace {} => {place} v1.1.0\n",
        repo.read("go.mod"),
        public.path
    );
    repo.write("go.mod", &replace);
    repo.write("go.sum", &fork.sums);
    build(private, &repo).fails().says([
        place.as_str(),
        GIT,
        "go.mod:7",
        "--secret id=GIT_AUTH_TOKEN",
    ]);
    build(private, &repo)
        // Its host is in no `require` line.
        .secret(&format!("GIT_AUTH_TOKEN.{GIT}"), private.token())
        .progress();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_workspace_with_private_modules_builds_and_says_what_it_lacks() {
    let private = private();
    let module = private.module(&private.path(GIT, "lib"), "v1.0.0");
    let repo = private.repo(&[&module]);
    repo.write("go.work", "go 1.26\n\nuse (\n\t.\n\t./lib\n)\n");
    repo.write("lib/go.mod", "module example.com/lib\n\ngo 1.26\n");
    repo.write("lib/lib.go", "package lib\n");
    build(private, &repo).fails().says([
        module.path.as_str(),
        GIT,
        "go.mod:5",
        "--secret id=GIT_AUTH_TOKEN",
    ]);
    let build = || build(private, &repo).secret("GIT_AUTH_TOKEN", private.token());
    build().progress();
    repo.edit("cmd/api/main.go", &repo.nonce, "edited");
    assert_eq!(build().progress().go_steps(), ["[api] go build ./cmd/api"]);
}

/// A version that its author took back builds as ever: Go tells those who ask for
/// updates.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_retracted_version_builds() {
    let private = private();
    let path = private.path(PROXY, "old");
    let module = private.module(&path, "v1.0.0");
    let manifest = format!("module {path}\n\ngo 1.26\n\nretract v1.0.0\n");
    private.publish(&path, "v1.0.1", &[("go.mod", &manifest)]);
    let repo = private.repo(&[&module]);
    with_login(private, &repo).progress();
}

/// A vendor directory needs no server, and no setting says so.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_vendored_repository_is_built_without_a_network() {
    let private = private();
    let module = private.module(&private.path(PROXY, "money"), "v1.0.0");
    let repo = private.repo(&[&module]);
    let (path, nonce) = (&module.path, &repo.nonce);
    let code = format!("package lib\n\nfunc Hello() string {{ return \"{nonce}\" }}\n");
    repo.write(&format!("vendor/{path}/lib.go"), &code);
    let list = |version: &str| format!("# {path} {version}\n## explicit; go 1.26\n{path}\n");
    repo.write("vendor/modules.txt", &list("v1.0.0"));
    let built = build(private, &repo).args(["--network", "none"]).progress();
    assert_eq!(built.go_steps(), ["[api] go build ./cmd/api"]);
    // A list that does not agree with go.mod: Go would end the build step.
    repo.write("vendor/modules.txt", &list("v0.9.0"));
    let output = build(private, &repo).fails();
    output.says([
        "go.mod:5",
        "v1.0.0` is required here and not in `vendor/modules.txt`",
        "go mod vendor",
    ]);
    assert!(private.requests(path).is_empty());
}

/// `GOFLAGS=-mod=mod` would write a `go.mod` that nobody gets to see.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn goflags_are_refused_with_the_next_step() {
    let (private, _, _, repo) = repo();
    repo.spec("services:\n  api:\n    main: ./cmd/api\n    env: {GOFLAGS: -mod=mod}\n");
    build(private, &repo)
        .fails()
        .says(["GOFLAGS", "fleet.yaml:5", "go mod tidy"]);
}
