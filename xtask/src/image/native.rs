//! The stages of Dockerfile.frontend made here, by cargo: for the next try after an edit.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::root;
use crate::run::{output, shown};

/// Makes what the stages `binary`, `rootfs` and `sbom` of Dockerfile.frontend make, and returns the
/// options that put it in their place.
///
/// # Errors
///
/// Something does not compile; what cargo said is on the screen.
pub(super) fn stages() -> Result<Vec<String>> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    have(&target)?;
    let built = compile(&target)?;
    let (binary, rootfs, sbom) = (stage("binary")?, stage("rootfs")?, stage("sbom")?);
    let program = binary.join("gofleet");
    fs::copy(built.join("gofleet"), &program).context("cargo left no binary")?;
    // As the stage does it.
    File::open(&program)?.set_modified(UNIX_EPOCH)?;
    shown(
        cargo()
            .args([
                "run",
                "--locked",
                "--quiet",
                "--package=gofleet-rootfs",
                "--",
            ])
            .arg(rootfs.join("rootfs")),
    )?;
    fill_sbom(&sbom.join("sbom"), &built)?;
    Ok([("binary", binary), ("rootfs", rootfs), ("sbom", sbom)]
        .map(|(name, dir)| format!("--build-context={name}={}", dir.display()))
        .to_vec())
}

/// Has rustup add the target if it is missing.
fn have(target: &str) -> Result<()> {
    let libraries =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if !Path::new(&libraries).is_dir() {
        shown(Command::new("rustup").args(["target", "add", target]))
            .with_context(|| format!("Rust's target {target} is missing"))?;
    }
    Ok(())
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Compiles both programs for images, and returns where they are.
fn compile(target: &str) -> Result<PathBuf> {
    let linker = format!(
        "CARGO_TARGET_{}_LINKER",
        target.to_uppercase().replace('-', "_")
    );
    shown(
        cargo()
            .args(["build", "--locked", "--target", target])
            .args(["--package=gofleet", "--bin=gofleet"])
            .args(["--package=gofleet-sbom", "--bin=gofleet-sbom"])
            .env(linker, "rust-lld")
            // Without it the image would be ten times as large.
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    Ok(target_dir()?.join(target).join("debug"))
}

/// What the SBOM is written from.
fn fill_sbom(dir: &Path, built: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    fs::copy(built.join("gofleet-sbom"), dir.join("gofleet-sbom"))?;
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock"))?;
    fs::write(
        dir.join("rustc"),
        output(Command::new("rustc").arg("--version").current_dir(root()))?,
    )?;
    for (platform, machine) in [("amd64", "x86_64"), ("arm64", "aarch64")] {
        let mut tree = cargo();
        tree.args(["tree", "--locked", "--edges=normal,no-proc-macro"])
            .args(["--package=gofleet", "--package=gofleet-rootfs"])
            .arg(format!("--target={machine}-unknown-linux-musl"))
            .args(["--prefix=depth", "--format=|{p}|{l}|{r}"]);
        fs::write(dir.join(platform), output(&mut tree)?)?;
    }
    Ok(())
}

/// An empty folder for the files of a stage.
fn stage(name: &str) -> Result<PathBuf> {
    let dir = target_dir()?.join("native-image").join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn target_dir() -> Result<PathBuf> {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    Ok(PathBuf::from(
        metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target folder")?,
    ))
}
