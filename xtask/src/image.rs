//! `cargo xtask image`: the frontend's image, built by BuildKit and pushed where
//! `# syntax=gofleet/gofleet:1` finds it: the registry that our daemons use as
//! the mirror of docker.io.

mod attest;
mod difference;
mod native;
mod twice;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::engine::Engine;
use crate::run::{output, shown};
use crate::{http, root};
pub(crate) use twice::twice;

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

/// What users get.
const PLATFORMS: &str = "--platform=linux/amd64,linux/arm64";
/// How the image is written. Level 9: pulled by every builder. Times that are later than the
/// commit's become that: the same binary is the same image.
const WRITTEN: &str =
    "oci-mediatypes=true,rewrite-timestamp=true,compression-level=9,force-compression=true";

/// Builds and pushes the image, and prints its size per platform.
///
/// # Errors
///
/// The build fails; what it said is on the screen. Or an attestation is missing.
pub(crate) fn build(engine: &Engine, how: How) -> Result<()> {
    let began = Instant::now();
    let name = format!("{}/{REPOSITORY}:{TAG}", engine.registry);
    let contexts = match how {
        How::InBuildKit => Vec::new(),
        How::Native => native::stages()?,
    };
    let epoch = epoch(how);
    let mut command = dockerfile(engine);
    if how == How::InBuildKit {
        command.arg(PLATFORMS);
    }
    command
        .args(attest::options(engine, &epoch, &contexts)?)
        .arg(format!("--build-arg=SOURCE_DATE_EPOCH={epoch}"))
        .arg(format!(
            "--output=type=image,name={name},push=true,{WRITTEN}"
        ))
        .args(&contexts);
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
    for image in images(&engine.registry, REPOSITORY, TAG)? {
        println!(
            "  {:14} {}, with {}",
            image.platform,
            megabytes(image.bytes),
            image.attested()?
        );
    }
    Ok(())
}

/// The time of the image: the commit's, as for everybody who builds that commit. What is made here
/// after an edit is of no commit, and the same program is to be the same image.
fn epoch(how: How) -> String {
    let commit = || {
        output(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(root()),
        )
    };
    let epoch = match how {
        How::InBuildKit => std::env::var("SOURCE_DATE_EPOCH").or_else(|_| commit()),
        How::Native => Ok("0".to_owned()),
    };
    // No git, no commit: an archive of the sources.
    epoch.unwrap_or_else(|_| "0".to_owned())
}

fn dockerfile(engine: &Engine) -> Command {
    let mut command = engine.docker();
    command
        .current_dir(root())
        .args(["buildx", "build", "--file=Dockerfile.frontend"]);
    command
}

/// One platform's image.
struct Image {
    platform: String,
    /// That a pull transfers: config and layers.
    bytes: u64,
    /// Manifest of the attestations about it.
    attestations: Option<Value>,
}

impl Image {
    /// What is said about the image beside it.
    fn attested(&self) -> Result<String> {
        let Self { platform, .. } = self;
        let manifest = self
            .attestations
            .as_ref()
            .with_context(|| format!("the image for {platform} has no attestations"))?;
        attest::kinds(manifest).with_context(|| format!("the image for {platform}"))
    }
}

/// The images of an index.
fn images(registry: &str, repository: &str, tag: &str) -> Result<Vec<Image>> {
    let get = |reference: &str| {
        http::manifest(registry, repository, reference)?
            .with_context(|| format!("the registry has no {repository}:{reference}"))
    };
    let top = get(tag)?;
    let entries = top["manifests"]
        .as_array()
        .with_context(|| format!("{repository}:{tag} is no index, so it has no attestations"))?;
    let mut images = Vec::new();
    for entry in entries {
        if attest::subject(entry).is_some() {
            continue;
        }
        let digest = text(&entry["digest"])?;
        let about = entries
            .iter()
            .find(|other| attest::subject(other) == Some(digest));
        let (os, arch) = (&entry["platform"]["os"], &entry["platform"]["architecture"]);
        images.push(Image {
            platform: format!("{}/{}", text(os)?, text(arch)?),
            bytes: transferred(&get(digest)?)?,
            attestations: match about {
                Some(entry) => Some(get(text(&entry["digest"])?)?),
                None => None,
            },
        });
    }
    Ok(images)
}

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .context("an index entry without digest or platform")
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
