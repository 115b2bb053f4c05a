//! What the user already runs, and the environment that selects an engine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Engine;
use super::state::{Cache, write_atomically};
use crate::run;

/// Daemons that the user runs. They are used as they are, never changed or ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provided {
    /// BUILDKIT_HOST.
    pub(crate) buildkit: Option<String>,
    /// DOCKER_HOST, or what the current Docker context says.
    pub(crate) docker: Option<String>,
}

impl Provided {
    /// Looks for daemons that are not this engine's own.
    ///
    /// # Errors
    ///
    /// A variable names a daemon that does not answer: starting another one
    /// beside it would surprise whoever set it.
    pub(crate) fn find(cache: &Cache) -> Result<Self> {
        let named = |variable: &str| {
            std::env::var(variable)
                .ok()
                .filter(|host| !host.is_empty() && !cache.owns(host))
        };
        let buildkit = named("BUILDKIT_HOST");
        if let Some(host) = &buildkit
            && !answers(host)
        {
            bail!(
                "BUILDKIT_HOST={host} does not answer; start it, or unset the variable to let this command start one"
            );
        }
        let docker = docker_host(cache)?;
        Ok(Self { buildkit, docker })
    }
}

/// The address of a Docker that the user runs.
fn docker_host(cache: &Cache) -> Result<Option<String>> {
    // Without what `engine env` sets, so that the answer is about the user's Docker.
    let docker = || {
        let mut command = Command::new("docker");
        for variable in ["DOCKER_HOST", "DOCKER_CONFIG"] {
            let value = std::env::var(variable).unwrap_or_default();
            if cache.owns(&value) || cache.owns(&format!("unix://{value}")) {
                command.env_remove(variable);
            }
        }
        command
    };
    let named = std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty() && !cache.owns(host));
    if !run::on_path("docker") {
        let host = named.unwrap_or_else(|| "unix:///var/run/docker.sock".to_string());
        return Ok(answers(&host).then_some(host));
    }
    let replies =
        run::output(docker().args(["version", "--format", "{{.Server.Version}}"])).is_ok();
    match (replies, named) {
        (true, Some(host)) => Ok(Some(host)),
        (true, None) => {
            let format = "{{.Endpoints.docker.Host}}";
            Ok(Some(run::output(
                docker().args(["context", "inspect", "--format", format]),
            )?))
        }
        (false, Some(host)) => bail!(
            "DOCKER_HOST={host} does not answer; start it, or unset the variable to let this command start one"
        ),
        (false, None) => Ok(None),
    }
}

/// Whether something listens at `unix:///path` or `tcp://host:port`. Other schemes
/// (ssh, docker-container) are taken at their word.
fn answers(host: &str) -> bool {
    if let Some(path) = host.strip_prefix("unix://") {
        UnixStream::connect(path).is_ok()
    } else if let Some(address) = host.strip_prefix("tcp://") {
        address
            .to_socket_addrs()
            .is_ok_and(|mut all| all.any(|one| TcpStream::connect(one).is_ok()))
    } else {
        true
    }
}

impl Engine {
    /// Lines for a shell: `export NAME='value'`.
    pub(crate) fn exports(&self) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
        let mut text = String::new();
        for (name, value) in &self.variables {
            let _ = writeln!(text, "export {name}={}", quoted(value));
        }
        let path: Vec<String> = self
            .path
            .iter()
            .map(|dir| quoted(&dir.to_string_lossy()))
            .collect();
        let _ = writeln!(text, "export PATH={}:\"$PATH\"", path.join(":"));
        text
    }

    /// Gives `command` the environment of this engine.
    pub(crate) fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(&self.variables);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let mut dirs = self.path.clone();
        dirs.extend(std::env::split_paths(&inherited).filter(|dir| !self.path.contains(dir)));
        if let Ok(joined) = std::env::join_paths(dirs) {
            command.env("PATH", joined);
        }
        command
    }

    /// A `docker` command of this engine.
    pub(crate) fn docker(&self) -> Command {
        // Found here and not by the child's PATH: `Command` looks the program up in ours.
        let own = self
            .path
            .iter()
            .map(|dir| dir.join("docker"))
            .find(|path| path.is_file());
        let mut command = Command::new(own.unwrap_or_else(|| PathBuf::from("docker")));
        self.apply(&mut command);
        command
    }

    /// Writes down what [`Engine::load`] reads.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let value = json!({
            "variables": self.variables,
            "path": self.path,
            "daemons": self.daemons,
            "registry": self.registry,
            "own_docker": self.own_docker,
        });
        write_atomically(path, format!("{value:#}\n").as_bytes())
    }

    /// Reads an engine that an earlier command started.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let Ok(text) = fs::read(path) else {
            bail!("the engine was not started yet; start it with: cargo xtask engine");
        };
        let value: Value = serde_json::from_slice(&text)?;
        let engine = || {
            let strings = |value: &Value| -> Option<Vec<String>> {
                value
                    .as_array()?
                    .iter()
                    .map(|item| Some(item.as_str()?.to_string()))
                    .collect()
            };
            let mut variables = BTreeMap::new();
            for (name, value) in value["variables"].as_object()? {
                variables.insert(name.clone(), value.as_str()?.to_string());
            }
            Some(Self {
                variables,
                path: strings(&value["path"])?
                    .into_iter()
                    .map(PathBuf::from)
                    .collect(),
                daemons: strings(&value["daemons"])?,
                registry: value["registry"].as_str()?.to_string(),
                own_docker: value["own_docker"].as_bool()?,
            })
        };
        engine().with_context(|| format!("{} is damaged; run: cargo xtask engine", path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn engine() -> Engine {
        Engine {
            variables: BTreeMap::from([(
                "DOCKER_HOST".to_string(),
                "unix:///it's here".to_string(),
            )]),
            path: vec![PathBuf::from("/a b"), PathBuf::from("/c")],
            daemons: vec!["registry".to_string()],
            registry: "127.0.0.1:5601".to_string(),
            own_docker: true,
        }
    }

    #[test]
    fn a_shell_reads_the_exports_back_as_they_were() {
        let script = format!(
            "{}printf '%s|%s' \"$DOCKER_HOST\" \"$PATH\"",
            engine().exports()
        );
        let said = run::output(
            Command::new("/bin/sh")
                .args(["-c", &script])
                .env("PATH", "/old"),
        )
        .unwrap();
        assert_eq!(said, "unix:///it's here|/a b:/c:/old");
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let path = std::env::temp_dir().join(format!("xtask-engine-{}.json", std::process::id()));
        engine().save(&path).unwrap();
        assert_eq!(Engine::load(&path).unwrap().exports(), engine().exports());
        fs::write(&path, "{}").unwrap();
        assert!(
            Engine::load(&path)
                .unwrap_err()
                .to_string()
                .contains("damaged")
        );
        fs::remove_file(&path).unwrap();
        assert!(format!("{:#}", Engine::load(&path).unwrap_err()).contains("cargo xtask engine"));
    }

    #[test]
    fn a_host_where_nobody_listens_does_not_answer() {
        assert!(!answers("unix:///no/such/socket") && !answers("tcp://127.0.0.1:1"));
        assert!(answers("docker-container://builder"));
    }
}
