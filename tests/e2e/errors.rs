//! What people read when something is wrong, and the names of the steps.

use crate::support::build::{buildctl_dockerfile, buildctl_gateway, buildx};
use crate::support::repo::Repo;

/// Two services of few packages.
fn two_services() -> Repo {
    let repo = Repo::new();
    repo.program("cmd/api")
        .program("cmd/worker")
        .spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    repo
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_compile_error_names_the_service_the_place_and_the_line_of_the_spec() {
    let repo = two_services();
    repo.edit("cmd/worker/main.go", "os.Stdout", "os.Stdoot");
    for build in [
        buildx(&repo),
        buildctl_dockerfile(&repo),
        buildctl_gateway(&repo),
    ] {
        let output = build.target("worker").fails();
        output.says([
            "[worker] go build ./cmd/worker",
            "cmd/worker/main.go:6:5: undefined: os.Stdoot",
            "fleet.yaml:4",
            ">>>   worker: ./cmd/worker",
        ]);
        // The frontend waits for the step, and the daemon asks for it once more: it runs once.
        let from_steps = output.stderr.lines().filter(|line| line.starts_with('#'));
        let said = from_steps.filter(|line| line.contains("undefined: os.Stdoot"));
        assert_eq!(said.count(), 1, "{}", output.stderr);
        // The file as it is called in the repository, not where a step sees it.
        output.never_says(["/src/cmd"]);
    }
    // The other service is not affected.
    buildx(&repo).target("api").progress();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_compile_error_in_a_nested_module_is_found_by_step_and_package() {
    let repo = Repo::new();
    repo.write(
        "services/api/go.mod",
        "module example.com/nested\n\ngo 1.26\n",
    )
    .program("services/api/cmd/api")
    .edit("services/api/cmd/api/main.go", "os.Stdout", "os.Stdoot")
    .spec("services:\n  api: ./services/api/cmd/api\n");
    let output = buildx(&repo).fails();
    // Go writes paths relative to the module it builds; the step and the package
    // say which one that is.
    output.says([
        "[api] go build ./services/api/cmd/api",
        "# example.com/nested/cmd/api",
        "cmd/api/main.go:6:5: undefined: os.Stdoot",
    ]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn several_services_and_no_target_is_an_error_that_shows_the_way() {
    let repo = two_services();
    let output = buildx(&repo).fails();
    output.says([
        "fleet.yaml:2",
        "NoTarget",
        "`api`, `worker`, `all`, `binaries` or `deps`",
        "docker buildx build -f fleet.yaml --call bake . | docker buildx bake -f -",
    ]);
    repo.spec("default_target: worker\nservices:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let built = buildx(&repo).image();
    assert_eq!(
        built.image().setting("Entrypoint")[0],
        "/usr/local/bin/worker"
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn all_problems_of_a_spec_are_shown_at_once_with_their_places() {
    let repo = two_services();
    repo.spec("services:\n  api:\n    mian: ./cmd/api\n    tags: [a]\n  all: ./cmd/worker\n  worker: ../worker\n");
    for build in [
        buildx(&repo),
        buildctl_dockerfile(&repo),
        buildctl_gateway(&repo),
    ] {
        let output = build.target("api").fails();
        output.says([
            "fleet.yaml:4:5",
            "did you mean `main`?",
            "fleet.yaml:5:5",
            "build_tags",
            "fleet.yaml:6:3",
            "ReservedName",
            "fleet.yaml:7:",
            "OutsideContext",
            ">>>     mian: ./cmd/api",
        ]);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_the_sources_lack_is_an_error_before_anything_is_compiled() {
    let repo = two_services();
    repo.spec(
        "services:\n  api: ./cmd/apo\n  worker:\n    main: ./cmd/worker\n    files:\n      /srv/data: ./data\n",
    );
    let main = buildx(&repo).target("api").fails();
    main.says([
        "NoSuchPackage",
        "fleet.yaml:3:8",
        "did you mean `./cmd/api`?",
    ]);
    main.never_says(["go build"]);
    let files = buildx(&repo).target("worker").fails();
    files.says([
        "NoSuchFile",
        "fleet.yaml:7:",
        "`data` does not exist in the context",
    ]);
    files.never_says(["go build"]);

    let unknown = buildx(&repo).target("wroker").fails();
    unknown.says(["UnknownTarget", "did you mean `worker`?"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_unused_build_arg_is_a_warning() {
    let repo = two_services();
    let progress = buildx(&repo)
        .target("api")
        .build_arg("LEVLE", "debug")
        .progress();
    let warnings = progress.warnings.join("\n");
    assert!(
        warnings.contains("UnusedArg") && warnings.contains("LEVLE"),
        "{warnings}"
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn warnings_are_checked_as_those_of_dockerfiles() {
    let repo = two_services();
    let build = || buildx(&repo).target("api").build_arg("LEVLE", "debug");
    let check = |value: &str| build().build_arg("BUILDKIT_DOCKERFILE_CHECK", value);
    assert_eq!(check("skip=UnusedArg").progress().warnings, [""; 0]);
    check("error=true").fails().says(["UnusedArg", "LEVLE"]);
    let spec = repo.read("fleet.yaml");
    repo.write(
        "fleet.yaml",
        &spec.replacen('\n', "\n# check=skip=all;error=true\n", 1),
    );
    assert_eq!(build().progress().warnings, [""; 0]);
    build().args(["--check"]).tool("plain", None).ok();
    check("")
        .args(["--check"])
        .fails()
        .says(["UnusedArg", "diagnostics.md#unusedarg"]);
    check("nonsense")
        .fails()
        .says(["BUILDKIT_DOCKERFILE_CHECK", "nonsense"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_outline_is_that_of_a_target() {
    let repo = two_services();
    repo.spec(
        "services:\n  api:\n    main: ./cmd/api\n    ldflags: -X main.v=${VERSION:-dev}\n  \
         worker:\n    main: ./cmd/worker\n    ldflags: -X main.w=${WORKER:-dev}\n",
    );
    let outline = |target: &str| buildx(&repo).args(["--call", "outline"]).target(target);
    let said = outline("api").tool("plain", None).ok();
    said.says(["VERSION"]).never_says(["WORKER"]);
    outline("wroker").fails().says(["did you mean `worker`?"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn calls_answer_without_building() {
    let repo = two_services();
    let call = |name: &str| {
        buildx(&repo)
            .args(["--call", name])
            .tool("plain", None)
            .ok()
    };
    let targets = call("targets");
    for target in ["api", "worker", "all", "binaries", "deps"] {
        assert!(
            targets.text().contains(target),
            "{}",
            targets.report("should list the targets")
        );
    }
    let outline = call("outline,format=json");
    let outline: serde_json::Value = serde_json::from_str(&outline.text()).unwrap();
    assert!(
        outline["secrets"].to_string().contains("GOPROXY"),
        "{outline}"
    );
    let bake = call("bake");
    for part in [
        "group \"default\"",
        "target \"api\"",
        "target \"worker\"",
        "type=provenance,disabled=true",
    ] {
        assert!(
            bake.text().contains(part),
            "{}",
            bake.report(&format!("should print {part}"))
        );
    }
    let describe = call("subrequests.describe");
    assert!(
        describe.text().contains("frontend.bake") || describe.text().contains("bake"),
        "{}",
        describe.text()
    );
    for output in [targets, bake, describe] {
        output.never_says(["go build", "scan sources"]);
    }

    let unknown = buildx(&repo).args(["--call", "nonsense"]).fails();
    unknown.says(["unsupported request frontend.nonsense"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn check_finds_what_a_build_would_find_and_says_so_by_its_status() {
    let repo = two_services();
    let check = || buildx(&repo).args(["--check"]).tool("plain", None).run();
    let good = check();
    assert_eq!(good.code(), 0, "{}", good.report("should find nothing"));

    repo.spec("services:\n  api: ./cmd/nothing\n  worker: ./cmd/worker\n");
    let bad = check();
    assert_ne!(bad.code(), 0, "{}", bad.report("should fail"));
    bad.says(["NoSuchPackage", "fleet.yaml:3"]);
    bad.never_says(["go build"]);

    repo.spec("services:\n  api: ./cmd/api\n  worker: [\n");
    let broken = check();
    assert_ne!(broken.code(), 0, "{}", broken.report("should fail"));
    broken.says(["fleet.yaml:4"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn steps_are_named_after_services_and_run_side_by_side() {
    let repo = two_services();
    let progress = buildx(&repo).target("all").progress();
    let (api, worker) = (
        progress.step("[api] go build ./cmd/api"),
        progress.step("[worker] go build ./cmd/worker"),
    );
    assert!(
        api.ran() && worker.ran() && api.overlaps(worker),
        "{}",
        progress.list()
    );

    // The platform is in the name where there are several.
    let both = buildx(&repo)
        .target("api")
        .platform("linux/amd64,linux/arm64")
        .progress();
    both.step("[linux/amd64 api] go build ./cmd/api");
    both.step("[linux/arm64 api] go build ./cmd/api");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn people_see_few_lines_besides_their_services() {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api")
        .requiring_program("cmd/worker");
    repo.spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let output = buildx(&repo).target("all").fetching().plain();
    let mut names: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix('#')?
                .split_once(" [")
                .map(|(_, name)| name)
        })
        .filter(|name| !name.starts_with("internal]"))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names,
        [
            "api] go build ./cmd/api",
            "modules] go mod download",
            "worker] go build ./cmd/worker"
        ],
        "{}",
        output.stderr
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_that_cannot_be_fetched_fails_with_the_reason_that_go_gives() {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api")
        .spec("services:\n  api: ./cmd/api\n");
    let namespace = repo.nonce.clone();
    let build = buildx(&repo).build_arg("BUILDKIT_CACHE_MOUNT_NS", &namespace);
    let output = build.secret("GOPROXY", "off").fails();
    output.says([
        "[modules] go mod download",
        "module lookup disabled by GOPROXY=off",
    ]);
}
