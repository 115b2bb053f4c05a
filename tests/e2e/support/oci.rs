//! Reads images out of OCI layout archives (`--output type=oci`, `docker image save`).
//!
//! OCI image specification 1.1: `image-layout.md`, `image-index.md`, `manifest.md`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// One platform's image.
pub(crate) struct Image {
    /// `linux/amd64`, from the configuration.
    pub(crate) platform: String,
    /// Digest of the manifest: what to deploy.
    pub(crate) digest: String,
    pub(crate) manifest: Value,
    pub(crate) config: Value,
    pub(crate) layers: Vec<Layer>,
}

/// One layer as its archive says.
pub(crate) struct Layer {
    pub(crate) entries: Vec<Entry>,
}

/// One header of a layer's archive, and the content of a file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Without slashes at either end; the root is empty.
    pub(crate) path: String,
    pub(crate) kind: tar::EntryType,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Seconds since 1970.
    pub(crate) mtime: u64,
    pub(crate) data: Vec<u8>,
}

/// All images of an archive, in the order of the index; attestations left out.
pub(crate) fn read(archive: &Path) -> Vec<Image> {
    let blobs = blobs(archive);
    let index = json(&blobs, "index.json");
    let mut images = Vec::new();
    collect(&blobs, &index, &mut images);
    assert!(!images.is_empty(), "no image in {}", archive.display());
    images
}

/// The only image of an archive.
pub(crate) fn read_one(archive: &Path) -> Image {
    let mut images = read(archive);
    assert_eq!(
        images.len(),
        1,
        "expected one image, found {:?}",
        platforms(&images)
    );
    images.remove(0)
}

/// The platforms of some images.
pub(crate) fn platforms(images: &[Image]) -> Vec<&str> {
    images.iter().map(|image| image.platform.as_str()).collect()
}

/// How many manifests the outermost index lists, and the media type of the first.
pub(crate) fn top(archive: &Path) -> (usize, String) {
    let index = json(&blobs(archive), "index.json");
    let manifests = index["manifests"].as_array().unwrap();
    (
        manifests.len(),
        manifests[0]["mediaType"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

impl Image {
    /// Every entry, from the lowest layer up.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.layers.iter().flat_map(|layer| &layer.entries)
    }

    /// The topmost entry at a path without slashes at its ends.
    pub(crate) fn find(&self, path: &str) -> Option<&Entry> {
        self.entries().filter(|entry| entry.path == path).last()
    }

    /// The same, which must be there.
    pub(crate) fn entry(&self, path: &str) -> &Entry {
        self.find(path).unwrap_or_else(|| {
            let paths: Vec<_> = self
                .entries()
                .map(|entry| entry.path.as_str())
                .take(60)
                .collect();
            panic!("no `{path}` in the image; it has {paths:?} …")
        })
    }

    /// A text of the image, such as a file or a setting.
    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.entry(path).data).into_owned()
    }

    /// A member of the `config` object.
    pub(crate) fn setting(&self, name: &str) -> &Value {
        &self.config["config"][name]
    }

    /// Digests of the uncompressed layers.
    pub(crate) fn diff_ids(&self) -> &Value {
        &self.config["rootfs"]["diff_ids"]
    }
}

impl Layer {
    /// Whether it has something at this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| entry.path == path)
    }
}

fn collect(blobs: &Blobs, index: &Value, images: &mut Vec<Image>) {
    for descriptor in index["manifests"].as_array().into_iter().flatten() {
        // Attestations hang beside the images, for a platform that does not exist.
        if descriptor["annotations"]["vnd.docker.reference.type"].is_string() {
            continue;
        }
        let digest = descriptor["digest"].as_str().unwrap().to_owned();
        let Some(manifest) = blob(blobs, &digest).map(parse) else {
            continue;
        };
        if manifest["manifests"].is_array() {
            collect(blobs, &manifest, images);
        } else {
            images.push(image(blobs, digest, manifest));
        }
    }
}

fn image(blobs: &Blobs, digest: String, manifest: Value) -> Image {
    let needed = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        blob(blobs, digest).unwrap_or_else(|| panic!("the archive lacks {digest}"))
    };
    let config = parse(needed(&manifest["config"]));
    let layers = manifest["layers"].as_array().unwrap().iter();
    let layers = layers
        .map(|layer| Layer {
            entries: entries(needed(layer)),
        })
        .collect();
    let part = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
    let parts = [part("os"), part("architecture"), part("variant")];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Image {
        platform: parts.join("/"),
        digest,
        manifest,
        config,
        layers,
    }
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend_from_slice(bytes);
    }
    let mut archive = tar::Archive::new(plain.as_slice());
    let mut entries = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let path = path.trim_start_matches("./").trim_matches('/').to_owned();
        let header = entry.header().clone();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).unwrap();
        entries.push(Entry {
            path,
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            uid: header.uid().unwrap(),
            gid: header.gid().unwrap(),
            mtime: header.mtime().unwrap(),
            data,
        });
    }
    entries
}

type Blobs = BTreeMap<String, Vec<u8>>;

fn blobs(archive: &Path) -> Blobs {
    let file = std::fs::File::open(archive).unwrap();
    let mut blobs = BTreeMap::new();
    for entry in tar::Archive::new(file).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        blobs.insert(path, bytes);
    }
    blobs
}

fn blob<'a>(blobs: &'a Blobs, digest: &str) -> Option<&'a [u8]> {
    let path = format!("blobs/{}", digest.replace(':', "/"));
    blobs.get(&path).map(Vec::as_slice)
}

fn json(blobs: &Blobs, path: &str) -> Value {
    parse(
        blobs
            .get(path)
            .unwrap_or_else(|| panic!("no {path} in the archive")),
    )
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}
