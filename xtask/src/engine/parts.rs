//! The programs of the engine that are Go modules: built here, once, from
//! `tests/engine/PART/go.mod`, whose `go.sum` pins every byte that goes in.
//!
//! One `go.mod` per part: in a common one the parts would raise each other's
//! dependency versions. A built part lies in `bin/PART-VERSION-KEY`, where KEY
//! covers `go.mod`, `go.sum`, the flags and the Go version; a part that is there
//! is never built again, also not for another clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::state::{Cache, key};
use crate::run;

/// One folder of `tests/engine`.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Folder name: `buildkit`, `buildkit-v0.12.5`.
    name: String,
    /// The module whose version is the part's.
    module: &'static str,
    /// Packages, with the name of the program that each becomes.
    programs: &'static [(&'static str, &'static str)],
    /// A string variable of the program that takes the version.
    version_variable: Option<&'static str>,
    tags: &'static str,
    /// For an image from scratch.
    is_static: bool,
}

/// buildkitd and buildctl, the pinned version.
pub(crate) fn buildkit() -> Part {
    Part {
        name: "buildkit".to_string(),
        module: "github.com/moby/buildkit",
        programs: &[
            ("github.com/moby/buildkit/cmd/buildkitd", "buildkitd"),
            ("github.com/moby/buildkit/cmd/buildctl", "buildctl"),
        ],
        version_variable: Some("github.com/moby/buildkit/version.Version"),
        tags: "",
        is_static: false,
    }
}

/// The frontend behind `# syntax=docker/dockerfile:1`, for comparisons: of the same
/// module as buildkitd, so the one `go.mod` pins both.
pub(crate) fn dockerfile_frontend() -> Part {
    Part {
        programs: &[(
            "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
            "dockerfile-frontend",
        )],
        version_variable: None,
        tags: "netgo,osusergo,static_build",
        is_static: true,
        ..buildkit()
    }
}

/// ko, for comparisons.
pub(crate) fn ko() -> Part {
    Part {
        name: "ko".to_string(),
        module: "github.com/google/ko",
        programs: &[("github.com/google/ko", "ko")],
        version_variable: None,
        tags: "",
        is_static: false,
    }
}

/// An older buildkitd, one that has a folder in `tests/engine`.
///
/// # Errors
///
/// The version has no folder; the message lists those that have.
pub(crate) fn older_buildkit(version: &str) -> Result<Part> {
    let name = format!("buildkit-{version}");
    if !engine_dir().join(&name).join("go.mod").is_file() {
        let mut known = Vec::new();
        for entry in fs::read_dir(engine_dir())? {
            let entry = entry?.file_name().to_string_lossy().into_owned();
            known.extend(entry.strip_prefix("buildkit-").map(String::from));
        }
        known.sort();
        bail!(
            "no buildkitd {version} here; the pinned older ones are: {}",
            known.join(", ")
        );
    }
    Ok(Part { name, ..buildkit() })
}

/// buildx, a plugin of the docker command.
pub(crate) fn buildx() -> Part {
    Part {
        name: "buildx".to_string(),
        module: "github.com/docker/buildx",
        programs: &[("github.com/docker/buildx/cmd/buildx", "docker-buildx")],
        // Compose refuses a buildx that does not know its version.
        version_variable: Some("github.com/docker/buildx/version.Version"),
        tags: "",
        is_static: false,
    }
}

/// Compose, a plugin of the docker command.
pub(crate) fn compose() -> Part {
    Part {
        name: "compose".to_string(),
        module: "github.com/docker/compose/v5",
        programs: &[("github.com/docker/compose/v5/cmd", "docker-compose")],
        version_variable: Some("github.com/docker/compose/v5/internal.Version"),
        tags: "",
        is_static: false,
    }
}

/// Docker Engine with its containerd.
pub(crate) fn docker() -> Part {
    Part {
        name: "docker".to_string(),
        module: "github.com/moby/moby/v2",
        programs: &[
            ("github.com/moby/moby/v2/cmd/dockerd", "dockerd"),
            ("github.com/moby/moby/v2/cmd/docker-proxy", "docker-proxy"),
            (
                "github.com/containerd/containerd/v2/cmd/containerd",
                "containerd",
            ),
            (
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
                "containerd-shim-runc-v2",
            ),
        ],
        version_variable: Some("github.com/moby/moby/v2/dockerversion.Version"),
        tags: "",
        is_static: false,
    }
}

/// The docker command, for machines that have none or one too old for this engine.
pub(crate) fn docker_cli() -> Part {
    Part {
        name: "docker-cli".to_string(),
        module: "github.com/docker/cli",
        programs: &[("github.com/docker/cli/cmd/docker", "docker")],
        version_variable: Some("github.com/docker/cli/cli/version.Version"),
        tags: "",
        is_static: false,
    }
}

/// runc. Debian's own (1.1) lacks what Docker Engine asks of it.
pub(crate) fn runc() -> Part {
    Part {
        name: "runc".to_string(),
        module: "github.com/opencontainers/runc",
        programs: &[("github.com/opencontainers/runc", "runc")],
        version_variable: None,
        tags: "seccomp",
        is_static: false,
    }
}

impl Part {
    /// The version that `go.mod` pins, `v0.32.2`.
    pub(crate) fn version(&self) -> Result<String> {
        let text = self.file("go.mod")?;
        pinned(&text, self.module).with_context(|| {
            format!(
                "tests/engine/{}/go.mod does not require {}",
                self.name, self.module
            )
        })
    }

    /// Where the built programs lie. Nothing is built yet.
    pub(crate) fn dir(&self, cache: &Cache, go_version: &str) -> Result<PathBuf> {
        let version = self.version()?;
        let key = key([
            self.file("go.mod")?.as_str(),
            self.file("go.sum")?.as_str(),
            &self.flags()?.join(" "),
            &format!("{:?}", self.programs),
            go_version,
        ]);
        let name = self
            .name
            .strip_suffix(&format!("-{version}"))
            .unwrap_or(&self.name);
        Ok(cache.bin(&format!("{name}-{version}-{key}")))
    }

    /// Builds the part unless it is there, and returns its folder.
    ///
    /// # Errors
    ///
    /// `go build` fails; the message holds the tail of its output.
    pub(crate) fn build(&self, cache: &Cache, go_version: &str) -> Result<PathBuf> {
        let dir = self.dir(cache, go_version)?;
        if dir.is_dir() {
            return Ok(dir);
        }
        // Built beside its place and then moved there: what has the right name is whole.
        let building = cache.bin(&format!(".building-{}", self.programs[0].1));
        if building.exists() {
            fs::remove_dir_all(&building)?;
        }
        fs::create_dir_all(&building)?;
        let mut command = Command::new("go");
        command
            .current_dir(engine_dir().join(&self.name))
            .args(["build", "-v"])
            .args(self.flags()?)
            .arg("-o")
            // With the slash Go knows it as a folder.
            .arg(format!("{}/", building.display()))
            .args(self.programs.iter().map(|(package, _)| package))
            // runc needs it; with one setting for all, the parts share what Go has compiled.
            .env("CGO_ENABLED", if self.is_static { "0" } else { "1" })
            .env("GOWORK", "off")
            .env("GOFLAGS", "-mod=readonly");
        let what = format!(
            "building {} {}",
            self.name.replace(&format!("-{}", self.version()?), ""),
            self.version()?
        );
        run::logged(
            &what,
            &mut command,
            &cache.log(&format!("build-{}", self.name)),
        )?;
        for (package, program) in self.programs {
            let built = package.rsplit('/').next().unwrap_or(package);
            fs::rename(building.join(built), building.join(program))
                .with_context(|| format!("go build left no {built}"))?;
        }
        fs::rename(&building, &dir)?;
        Ok(dir)
    }

    fn flags(&self) -> Result<Vec<String>> {
        let mut linker = "-s -w".to_string();
        if let Some(variable) = self.version_variable {
            linker += &format!(" -X {variable}={}", self.version()?);
        }
        Ok(vec![
            "-trimpath".to_string(),
            "-buildvcs=false".to_string(),
            format!("-ldflags={linker}"),
            format!("-tags={}", self.tags),
        ])
    }

    fn file(&self, name: &str) -> Result<String> {
        let path = engine_dir().join(&self.name).join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// The folder with one `go.mod` per part.
fn engine_dir() -> PathBuf {
    crate::root().join("tests").join("engine")
}

/// A file of `tests/engine/images`.
pub(crate) fn images_dir() -> PathBuf {
    engine_dir().join("images")
}

/// The version of the host's Go, `go1.26.8`.
///
/// # Errors
///
/// There is no Go.
pub(crate) fn host_go() -> Result<String> {
    run::output(
        Command::new("go")
            .args(["env", "GOVERSION"])
            .current_dir(Path::new("/")),
    )
    .context("the engine is built with Go; install it from your distribution or go.dev")
}

/// The version that the text of a `go.mod` requires of `module`.
fn pinned(go_mod: &str, module: &str) -> Option<String> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let mut words = line
            .strip_prefix("require ")
            .unwrap_or(line)
            .split_whitespace();
        (words.next() == Some(module))
            .then(|| words.next())
            .flatten()
            .map(String::from)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_part_pins_its_version_and_its_sums() {
        let older = older_buildkit("v0.12.5").unwrap();
        for part in [
            buildkit(),
            older,
            buildx(),
            compose(),
            docker(),
            docker_cli(),
            ko(),
            runc(),
        ] {
            assert!(part.version().unwrap().starts_with('v'), "{part:?}");
            assert!(
                part.file("go.sum").unwrap().contains(part.module),
                "{part:?}"
            );
            let go_mod = part.file("go.mod").unwrap();
            for (package, _) in part.programs {
                assert!(
                    go_mod.contains(package),
                    "{package} is no tool of {}",
                    part.name
                );
            }
        }
    }

    #[test]
    fn an_unknown_older_buildkitd_is_answered_with_the_known_ones() {
        let error = older_buildkit("v0.1.0").unwrap_err().to_string();
        assert!(
            error.contains("v0.1.0") && error.contains("v0.12.5"),
            "{error}"
        );
    }

    #[test]
    fn a_pinned_version_is_read_from_both_forms_of_require() {
        let text = "require example.org/a v1.2.3\nrequire (\n\texample.org/b v0.1.0 // indirect\n)\ntool example.org/b/cmd\n";
        assert_eq!(pinned(text, "example.org/a").as_deref(), Some("v1.2.3"));
        assert_eq!(pinned(text, "example.org/b").as_deref(), Some("v0.1.0"));
        assert_eq!(pinned(text, "example.org/c"), None);
    }
}
