//! What runs again after which change, and what does not.

use std::fs::{File, FileTimes};
use std::time::SystemTime;

use serde_json::json;
use tempfile::TempDir;

use crate::support::bake;
use crate::support::build::{Build, build_on, buildctl_dockerfile, buildx};
use crate::support::command::buildctl;
use crate::support::daemon::Daemon;
use crate::support::engine::heavy;
use crate::support::progress::{NOTHING, Progress};
use crate::support::repo::Repo;
use crate::support::usage::{cache_mounts, prune_cache_mounts};

const SERVICES: &str = "services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n";

/// Two services that need a module from elsewhere.
fn fetching_repo() -> Repo {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api")
        .requiring_program("cmd/worker")
        .spec(SERVICES);
    repo
}

/// Two services that need nothing.
fn plain_repo() -> Repo {
    let repo = Repo::new();
    repo.program("cmd/api").program("cmd/worker").spec(SERVICES);
    repo
}

/// A build of `api` whose cache mounts no other test has.
fn with_own_mounts(repo: &Repo) -> Build {
    buildx(repo)
        .target("api")
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
}

/// Ids of the cache mounts that a repository's steps have to themselves.
fn own_mounts(repo: &Repo) -> Vec<String> {
    let records = cache_mounts(buildctl(), &repo.nonce);
    let mut ids: Vec<String> = records.into_iter().map(|record| record.id).collect();
    ids.sort();
    ids
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn nothing_changed_and_nothing_runs() {
    let repo = fetching_repo();
    let first = buildx(&repo).target("api").fetching().image();
    let steps = [
        "[api] go build ./cmd/api",
        "[internal] check modules of api",
        "[internal] compile shared packages of api",
        "[internal] scan sources",
        "[modules] go mod download",
    ];
    assert_eq!(first.progress.executed(), steps);

    let second = buildx(&repo).target("api").fetching().image();
    assert_eq!(second.progress.executed(), NOTHING);
    assert_eq!(second.image().digest, first.image().digest);
    let made: Vec<&str> = made_again(&second.progress);
    assert_eq!(made, NOTHING, "{}", second.progress.list());

    let other_client = buildctl_dockerfile(&repo).target("api").fetching().image();
    assert_eq!(other_client.progress.executed(), NOTHING);
}

/// Steps that were done although a cache exists for them: not what is asked
/// anew in every build (sources of the client, names of images, and the images themselves,
/// which a build that runs beside this one may just be asking for), not constant directories
/// and files.
fn made_again(progress: &Progress) -> Vec<&str> {
    let asked = [
        "[internal] load ",
        "resolve image config",
        "FROM golang:1.26",
        "docker-image://docker.io/gofleet/gofleet:1@",
    ];
    let constant = [
        "[internal] imports of all services",
        "[internal] modules",
        "[internal] output directory",
        "[internal] shared packages",
        "exporting to",
    ];
    progress
        .vertices()
        .filter(|vertex| vertex.ran())
        .map(|vertex| vertex.name.as_str())
        .filter(|name| {
            !asked
                .iter()
                .chain(&constant)
                .any(|known| name.starts_with(known))
        })
        .collect()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_service_built_beside_others_is_cached_when_built_alone() {
    let repo = plain_repo();
    let together = buildx(&repo).target("all").progress();
    assert_eq!(
        together.go_steps(),
        ["[api] go build ./cmd/api", "[worker] go build ./cmd/worker"]
    );
    for service in ["api", "worker"] {
        assert_eq!(
            buildx(&repo).target(service).progress().executed(),
            NOTHING,
            "{service}"
        );
    }
    // And the other way round.
    repo.edit("cmd/api/main.go", "cmd/api", "edited");
    assert_eq!(
        buildx(&repo).target("api").progress().go_steps(),
        ["[api] go build ./cmd/api"]
    );
    let together = buildx(&repo).target("all").progress();
    assert!(
        !together.executed().contains(&"[api] go build ./cmd/api"),
        "{}",
        together.list()
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn modules_are_fetched_again_when_the_cache_mounts_are_empty() {
    let repo = fetching_repo();
    with_own_mounts(&repo).fetching().progress();
    assert!(
        own_mounts(&repo).len() >= 3,
        "modules, build cache, slot: {:?}",
        own_mounts(&repo)
    );

    prune_cache_mounts(&repo.nonce);
    assert_eq!(own_mounts(&repo), NOTHING);

    repo.edit("cmd/api/main.go", "cmd/api", "edited");
    let built = with_own_mounts(&repo).fetching().image();
    assert_eq!(built.progress.go_steps(), ["[api] go build ./cmd/api"]);
    assert!(
        built.progress.step("go mod download").cached,
        "{}",
        built.progress.list()
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn another_proxy_by_secret_is_in_no_key() {
    let repo = fetching_repo();
    let first = buildx(&repo).target("api").fetching().image();
    // A step that ran would have to find its modules there.
    let other = buildx(&repo)
        .target("api")
        .secret("GOPROXY", "https://user:password@proxy.invalid")
        .image();
    assert_eq!(other.progress.executed(), NOTHING);
    assert_eq!(other.image().digest, first.image().digest);
    let without = buildx(&repo).target("api").image();
    assert_eq!(without.progress.executed(), NOTHING);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_proxy_by_build_arg_is_in_no_build_steps_key() {
    let repo = fetching_repo();
    let first = with_own_mounts(&repo).fetching().image();
    // Everything is in the module cache already.
    let other = with_own_mounts(&repo).build_arg("GOPROXY", "off").image();
    assert_eq!(other.progress.go_steps(), ["[modules] go mod download"]);
    assert!(
        other.progress.step("go build").cached,
        "{}",
        other.progress.list()
    );
    assert_eq!(other.image().digest, first.image().digest);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_cache_runs_every_step_and_keeps_the_cache_mounts() {
    let repo = fetching_repo();
    let first = with_own_mounts(&repo).fetching().image();
    let mounts = own_mounts(&repo);
    // Without a proxy, the modules can only come from the mount.
    let again = with_own_mounts(&repo)
        .args(["--no-cache"])
        .secret("GOPROXY", "off")
        .image();
    assert_eq!(
        again.progress.executed(),
        [
            "[api] go build ./cmd/api",
            "[internal] check modules of api",
            "[internal] compile shared packages of api",
            "[internal] scan sources",
            "[modules] go mod download"
        ]
    );
    assert_eq!(own_mounts(&repo), mounts);
    assert_eq!(again.image().digest, first.image().digest);
    // The run was no change: the next build finds its steps.
    assert_eq!(with_own_mounts(&repo).progress().executed(), NOTHING);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_cache_of_a_bake_file_runs_what_targets_share_once() {
    let repo = fetching_repo();
    let args = json!({"BUILDKIT_CACHE_MOUNT_NS": repo.nonce});
    let file = bake::file(["api", "worker"], &args, "type=cacheonly");
    for _ in 0..2 {
        let said = bake::bake(&repo, &file).args(["--no-cache"]).ok().stderr;
        let progress = Progress::parse(&said);
        let runs = |text: &str| {
            let steps = progress.executed();
            steps.iter().filter(|name| name.contains(text)).count()
        };
        assert_eq!(runs("] go mod download"), 1, "{}", progress.list());
        assert_eq!(runs("] go build "), 2, "{}", progress.list());
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_cache_for_one_service_runs_that_one_again() {
    let repo = plain_repo();
    buildx(&repo).target("all").progress();
    let again = buildx(&repo)
        .target("all")
        .args(["--no-cache-filter", "api"])
        .progress();
    assert_eq!(
        again.executed(),
        [
            "[api] go build ./cmd/api",
            "[internal] compile shared packages of api"
        ]
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_is_in_no_key_runs_nothing() {
    let repo = plain_repo();
    let first = buildx(&repo).target("api").image();
    let unchanged = |what: &str| {
        let built = buildx(&repo).target("api").image();
        assert_eq!(built.progress.go_steps(), NOTHING, "{what}");
        assert_eq!(built.image().digest, first.image().digest, "{what}");
    };

    let new = FileTimes::new().set_modified(SystemTime::now());
    File::open(repo.file("cmd/api/main.go"))
        .unwrap()
        .set_times(new)
        .unwrap();
    let touched = buildx(&repo).target("api").progress();
    assert_eq!(touched.executed(), NOTHING, "touched: {}", touched.list());

    repo.spec(&format!("# a comment\n{SERVICES}"));
    unchanged("a comment in the spec");
    repo.spec(&format!(
        "defaults:\n  image: registry.example/${{SERVICE}}:2\n{SERVICES}"
    ));
    unchanged("another image name");
    repo.spec("services:\n  worker: ./cmd/worker\n  api:\n    main: ./cmd/api\n");
    unchanged("another order of services");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_changed_setting_of_the_container_compiles_nothing() {
    let repo = plain_repo();
    let first = buildx(&repo).target("api").image();
    repo.spec("services:\n  api:\n    main: ./cmd/api\n    environment: {MODE: fast}\n    expose: [8080]\n");
    let second = buildx(&repo).target("api").image();
    assert_eq!(second.progress.go_steps(), NOTHING);
    assert_eq!(second.image().diff_ids(), first.image().diff_ids());
    assert_ne!(second.image().digest, first.image().digest);
    let env = second.image().setting("Env").to_string();
    assert!(env.contains("MODE=fast"), "{env}");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_edited_file_builds_again_and_changes_the_binary_alone() {
    let repo = plain_repo();
    let first = buildx(&repo).target("api").image();
    repo.edit("cmd/api/main.go", "cmd/api", "edited");
    let second = buildx(&repo).target("api").image();
    assert_eq!(second.progress.go_steps(), ["[api] go build ./cmd/api"]);
    let layers =
        |built: &crate::support::build::Built| built.image().diff_ids().as_array().unwrap().clone();
    let (before, after) = (layers(&first), layers(&second));
    assert_eq!(before.len(), after.len());
    let (last, rest) = after.split_last().unwrap();
    assert_eq!(rest, &before[..rest.len()], "the stable layers come first");
    assert_ne!(Some(last), before.last());
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_fresh_builder_lives_from_an_exported_cache() {
    let _heavy = heavy();
    let repo = fetching_repo();
    let cache = TempDir::new().unwrap();
    let export = format!("type=local,dest={},mode=max", cache.path().display());
    let first = buildctl_dockerfile(&repo)
        .target("api")
        .fetching()
        .args(["--export-cache", &export])
        .image();

    let daemon = Daemon::start();
    let import = format!("type=local,src={}", cache.path().display());
    let second = build_on(&daemon, &repo)
        .target("api")
        .args(["--import-cache", &import])
        .image();
    assert_eq!(
        second.progress.go_steps(),
        NOTHING,
        "{}",
        second.progress.list()
    );
    assert_eq!(second.image().digest, first.image().digest);
}

/// Go knows directories by names, sizes and times of their files, if it is let: the files of a
/// build step all have one time.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_edit_that_keeps_the_size_of_a_file_is_built() {
    let repo = plain_repo();
    repo.write(
        "cmd/api/extra.go",
        "//go:build  linux\n\npackage main\n\nfunc init() { println(\"extra\") }\n",
    );
    let built = || buildx(&repo).target("api").image().image().digest.clone();
    let first = built();
    repo.edit("cmd/api/extra.go", "build  linux", "build !linux");
    assert_ne!(built(), first);
    repo.edit("cmd/api/extra.go", "build !linux", "build  linux");
    assert_eq!(built(), first);
}
