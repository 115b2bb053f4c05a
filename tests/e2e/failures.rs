//! Services that do not compile beside services that do, in one solve.

use std::env;
use std::fmt::Write as _;

use tempfile::TempDir;

use crate::support::build::{buildctl_dockerfile, buildx};
use crate::support::command::Output;
use crate::support::engine::heavy;
use crate::support::repo::Repo;

/// How many services a repository has here. A hundred say no more than a few, and link
/// for minutes: `GOFLEET_E2E_MAINS=67` is for the command line.
fn count() -> usize {
    env::var("GOFLEET_E2E_MAINS").map_or(9, |count| count.parse().unwrap())
}

fn name(i: usize) -> String {
    format!("s{i:03}")
}

/// How many modules they are in.
const MODULES: usize = 3;

/// Directory of the main package of a service.
fn main_of(i: usize) -> String {
    format!("m{}/cmd/{}", i % MODULES, name(i))
}

/// Many tiny programs in modules that require and replace each other.
fn many() -> Repo {
    let repo = Repo::new();
    std::fs::remove_file(repo.file("go.mod")).unwrap();
    let nonce = repo.nonce.clone();
    for module in 0..MODULES {
        let path = |k: usize| format!("{}/m{k}", repo.module());
        let mut manifest = format!("module {}\n\ngo 1.26\n", path(module));
        for other in (0..MODULES).filter(|other| *other != module) {
            let path = path(other);
            let _ = write!(
                manifest,
                "\nrequire {path} v0.0.0\n\nreplace {path} => ../m{other}\n"
            );
        }
        repo.write(&format!("m{module}/go.mod"), &manifest);
        let lib = format!("package lib\n\nconst Nonce = \"{nonce}\"\n");
        repo.write(&format!("m{module}/lib/lib.go"), &lib);
    }
    let mut spec = "services:\n".to_owned();
    for i in 0..count() {
        let (name, main) = (name(i), main_of(i));
        let _ = writeln!(spec, "  {name}: ./{main}");
        let import = format!("{}/m{}/lib", repo.module(), (i + 1) % MODULES);
        let text = format!(
            "package main\n\nimport \"{import}\"\n\nfunc main() {{ println(\"{name}\", lib.Nonce) }}\n"
        );
        repo.write(&format!("{main}/main.go"), &text);
    }
    repo.spec(&spec);
    repo
}

/// The lines that the steps of a failed build wrote, without the summary of the client.
fn steps_said(output: &Output, text: &str) -> usize {
    let from_steps = output.stderr.lines().filter(|line| line.starts_with('#'));
    from_steps.filter(|line| line.contains(text)).count()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_service_that_does_not_compile_ends_no_other() {
    let _alone = heavy();
    let repo = many();
    // The last ones may still run when the first one fails.
    let (early, late) = (name(1), name(count() - 2));
    let (early_file, late_file) = (
        format!("{}/main.go", main_of(1)),
        format!("{}/main.go", main_of(count() - 2)),
    );
    repo.edit(&early_file, "println", "printn");
    repo.edit(&late_file, "lib.Nonce", "lib.Gone");
    let built = count() - 2;
    for build in [buildx(&repo), buildctl_dockerfile(&repo)] {
        let output = build.target("binaries").fails();
        output.says([
            format!("2 of {} builds failed", count()).as_str(),
            &format!("the other {built} are built"),
            // What Go says, once under each step.
            &format!("cmd/{early}/main.go:5:15: undefined: printn"),
            &format!("cmd/{late}/main.go:5:35: undefined: lib.Gone"),
            // The places of both in the spec, with its lines.
            &format!("fleet.yaml:4: {early}: "),
            &format!("fleet.yaml:{}: {late}: ", count() + 1),
            &format!(">>>   {early}: ./{}", main_of(1)),
            &format!(">>>   {late}: ./{}", main_of(count() - 2)),
            &format!("built: {}, {}", name(0), name(2)),
        ]);
        assert_eq!(
            steps_said(&output, "undefined: printn"),
            1,
            "{}",
            output.stderr
        );
        assert_eq!(
            steps_said(&output, "undefined: lib.Gone"),
            1,
            "{}",
            output.stderr
        );
    }

    repo.edit(&early_file, "printn", "println");
    repo.edit(&late_file, "lib.Gone", "lib.Nonce");
    let out = TempDir::new().unwrap();
    let progress = buildx(&repo).target("binaries").files(out.path());
    let steps = progress.go_steps();
    let compiled: Vec<&&str> = steps.iter().filter(|s| s.contains("go build")).collect();
    let both = [1, count() - 2].map(|i| format!("[{}] go build ./{}", name(i), main_of(i)));
    assert_eq!(compiled, both.iter().collect::<Vec<_>>(), "{steps:?}");
    for i in 0..count() {
        assert!(out.path().join(name(i)).is_file(), "{}", name(i));
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_platform_that_does_not_compile_ends_no_other() {
    let repo = Repo::new();
    repo.program("cmd/api")
        .write("cmd/api/x_arm64.go", "package main\n\nvar _ = gone\n")
        .spec("services:\n  api: ./cmd/api\n");
    let output = buildx(&repo)
        .platform("linux/amd64,linux/arm64,linux/riscv64")
        .target("api")
        .fails();
    output.says([
        "1 of 3 builds failed, the other 2 are built",
        "cmd/api/x_arm64.go:3:9: undefined: gone",
        "fleet.yaml:3: linux/arm64 api: ",
        "built: linux/amd64 api, linux/riscv64 api",
    ]);
}
