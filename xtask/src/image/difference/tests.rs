#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;

/// A layout that is removed with its value.
struct Made(Layout);

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.0);
    }
}

impl Made {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("xtask-layout-{name}-{}", std::process::id()));
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        Self(Layout::new(dir))
    }

    fn blob(&self, bytes: &[u8]) -> String {
        let digest = format!("sha256:{}", sum(bytes));
        fs::write(self.0.path(&digest), bytes).unwrap();
        digest
    }

    fn json(&self, value: &Value) -> String {
        self.blob(value.to_string().as_bytes())
    }

    /// An image of one layer with one file, and an attestation that differs each time.
    fn image(name: &str, created: &str, mode: u32, mtime: u64, content: &str) -> Self {
        let made = Self::new(name);
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_mtime(mtime);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, "gofleet", content.as_bytes())
            .unwrap();
        let layer = made.blob(&archive.into_inner().unwrap().finish().unwrap());
        let config = made.json(&json!({"created": created, "rootfs": {"diff_ids": [layer]}}));
        let manifest =
            made.json(&json!({"config": {"digest": config}, "layers": [{"digest": layer}]}));
        let index = made.json(&json!({"manifests": [
            {"digest": manifest, "platform": {"os": "linux", "architecture": "amd64"}},
            {"digest": format!("sha256:{name}"), "platform": {"os": "unknown", "architecture": "unknown"}},
        ]}));
        let top = json!({"manifests": [
            {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": index},
        ]});
        let mut file = File::create(made.0.0.join("index.json")).unwrap();
        write!(file, "{top}").unwrap();
        made
    }
}

#[test]
fn attestations_are_no_difference() {
    let one = Made::image("same-1", "1970", 0o755, 0, "x");
    let other = Made::image("same-2", "1970", 0o755, 0, "x");
    assert_eq!(differences(&one.0, &other.0).unwrap(), [""; 0]);
    assert_eq!(
        one.0.manifests().unwrap().into_keys().collect::<Vec<_>>(),
        ["linux/amd64"]
    );
}

#[test]
fn what_differs_is_said_by_file_and_field() {
    let one = Made::image("differ-1", "1970", 0o755, 0, "x");
    let other = Made::image("differ-2", "2026", 0o700, 7, "yy");
    let lines = differences(&one.0, &other.0).unwrap();
    assert!(lines[0].starts_with("linux/amd64: sha256:"), "{lines:?}");
    assert_eq!(lines[1], "  configuration.created: \"1970\" and \"2026\"");
    assert!(lines[2].starts_with("  layer 1: gofleet: "), "{lines:?}");
    for part in [
        "mode 755 and 700",
        "time 0 and 7",
        "size 1 and 2",
        "content ",
    ] {
        assert!(lines[2].contains(part), "{part}: {lines:?}");
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
}
