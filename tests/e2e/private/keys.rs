//! What fetching is done with is in no build step's key, and what a cache has lost is
//! fetched again with the same credentials.

use tempfile::TempDir;

use super::{PROXIES, build};
use crate::support::build::Build;
use crate::support::command::Tool;
use crate::support::private::{GIT, Module, PROXY, PUBLIC, Private, SSH, private};
use crate::support::progress::NOTHING;
use crate::support::usage::prune_cache_mounts;

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_value_of_a_secret_runs_nothing() {
    let private = private();
    let modules = [
        private.module(&private.path(PROXY, "money"), "v1.0.0"),
        private.module(&private.path(GIT, "lib"), "v1.0.0"),
    ];
    let repo = private.repo(&[&modules[0], &modules[1]]);
    let netrc = private.netrc_file(&[PROXY]);
    let first = build(private, &repo)
        .secret_file("netrc", &netrc)
        .secret("GIT_AUTH_TOKEN", private.token())
        .image();
    let changed = build(private, &repo)
        .secret(
            "netrc",
            "machine other.example login nobody password nothing",
        )
        .secret("GIT_AUTH_TOKEN", "another-token")
        .secret("GOPROXY", "https://elsewhere.example")
        .secret("known_hosts", "x")
        .image();
    assert_eq!(changed.progress.executed(), NOTHING);
    assert_eq!(changed.image().digest, first.image().digest);
    assert_eq!(build(private, &repo).progress().executed(), NOTHING);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn developers_with_other_proxies_share_every_build_step() {
    let private = private();
    let module = private.module(&private.path(PROXY, "money"), "v1.0.0");
    let repo = private.repo(&[&module]);
    let netrc = private.netrc_file(&[PROXY]);
    let with = |build: Build| build.secret_file("netrc", &netrc);
    let first = with(build(private, &repo)).image();
    let compiled = |build: Build| {
        let built = build.image();
        let steps = built.progress.go_steps();
        assert!(!steps.iter().any(|s| s.contains("go build")), "{steps:?}");
        assert_eq!(built.image().digest, first.image().digest);
    };
    // By build arg, by secret, by the spec, and through a proxy of the machine.
    let other = format!("{PROXIES}|https://third.example");
    compiled(with(build(private, &repo)).build_arg("GOPROXY", &other));
    compiled(with(build(private, &repo)).secret("GOPROXY", "https://goproxy.corp.example"));
    compiled(with(build(private, &repo)).build_arg("HTTP_PROXY", "http://proxy.example:3128"));
    repo.spec("modules: {GONOSUMDB: other.example}\nservices:\n  api: ./cmd/api\n");
    compiled(with(build(private, &repo)));
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_a_pruned_cache_has_lost_is_fetched_again_with_the_same_credentials() {
    let private = private();
    let modules = [
        private.module(&private.path(PROXY, "money"), "v1.0.0"),
        private.module(&private.path(GIT, "lib"), "v1.0.0"),
        private.module(&private.path(SSH, "lib.git"), "v1.0.0"),
    ];
    let repo = private.repo(&modules.iter().collect::<Vec<_>>());
    let netrc = private.netrc_file(&[PROXY]);
    let with = || {
        build(private, &repo)
            .secret_file("netrc", &netrc)
            .secret_file("known_hosts", private.known_hosts())
            .secret("GIT_AUTH_TOKEN", private.token())
            .ssh(private.ssh_auth_sock())
    };
    with().progress();
    let prune = || prune_cache_mounts(&repo.nonce);

    // Nothing changed: nothing is missed.
    prune();
    assert_eq!(build(private, &repo).progress().executed(), NOTHING);

    repo.edit("cmd/api/main.go", &repo.nonce, "edited");
    let built = with().progress();
    assert_eq!(built.go_steps(), ["[api] go build ./cmd/api"]);
    assert!(built.step("go mod download").cached, "{}", built.list());

    // Without credentials, the same message as ever.
    prune();
    repo.edit("cmd/api/main.go", "edited", "edited-again");
    let output = build(private, &repo).fails();
    output.says(modules.iter().map(|module| module.path.as_str()));
    output.says([
        PROXY,
        GIT,
        "go.mod:5",
        "--secret id=netrc",
        "--secret id=GIT_AUTH_TOKEN",
        "--ssh default",
    ]);
    with().progress();
}

/// Go takes a version for the same for ever, and remembers its files by the directory alone. A
/// builder may forget the module and not that.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_version_that_was_tagged_again_is_built_as_it_is_now() {
    let private = private();
    let path = private.path(PROXY, "money");
    let hello = |word: &str| format!("package lib\n\nfunc Hello() string {{ return {word} }}\n");
    let old = [("lib.go", hello("\"old\""))];
    let new = [
        ("lib.go", hello("word")),
        (
            "word.go",
            "package lib\n\nconst word = \"new\"\n".to_owned(),
        ),
    ];
    let publish = |files: &[(&'static str, String)]| {
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
        private.publish(&path, "v1.0.0", &files)
    };
    let repo = private.repo(&[&publish(&old)]);
    let netrc = private.netrc_file(&[PROXY]);
    let with = || build(private, &repo).secret_file("netrc", &netrc);
    let first = with().image();
    repo.requiring(&[&publish(&new)]);
    prune_cache_mounts(&format!("{}/gofleet/modules", repo.nonce));
    assert_ne!(with().image().image().digest, first.image().digest);
}

/// Modules that are at hand need no login, and no server.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_is_at_hand_needs_no_credentials() {
    let private = private();
    let module = private.module(&private.path(GIT, "lib"), "v1.0.0");
    let repo = private.repo(&[&module]);
    let token = private.token();
    build(private, &repo)
        .secret("GIT_AUTH_TOKEN", token)
        .progress();
    repo.edit("cmd/api/main.go", &repo.nonce, "edited");
    let built = build(private, &repo).progress();
    assert_eq!(built.go_steps(), ["[api] go build ./cmd/api"]);
}

/// A module with a header that its assembly includes from outside of the package directory.
fn assembled(private: &Private, place: &str, path: &str, version: &str, value: &str) -> Module {
    let header = format!("#define VALUE {value}\n");
    let files = [
        ("go.mod", &*format!("module {path}\n\ngo 1.26\n")),
        ("value.go", "package lib\n\nfunc value() int64\n"),
        (
            "lib.go",
            "package lib\n\nfunc Hello() int64 { return value() }\n",
        ),
        (
            "value_amd64.s",
            "#include \"textflag.h\"\n#include \"include/value.h\"\n\n\
             TEXT ·value(SB), NOSPLIT, $0-8\n\tMOVQ $VALUE, ret+0(FP)\n\tRET\n",
        ),
        ("include/value.h", &header),
    ];
    private.publish(place, version, &files)
}

/// Go keys a package by the version that is required, whatever it is replaced by, and by the files
/// of its directory: for it these are one package.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_fork_is_compiled_though_only_a_header_is_another() {
    let private = private();
    let (path, place) = (private.path(PUBLIC, "lib"), private.path(PUBLIC, "fork"));
    let original = assembled(private, &path, &path, "v1.0.0", "41");
    let forks = [("v1.0.0", "42"), ("v1.1.0", "43")];
    let forks = forks.map(|(version, value)| assembled(private, &place, &path, version, value));
    let netrc = private.netrc_file(&[PROXY]);
    let states = [
        (None, "41"),
        (Some(&forks[0]), "42"),
        (Some(&forks[1]), "43"),
        (None, "41"),
    ];
    // With layers everything is compiled anew each time.
    for (cache, first) in [("mount", 0), ("layer", 2)] {
        let repo = private.repo(&[&original]);
        let manifest = repo.read("go.mod");
        for (fork, value) in states.iter().skip(first) {
            let replace =
                fork.map(|fork| format!("\nreplace {path} => {place} {}\n", fork.version));
            repo.write("go.mod", &(manifest.clone() + &replace.unwrap_or_default()));
            repo.write("go.sum", &fork.unwrap_or(&original).sums);
            let built = build(private, &repo)
                .target("binaries")
                .secret_file("netrc", &netrc)
                .build_arg("GOFLEET_CACHE", cache);
            let dest = TempDir::new().unwrap();
            built.files(dest.path());
            let program = Tool::new(dest.path().join("api")).ok();
            // It prints as `println` does.
            assert!(
                program.all().starts_with(value),
                "{cache}: {}",
                program.all()
            );
        }
    }
}
