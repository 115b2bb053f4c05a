//! Where the sources, the spec and the images may come from.

use tempfile::TempDir;

use crate::support::build::{buildx, push};
use crate::support::engine::engine;
use crate::support::git::{GitServer, commit_all};
use crate::support::repo::Repo;

fn one_service() -> Repo {
    let repo = Repo::new();
    repo.program("cmd/api")
        .spec("services:\n  api: ./cmd/api\n");
    repo
}

/// All files of a repository as an archive.
fn archive(repo: &Repo) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all("", repo.path()).unwrap();
    builder.into_inner().unwrap()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_archive_on_standard_input_is_a_context() {
    let repo = one_service();
    let expected = buildx(&repo).image();
    let empty = Repo::new();
    let built = buildx(&empty).context("-").stdin(archive(&repo)).image();
    assert_eq!(built.image().digest, expected.image().digest);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_spec_on_standard_input_builds_the_directory() {
    let repo = one_service();
    let expected = buildx(&repo).image();
    let spec = repo.read("fleet.yaml");
    std::fs::remove_file(repo.file("fleet.yaml")).unwrap();
    let built = buildx(&repo).spec("-").stdin(spec).image();
    assert_eq!(built.image().digest, expected.image().digest);
    // Problems of a spec that has no path are shown as well.
    let bad = buildx(&repo)
        .spec("-")
        .stdin("# syntax=gofleet/gofleet:1\nservices:\n  api:\n    mian: x\n")
        .fails();
    bad.says(["UnknownField", ">>>     mian: x"]);
}

/// Clients call a spec from standard input `Dockerfile`.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_spec_on_standard_input_hides_no_dockerfile() {
    let repo = Repo::new();
    let spec = "# syntax=gofleet/gofleet:1\nservices:\n  api:\n    main: ./cmd/api\n    \
                files:\n      /srv/Dockerfile: Dockerfile\n      /all: .\n";
    repo.program("cmd/api")
        .write("Dockerfile", "FROM scratch\n");
    let build = |file: &str, spec: &str| buildx(&repo).spec(file).stdin(spec);
    let built = build("-", spec).image();
    assert_eq!(built.image().text("srv/Dockerfile"), "FROM scratch\n");
    assert_eq!(built.image().text("all/Dockerfile"), "FROM scratch\n");
    // The spec itself is in no image, unless it is asked for.
    repo.write("Dockerfile", spec);
    let said = build("Dockerfile", "").fails();
    said.says([
        "`Dockerfile` is the spec",
        "`!Dockerfile` into `.dockerignore`",
    ]);
    repo.write(".dockerignore", "!Dockerfile\n");
    let built = build("Dockerfile", "").image();
    assert_eq!(built.image().text("srv/Dockerfile"), spec);
    assert!(built.image().find("all/.dockerignore").is_none());
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_spec_in_json_starts_the_frontend_by_itself() {
    let repo = one_service();
    let expected = buildx(&repo).image();
    let body = "\"services\": {\n\t\t\"api\": \"./cmd/api\"\n\t}\n}\n";
    for text in [
        format!("{{\n\t\"syntax\": \"gofleet/gofleet:1\",\n\t{body}"),
        format!("// syntax=gofleet/gofleet:1\n{{{body}"),
    ] {
        repo.write("fleet.json", &text);
        let built = buildx(&repo).spec("fleet.json").image();
        assert_eq!(built.image().digest, expected.image().digest, "{text}");
    }
    repo.edit("fleet.json", "./cmd/api", "./cmd/apu");
    let said = buildx(&repo).spec("fleet.json").fails();
    said.says(["fleet.json:3:10", ">>> ", "did you mean `./cmd/api`?"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_bad_rule_of_an_ignore_file_is_shown_as_it_is_written() {
    let repo = one_service();
    for name in [".dockerignore", "fleet.yaml.dockerignore"] {
        repo.write(name, "*.md\n/docs/../[a-\n!\n");
        let place = format!("{name}:2:1");
        let said = buildx(&repo).fails();
        said.says([
            "InvalidIgnoreRule",
            "`/docs/../[a-`",
            "`!`",
            &place,
            ">>> /docs/../[a-",
        ]);
        buildx(&repo)
            .args(["--check"])
            .fails()
            .says(["`/docs/../[a-`"]);
    }
    // What only looks odd is taken by the daemon, too.
    repo.write(
        "fleet.yaml.dockerignore",
        "a|b\n{2}\n\\[x\n[[:alpha:]]]x\n\\d\n",
    );
    buildx(&repo).image();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_git_repository_is_a_context() {
    let base = TempDir::new().unwrap();
    let repo = one_service();
    let expected = buildx(&repo).image();
    // The same repository at the root, and in a sub-directory of another one.
    let (root, outer) = (base.path().join("root"), base.path().join("outer"));
    repo.copy_to(&root);
    commit_all(&root);
    repo.copy_to(&outer.join("services"));
    commit_all(&outer);
    let server = GitServer::start(base.path());

    let built = buildx(&repo).context(server.url("root")).image();
    assert_eq!(built.image().digest, expected.image().digest);
    let built = buildx(&repo)
        .context(format!("{}#main:services", server.url("outer")))
        .image();
    assert_eq!(built.image().digest, expected.image().digest);
    let bad = buildx(&repo)
        .context(server.url("root"))
        .spec("other.yaml")
        .fails();
    bad.says(["other.yaml"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_ignore_file_keeps_files_out_of_the_build() {
    let repo = one_service();
    repo.program("cmd/secret")
        .spec("services:\n  api: ./cmd/api\n  secret: ./cmd/secret\n");
    repo.write(".dockerignore", "cmd/secret\n");
    buildx(&repo).target("api").progress();
    buildx(&repo)
        .target("secret")
        .fails()
        .says(["NoSuchPackage", "ignore"]);
    // The spec's own ignore file takes the place of the general one.
    repo.write("fleet.yaml.dockerignore", "cmd/api\n");
    buildx(&repo).target("secret").progress();
    buildx(&repo).target("api").fails().says(["NoSuchPackage"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_ignored_file_runs_nothing_when_it_changes() {
    let repo = one_service();
    repo.write(".dockerignore", "docs\n")
        .write("docs/a.md", "one");
    buildx(&repo).progress();
    repo.write("docs/a.md", "two").write("docs/b.md", "new");
    let progress = buildx(&repo).progress();
    assert_eq!(progress.executed(), [""; 0], "{}", progress.list());
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_named_context_replaces_the_builder_image() {
    let registry = &engine().registry;
    let repo = one_service();
    let expected = buildx(&repo).image();
    // The layers are in the registry already: only the configuration is new.
    let image = Repo::new();
    let other = format!("{registry}/library/golang:e2e-{}", image.nonce);
    image.write(
        "Dockerfile",
        &format!("FROM golang:1.26\nENV E2E={}\n", image.nonce),
    );
    push(&image, &other);

    let context = format!("golang:1.26=docker-image://{other}");
    let built = buildx(&repo).args(["--build-context", &context]).image();
    assert_eq!(
        built.progress.go_steps(),
        ["[api] go build ./cmd/api"],
        "{}",
        built.progress.list()
    );
    assert!(
        built
            .progress
            .vertices()
            .any(|vertex| vertex.name.contains("library/golang:e2e")),
        "{}",
        built.progress.list()
    );
    assert_eq!(
        built.image().digest,
        expected.image().digest,
        "the same Go, the same image"
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_named_context_replaces_the_base_image() {
    let repo = one_service();
    repo.spec("services:\n  api:\n    main: ./cmd/api\n    base: example.invalid/base:1\n");
    let files = Repo::new();
    files
        .write("etc/passwd", "root:x:0:0::/:/\n")
        .write("etc/note", &files.nonce);
    // A directory, as one would try a base image before it exists.
    let context = format!("example.invalid/base:1={}", files.path().display());
    let built = buildx(&repo).args(["--build-context", &context]).image();
    assert_eq!(built.image().text("etc/note"), files.nonce);
    assert!(built.image().find("usr/local/bin/api").is_some());
}
