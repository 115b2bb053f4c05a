//! `cargo xtask image`: the frontend's image, built by BuildKit and pushed where
//! `# syntax=gofleet/gofleet:1` finds it: the registry that our daemons use as
//! the mirror of docker.io.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::engine::Engine;
use crate::run::{output, shown};
use crate::{http, root};

/// Name on docker.io.
const REPOSITORY: &str = "gofleet/gofleet";
const TAG: &str = "1";

/// Where the binary is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By Dockerfile.frontend alone, for both platforms, as users do it.
    InBuildKit,
    /// By cargo here, for this machine's platform, not optimised: for the next try
    /// after an edit. The rest of Dockerfile.frontend is used as it is.
    Native,
}

/// Builds and pushes the image, and prints its size per platform.
///
/// # Errors
///
/// The build fails; what it said is on the screen.
pub(crate) fn build(engine: &Engine, how: How) -> Result<()> {
    let began = Instant::now();
    let name = format!("{}/{REPOSITORY}:{TAG}", engine.registry);
    let mut command = dockerfile(engine);
    // Level 9: pulled by every builder. Fixed times: the same binary is the same image.
    command
        .args([
            "--provenance=false",
            "--sbom=false",
            "--build-arg=SOURCE_DATE_EPOCH=0",
        ])
        .arg(format!(
            "--output=type=image,name={name},push=true,oci-mediatypes=true,rewrite-timestamp=true,\
         compression-level=9,force-compression=true"
        ));
    let contexts = match how {
        How::InBuildKit => {
            command.arg("--platform=linux/amd64,linux/arm64");
            Vec::new()
        }
        How::Native => native_stages()?,
    };
    command.args(&contexts);
    shown(command.arg(".")).context("the frontend image was not built")?;
    if !engine.own_docker {
        // The user's Docker does not look into our registry; it resolves a syntax
        // line to an image that it holds.
        let mut load = dockerfile(engine);
        load.args(["--builder=default", "--load"])
            .arg(format!("--tag={REPOSITORY}:{TAG}"))
            .args(&contexts);
        shown(load.arg(".")).context("the frontend image was not loaded into Docker")?;
    }
    println!(
        "{REPOSITORY}:{TAG}, built and pushed in {} s; compressed:",
        began.elapsed().as_secs()
    );
    for (platform, bytes) in sizes(&engine.registry, REPOSITORY, TAG)? {
        println!("  {platform:14} {}", megabytes(bytes));
    }
    Ok(())
}

fn dockerfile(engine: &Engine) -> Command {
    let mut command = engine.docker();
    command
        .current_dir(root())
        .args(["buildx", "build", "--file=Dockerfile.frontend"]);
    command
}

/// Compiles here what the stages `binary` and `rootfs` of Dockerfile.frontend
/// make, and returns the options that put it in their place.
fn native_stages() -> Result<Vec<String>> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let libraries =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", &target]))?;
    if !Path::new(&libraries).is_dir() {
        shown(Command::new("rustup").args(["target", "add", &target]))
            .with_context(|| format!("Rust's target {target} is missing"))?;
    }
    let cargo = || {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(root());
        command
    };
    let linker = format!(
        "CARGO_TARGET_{}_LINKER",
        target.to_uppercase().replace('-', "_")
    );
    shown(
        cargo()
            .args([
                "build",
                "--locked",
                "--package=gofleet",
                "--bin=gofleet",
                "--target",
                &target,
            ])
            .env(linker, "rust-lld")
            // Without it the image would be ten times as large.
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    let target_dir = target_dir(&output(cargo().args([
        "metadata",
        "--no-deps",
        "--format-version=1",
    ]))?)?;
    let stages = target_dir.join("native-image");
    let (binary, rootfs) = (stages.join("binary"), stages.join("rootfs"));
    for dir in [&binary, &rootfs] {
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        fs::create_dir_all(dir)?;
    }
    fs::copy(
        target_dir.join(&target).join("debug/gofleet"),
        binary.join("gofleet"),
    )
    .context("cargo left no binary")?;
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
    Ok(vec![
        format!("--build-context=binary={}", binary.display()),
        format!("--build-context=rootfs={}", rootfs.display()),
    ])
}

fn target_dir(metadata: &str) -> Result<PathBuf> {
    let metadata: Value = serde_json::from_str(metadata)?;
    Ok(PathBuf::from(
        metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target folder")?,
    ))
}

/// Bytes that a pull transfers, by platform: the manifest's config and layers.
fn sizes(registry: &str, repository: &str, tag: &str) -> Result<Vec<(String, u64)>> {
    let get = |reference: &str| {
        http::manifest(registry, repository, reference)?
            .with_context(|| format!("the registry has no {repository}:{reference}"))
    };
    let top = get(tag)?;
    let Some(entries) = top["manifests"].as_array() else {
        let platform = format!(
            "linux/{}",
            std::env::consts::ARCH
                .replace("x86_64", "amd64")
                .replace("aarch64", "arm64")
        );
        return Ok(vec![(platform, transferred(&top)?)]);
    };
    let mut sizes = Vec::new();
    for entry in entries {
        let (os, arch) = (&entry["platform"]["os"], &entry["platform"]["architecture"]);
        let (Some(os), Some(arch)) = (os.as_str(), arch.as_str()) else {
            bail!("an index entry without platform")
        };
        let digest = entry["digest"]
            .as_str()
            .context("an index entry without digest")?;
        sizes.push((format!("{os}/{arch}"), transferred(&get(digest)?)?));
    }
    Ok(sizes)
}

/// Bytes of config and layers of one manifest.
fn transferred(manifest: &Value) -> Result<u64> {
    let layers = manifest["layers"]
        .as_array()
        .context("a manifest without layers")?;
    layers
        .iter()
        .chain([&manifest["config"]])
        .map(|blob| blob["size"].as_u64().context("a blob without size"))
        .sum()
}

/// `2.31 MB`, decimal as registries show it.
pub(crate) fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let value = bytes as f64 / 1e6;
    format!("{value:.2} MB")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pull_transfers_config_and_layers() {
        let manifest = json!({"config": {"size": 10}, "layers": [{"size": 200}, {"size": 3000}]});
        assert_eq!(transferred(&manifest).unwrap(), 3210);
        assert!(transferred(&json!({"manifests": []})).is_err());
        assert_eq!(megabytes(2_314_000), "2.31 MB");
    }
}
