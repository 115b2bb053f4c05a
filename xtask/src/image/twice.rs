//! `cargo xtask image --twice`: whether the sources of this work tree are one image, whoever
//! builds them. Two daemons that share nothing build them from two folders, and what differs
//! is an error.
//!
//! - Another umask: the daemon's, the client's, and so of all files of the sources.
//! - Another folder, and other times of its files.
//! - Other clocks: each time that a step or the daemon puts into an image is another second.
//!   Exporters change times that are later than the commit's, which would hide that from us but
//!   not from a machine whose clock is late. So each daemon writes the image a second time
//!   with a commit's time that no clock has reached yet.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use rustix::fs::Mode;
use rustix::process::umask;

use super::difference::{Layout, differences};
use super::{How, PLATFORMS, WRITTEN, epoch};
use crate::engine::{Beside, Engine, Setup, require_room};
use crate::root;
use crate::run::{output, say, shown};

/// How one of the two is built.
struct Round {
    name: &'static str,
    umask: u32,
    /// Below the common folder.
    sources: &'static str,
    /// Of the files of the sources, in seconds since 1970.
    times: u64,
}

const ROUNDS: [Round; 2] = [
    Round {
        name: "one",
        umask: 0o022,
        sources: "a",
        times: 1_700_000_000,
    },
    Round {
        name: "other",
        umask: 0o077,
        sources: "another/place/of another name",
        times: 981_173_106,
    },
];

/// A commit's time that no clock has reached: the year 2100.
const FUTURE: &str = "4102444800";

/// Builds the image twice and compares.
///
/// # Errors
///
/// They differ; the message says in what.
pub(crate) fn twice() -> Result<()> {
    require_room()?;
    let engine = Engine::start(None)?;
    let dir = root().join("target/image-twice");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    // First: an edit during the first build is no difference.
    for round in &ROUNDS {
        round.copy_sources(&dir.join(round.sources))?;
    }
    let epoch = epoch(How::InBuildKit);
    for round in &ROUNDS {
        round.build(&engine, &dir, &epoch)?;
    }
    let image = |round: &Round, kind: &str| Layout::new(dir.join(round.name).join(kind));
    let mut lines = Vec::new();
    for (kind, about) in [
        ("image", "the image"),
        ("late", "built by a clock before the commit's"),
    ] {
        let [one, other] = ROUNDS.each_ref().map(|round| image(round, kind));
        let differ = differences(&one, &other)?;
        if !differ.is_empty() {
            lines.push(format!("{about}:"));
            lines.extend(differ);
        }
    }
    if !lines.is_empty() {
        bail!("two builds made two images:\n{}", lines.join("\n"));
    }
    println!("two builds, one image:");
    for (platform, digest) in image(&ROUNDS[0], "image").manifests()? {
        println!("  {platform:14} {digest}");
    }
    fs::remove_dir_all(&dir)?;
    Ok(())
}

impl Round {
    /// Leaves two layouts, `image` and `late`, in the folder of this name.
    fn build(&self, engine: &Engine, dir: &Path, epoch: &str) -> Result<()> {
        let before = umask(Mode::from_raw_mode(self.umask));
        let built = self.build_so(engine, dir, epoch);
        umask(before);
        built
    }

    fn build_so(&self, engine: &Engine, dir: &Path, epoch: &str) -> Result<()> {
        let sources = dir.join(self.sources);
        let name = format!("twice-{}", self.name);
        say(format!(
            "building with umask {:03o} in {}",
            self.umask,
            sources.display()
        ));
        let daemon = Beside::start(engine, &name, &dir.join(&name), Setup::default())?;
        for (kind, epoch) in [("image", epoch), ("late", FUTURE)] {
            let dest = dir.join(self.name).join(kind);
            fs::create_dir_all(&dest)?;
            let mut command = daemon.engine.docker();
            command
                .current_dir(&sources)
                .args(["buildx", "build", "--file=Dockerfile.frontend", PLATFORMS])
                .args(["--provenance=false", "--sbom=false"])
                .arg(format!("--build-arg=SOURCE_DATE_EPOCH={epoch}"))
                .arg(format!(
                    "--output=type=oci,tar=false,dest={},{WRITTEN}",
                    dest.display()
                ));
            shown(command.arg(".")).context("the frontend image was not built")?;
        }
        Ok(())
    }

    /// The files that Dockerfile.frontend reads, as they are here.
    fn copy_sources(&self, to: &Path) -> Result<()> {
        let ignore = "Dockerfile.frontend.dockerignore";
        let read = fs::read_to_string(root().join(ignore))?;
        let mut git = Command::new("git");
        git.current_dir(root())
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "--",
            ])
            .args(["Dockerfile.frontend", ignore])
            .args(read.lines().filter_map(|line| line.strip_prefix('!')));
        for file in output(&mut git)?.lines() {
            let (from, to) = (root().join(file), to.join(file));
            if from.is_file() {
                self.copy(&from, &to)
                    .with_context(|| format!("cannot copy {file}"))?;
            }
        }
        Ok(())
    }

    fn copy(&self, from: &Path, to: &PathBuf) -> Result<()> {
        fs::create_dir_all(to.parent().context("a file of no folder")?)?;
        fs::write(to, fs::read(from)?)?;
        let mode = 0o777 & !self.umask;
        if fs::metadata(from)?.permissions().mode() & 0o100 != 0 {
            fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
        }
        File::open(to)?.set_modified(UNIX_EPOCH + Duration::from_secs(self.times))?;
        Ok(())
    }
}
