//! What the base images are made from: a Debian tree, a Go tree, a Rust
//! toolchain, the machine's CA roots. Each is found or fetched here, once;
//! [`super::images`] puts images together from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::parts::host_go;
use super::state::{Cache, key, write_atomically};
use crate::run::{logged, output, say};

/// Debian's release in all images, as in the public ones.
pub(crate) const DEBIAN: &str = "bookworm";
/// Rust's version behind `rust:1.95`, which Dockerfile.frontend builds from.
pub(crate) const RUST: &str = "1.95.0";
/// Targets of the frontend image, beside the compiler's own.
pub(crate) const RUST_TARGETS: [&str; 2] =
    ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Makes the root file system of the Debian image, once. Needs no daemon.
///
/// # Errors
///
/// debootstrap fails: no root, or no mirror.
pub(crate) fn debian_rootfs(cache: &Cache) -> Result<()> {
    let folder = cache.images("debian");
    if has_rootfs(cache) {
        return Ok(());
    }
    let tree = folder.join("rootfs");
    for leftover in [&tree, &folder] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    fs::create_dir_all(&folder)?;
    let mut command = Command::new("debootstrap");
    command
        .args([
            "--variant=minbase",
            "--include=ca-certificates,tzdata",
            DEBIAN,
        ])
        .arg(&tree);
    logged(
        &format!("making a Debian {DEBIAN}"),
        &mut command,
        &cache.log("debootstrap"),
    )?;
    // Downloaded packages and lists: the image's own apt-get fetches fresh ones.
    for (dir, suffix) in [
        ("var/cache/apt", ".bin"),
        ("var/cache/apt/archives", ".deb"),
        ("var/lib/apt/lists", ""),
    ] {
        for entry in fs::read_dir(tree.join(dir))? {
            let path = entry?.path();
            if path.is_file() && path.to_string_lossy().ends_with(suffix) {
                fs::remove_file(path)?;
            }
        }
    }
    let tar = folder.join("rootfs.tar");
    output(
        Command::new("tar")
            .args(["--numeric-owner", "--sort=name", "-C"])
            .arg(&tree)
            .arg("-cf")
            .arg(&tar)
            .arg("."),
    )?;
    fs::remove_dir_all(&tree)?;
    write_atomically(
        &folder.join("rootfs.key"),
        key([fs::read(&tar)?]).as_bytes(),
    )
}

/// Whether [`debian_rootfs`] has nothing to do.
pub(crate) fn has_rootfs(cache: &Cache) -> bool {
    rootfs_key(cache).is_ok()
}

pub(crate) fn rootfs_key(cache: &Cache) -> Result<String> {
    fs::read_to_string(cache.images("debian").join("rootfs.key"))
        .context("the Debian tree was not made yet")
}

/// The CA roots that this machine trusts. Steps must trust the same: what they
/// fetch may come through a proxy with a certificate of its own.
pub(crate) fn machine_roots() -> Result<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named
        .into_iter()
        .chain([
            "/etc/ssl/certs/ca-certificates.crt".into(),
            "/etc/pki/tls/certs/ca-bundle.crt".into(),
        ])
        .find(|path| path.is_file())
        .context("no CA bundle on this machine; name it in SSL_CERT_FILE")
}

/// A Go tree of this version: the host's own if it is that, else the toolchain
/// module that the go command fetches and checks.
pub(crate) fn go_tree(version: &str) -> Result<PathBuf> {
    let mut command = Command::new("go");
    command
        .args(["env", "GOROOT"])
        .current_dir("/")
        .env("GOTOOLCHAIN", format!("go{version}"));
    if host_go()? == format!("go{version}") {
        command.env("GOTOOLCHAIN", "local");
    } else {
        say(format!("fetching Go {version} from the module proxy"));
    }
    Ok(PathBuf::from(output(&mut command)?))
}

/// `1.25` to its newest patch release, `1.25.11`; a full version stays.
pub(crate) fn patch_version(version: &str) -> Result<String> {
    let numbers = version.split('.').count();
    if !version
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    {
        bail!("`{version}` is no Go version; write 1.25 or 1.25.3");
    }
    match numbers {
        3 => Ok(version.to_string()),
        2 => {
            let mut command = Command::new("go");
            command
                .args(["list", "-m", "-versions", "go"])
                .current_dir("/")
                .env("GOFLAGS", "-mod=mod");
            let all = output(&mut command)?;
            newest_patch(&all, version)
                .with_context(|| format!("the module proxy knows no Go {version}"))
        }
        _ => bail!("`{version}` is no Go version; write 1.25 or 1.25.3"),
    }
}

/// The newest release of `minor` in a list of versions.
fn newest_patch(versions: &str, minor: &str) -> Option<String> {
    let patch = |version: &str| {
        version
            .strip_prefix(minor)?
            .strip_prefix('.')?
            .parse::<u32>()
            .ok()
    };
    versions
        .split_whitespace()
        .filter_map(patch)
        .max()
        .map(|newest| format!("{minor}.{newest}"))
}

/// A RUSTUP_HOME with nothing but what the image needs; the user's toolchains stay as they are.
pub(crate) fn rust_home(home: &Path, log: &Path) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let rustup = std::env::split_paths(&path)
        .map(|dir| dir.join("rustup"))
        .find(|path| path.is_file())
        .context("the rust image is made with rustup, which is not on PATH (see rustup.rs)")?;
    fs::create_dir_all(home)?;
    let mut command = Command::new(&rustup);
    command
        .args([
            "toolchain",
            "install",
            RUST,
            "--profile",
            "minimal",
            "--no-self-update",
        ])
        .args(RUST_TARGETS.iter().flat_map(|target| ["--target", target]))
        .env("RUSTUP_HOME", home)
        .env_remove("RUSTUP_TOOLCHAIN");
    logged(
        &format!("fetching Rust {RUST} with its musl targets"),
        &mut command,
        log,
    )?;
    for download in ["downloads", "tmp"] {
        let _ = fs::remove_dir_all(home.join(download));
    }
    fs::copy(&rustup, home.join("rustup"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_patch_is_by_number_and_no_candidate() {
        let all = "go 1.9.2rc2 1.25rc1 1.25.0 1.25.2 1.25.11 1.250.1 1.26.1";
        assert_eq!(newest_patch(all, "1.25").as_deref(), Some("1.25.11"));
        assert_eq!(newest_patch(all, "1.27"), None);
    }

    #[test]
    fn rust_is_one_version_wherever_it_is_pinned() {
        let file = |name: &str| fs::read_to_string(crate::root().join(name)).unwrap();
        let channel = format!("channel = \"{RUST}\"");
        assert!(
            file("rust-toolchain.toml")
                .lines()
                .any(|line| line == channel)
        );
        let (minor, _) = RUST.rsplit_once('.').unwrap();
        let image = format!("rust:{minor}");
        assert!(file("Dockerfile.frontend").contains(&image), "{image}");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in ["", "latest", "1", "1.25.", "1.2.3.4", "v1.25"] {
            assert!(patch_version(bad).is_err(), "{bad}");
        }
        assert_eq!(patch_version("1.25.3").unwrap(), "1.25.3");
    }
}
