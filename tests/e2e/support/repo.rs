//! Repositories to build: copies of the examples, and small generated ones.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::copy::copy;
use super::engine::in_repository;
use super::private::Module;

/// The first line of every spec.
pub(crate) const SYNTAX: &str = "# syntax=gofleet/gofleet:1\n";

/// A module that is small, has no requirements and stays as it is, for builds
/// that download: its `require` line and its lines of `go.sum`.
pub(crate) const REQUIRE: &str = "github.com/pkg/errors v0.9.1";
const REQUIRE_SUM: &str = "\
github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=
github.com/pkg/errors v0.9.1/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=
";

/// A directory with a spec and Go files; it is gone with the value.
pub(crate) struct Repo {
    dir: TempDir,
    /// In every generated program, so that no test finds the steps of another
    /// test, or of an earlier run, in the builder's cache.
    pub(crate) nonce: String,
}

impl Repo {
    /// A directory without any file.
    pub(crate) fn empty() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            nonce: nonce(),
        }
    }

    /// A module `example.com/nNONCE` without requirements, programs or spec.
    pub(crate) fn new() -> Self {
        let repo = Self::empty();
        repo.write("go.mod", &format!("module {}\n\ngo 1.26\n", repo.module()));
        repo
    }

    /// A module with one requirement.
    pub(crate) fn with_requirement() -> Self {
        let repo = Self::new();
        repo.write(
            "go.mod",
            &format!("module {}\n\ngo 1.26\n\nrequire {REQUIRE}\n", repo.module()),
        );
        repo.write("go.sum", REQUIRE_SUM);
        repo
    }

    /// A copy of a folder of this repository, without its nonce: it shares the
    /// builder's cache with other copies.
    pub(crate) fn copy_of(path: &str) -> Self {
        let repo = Self::empty();
        copy(&in_repository(path), repo.path());
        repo
    }

    /// The same files in another place.
    pub(crate) fn copy(&self) -> Self {
        let twin = Self {
            dir: TempDir::new().unwrap(),
            nonce: self.nonce.clone(),
        };
        self.copy_to(twin.path());
        twin
    }

    /// Copies all files into a directory, which is made.
    pub(crate) fn copy_to(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        copy(self.path(), dir);
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn module(&self) -> String {
        format!("example.com/n{}", self.nonce)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap()
    }

    /// Replaces a text that must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "no `{from}` in {path}:\n{text}");
        self.write(path, &text.replace(from, to))
    }

    /// Writes `fleet.yaml`: the syntax line and `text`.
    pub(crate) fn spec(&self, text: &str) -> &Self {
        self.write("fleet.yaml", &format!("{SYNTAX}{text}"))
    }

    /// Writes a program of few packages that prints one line.
    pub(crate) fn program(&self, dir: &str) -> &Self {
        let line = format!("{dir} {}", self.nonce);
        self.write(&format!("{dir}/main.go"), &format!(
            "package main\n\nimport \"os\"\n\nfunc main() {{\n\tos.Stdout.WriteString(\"{line}\\n\")\n}}\n"
        ))
    }

    /// Writes a program that uses the requirement of [`Repo::with_requirement`].
    pub(crate) fn requiring_program(&self, dir: &str) -> &Self {
        let line = format!("{dir} {}", self.nonce);
        self.write(
            &format!("{dir}/main.go"),
            &format!(
                "package main\n\nimport (\n\t\"os\"\n\n\t\"github.com/pkg/errors\"\n)\n\n\
             func main() {{\n\tos.Stdout.WriteString(errors.New(\"{line}\\n\").Error())\n}}\n"
            ),
        )
    }

    /// Has `cmd/api` import these modules, with their lines in `go.mod` and `go.sum`.
    pub(crate) fn requiring(&self, modules: &[&Module]) -> &Self {
        let last = format!("\tprintln(\"{}\")\n", self.nonce);
        self.requiring_at(
            &self.module(),
            ["go.mod", "go.sum", "cmd/api/main.go"],
            modules,
            &last,
        )
    }

    /// The same in another module: its manifest, its sums and its main package, whose last lines
    /// are these.
    pub(crate) fn requiring_at(
        &self,
        module: &str,
        [go_mod, go_sum, main]: [&str; 3],
        modules: &[&Module],
        last: &str,
    ) -> &Self {
        let mut manifest = format!("module {module}\n\ngo 1.26\n");
        let mut sums = String::new();
        let (mut imports, mut calls) = (String::new(), String::new());
        for (i, module) in modules.iter().enumerate() {
            manifest += &format!("\nrequire {} {}\n", module.path, module.version);
            sums += &module.sums;
            imports += &format!("\tlib{i} \"{}\"\n", module.path);
            calls += &format!("\tprintln(lib{i}.Hello())\n");
        }
        let text =
            format!("package main\n\nimport (\n{imports})\n\nfunc main() {{\n{calls}{last}}}\n");
        self.write(go_mod, &manifest)
            .write(go_sum, &sums)
            .write(main, &text)
    }
}

/// Something that no other repository has.
pub(crate) fn nonce() -> String {
    // Its keys are random in every process and differ from call to call.
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
