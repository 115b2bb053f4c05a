//! The repository that is built, and what the `go` command makes of it on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::run::output;

/// Its services.
pub(super) const SERVICES: [&str; 3] = ["api", "jobs", "web"];
/// A module of one file.
const MODULE: &str = "github.com/josharian/intern@v1.0.0";
const SUM: &str = "\
github.com/josharian/intern v1.0.0 h1:vlS4z54oSdjm0bgjRigI+G1HpF+tI+9rE5LLzOg8HmY=
github.com/josharian/intern v1.0.0/go.mod h1:5DoeVV0s6jJacbCEi61lwdGj/aVlrQvzHFFd8Hwg//Y=
";

/// A repository; it is removed with the value.
pub(super) struct Sources {
    dir: PathBuf,
}

impl Sources {
    /// Writes one whose module, and so whose every step, no build has seen before.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(super) fn new(below: &Path, frontend: &str) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let module = format!("example.com/faults/{}-{number}", std::process::id());
        let sources = Self {
            dir: below.join(format!("sources-{number}")),
        };
        let require = MODULE.replace('@', " ");
        let mut spec = format!("# syntax={frontend}\nservices:\n");
        sources.write(
            "go.mod",
            &format!("module {module}\n\ngo 1.26\n\nrequire {require}\n"),
        )?;
        sources.write("go.sum", SUM)?;
        for name in SERVICES {
            spec += &format!("  {name}: ./cmd/{name}\n");
            let text = format!(
                "package main\n\nimport \"{module}/shared\"\n\n\
                 func main() {{\n\tprintln(shared.Name(\"{name}\"))\n}}\n"
            );
            sources.write(&format!("cmd/{name}/main.go"), &text)?;
        }
        sources.write("fleet.yaml", &spec)?;
        sources.edit(&module)?;
        Ok(sources)
    }

    /// Changes what all services print.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn edit(&self, word: &str) -> Result<()> {
        self.write(
            "shared/shared.go",
            &format!(
                "package shared\n\nimport \"github.com/josharian/intern\"\n\n\
                 func Name(s string) string {{\n\treturn intern.String(s + \" {word}\")\n}}\n"
            ),
        )
    }

    /// The same files at another place.
    ///
    /// # Errors
    ///
    /// They cannot be copied.
    pub(super) fn copy(&self, name: &str) -> Result<Self> {
        let dir = PathBuf::from(format!("{}-{name}", self.dir.display()));
        output(Command::new("cp").arg("-a").arg(&self.dir).arg(&dir))?;
        Ok(Self { dir })
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The `go` command of this machine, of the version that the daemon's image has.
pub(super) struct Reference {
    /// `go1.26.8`.
    toolchain: String,
    modules: PathBuf,
}

impl Reference {
    /// Fetches the module that sources need, and keeps it below `dir`.
    ///
    /// # Errors
    ///
    /// The module cannot be fetched.
    pub(super) fn new(dir: &Path) -> Result<Self> {
        let modules = dir.join("modules");
        output(
            Command::new("go")
                .args(["mod", "download", MODULE])
                .current_dir("/")
                .env("GOMODCACHE", &modules)
                .env("GOFLAGS", "-modcacherw"),
        )?;
        Ok(Self {
            toolchain: "local".to_owned(),
            modules,
        })
    }

    /// A directory that a module proxy may serve.
    pub(super) fn proxy(&self) -> PathBuf {
        self.modules.join("cache/download")
    }

    /// Takes the version that a program was built with.
    ///
    /// # Errors
    ///
    /// It is no Go program.
    pub(super) fn as_in(&mut self, program: &Path) -> Result<()> {
        let text = output(Command::new("go").arg("version").arg(program))?;
        let version = text.rsplit(' ').next().unwrap_or_default();
        if !version.starts_with("go1.") {
            bail!(
                "{} was built by no release of Go: {text}",
                program.display()
            );
        }
        self.toolchain = version.to_owned();
        Ok(())
    }

    /// Compares the programs in a directory with those that `go build` makes.
    ///
    /// # Errors
    ///
    /// One differs, is missing, or does not build.
    pub(super) fn compare(&self, sources: &Sources, programs: &Path) -> Result<()> {
        self.compare_some(sources, programs, &SERVICES)
    }

    /// The same for some of them.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn compare_some(
        &self,
        sources: &Sources,
        programs: &Path,
        services: &[&str],
    ) -> Result<()> {
        let own = sources.path().with_extension("reference");
        fs::create_dir_all(&own)?;
        output(
            Command::new("go")
                .args(["build", "-trimpath", "-buildvcs=false"])
                // What a build step of gofleet passes.
                .args(["-ldflags=-s -w -buildid=", "-o"])
                .arg(&own)
                .arg("./cmd/...")
                .current_dir(sources.path())
                .env("CGO_ENABLED", "0")
                .env("GOENV", "off")
                .env("GOMODCACHE", &self.modules)
                .env("GOTOOLCHAIN", &self.toolchain)
                .env("GOFLAGS", ""),
        )?;
        let differs = services.iter().find(|name| {
            let ours = fs::read(programs.join(name)).unwrap_or_default();
            fs::read(own.join(name)).ok() != Some(ours)
        });
        fs::remove_dir_all(&own)?;
        match differs {
            Some(name) => bail!("{name} is not what `go build` makes"),
            None => Ok(()),
        }
    }
}
