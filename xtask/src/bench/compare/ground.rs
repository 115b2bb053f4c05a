//! Where everything runs: a buildkitd that no one else uses, and what contestants are
//! given of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::contestant::{Contestant, Place};
use super::incumbents;
use super::subject::Subject;
use crate::engine::{self, Beside, Engine, Setup};
use crate::run::{output, say};

/// What the daemon may keep, in MB. Every edit leaves images behind that nothing reads
/// again, several GB of them with forty services.
const KEPT: &str = "20000";

/// The ground.
pub(super) struct Ground {
    /// With it the counters of processor time hold nothing but the builds measured.
    pub(super) daemon: Beside,
    pub(super) ko: PathBuf,
    /// The registry's address.
    pub(super) registry: String,
    /// What `go env GOPROXY` says. It is in the environment of clients, and in no file.
    proxy: String,
    /// For everything that is written.
    pub(super) dir: PathBuf,
}

impl Ground {
    /// Starts the daemon and makes what the comparison needs.
    ///
    /// # Errors
    ///
    /// Something cannot be built or started.
    pub(super) fn new(dir: &Path) -> Result<Self> {
        let engine = Engine::start(None)?;
        engine::dockerfile_frontend(&engine)?;
        let ko = engine::ko()?;
        say("starting a buildkitd for the comparison alone");
        let daemon = Beside::start(&engine, "compare", &dir.join("daemon"), Setup::default())?;
        Ok(Self {
            registry: engine.registry,
            daemon,
            ko,
            proxy: output(Command::new("go").args(["env", "GOPROXY"]).current_dir("/"))?,
            dir: dir.to_path_buf(),
        })
    }

    /// `docker buildx VERB` on this daemon, in the contestant's copy.
    pub(super) fn docker(&self, verb: &str, place: &Place<'_>) -> Command {
        let mut command = self.daemon.engine.docker();
        command
            .args(["buildx", verb])
            .current_dir(place.tree)
            .env("GOPROXY", &self.proxy);
        command
    }

    /// Puts the modules of both sides of a bump on the host.
    ///
    /// # Errors
    ///
    /// They cannot be had.
    pub(super) fn host_modules(&self, subject: &Subject, tree: &Path) -> Result<()> {
        for manifest in subject.manifests.iter().filter(|m| m.ends_with("go.mod")) {
            let module = tree.join(manifest);
            let mut go = Command::new("go");
            go.args(["mod", "download"])
                .current_dir(module.parent().unwrap_or(tree));
            output(&mut go).context("the modules of the repository are not to be had")?;
        }
        Ok(())
    }

    /// Puts them into the contestant's cache mount, as a build before would have, and has
    /// the daemon pull and unpack the images with Go.
    ///
    /// # Errors
    ///
    /// They cannot be had.
    pub(super) fn modules(
        &self,
        contestant: Contestant,
        subject: &Subject,
        place: &Place<'_>,
    ) -> Result<()> {
        let mount = if contestant.is_fleet() {
            format!("{}/gofleet/modules", place.namespace)
        } else {
            incumbents::MODULES.to_owned()
        };
        let roots: Vec<&str> = subject
            .manifests
            .iter()
            .filter_map(|path| path.strip_suffix("go.mod"))
            .collect();
        let images: Vec<String> = (subject.images.iter().enumerate())
            .map(|(n, image)| format!("--mount=type=bind,from={image},target=/images/{n}"))
            .collect();
        let images = images.join(" ");
        let text = format!(
            "FROM {}\nWORKDIR /src\nARG RUN\nRUN --mount=type=cache,id={mount},target=/go/pkg/mod \
             --mount=type=secret,id=GOPROXY,env=GOPROXY {} {images} \
             : $RUN; for dir in {}; do go -C $dir mod download || exit 1; done\n",
            subject.images[0],
            incumbents::manifest_mounts(&subject.manifests),
            roots
                .iter()
                .map(|dir| format!("./{dir}"))
                .collect::<Vec<_>>()
                .join(" "),
        );
        let file = place.dir.join("modules.Dockerfile");
        fs::write(&file, text)?;
        let mut build = self.docker("build", place);
        build
            .args(["--quiet", "--output=type=cacheonly", "--provenance=false"])
            .args(["--secret", "id=GOPROXY,env=GOPROXY"])
            // Never from the cache: what a mount holds is in no key.
            .arg(format!("--build-arg=RUN={}", super::word()))
            .arg("--file")
            .arg(&file)
            .arg(".");
        output(&mut build).map(drop)
    }

    /// Has the daemon pull the frontend, by a question that builds nothing.
    ///
    /// # Errors
    ///
    /// It cannot be had, or does not like its file.
    pub(super) fn pull_frontend(
        &self,
        contestant: Contestant,
        subject: &Subject,
        place: &Place<'_>,
    ) -> Result<()> {
        let file = if contestant.is_fleet() {
            &subject.spec
        } else {
            "Dockerfile"
        };
        let mut ask = self.docker("build", place);
        output(ask.args(["--call=targets", "--file", file, "."])).map(drop)
    }

    /// Removes what was not used for the longest time, if there is too much.
    ///
    /// # Errors
    ///
    /// The daemon refuses.
    pub(super) fn tidy(&self) -> Result<()> {
        let mut prune = self.daemon.buildctl();
        output(prune.args(["prune", "--keep-storage", KEPT])).map(drop)
    }

    /// Empties the contestant's build cache.
    ///
    /// # Errors
    ///
    /// The daemon refuses.
    pub(super) fn empty_build_cache(
        &self,
        contestant: Contestant,
        place: &Place<'_>,
    ) -> Result<()> {
        for dir in ["go-build", "ko", "out", "layout"] {
            let dir = place.dir.join(dir);
            if dir.exists() {
                fs::remove_dir_all(dir)?;
            }
        }
        if contestant.in_daemon() {
            let mount = contestant.build_mount(place.namespace);
            let filter = format!("type==exec.cachemount,description~={mount}");
            output(self.daemon.buildctl().args(["prune", "--filter", &filter]))?;
        }
        Ok(())
    }
}
