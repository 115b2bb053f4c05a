//! Which daemons the engine consists of, with their settings, in the order in
//! which they start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::buildkitd::Config;
use super::daemons::Daemon;
use super::env::Provided;
use super::images::Maker;
use super::parts::{self, Part};
use super::state::Cache;
use super::{Engine, daemons, debian, ensure_builder, link_plugins};
use crate::http;
use crate::run;

/// Name of the registry among the daemons.
pub(crate) const REGISTRY: &str = "registry";
/// The first docker command that builds with buildx.
const OLDEST_DOCKER_COMMAND: u32 = 23;
/// What the caches of one daemon may hold between runs, in MB. Three of them may share a disk,
/// an older buildkitd is one, and a disk that runs full fails tests that have nothing to do with it.
const CACHE_MEGABYTES: &str = "12000";
/// How long what was used is kept in any case. What is over the bound goes by use and age
/// together, so without this a daemon with a history drops what was just built.
const CACHE_TIME: &str = "1h";

/// The registry and the pinned buildkitd, running.
#[derive(Clone)]
pub(crate) struct Services {
    registry: String,
    /// BUILDKIT_HOST.
    buildkit: String,
    /// Folder of buildctl (and buildkitd).
    buildkit_programs: PathBuf,
    runc: PathBuf,
    go: String,
    daemons: Vec<String>,
}

impl Services {
    /// Starts what the base images wait for.
    pub(crate) fn start_first(cache: &Cache, provided: &Provided) -> Result<Self> {
        let go = parts::host_go()?;
        let registry = start_registry(cache)?;
        let part = parts::buildkit();
        if !part.dir(cache, &go)?.is_dir() {
            run::say(
                "building the engine from pinned Go modules: some ten minutes this time, a second from then on",
            );
        }
        let buildkit_programs = part.build(cache, &go)?;
        let mut services = Self {
            registry,
            buildkit: provided.buildkit.clone().unwrap_or_default(),
            buildkit_programs,
            runc: PathBuf::new(),
            go,
            daemons: vec![REGISTRY.to_string()],
        };
        if provided.buildkit.is_none() || provided.docker.is_none() {
            services.runc = parts::runc().build(cache, &services.go)?;
        }
        if provided.buildkit.is_none() {
            let (name, host) =
                services.start_buildkitd(cache, &part, &services.buildkit_programs)?;
            services.daemons.push(name);
            services.buildkit = host;
        }
        Ok(services)
    }

    /// Who makes base images with this buildkitd.
    pub(crate) fn maker<'a>(&self, cache: &'a Cache) -> Maker<'a> {
        Maker {
            cache,
            buildctl: self.buildkit_programs.join("buildctl"),
            buildkit: self.buildkit.clone(),
            registry: self.registry.clone(),
        }
    }

    /// Builds the docker command's parts and starts Docker Engine.
    pub(crate) fn start_rest(&self, cache: &Cache, provided: &Provided) -> Result<Engine> {
        let config = cache.docker_config();
        let buildx = parts::buildx().build(cache, &self.go)?;
        let compose = parts::compose().build(cache, &self.go)?;
        link_plugins(
            &config,
            &[buildx.join("docker-buildx"), compose.join("docker-compose")],
        )?;
        let mut path = vec![self.buildkit_programs.clone()];
        if !docker_command_is_new_enough() {
            path.push(parts::docker_cli().build(cache, &self.go)?);
        }
        let mut daemons = self.daemons.clone();
        let docker = match &provided.docker {
            Some(host) => host.clone(),
            None => {
                let (name, host) = self.start_dockerd(cache)?;
                daemons.push(name);
                host
            }
        };
        let builder = "gofleet";
        let variables = [
            ("BUILDKIT_HOST", self.buildkit.clone()),
            ("BUILDX_BUILDER", builder.to_string()),
            ("DOCKER_CONFIG", config.to_string_lossy().into_owned()),
            ("DOCKER_HOST", docker),
            ("GOFLEET_REGISTRY", self.registry.clone()),
            // No daemon of the engine: tests start it.
            (
                "GOFLEET_SSHD",
                debian::sshd(cache)?.to_string_lossy().into_owned(),
            ),
        ];
        let engine = Engine {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect(),
            path,
            daemons,
            registry: self.registry.clone(),
            own_docker: provided.docker.is_none(),
        };
        ensure_builder(&engine, &config, builder, &self.buildkit)?;
        Ok(engine)
    }

    /// Starts an older buildkitd beside the others, and selects it.
    pub(crate) fn start_older(
        &self,
        cache: &Cache,
        engine: Engine,
        version: &str,
    ) -> Result<Engine> {
        let part = parts::older_buildkit(version)?;
        let programs = part.build(cache, &self.go)?;
        let runc = Self {
            runc: parts::runc().build(cache, &self.go)?,
            ..self.clone()
        };
        let (name, host) = runc.start_buildkitd(cache, &part, &programs)?;
        let builder = format!("gofleet-{version}");
        let mut engine = engine;
        engine.daemons.push(name);
        engine
            .variables
            .insert("BUILDKIT_HOST".to_string(), host.clone());
        engine
            .variables
            .insert("BUILDX_BUILDER".to_string(), builder.clone());
        ensure_builder(&engine, &cache.docker_config(), &builder, &host)?;
        Ok(engine)
    }

    /// Returns the daemon's name and BUILDKIT_HOST.
    fn start_buildkitd(
        &self,
        cache: &Cache,
        part: &Part,
        programs: &Path,
    ) -> Result<(String, String)> {
        let name = format!("buildkitd-{}", part.version()?);
        let home = folder(cache, &name)?;
        let socket = cache.run(&format!("{name}.sock"));
        let otel = cache.run(&format!("{name}-otel.sock"));
        let config = Config {
            root: &home.join("root"),
            socket: &socket,
            otel: &otel,
            runc: &self.runc.join("runc"),
            registry: &self.registry,
            worker: "",
            gc: false,
        };
        let file = home.join("buildkitd.toml");
        let mut command = Command::new(programs.join("buildkitd"));
        command.arg("--config").arg(&file);
        // A variable of the caller must not point a daemon of ours at another one.
        command.env_remove("BUILDKIT_HOST");
        let host = format!("unix://{}", socket.display());
        let (buildctl, address) = (programs.join("buildctl"), host.clone());
        let control = move |words: &[&str]| {
            run::output(
                Command::new(&buildctl)
                    .args(["--addr", &address])
                    .args(words),
            )
        };
        let asked = control.clone();
        Daemon {
            name: name.clone(),
            command,
            config: (file, config.text()),
            leftovers: vec![socket, otel],
            answers: Box::new(move || asked(&["debug", "workers"]).is_ok()),
        }
        .ensure(cache)?;
        // At each start, because it collects no garbage by itself.
        control(&[
            "prune",
            "--all",
            "--keep-storage",
            CACHE_MEGABYTES,
            "--keep-duration",
            CACHE_TIME,
        ])?;
        Ok((name, host))
    }

    /// Returns the daemon's name and DOCKER_HOST.
    fn start_dockerd(&self, cache: &Cache) -> Result<(String, String)> {
        let part = parts::docker();
        let programs = part.build(cache, &self.go)?;
        let name = format!("dockerd-{}", part.version()?);
        // Two Docker Engines would fight about the bridge and the firewall's rules.
        for other in daemons::recorded(cache)? {
            if other.starts_with("dockerd-") && other != name {
                daemons::end(cache, &other)?;
            }
        }
        let home = folder(cache, &name)?;
        let socket = cache.run("docker.sock");
        let pid_file = cache.run("docker.pid");
        let config = json!({
            "data-root": home.join("data"),
            "exec-root": cache.run(&name),
            "pidfile": pid_file,
            "hosts": [format!("unix://{}", socket.display())],
            "registry-mirrors": [format!("http://{}", self.registry)],
            "insecure-registries": [self.registry],
            "builder": {"gc": {"enabled": true, "policy": [{"all": true, "reservedSpace": format!("{CACHE_MEGABYTES}MB")}]}},
        });
        let file = home.join("daemon.json");
        let mut command = Command::new(programs.join("dockerd"));
        command.arg("--config-file").arg(&file);
        // Where it finds containerd, its shim, docker-proxy and runc.
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
        let dirs = [programs, self.runc.clone()]
            .into_iter()
            .chain(std::env::split_paths(&inherited))
            .chain(system);
        command.env(
            "PATH",
            std::env::join_paths(dirs).context("PATH holds a folder with a colon")?,
        );
        for variable in ["DOCKER_HOST", "DOCKER_CONFIG", "BUILDX_BUILDER"] {
            command.env_remove(variable);
        }
        let host = format!("unix://{}", socket.display());
        Daemon {
            name: name.clone(),
            command,
            config: (file, format!("{config:#}\n")),
            leftovers: vec![socket.clone(), pid_file],
            answers: Box::new(move || {
                http::get_unix(&socket, "/_ping").is_ok_and(|answer| answer.status == 200)
            }),
        }
        .ensure(cache)?;
        Ok((name, host))
    }
}

/// Starts the registry and returns its address.
fn start_registry(cache: &Cache) -> Result<String> {
    let program = debian::registry(cache)?;
    let port = cache.port(REGISTRY, daemons::alive(cache, REGISTRY))?;
    let address = format!("127.0.0.1:{port}");
    let home = folder(cache, REGISTRY)?;
    let config = format!(
        "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
         http:\n  addr: {address}\n  secret: loopback\n",
        home.join("data").display()
    );
    let file = home.join("config.yml");
    let mut command = Command::new(program);
    command.arg("serve").arg(&file);
    let asked = address.clone();
    Daemon {
        name: REGISTRY.to_string(),
        command,
        config: (file, config),
        leftovers: vec![],
        answers: Box::new(move || {
            http::get(&asked, "/v2/", "*/*").is_ok_and(|answer| answer.status == 200)
        }),
    }
    .ensure(cache)?;
    Ok(address)
}

/// The daemon's own folder, created.
fn folder(cache: &Cache, name: &str) -> Result<PathBuf> {
    let folder = cache.daemon(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Whether the docker command on PATH can talk to today's engine.
fn docker_command_is_new_enough() -> bool {
    run::output(Command::new("docker").arg("--version"))
        .ok()
        .and_then(|text| docker_major(&text))
        .is_some_and(|major| major >= OLDEST_DOCKER_COMMAND)
}

/// 28 of `Docker version 28.2.2, build e6534b4`.
fn docker_major(text: &str) -> Option<u32> {
    text.strip_prefix("Docker version ")?
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_the_docker_command_is_read() {
        assert_eq!(
            docker_major("Docker version 28.2.2, build e6534b4"),
            Some(28)
        );
        assert_eq!(
            docker_major("Docker version 20.10.24+dfsg1, build 297e128"),
            Some(20)
        );
        assert_eq!(docker_major("podman version 5.0"), None);
    }
}
