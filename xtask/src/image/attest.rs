//! What lies beside the image in its index: an SBOM by our own scanner, and the provenance of the
//! build. Both are BuildKit's attestations, so no pull of the image transfers them.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::dockerfile;
use crate::engine::Engine;
use crate::run::shown;

/// What an attestation says, by the beginning of its type.
const KINDS: [(&str, &str); 2] = [
    ("https://spdx.dev/Document", "SBOM"),
    ("https://slsa.dev/provenance/", "provenance"),
];

/// Makes the scanner, and returns the options that have a build write both attestations.
///
/// # Errors
///
/// The scanner is not built.
pub(super) fn options(engine: &Engine, epoch: &str, contexts: &[String]) -> Result<[String; 2]> {
    // A scanner is an image that the daemon pulls: no option gives it one otherwise.
    let scanner = format!("{}/gofleet/sbom:1", engine.registry);
    let mut command = dockerfile(engine);
    command
        .args(["--target=sbom-scanner", "--provenance=false", "--sbom=false"])
        .arg(format!("--build-arg=SOURCE_DATE_EPOCH={epoch}"))
        .arg(format!(
            "--output=type=image,name={scanner},push=true,oci-mediatypes=true,rewrite-timestamp=true"
        ))
        .args(contexts);
    shown(command.arg(".")).context("the SBOM scanner was not built")?;
    Ok([
        format!("--attest=type=sbom,generator={scanner},SOURCE_DATE_EPOCH={epoch}"),
        "--attest=type=provenance,mode=max".to_owned(),
    ])
}

/// The digest of the image that an entry of an index says something about
/// (moby/buildkit v0.32.2: docs/attestations/attestation-storage.md).
pub(super) fn subject(entry: &Value) -> Option<&str> {
    let notes = &entry["annotations"];
    (notes["vnd.docker.reference.type"] == "attestation-manifest")
        .then(|| notes["vnd.docker.reference.digest"].as_str())
        .flatten()
}

/// `SBOM and provenance`.
///
/// # Errors
///
/// One of them is missing.
pub(super) fn kinds(manifest: &Value) -> Result<String> {
    let layers = manifest["layers"].as_array();
    let types: Vec<&str> = layers
        .into_iter()
        .flatten()
        .filter_map(|layer| layer["annotations"]["in-toto.io/predicate-type"].as_str())
        .collect();
    for (kind, name) in KINDS {
        if !types.iter().any(|found| found.starts_with(kind)) {
            bail!("has no {name}, only {types:?}");
        }
    }
    Ok(KINDS.map(|(_, name)| name).join(" and "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_has_both_attestations_or_is_refused() {
        let layer = |kind: &str| json!({"annotations": {"in-toto.io/predicate-type": kind}});
        let manifest = |kinds: &[&str]| {
            let layers: Vec<Value> = kinds.iter().map(|kind| layer(kind)).collect();
            json!({"layers": layers})
        };
        let (sbom, provenance) = (
            "https://spdx.dev/Document",
            "https://slsa.dev/provenance/v1",
        );
        assert_eq!(
            kinds(&manifest(&[sbom, provenance])).unwrap(),
            "SBOM and provenance"
        );
        let error = kinds(&manifest(&[provenance])).unwrap_err().to_string();
        assert!(error.contains("has no SBOM"), "{error}");
        assert!(kinds(&json!({})).is_err());
    }

    #[test]
    fn an_attestation_names_its_image() {
        let entry = json!({"annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": "sha256:1",
        }});
        assert_eq!(subject(&entry), Some("sha256:1"));
        assert_eq!(subject(&json!({"digest": "sha256:1"})), None);
    }
}
