//! What differs between two images that should be one: by platform, layer and file, so that
//! whoever reads it knows where to look.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An image in an OCI layout, a folder.
pub(super) struct Layout(PathBuf);

/// Digests of manifests by platform.
pub(super) type Manifests = BTreeMap<String, String>;

impl Layout {
    pub(super) fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// What runs, without attestations: those name the time and the place of a build.
    pub(super) fn manifests(&self) -> Result<Manifests> {
        let mut found = Manifests::new();
        let mut open = vec![json(&self.0.join("index.json"))?];
        while let Some(index) = open.pop() {
            for entry in index["manifests"].as_array().into_iter().flatten() {
                let digest = text(&entry["digest"])?;
                let platform = &entry["platform"];
                if entry["mediaType"]
                    .as_str()
                    .is_some_and(|kind| kind.contains("index"))
                {
                    open.push(self.blob(digest)?);
                } else if platform["os"] != "unknown" {
                    let name = match platform["os"].as_str() {
                        Some(os) => format!("{os}/{}", text(&platform["architecture"])?),
                        None => "the only platform".to_owned(),
                    };
                    found.insert(name, digest.to_owned());
                }
            }
        }
        Ok(found)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.0.join("blobs").join(digest.replace(':', "/"))
    }

    fn blob(&self, digest: &str) -> Result<Value> {
        json(&self.path(digest))
    }

    fn layers(&self, manifest: &Value) -> Result<Vec<Layer>> {
        let layers = manifest["layers"]
            .as_array()
            .context("a manifest without layers")?;
        layers
            .iter()
            .map(|layer| Layer::read(&self.path(text(&layer["digest"])?)))
            .collect()
    }
}

/// What differs, one line each; nothing if each platform has one digest.
pub(super) fn differences(one: &Layout, other: &Layout) -> Result<Vec<String>> {
    let (ours, theirs) = (one.manifests()?, other.manifests()?);
    let mut lines = Vec::new();
    for platform in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        match (ours.get(platform), theirs.get(platform)) {
            (Some(digest), Some(same)) if digest == same => {}
            (Some(digest), Some(different)) => {
                lines.push(format!("{platform}: {digest} and {different}"));
                lines.extend(inside(one, digest, other, different)?);
            }
            _ => lines.push(format!("{platform}: in one image only")),
        }
    }
    Ok(lines)
}

/// What differs inside of two manifests.
fn inside(one: &Layout, digest: &str, other: &Layout, different: &str) -> Result<Vec<String>> {
    let (ours, theirs) = (one.blob(digest)?, other.blob(different)?);
    let mut lines = Vec::new();
    let configs = (
        one.blob(text(&ours["config"]["digest"])?)?,
        other.blob(text(&theirs["config"]["digest"])?)?,
    );
    fields("configuration", &configs.0, &configs.1, &mut lines);
    let (ours, theirs) = (one.layers(&ours)?, other.layers(&theirs)?);
    if ours.len() != theirs.len() {
        lines.push(format!("  {} and {} layers", ours.len(), theirs.len()));
    }
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let before = lines.len();
        ours.against(theirs, number + 1, &mut lines);
        if lines.len() == before && ours.compressed != theirs.compressed {
            let why = if ours.content == theirs.content {
                "compressed by another program"
            } else {
                "the order or form of its entries"
            };
            lines.push(format!("  layer {}: {why}", number + 1));
        }
    }
    Ok(lines)
}

/// Fields that differ, down to the last level. Digests of layers are what the files say better.
fn fields(place: &str, ours: &Value, theirs: &Value, lines: &mut Vec<String>) {
    if ours == theirs || place.ends_with(".diff_ids") {
        return;
    }
    match (ours.as_object(), theirs.as_object()) {
        (Some(ours), Some(theirs)) => {
            for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                let value = |object: &serde_json::Map<String, Value>| {
                    object.get(key).cloned().unwrap_or_default()
                };
                fields(
                    &format!("{place}.{key}"),
                    &value(ours),
                    &value(theirs),
                    lines,
                );
            }
        }
        _ => lines.push(format!("  {place}: {ours} and {theirs}")),
    }
}

/// One layer's files.
struct Layer {
    compressed: String,
    /// Of the archive.
    content: String,
    files: BTreeMap<String, BTreeMap<&'static str, String>>,
}

impl Layer {
    fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut archive = Vec::new();
        GzDecoder::new(bytes.as_slice())
            .read_to_end(&mut archive)
            .with_context(|| format!("{} is no gzip layer", path.display()))?;
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive.as_slice()).entries()? {
            let mut entry = entry?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let header = entry.header();
            let link = entry.link_name()?.unwrap_or_default();
            let facts = BTreeMap::from([
                ("mode", format!("{:o}", header.mode()?)),
                ("owner", format!("{}:{}", header.uid()?, header.gid()?)),
                ("time", header.mtime()?.to_string()),
                ("kind", format!("{:?}", header.entry_type())),
                ("target", link.display().to_string()),
                ("size", content.len().to_string()),
                ("content", sum(&content)),
            ]);
            files.insert(entry.path()?.display().to_string(), facts);
        }
        Ok(Self {
            compressed: sum(&bytes),
            content: sum(&archive),
            files,
        })
    }

    /// Lines about files that are not the same in both.
    fn against(&self, other: &Self, number: usize, lines: &mut Vec<String>) {
        let paths: BTreeSet<_> = self.files.keys().chain(other.files.keys()).collect();
        for path in paths {
            match (self.files.get(path), other.files.get(path)) {
                (Some(ours), Some(theirs)) => {
                    let differ = ours.iter().filter(|(name, value)| theirs[*name] != **value);
                    let differ: Vec<_> = differ
                        .map(|(name, value)| format!("{name} {value} and {}", theirs[name]))
                        .collect();
                    if !differ.is_empty() {
                        lines.push(format!("  layer {number}: {path}: {}", differ.join(", ")));
                    }
                }
                _ => lines.push(format!("  layer {number}: {path}: in one image only")),
            }
        }
    }
}

/// A few digits, to tell one from another.
fn sum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(6).map(|b| format!("{b:02x}")).collect()
}

fn json(path: &Path) -> Result<Value> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_reader(BufReader::new(file))?)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("an OCI layout without a digest")
}

#[cfg(test)]
mod tests;
