//! Graphs of the examples: golden texts, and what must not change a step.

mod roots;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use buildkit_llb::{CUSTOM_NAME, Digest, encode_definition, pb};
use gofleet::local::Local;
use prost::Message as _;

use crate::support::golden;

/// Example, target, platforms. With a way of caching in the name of the target, that one.
const CASES: [(&str, &str, &str); 10] = [
    ("examples/hello", "api", "linux/amd64"),
    ("examples/hello", "all", "linux/amd64"),
    ("examples/hello", "binaries", "windows/amd64"),
    ("examples/shop", "api", "linux/amd64,linux/arm64"),
    ("examples/shop", "migrate", "linux/arm/v7"),
    ("examples/shop", "deps", "linux/amd64"),
    ("examples/shop", "worker:layer", "linux/amd64"),
    ("examples/workspace", "all", "linux/amd64"),
    ("examples/workspace", "binaries", "windows/amd64"),
    ("tests/fixtures/strange", "all", "linux/arm64"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn example(dir: &str) -> Local {
    let context = root().join(dir);
    Local::new(context.join("fleet.yaml"), context)
}

/// The examples make exactly the graphs that are checked in.
#[test]
fn golden_graphs() {
    let mut check = golden::Check::new();
    for (dir, target, platforms) in CASES {
        let mut local = example(dir);
        local.option("platform", platforms.to_owned());
        let (target, cache) = target.split_once(':').unwrap_or((target, ""));
        local.option("build-arg:GOFLEET_CACHE", cache.to_owned());
        let text = local.graph(Some(target.to_owned())).unwrap();
        assert_eq!(text, local.graph(Some(target.to_owned())).unwrap());
        let name = Path::new(dir).file_name().unwrap().to_str().unwrap();
        let of = format!("{name}-{target}{cache}");
        let file = format!("{of}-{}.txt", platforms.replace(['/', ','], "-"));
        check.file(&root().join("tests/it/graphs").join(file), &text);
    }
    check.finish();
}

/// The ops of a target's graphs by their names.
struct Ops(BTreeMap<String, (String, pb::Op, pb::OpMetadata)>);

impl Ops {
    fn of(local: &Local, target: &str) -> Self {
        let mut ops = BTreeMap::new();
        for lowered in local.lower(Some(target.to_owned())).unwrap() {
            let definition = lowered.output.unwrap().marshal();
            // Deterministic encoding: encoding again gives the same bytes.
            assert_eq!(
                encode_definition(&definition),
                encode_definition(&definition.clone())
            );
            for bytes in &definition.def {
                let digest = Digest::of(bytes).to_string();
                let metadata = definition.metadata[&digest].clone();
                if let Some(name) = metadata.description.get(CUSTOM_NAME) {
                    let op = pb::Op::decode(bytes.as_slice()).unwrap();
                    ops.insert(name.clone(), (digest, op, metadata.clone()));
                }
            }
        }
        Self(ops)
    }

    fn digest(&self, name: &str) -> &str {
        &self.0[name].0
    }

    fn exec(&self, name: &str) -> &pb::ExecOp {
        match &self.0[name].1.op {
            Some(pb::op::Op::Exec(exec)) => exec,
            other => panic!("{name} is no exec: {other:?}"),
        }
    }
}

const BUILD: &str = "[api] go build ./cmd/api";
const DOWNLOAD: &str = "[modules] go mod download";
const CHECK: &str = "[internal] check modules of api";

/// A repository with one requirement and a given spec.
fn repository(spec: &str) -> (tempfile::TempDir, Local) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("go.mod", "module m\ngo 1.26\nrequire x.org/y v1.0.0\n");
    write("cmd/api/main.go", "package main\n");
    write("cmd/worker/main.go", "package main\n");
    write("assets/a.txt", "a");
    write("fleet.yaml", spec);
    let local = Local::new(dir.path().join("fleet.yaml"), dir.path().to_owned());
    (dir, local)
}

const SPEC: &str = "services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n";

/// Whatever is built beside it, a service has the same build step: that is how
/// solves which do not know each other find each other's results.
#[test]
fn a_build_step_is_the_same_op_in_every_solve() {
    let (_dir, local) = repository(SPEC);
    let alone = Ops::of(&local, "api");
    for target in ["all", "binaries"] {
        assert_eq!(alone.digest(BUILD), Ops::of(&local, target).digest(BUILD));
    }
    let (_dir, turned) = repository("services:\n  worker: ./cmd/worker\n  api: ./cmd/api\n");
    assert_eq!(
        alone.digest(BUILD),
        Ops::of(&turned, "binaries").digest(BUILD)
    );
}

/// What only the image says changes no build step.
#[test]
fn image_settings_change_no_build_step() {
    let (_dir, plain) = repository(SPEC);
    let (_dir, rich) = repository(
        "defaults: {image: 'r/${SERVICE}', labels: {a: b}}\nservices:\n  api:\n    main: ./cmd/api\n    \
         environment: {A: b}\n    user: app\n    expose: ['80']\n    tzdata: false\n    \
         files: {/assets: ./assets}\n    entrypoint: /x\n  worker: ./cmd/worker\n",
    );
    let plain = Ops::of(&plain, "api");
    let rich = Ops::of(&rich, "api");
    assert_eq!(plain.digest(BUILD), rich.digest(BUILD));
}

/// Settings and credentials reach the steps that fetch and no other; what is a secret is
/// optional, so that its absence changes nothing.
#[test]
fn credentials_reach_the_steps_that_fetch_alone() {
    let (_dir, mut local) = repository(SPEC);
    let before = Ops::of(&local, "api");
    local.option("build-arg:GOPROXY", "http://127.0.0.1/other".to_owned());
    let after = Ops::of(&local, "api");
    for name in [DOWNLOAD, CHECK] {
        let exec = after.exec(name);
        let env = &exec.meta.as_ref().unwrap().env;
        assert!(env.iter().any(|e| e.ends_with("/other")), "{name}: {env:?}");
        assert_ne!(before.digest(name), after.digest(name));
        let ids: Vec<&str> = exec.secretenv.iter().map(|s| s.id.as_str()).collect();
        for id in [
            "GOPROXY",
            "HTTPS_PROXY",
            "GIT_AUTH_TOKEN",
            "GIT_AUTH_TOKEN.x.org",
        ] {
            assert!(ids.contains(&id), "{name}: {id} in {ids:?}");
        }
        assert!(exec.secretenv.iter().all(|s| s.optional));
        let files = exec.mounts.iter().filter_map(|m| m.secret_opt.as_ref());
        let files: Vec<&str> = files
            .inspect(|s| assert!(s.optional))
            .map(|s| s.id.as_str())
            .collect();
        assert_eq!(files.len(), 5, "{files:?}");
        let agents = exec.mounts.iter().filter_map(|m| m.ssh_opt.as_ref());
        assert!(agents.inspect(|a| assert!(a.optional)).count() == 1);
    }
    for (name, (_, op, _)) in &after.0 {
        let Some(pb::op::Op::Exec(exec)) = &op.op else {
            continue;
        };
        if ![DOWNLOAD, CHECK]
            .iter()
            .any(|fetching| name.contains(fetching))
        {
            assert!(exec.secretenv.is_empty(), "{name}");
            let secret = |m: &pb::Mount| m.secret_opt.is_some() || m.ssh_opt.is_some();
            assert!(!exec.mounts.iter().any(secret), "{name}");
            assert_eq!(exec.network, pb::NetMode::None as i32, "{name}");
        }
    }
}

/// What fetching is done with is in no build step: its marker has one content whatever
/// step it comes from.
#[test]
fn build_steps_know_nothing_of_fetching() {
    let (_dir, mut local) = repository(SPEC);
    let before = Ops::of(&local, "api");
    local.option("build-arg:GOPROXY", "http://127.0.0.1/other".to_owned());
    let after = Ops::of(&local, "api");
    let bare = |ops: &Ops| {
        let mut exec = ops.exec(BUILD).clone();
        // Inputs are named by digests, and BuildKit looks at their content.
        for mount in &mut exec.mounts {
            mount.input = -1;
        }
        exec
    };
    assert_eq!(bare(&before), bare(&after));
}

/// `--no-cache` runs steps again by other markers: `ignore_cache` on a step with
/// cache mounts would empty them under other builds.
#[test]
fn no_cache_never_empties_cache_mounts() {
    let (_dir, mut local) = repository(SPEC);
    let cached = Ops::of(&local, "api");
    local.option("no-cache", String::new());
    let fresh = Ops::of(&local, "api");
    assert_ne!(cached.digest(BUILD), fresh.digest(BUILD));
    assert_ne!(cached.digest(DOWNLOAD), fresh.digest(DOWNLOAD));
    for (name, (_, op, metadata)) in &fresh.0 {
        if let Some(pb::op::Op::Exec(exec)) = &op.op
            && exec.mounts.iter().any(|m| m.cache_opt.is_some())
        {
            assert!(!metadata.ignore_cache, "{name}");
        }
    }
    // A filter reaches the named service alone.
    local.option("no-cache", "worker".to_owned());
    assert_eq!(cached.digest(BUILD), Ops::of(&local, "api").digest(BUILD));
}

/// Ids of cache mounts are outside of a step's key only if they do not end in
/// the mount's destination (BuildKit v0.32, `solver/llbsolver/ops/exec.go`).
#[test]
fn cache_mount_ids_are_in_no_key() {
    let (_dir, mut local) = repository(SPEC);
    local.option("build-arg:BUILDKIT_CACHE_MOUNT_NS", "team".to_owned());
    let ops = Ops::of(&local, "api");
    for name in [DOWNLOAD, CHECK, BUILD] {
        for mount in &ops.exec(name).mounts {
            let Some(cache) = &mount.cache_opt else {
                continue;
            };
            assert!(cache.id.starts_with("team/"), "{}", cache.id);
            let rest = cache.id.split_once('/').unwrap().1;
            assert!(cache.id != mount.dest && rest != mount.dest);
        }
    }
}

/// No step runs a shell.
#[test]
fn steps_are_argvs() {
    let (_dir, local) = repository(SPEC);
    for (name, (_, op, _)) in &Ops::of(&local, "all").0 {
        if let Some(pb::op::Op::Exec(exec)) = &op.op {
            let program = exec.meta.as_ref().unwrap().args[0].as_str();
            let ours = "/run/gofleet/frontend/gofleet";
            assert!(["go", ours].contains(&program), "{name}: {program}");
        }
    }
}

/// Without requirements nothing fetches, and nothing has a network.
#[test]
fn where_nothing_is_required_nothing_is_fetched() {
    let (dir, local) = repository(SPEC);
    std::fs::write(dir.path().join("go.mod"), "module m\ngo 1.26\n").unwrap();
    for (name, (_, op, _)) in &Ops::of(&local, "all").0 {
        if let Some(pb::op::Op::Exec(exec)) = &op.op {
            assert_eq!(exec.network, pb::NetMode::None as i32, "{name}");
        }
    }
}

/// A discovered service is built as if it had been written down, and each verb sees it.
#[test]
fn a_discovered_service_is_an_ordinary_one() {
    let (_dir, written) = repository(SPEC);
    let (_dir, found) = repository("discover: [./cmd/...]\nexclude: [./cmd/gone]\n");
    let digest = |local: &Local| Ops::of(local, "api").digest(BUILD).to_owned();
    assert_eq!(digest(&written), digest(&found));
    assert_eq!(found.check().unwrap(), "");
    assert_eq!(found.bake().unwrap(), written.bake().unwrap());
}

#[test]
fn what_discovery_finds_wrong_is_said_at_the_pattern() {
    let (dir, local) = repository("discover: [./cmd/..., ./nowhere/...]\n");
    let warnings = local.check().unwrap();
    assert!(
        warnings.contains("warning[NothingDiscovered]") && warnings.contains("fleet.yaml:1:"),
        "{warnings}"
    );
    std::fs::create_dir_all(dir.path().join("cmd/old/api")).unwrap();
    std::fs::write(dir.path().join("cmd/old/api/main.go"), "package main\n").unwrap();
    for error in [
        local.check().unwrap_err(),
        local.bake().unwrap_err(),
        local.lower(Some("api".to_owned())).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("error[DuplicateName]"), "{text}");
        assert!(text.contains("`./cmd/old/api`"), "{text}");
    }
}
