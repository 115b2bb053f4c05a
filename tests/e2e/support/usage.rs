//! What a daemon says of its cache mounts.

use serde::Deserialize;

use super::command::Tool;

/// A record of a cache mount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) in_use: bool,
}

/// The cache mounts of the daemon that `buildctl` asks, whose description has a text:
/// ids of mounts are part of it.
pub(crate) fn cache_mounts(buildctl: Tool, text: &str) -> Vec<Record> {
    let filter = format!("type==exec.cachemount,description~={text}");
    let output = buildctl
        .args(["du", "--format", "{{json .}}", "--filter", &filter])
        .ok()
        .text();
    serde_json::Deserializer::from_str(&output)
        .into_iter::<Option<Vec<Record>>>()
        // Nothing at all is null.
        .flat_map(|records| records.unwrap().unwrap_or_default())
        .collect()
}
