//! Servers that are broken, each in one way: what a build says, and that nothing of it stays.
//!
//! One build meets all faults of a group, each for a module of its own. `GOFLEET_FAULT=NAME`
//! runs one of them alone.

use std::env;
use std::thread;

use super::build;
use crate::support::build::Build;
use crate::support::private::{FAULTY, Module, PUBLIC, Private, SILENT, STRANGE, private};
use crate::support::repo::{Repo, nonce};

/// For how many seconds a server may be silent here.
const LIMIT: &str = "3";

/// A fault, the rule that its message has, and words of the message.
type Fault = (&'static str, &'static str, &'static [&'static str]);

const NOTHING: &[&str] = &["does not answer for", "nothing came for 3 s"];

/// What `go` itself would wait for without an end.
const SILENCES: [Fault; 7] = [
    ("hang-info", "ServerUnreachable", NOTHING),
    ("hang-mod", "ServerUnreachable", NOTHING),
    ("hang-zip", "ServerUnreachable", NOTHING),
    ("stop-info", "ServerUnreachable", NOTHING),
    ("stop-mod", "ServerUnreachable", NOTHING),
    ("stop-zip", "ServerUnreachable", NOTHING),
    ("drip-zip", "ServerUnreachable", NOTHING),
];

const ENDLESS: &[&str] = &["does not answer for", "the answer has no end"];

/// What `go` would read until the memory is full.
const WITHOUT_END: [Fault; 2] = [
    ("endless-info", "ServerUnreachable", ENDLESS),
    ("endless-mod", "ServerUnreachable", ENDLESS),
];

/// What `go` reports.
const ANSWERS: [Fault; 24] = [
    ("status-500", "ServerUnreachable", &["out of order", "500"]),
    ("status-502", "ServerUnreachable", &["out of order", "502"]),
    ("status-503", "ServerUnreachable", &["out of order", "503"]),
    ("status-429", "ServerUnreachable", &["out of order", "429"]),
    (
        "status-403",
        "ModuleUnavailable",
        &["refuses", "out of order"],
    ),
    ("status-404", "ModuleNotFound", &["404 Not Found"]),
    ("status-410", "ModuleNotFound", &["410 Gone"]),
    ("redirect-self", "ServerUnreachable", &["10 redirects"]),
    ("redirect-loop", "ServerUnreachable", &["10 redirects"]),
    ("redirect-dead", "ServerUnreachable", &["refused"]),
    (
        "redirect-http",
        "ServerUnreachable",
        &["to insecure URL http:"],
    ),
    (
        "redirect-scheme",
        "ServerUnreachable",
        &["to insecure URL ftp:"],
    ),
    (
        "html-info",
        "ModuleUnavailable",
        &["is no module, or not all of it"],
    ),
    ("html-zip", "ModuleUnavailable", &["not a valid zip file"]),
    (
        "empty-info",
        "ModuleUnavailable",
        &["is no module, or not all of it"],
    ),
    ("empty-zip", "ModuleUnavailable", &["not a valid zip file"]),
    ("short-zip", "ModuleUnavailable", &["unexpected EOF"]),
    ("cut-zip", "ModuleUnavailable", &["not a valid zip file"]),
    ("gzip-info", "ModuleUnavailable", &["gzip: invalid header"]),
    ("case-zip", "ModuleUnavailable", &["has unexpected file"]),
    ("other-version", "ModuleUnavailable", &["v9.9.9"]),
    ("other-zip", "ChecksumMismatch", &["checksum mismatch"]),
    ("slip-zip", "ChecksumMismatch", &["checksum mismatch"]),
    ("reset-mod", "ServerUnreachable", &["connection reset"]),
];

const NO_MANIFEST: &[&str] = &["is no module, or not all of it", "checksum mismatch"];

/// A `go.mod` that is not what `go.sum` says.
const MANIFESTS: [Fault; 3] = [
    ("html-mod", "ModuleUnavailable", NO_MANIFEST),
    ("empty-mod", "ModuleUnavailable", NO_MANIFEST),
    (
        "other-mod",
        "ChecksumMismatch",
        &["is not what `go.sum` says"],
    ),
];

/// A service that imports a module for each fault of a group.
struct Group {
    private: &'static Private,
    faults: Vec<(Fault, Module)>,
    repo: Repo,
}

impl Group {
    fn new(faults: &[Fault]) -> Self {
        let private = private();
        let only = env::var("GOFLEET_FAULT").ok();
        let faults: Vec<(Fault, Module)> = faults
            .iter()
            .filter(|(name, ..)| only.as_deref().is_none_or(|only| only == *name))
            .map(|fault| {
                (
                    *fault,
                    private.module(&private.path(PUBLIC, fault.0), "v1.0.0"),
                )
            })
            .collect();
        let repo = private.repo(&faults.iter().map(|(_, module)| module).collect::<Vec<_>>());
        Self {
            private,
            faults,
            repo,
        }
    }

    fn build(&self, proxy: &str) -> Build {
        build(self.private, &self.repo)
            .build_arg("GOPROXY", &format!("https://{proxy}"))
            .build_arg("GOFLEET_FETCH_TIMEOUT", LIMIT)
    }

    /// Each has its message, with its place; then nothing of it is left.
    fn fails(&self) {
        let output = self.build(FAULTY).fails();
        output.never_says(["go build ./cmd/api"]);
        let text = output.all();
        let mut wrong = Vec::new();
        for ((name, rule, words), module) in &self.faults {
            let message = message(&text, &module.path)
                .unwrap_or_else(|| panic!("{}", output.report(&format!("says nothing of {name}"))));
            let file = match *rule {
                "ChecksumMismatch" => "go.sum",
                _ => "go.mod",
            };
            let lines = self.repo.read(file);
            let line = lines.lines().position(|line| line.contains(&module.path));
            let line = format!("{file}:{}:", line.unwrap() + 1);
            let host = match *name {
                "redirect-dead" => "`public.example:1`",
                _ => FAULTY,
            };
            for part in words.iter().chain(&[*rule, &line, host, "hint: "]) {
                if !message.contains(part) {
                    wrong.push(format!("{name} should say `{part}`:\n{message}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.recovers();
    }

    /// With a proxy that works it builds where the fault was met, and where nothing is at hand.
    fn recovers(&self) {
        let warm = self.build(PUBLIC).progress();
        assert!(warm.go_steps().contains(&"[api] go build ./cmd/api"));
        self.build(PUBLIC)
            .build_arg("BUILDKIT_CACHE_MOUNT_NS", &nonce())
            .progress();
    }
}

/// A build for each of the faults, side by side.
fn each(faults: &[Fault]) {
    thread::scope(|scope| {
        for fault in faults {
            scope.spawn(|| Group::new(&[*fault]).fails());
        }
    });
}

/// The rendered message about a module.
fn message<'a>(text: &'a str, module: &str) -> Option<&'a str> {
    // The last: what a step says comes before what the build ends with.
    let named = format!("`{module}`");
    text.split("error[")
        .skip(1)
        .filter(|message| message.contains(&named))
        .last()
}

/// The first one ends the command, so each has a build of its own.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_silent_module_proxy_is_given_up() {
    each(&SILENCES);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_answer_without_end_is_given_up() {
    each(&WITHOUT_END);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_broken_answer_is_told_from_a_changed_module() {
    Group::new(&[ANSWERS.as_slice(), &MANIFESTS].concat()).fails();
}

/// Asked again, as a person would.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_fault_of_a_moment_fails_no_build() {
    let group = Group::new(&[("once-502", "", &[]), ("once-503", "", &[])]);
    let built = group.build(FAULTY).progress();
    assert!(built.go_steps().contains(&"[api] go build ./cmd/api"));
}

/// Behind a `|` Go goes on after any failure.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_proxy_behind_a_silent_one_is_asked() {
    let group = Group::new(&[("hang-info", "", &[])]);
    let list = format!("https://{FAULTY}|https://{PUBLIC}");
    let build = group.build(FAULTY).build_arg("GOPROXY", &list);
    let output = build.tool("plain", None).ok();
    output.says(["still waiting for https://faulty.example/"]);
}

/// Faults of the whole server.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_server_that_is_none_is_named() {
    let group = Group::new(&[("lib", "", &[])]);
    let module = &group.faults[0].1.path;
    for (host, rule, words) in [
        ("nowhere.invalid", "ServerUnreachable", "no such host"),
        (STRANGE, "UntrustedServer", "x509: certificate is valid for"),
        (SILENT, "ServerUnreachable", "nothing came for"),
        (
            "public.example:1",
            "ServerUnreachable",
            "connection refused",
        ),
    ] {
        let output = group.build(host).fails();
        output.says([module, host, rule, words, "go.mod:5:"]);
    }
    group.recovers();
}

/// The checksum database, which is asked in a workspace about modules without a line in `go.sum`.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_silent_checksum_database_is_given_up() {
    let group = Group::new(&[("lib", "", &[])]);
    let sums = group.repo.read("go.sum");
    let of_manifests = sums.lines().filter(|line| line.contains("/go.mod "));
    let of_manifests: String = of_manifests.map(|line| format!("{line}\n")).collect();
    group.repo.write("go.sum", &of_manifests);
    group.repo.write("go.work", "go 1.26\n\nuse .\n");
    let output = group.build(FAULTY).fails();
    output.says(["/lookup/", "nothing came for 3 s", FAULTY]);
}

/// Git over https and over ssh.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_silent_git_server_is_given_up() {
    let private = private();
    let given_up = |host: &str, over_ssh: bool| {
        let module = unpublished(host);
        let repo = private.repo(&[&module]);
        let build = build(private, &repo)
            .build_arg("GOPROXY", "direct")
            .build_arg("GOPRIVATE", host)
            .build_arg("GOFLEET_FETCH_TIMEOUT", LIMIT);
        let output = match over_ssh {
            true => build.ssh(private.ssh_auth_sock()).fails(),
            false => build.fails(),
        };
        output.says([
            &module.path,
            "ServerUnreachable",
            "nothing came for 3 s",
            "go.mod:5:",
        ]);
        output.says([host, "still waiting for"]);
    };
    given_up(SILENT, false);
    assert!(!private.requests("silent:443").is_empty());
    given_up(SILENT, true);
    assert!(!private.requests("silent:22").is_empty());
}

/// A module that a git server never gives.
fn unpublished(host: &str) -> Module {
    let path = format!("{host}/n{}/lib.git", nonce());
    let sum = format!("h1:{}=", "A".repeat(43));
    let sums = format!("{path} v1.0.0 {sum}\n{path} v1.0.0/go.mod {sum}\n");
    Module {
        path,
        version: "v1.0.0".to_owned(),
        sums,
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_service_builds_although_the_server_of_another_one_is_silent() {
    let private = private();
    let (used, other) = (
        private.module(&private.path(PUBLIC, "lib"), "v1.0.0"),
        unpublished(SILENT),
    );
    let repo = private.repo(&[&used]);
    let api = repo.read("cmd/api/main.go");
    repo.requiring(&[&other, &used]);
    let both = repo.read("cmd/api/main.go");
    repo.write("cmd/worker/main.go", &both);
    repo.write("cmd/api/main.go", &api);
    repo.spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let build = || {
        build(private, &repo)
            .build_arg("GOPROXY", &format!("https://{PUBLIC}"))
            .build_arg("GOPRIVATE", SILENT)
            .build_arg("GOFLEET_FETCH_TIMEOUT", LIMIT)
    };
    let built = build().progress();
    assert!(built.go_steps().contains(&"[api] go build ./cmd/api"));
    build()
        .target("worker")
        .fails()
        .says([&other.path, "nothing came for 3 s"]);
}
