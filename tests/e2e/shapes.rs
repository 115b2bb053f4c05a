//! Repositories of every shape: each builds from its closure alone, and runs.
//!
//! What the program prints shows that the right files were compiled. A second build
//! shows that the tree is found again.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use tempfile::TempDir;

use crate::support::build::buildx;
use crate::support::repo::Repo;

/// A spec with one service.
fn repo(main: &str) -> Repo {
    let repo = Repo::new();
    repo.spec(&format!("services:\n  app: {main}\n"));
    repo
}

/// Builds the binary and runs it; a second build must run nothing.
fn output(repo: &Repo) -> String {
    let out = TempDir::new().unwrap();
    buildx(repo).target("binaries").files(out.path());
    let again = buildx(repo).target("binaries").progress();
    assert_eq!(again.executed(), [""; 0], "{}", again.list());
    let run = Command::new(out.path().join("app")).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    String::from_utf8_lossy(&run.stdout).trim().to_owned()
}

/// A program that prints the variable `Name` of packages, and imports others.
fn program(repo: &Repo, prints: &[&str]) -> String {
    let nonce = &repo.nonce;
    let imports: String = prints
        .iter()
        .enumerate()
        .map(|(i, path)| format!("\tp{i} \"{path}\"\n"))
        .collect();
    let names: String = (0..prints.len()).map(|i| format!(", p{i}.Name")).collect();
    format!(
        "package main\n\nimport (\n\t\"fmt\"\n{imports})\n\n\
         func main() {{ _ = \"{nonce}\"; fmt.Println(\"main\"{names}) }}\n"
    )
}

fn package(name: &str, value: &str) -> String {
    format!("package {name}\n\nvar Name = \"{value}\"\n")
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_module_below_the_context_with_a_replacement_beside_it() {
    let repo = repo("./backend/cmd/app");
    std::fs::remove_file(repo.file("go.mod")).unwrap();
    let main = program(&repo, &["example.com/lib/deep", "example.com/app/in"]);
    repo.write(
        "backend/go.mod",
        "module example.com/app\n\ngo 1.26\n\nrequire example.com/lib v0.0.0\n\n\
         replace example.com/lib => ../lib\n",
    )
    .write("backend/cmd/app/main.go", &main)
    .write("backend/in/in.go", &package("in", "in"))
    .write("lib/go.mod", "module example.com/lib\n\ngo 1.26\n")
    .write("lib/deep/deep.go", &package("deep", "deep"))
    .write(
        "lib/other/broken.go",
        "package other\n\nimport \"example.com/nowhere\"\n",
    );
    assert_eq!(output(&repo), "main deep in");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_closure_of_many_directories_is_mounted() {
    let repo = repo("./cmd/app");
    let module = repo.module();
    let mut dirs = Vec::new();
    for i in 0..90 {
        // Nested ones too: a directory with others below it cannot be mounted.
        let dir = match i % 3 {
            0 => format!("lib/p{i}"),
            1 => format!("lib/p{}/sub{i}", i - 1),
            _ => format!("lib/deep/er/p{i}"),
        };
        let name = dir.rsplit('/').next().unwrap().to_owned();
        repo.write(&format!("{dir}/x.go"), &package(&name, &i.to_string()));
        dirs.push(format!("{module}/{dir}"));
    }
    let dirs: Vec<&str> = dirs.iter().map(String::as_str).collect();
    repo.write("cmd/app/main.go", &program(&repo, &dirs));
    let expected: Vec<String> = (0..90).map(|i| i.to_string()).collect();
    assert_eq!(output(&repo), format!("main {}", expected.join(" ")));

    // A package below a mounted directory is not seen, so it runs nothing.
    repo.write("lib/p89/unused/unused.go", "package unused\n")
        .write("lib/deep/er/p2/unused/unused.go", "package unused\n");
    let progress = buildx(&repo).target("binaries").progress();
    let builds: Vec<_> = progress
        .executed()
        .into_iter()
        .filter(|step| step.contains("go build"))
        .collect();
    assert_eq!(builds, [""; 0], "{}", progress.list());
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn assembly_and_a_name_that_is_no_text() {
    let repo = repo("./cmd/app");
    let module = repo.module();
    let main = program(&repo, &[&format!("{module}/asm")]);
    repo.write("cmd/app/main.go", &main)
        .write(
            "asm/asm.go",
            "package asm\n\nfunc answer() int64\n\nvar Name = answer()\n",
        )
        .write(
            "asm/asm_amd64.s",
            "#include \"textflag.h\"\n#include \"../include/answer.h\"\n\n\
             TEXT ·answer(SB), NOSPLIT, $0-8\n\tMOVQ $ANSWER, ret+0(FP)\n\tRET\n",
        )
        .write("include/answer.h", "#define ANSWER 42\n")
        .write("asm/ignored.txt", "x");
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff.go");
    std::fs::write(repo.path().join("asm").join(odd), "package asm\n").unwrap();
    assert_eq!(output(&repo), "main 42");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn vendored_modules_need_no_network() {
    let repo = repo("./cmd/app");
    let nonce = repo.nonce.clone();
    repo.write(
        "go.mod",
        &format!(
            "module {}\n\ngo 1.26\n\nrequire example.org/dep v1.0.0\n",
            repo.module()
        ),
    )
    .write(
        "cmd/app/main.go",
        &format!(
            "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.org/dep\"\n)\n\n\
             func main() {{ _ = \"{nonce}\"; fmt.Println(dep.Name) }}\n"
        ),
    )
    .write(
        "vendor/modules.txt",
        "# example.org/dep v1.0.0\n## explicit; go 1.26\nexample.org/dep\n",
    )
    .write("vendor/example.org/dep/dep.go", &package("dep", "vendored"))
    .write("vendor/example.org/unused/unused.go", "package unused\n");
    assert_eq!(output(&repo), "vendored");
    repo.write(
        "vendor/example.org/unused/unused.go",
        "package unused // x\n",
    )
    .write("go.sum", "example.org/other v1.0.0 h1:x\n");
    let progress = buildx(&repo).target("binaries").progress();
    let builds = progress.executed();
    assert!(
        !builds.iter().any(|s| s.contains("go build")),
        "{}",
        progress.list()
    );
}
