//! Lines of `go.sum`, as Go counts them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The two lines of `go.sum`.
pub(crate) fn sums(path: &str, version: &str, files: &BTreeMap<&str, &str>) -> String {
    let prefix = format!("{path}@{version}/");
    let module = hash(
        files
            .iter()
            .map(|(name, text)| (format!("{prefix}{name}"), *text)),
    );
    let manifest = hash([("go.mod".to_owned(), files["go.mod"])].into_iter());
    format!("{path} {version} {module}\n{path} {version}/go.mod {manifest}\n")
}

/// `h1:`, a hash over names and hashes of files that come sorted.
fn hash<'a>(files: impl Iterator<Item = (String, &'a str)>) -> String {
    let mut lines = String::new();
    for (name, text) in files {
        let digest = Sha256::digest(text);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        lines += &format!("{hex}  {name}\n");
    }
    format!("h1:{}", STANDARD.encode(Sha256::digest(lines)))
}
