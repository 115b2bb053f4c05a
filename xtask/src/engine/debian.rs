//! Debian packages: what the engine needs from the distribution and this machine lacks.
//!
//! Packages that carry a service are not installed but unpacked into the cache,
//! so that nothing starts by itself and no port opens that the engine did not choose.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Result, bail};

use super::state::Cache;
use crate::run::{self, logged, on_path, say};

/// What a package is needed for, and how to see that it is there.
struct Need {
    package: &'static str,
    /// Programs that must be on PATH.
    programs: &'static [&'static str],
    /// A library that pkg-config must know.
    library: Option<&'static str>,
}

/// For building and running the daemons.
const DAEMONS: &[Need] = &[
    Need {
        package: "ca-certificates",
        programs: &["update-ca-certificates"],
        library: None,
    },
    Need {
        package: "git",
        programs: &["git"],
        library: None,
    },
    Need {
        package: "gcc",
        programs: &["gcc"],
        library: None,
    },
    Need {
        package: "libc6-dev",
        programs: &[],
        library: None,
    },
    Need {
        package: "pkg-config",
        programs: &["pkg-config"],
        library: None,
    },
    Need {
        package: "libseccomp-dev",
        programs: &[],
        library: Some("libseccomp"),
    },
    // Tests make keys and run an agent.
    Need {
        package: "openssh-client",
        programs: &["ssh-agent", "ssh-add", "ssh-keygen"],
        library: None,
    },
    Need {
        package: "iptables",
        programs: &["iptables"],
        library: None,
    },
];

/// For making the Debian base image.
const IMAGES: &[Need] = &[Need {
    package: "debootstrap",
    programs: &["debootstrap"],
    library: None,
}];

/// Installs what building and running the daemons needs, and with `images` what
/// making the base images needs.
///
/// # Errors
///
/// apt-get fails, or there is none and something is missing.
pub(crate) fn install(cache: &Cache, images: bool) -> Result<()> {
    let needs = DAEMONS.iter().chain(if images { IMAGES } else { &[] });
    install_missing(cache, needs)
}

/// Installs those packages that are missing, after naming them.
fn install_missing<'a>(cache: &Cache, needs: impl Iterator<Item = &'a Need>) -> Result<()> {
    let missing: Vec<&str> = needs
        .filter(|need| !need.met())
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !on_path("apt-get") {
        bail!(
            "this machine lacks the equivalents of these Debian packages, and has no apt-get to install them: {}",
            missing.join(" ")
        );
    }
    say(format!(
        "this machine lacks these Debian packages: {}",
        missing.join(" ")
    ));
    refresh(cache)?;
    logged(
        "installing them",
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&missing),
        &cache.log("apt-install"),
    )
}

/// The registry's program: the system's, or Debian's.
pub(crate) fn registry(cache: &Cache) -> Result<PathBuf> {
    let name = "docker-registry";
    if on_path(name) {
        return Ok(PathBuf::from(name));
    }
    unpacked(cache, &[name], "usr/bin/docker-registry")
}

/// The ssh server that tests fetch from, absolute: it starts itself again for every client.
pub(crate) fn sshd(cache: &Cache) -> Result<PathBuf> {
    let system = PathBuf::from("/usr/sbin/sshd");
    if system.is_file() {
        return Ok(system);
    }
    // libwrap0 is the one library that a machine without the server lacks.
    unpacked(cache, &["openssh-server", "libwrap0"], "usr/sbin/sshd")
}

/// The program at `path` of Debian's packages, which are unpacked into a folder named
/// as the first one.
fn unpacked(cache: &Cache, packages: &[&str], path: &str) -> Result<PathBuf> {
    let name = packages[0];
    let ours = cache.bin(name);
    let program = ours.join(path);
    if program.is_file() {
        return Ok(program);
    }
    if !on_path("apt-get") {
        bail!("this machine lacks `{name}`, and has no apt-get to fetch it");
    }
    refresh(cache)?;
    let unpacking = cache.bin(&format!(".unpacking-{name}"));
    if unpacking.exists() {
        fs::remove_dir_all(&unpacking)?;
    }
    fs::create_dir_all(&unpacking)?;
    logged(
        &format!("fetching Debian's {name}"),
        apt().arg("download").args(packages).current_dir(&unpacking),
        &cache.log("apt-download"),
    )?;
    let archives: Vec<PathBuf> = fs::read_dir(&unpacking)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    for archive in archives {
        run::output(
            Command::new("dpkg")
                .arg("--extract")
                .arg(&archive)
                .arg(&unpacking),
        )?;
        fs::remove_file(archive)?;
    }
    if !unpacking.join(path).is_file() {
        bail!("Debian's {name} has no {path}");
    }
    fs::rename(&unpacking, &ours)?;
    Ok(program)
}

/// `apt-get update`, once in a run.
fn refresh(cache: &Cache) -> Result<()> {
    static DONE: OnceLock<()> = OnceLock::new();
    if DONE.get().is_none() {
        logged(
            "reading Debian's package lists",
            apt().arg("update"),
            &cache.log("apt-update"),
        )?;
        let _ = DONE.set(());
    }
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

impl Need {
    fn met(&self) -> bool {
        if let Some(library) = self.library {
            return run::output(Command::new("pkg-config").args(["--exists", library])).is_ok();
        }
        if self.package == "libc6-dev" {
            return std::path::Path::new("/usr/include/stdio.h").exists();
        }
        self.programs.iter().all(|program| on_path(program))
    }
}
