//! The engine: what builds, stores and runs images on this machine.
//!
//! `start` makes it so (installs, builds, starts; does nothing for what is there),
//! `running` answers for one that was started, `stop` ends it, `prune` also removes
//! what its daemons keep. What the user runs already (BUILDKIT_HOST, a reachable
//! Docker) is used instead.

mod beside;
mod buildkitd;
mod comparison;
mod daemons;
mod debian;
mod disk;
mod env;
mod images;
mod parts;
mod services;
mod sources;
mod state;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::run::{self, say};
pub(crate) use beside::{Beside, Setup};
pub(crate) use comparison::{dockerfile_frontend, ko};
pub(crate) use daemons::remove_state;
pub(crate) use disk::{prune, require_room};
use env::Provided;
use services::Services;
use state::Cache;

/// An engine that runs, as commands see it.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    variables: BTreeMap<String, String>,
    /// Folders that lead PATH.
    path: Vec<PathBuf>,
    /// Names of the daemons that it consists of; those of the user are not among them.
    daemons: Vec<String>,
    /// `127.0.0.1:PORT`.
    pub(crate) registry: String,
    /// Whether Docker is ours, and so looks into the registry first.
    pub(crate) own_docker: bool,
}

impl Engine {
    /// Starts whatever is not running, after installing and building what it needs.
    /// `older`: also a buildkitd of that version, which the result then selects.
    ///
    /// # Errors
    ///
    /// Something cannot be installed, built or started.
    pub(crate) fn start(older: Option<&str>) -> Result<Self> {
        let cache = Cache::open()?;
        let _lock = cache.lock()?;
        disk::look(&cache)?;
        let provided = Provided::find(&cache)?;
        if let Some(host) = &provided.buildkit {
            say(format!(
                "using your buildkitd at {host}; base images come from where it pulls them"
            ));
        }
        if let Some(host) = &provided.docker {
            say(format!("using your Docker at {host}"));
        }
        if !rustix::process::geteuid().is_root()
            && (provided.buildkit.is_none() || provided.docker.is_none())
        {
            bail!(
                "starting buildkitd and Docker Engine needs root; run this command as root, \
                 or have BUILDKIT_HOST and DOCKER_HOST name running ones"
            );
        }
        let own_buildkit = provided.buildkit.is_none();
        debian::install(&cache, own_buildkit && !sources::has_rootfs(&cache))?;

        // Two lanes: one compiles, the other downloads and packs.
        let (engine, services) = thread::scope(|scope| {
            let ground = scope.spawn(|| {
                if own_buildkit {
                    sources::debian_rootfs(&cache)
                } else {
                    Ok(())
                }
            });
            let services = Services::start_first(&cache, &provided)?;
            let (lane, cache_there) = (services.clone(), &cache);
            let made = scope.spawn(move || {
                ground
                    .join()
                    .map_err(|_| anyhow!("making the Debian tree panicked"))??;
                if own_buildkit {
                    lane.maker(cache_there).make()
                } else {
                    Ok(())
                }
            });
            let engine = services.start_rest(&cache, &provided)?;
            made.join()
                .map_err(|_| anyhow!("making the images panicked"))??;
            anyhow::Ok((engine, services))
        })?;
        engine.save(&record(&cache, None)?)?;
        let Some(version) = older else {
            return Ok(engine);
        };
        let engine = services.start_older(&cache, engine, version)?;
        engine.save(&record(&cache, older)?)?;
        Ok(engine)
    }

    /// The engine that an earlier [`Engine::start`] left running.
    ///
    /// # Errors
    ///
    /// There is none, or a part of it has ended; the message says what to do.
    pub(crate) fn running(older: Option<&str>) -> Result<Self> {
        let cache = Cache::open()?;
        let engine = Self::load(&record(&cache, older)?)?;
        let again = older.map_or(String::new(), |version| format!(" --buildkit {version}"));
        for name in &engine.daemons {
            if !daemons::alive(&cache, name) {
                bail!("{name} does not run; start it with: cargo xtask engine{again}");
            }
        }
        Ok(engine)
    }
}

/// Ends all daemons that this engine started, and unmounts what they mounted.
pub(crate) fn stop() -> Result<()> {
    let cache = Cache::open()?;
    let _lock = cache.lock()?;
    end_all(&cache)
}

/// [`stop`], for who has the lock.
fn end_all(cache: &Cache) -> Result<()> {
    let mut names = daemons::recorded(cache)?;
    if names.is_empty() {
        say("nothing runs");
    }
    // Docker and buildkitd before the registry that they talk to.
    names.sort_by_key(|name| name == services::REGISTRY);
    for name in names {
        daemons::end(cache, &name)?;
    }
    Ok(())
}

/// Makes `golang:VERSION` and its alpine name for the running engine's registry.
pub(crate) fn golang(version: &str) -> Result<()> {
    Engine::start(None)?;
    let cache = Cache::open()?;
    let _lock = cache.lock()?;
    let provided = Provided::find(&cache)?;
    if let Some(host) = provided.buildkit {
        bail!(
            "your buildkitd at {host} pulls its own base images; there is nothing to make for it"
        );
    }
    Services::start_first(&cache, &provided)?
        .maker(&cache)
        .golang(version)
}

/// Where the engine with this older buildkitd (or the pinned one) is written down.
fn record(cache: &Cache, older: Option<&str>) -> Result<PathBuf> {
    let version = match older {
        Some(version) => parts::older_buildkit(version)?.version()?,
        None => parts::buildkit().version()?,
    };
    Ok(cache.run(&format!("engine-{version}.json")))
}

/// Gives the docker command its plugins, as links into `bin/`.
fn link_plugins(config: &Path, programs: &[PathBuf]) -> Result<()> {
    let plugins = config.join("cli-plugins");
    fs::create_dir_all(&plugins)?;
    for program in programs {
        let link = plugins.join(program.file_name().context("a plugin without a name")?);
        if fs::read_link(&link).is_ok_and(|target| target == *program) {
            continue;
        }
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(program, &link)
            .with_context(|| format!("cannot create {}", link.display()))?;
    }
    if !config.join("config.json").exists() {
        fs::write(config.join("config.json"), "{}\n")?;
    }
    Ok(())
}

/// Has buildx know `name` as the builder at `endpoint`.
fn ensure_builder(engine: &Engine, config: &Path, name: &str, endpoint: &str) -> Result<()> {
    let known = fs::read(config.join("buildx/instances").join(name))
        .ok()
        .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    if let Some(known) = known {
        if known["Nodes"][0]["Endpoint"] == endpoint {
            return Ok(());
        }
        run::output(
            engine
                .docker()
                .args(["buildx", "rm", "--keep-daemon", name]),
        )?;
    }
    run::output(engine.docker().args([
        "buildx", "create", "--name", name, "--driver", "remote", endpoint,
    ]))?;
    Ok(())
}
