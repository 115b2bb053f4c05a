//! The shop on whatever BuildKit the environment selects: `cargo xtask test
//! --buildkit v0.12.5` runs these against an older one.

use tempfile::TempDir;

use crate::support::build::{buildctl_dockerfile, buildx};
use crate::support::command::docker;
use crate::support::elf::Elf;
use crate::support::engine::{engine, fetch_settings, heavy};
use crate::support::oci;
use crate::support::repo::Repo;

const SERVICES: [&str; 6] = ["api", "catalog", "orders", "web", "worker", "migrate"];

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_shop_builds_by_both_of_its_bake_files() {
    let _heavy = heavy();
    let repo = Repo::copy_of("examples/shop");
    let printed = buildx(&repo)
        .args(["--call", "bake"])
        .tool("plain", None)
        .ok()
        .text();
    let by_print = bake(&repo, "-", &printed);
    let by_hand = bake(&repo, "docker-bake.hcl", "");
    for (name, (one, other)) in SERVICES.iter().zip(by_print.iter().zip(&by_hand)) {
        assert_eq!(one.digest, other.digest, "{name}");
        let elf = Elf::read(&one.entry(&format!("usr/local/bin/{name}")).data);
        assert!(!elf.dynamic && !elf.symbols, "{name}: {elf:?}");
        assert_eq!(one.setting("User"), "65532:65532", "{name}");
        assert!(
            one.layers[0].has("etc/ssl/certs/ca-certificates.crt"),
            "{name}"
        );
    }
    let migrate = &by_print[5];
    assert!(
        migrate.find("migrations/0001_catalog.sql").is_some(),
        "files of the spec"
    );
}

/// Bakes all services into archives, and reads them in the order of [`SERVICES`].
fn bake(repo: &Repo, file: &str, stdin: &str) -> Vec<oci::Image> {
    let out = TempDir::new().unwrap();
    let mut tool = docker()
        .args([
            "buildx",
            "bake",
            "--builder",
            &engine().builder,
            "--file",
            file,
        ])
        .args(["--allow", &format!("fs.write={}", out.path().display())])
        .dir(repo.path())
        .stdin(stdin);
    for (name, value) in fetch_settings() {
        tool = tool
            .env(name, value)
            .args(["--set", &format!("*.secrets+=id={name},env={name}")]);
    }
    for service in SERVICES {
        let dest = out.path().join(service);
        tool = tool.args([
            "--set",
            &format!("{service}.output=type=oci,dest={}", dest.display()),
        ]);
    }
    tool.ok();
    SERVICES
        .iter()
        .map(|service| oci::read_one(&out.path().join(service)))
        .collect()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_small_repository_builds_for_two_platforms_and_is_cached() {
    let repo = Repo::new();
    repo.program("cmd/api").write("data/one.txt", "1");
    repo.spec("services:\n  api:\n    main: ./cmd/api\n    files:\n      /srv/data: ./data\n");
    let both = "linux/amd64,linux/arm64";
    let first = buildx(&repo).platform(both).image();
    assert_eq!(
        oci::platforms(&first.images),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(first.images[0].text("srv/data/one.txt"), "1");
    let again = buildctl_dockerfile(&repo).platform(both).image();
    assert_eq!(
        again.progress.executed(),
        [""; 0],
        "{}",
        again.progress.list()
    );
    assert_eq!(again.images[0].digest, first.images[0].digest);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn problems_have_places_and_snippets() {
    let repo = Repo::new();
    repo.program("cmd/api")
        .spec("services:\n  api:\n    mian: ./cmd/api\n");
    buildx(&repo)
        .fails()
        .says(["UnknownField", "fleet.yaml:4:5", ">>>     mian: ./cmd/api"]);
    repo.edit("cmd/api/main.go", "os.Stdout", "os.Stdoot")
        .spec("services:\n  api: ./cmd/api\n");
    buildx(&repo).fails().says([
        "[api] go build ./cmd/api",
        "undefined: os.Stdoot",
        ">>>   api: ./cmd/api",
    ]);
}
