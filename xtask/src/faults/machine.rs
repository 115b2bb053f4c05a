//! A machine within this one: a disk of its own, memory of its own, a buildkitd, and relays
//! in front of the registry and of the module proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::client::{Client, Ended};
use super::disk::Disk;
use super::phase::Phase;
use super::server::{self, Relay};
use super::sources::{Reference, SERVICES, Sources};
use crate::cgroup::Cgroup;
use crate::engine::{Beside, Engine, Setup};
use crate::run::output;

/// Memory of all steps while nothing is wrong: none.
pub(super) const PLENTY: u64 = 1 << 40;
/// Seconds that a server of modules may be silent.
const SILENCE: &str = "GOFLEET_FETCH_TIMEOUT=2";

/// The machine. Fields end in this order: the daemon before its disk.
pub(super) struct Machine {
    pub(super) daemon: Beside,
    pub(super) disk: Disk,
    pub(super) memory: Cgroup,
    pub(super) registry: Relay,
    pub(super) proxy: Relay,
    reference: Reference,
    /// Image of the frontend, behind the relay.
    frontend: String,
    dir: PathBuf,
}

impl Machine {
    /// Makes it below `dir`, and builds once so that it is warm.
    ///
    /// # Errors
    ///
    /// Something does not start, or the build fails.
    pub(super) fn start(engine: &Engine, dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let reference = Reference::new(dir)?;
        let upstream = engine.registry.parse().context("no IP:PORT")?;
        let registry = Relay::start(upstream)?;
        let proxy = Relay::start(server::files(reference.proxy())?)?;
        let disk = Disk::new(dir.join("disk"))?;
        // Another work tree may have a run of its own.
        let group = format!("gofleet-faults-{}", std::process::id());
        let memory = Cgroup::new(&group, PLENTY)?;
        let mut through = engine.clone();
        through.registry = registry.address();
        let worker = format!("defaultCgroupParent = \"/{group}\"");
        let setup = Setup {
            worker: &worker,
            gc: false,
        };
        let daemon = Beside::start(&through, "faults", &disk.path().join("daemon"), setup)?;
        let mut machine = Self {
            daemon,
            disk,
            memory,
            frontend: format!("{}/gofleet/gofleet:1", registry.address()),
            registry,
            proxy,
            reference,
            dir: dir.to_owned(),
        };
        let sources = machine.sources()?;
        let out = machine.out(&sources);
        let built = machine.build(&sources)?.end()?;
        if !built.fine {
            bail!("the first build fails, with no fault:\n{}", built.said);
        }
        machine.reference.as_in(&out.join(SERVICES[0]))?;
        machine.right(&sources)?;
        Ok(machine)
    }

    /// A repository that no build has seen.
    pub(super) fn sources(&self) -> Result<Sources> {
        Sources::new(&self.dir, &self.frontend)
    }

    /// Starts a build of all programs.
    pub(super) fn build(&self, sources: &Sources) -> Result<Client> {
        let out = self.out(sources);
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let mut command = self.buildx(sources);
        command
            .arg("--target=binaries")
            .arg(format!("--output=type=local,dest={}", out.display()));
        Client::start(command)
    }

    /// Starts a build that ends in a phase: of an image, to see one packed and pushed.
    pub(super) fn build_to(&self, sources: &Sources, phase: Phase) -> Result<Client> {
        if phase != Phase::Push {
            return self.build(sources);
        }
        let mut command = self.buildx(sources);
        command.arg(format!("--target={}", SERVICES[0]));
        command.arg(format!(
            "--output=type=image,push=true,name={}",
            self.image(sources)
        ));
        Client::start(command)
    }

    fn buildx(&self, sources: &Sources) -> Command {
        let mut command = self.daemon.engine.docker();
        command
            .args(["buildx", "build", "--progress=rawjson", "--file=fleet.yaml"])
            .args(["--provenance=false", "--sbom=false"])
            .args(["--secret=id=GOPROXY", "--secret=id=GOSUMDB"])
            .args(["--build-arg", SILENCE, "."])
            .env("GOPROXY", format!("http://{}", self.proxy.address()))
            .env("GOSUMDB", "off")
            .current_dir(sources.path());
        command
    }

    /// Whether the programs of the last [`Machine::build`] are those of the `go` command.
    ///
    /// # Errors
    ///
    /// They are not.
    pub(super) fn right(&self, sources: &Sources) -> Result<()> {
        self.reference.compare(sources, &self.out(sources))
    }

    /// Builds to a phase again, with no fault, and compares what comes of it.
    ///
    /// # Errors
    ///
    /// It fails, or is not what the `go` command makes.
    pub(super) fn again(&self, sources: &Sources, phase: Phase) -> Result<()> {
        if phase == Phase::Push {
            fine(self.build_to(sources, phase)?.end()?)?;
            self.pushed(sources)?;
        }
        fine(self.build(sources)?.end()?)?;
        self.right(sources)
    }

    /// Compares the program of the image that was pushed, as the registry has it.
    fn pushed(&self, sources: &Sources) -> Result<()> {
        let context = sources.path().with_extension("pushed");
        fs::create_dir_all(&context)?;
        let dockerfile = format!("FROM {}\n", self.image(sources));
        fs::write(context.join("Dockerfile"), dockerfile)?;
        let out = context.join("out");
        let mut command = self.daemon.engine.docker();
        command
            .args([
                "buildx",
                "build",
                "--progress=rawjson",
                "--provenance=false",
            ])
            .args(["--no-cache", "--pull"])
            .arg(format!("--output=type=local,dest={}", out.display()))
            .arg(&context);
        fine(Client::start(command)?.end()?)?;
        let found = output(
            Command::new("find")
                .arg(&out)
                .args(["-type", "f", "-name"])
                .arg(SERVICES[0]),
        )?;
        let compared = match Path::new(&found).parent() {
            Some(dir) if !found.contains('\n') => {
                self.reference.compare_some(sources, dir, &SERVICES[..1])
            }
            _ => bail!("the pushed image has not one program: {found:?}"),
        };
        fs::remove_dir_all(&context)?;
        compared
    }

    /// Removes what the daemon has cached, as far as these arguments of `buildctl prune` say.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub(super) fn prune(&self, which: &[&str]) -> Result<()> {
        output(self.daemon.buildctl().arg("prune").args(which))?;
        Ok(())
    }

    fn out(&self, sources: &Sources) -> PathBuf {
        sources.path().with_extension("out")
    }

    fn image(&self, sources: &Sources) -> String {
        let name = sources.path().file_name().unwrap_or_default();
        format!(
            "{}/faults/{}",
            self.registry.address(),
            name.to_string_lossy()
        )
    }
}

/// Expects that a build succeeded.
///
/// # Errors
///
/// It did not; the error is what it said.
pub(super) fn fine(ended: Ended) -> Result<()> {
    match ended.fine {
        true => Ok(()),
        false => bail!("fails, with no fault:\n{}", ended.said),
    }
}
