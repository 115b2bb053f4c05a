//! The cache mounts of a daemon: what it says of them, and pruning.

use serde::Deserialize;

use super::command::{Tool, buildctl};

/// A record of a cache mount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) in_use: bool,
    /// Has the mount's own id at its end, in quotes.
    #[serde(default)]
    pub(crate) description: String,
}

/// Selects cache mounts whose description has a text: ids of mounts are part of it.
fn filter(text: &str) -> String {
    format!("type==exec.cachemount,description~={text}")
}

/// Removes the cache mounts of the engine's daemon that have a text, as a nonce.
pub(crate) fn prune_cache_mounts(text: &str) {
    buildctl().args(["prune", "--filter", &filter(text)]).ok();
}

/// Removes the cache mounts whose ids contain a text, of a daemon that nothing else uses.
/// Daemons of old do not know descriptions when they prune. `buildctl` asks that daemon.
pub(crate) fn prune_all(buildctl: impl Fn() -> Tool, text: &str) {
    loop {
        let found = cache_mounts(buildctl(), text);
        if found.is_empty() {
            return;
        }
        // A frontend that was ended still uses them for a moment.
        for record in found {
            let filter = format!("id=={}", record.id);
            buildctl().args(["prune", "--filter", &filter]).ok();
        }
    }
}

/// The cache mounts whose ids contain a text, of the daemon that `buildctl` asks. The rest of a
/// description is the command that made the mount, which may have the text as well.
pub(crate) fn cache_mounts(buildctl: Tool, text: &str) -> Vec<Record> {
    let output = buildctl
        .args(["du", "--format", "{{json .}}", "--filter", &filter(text)])
        .ok()
        .text();
    serde_json::Deserializer::from_str(&output)
        .into_iter::<Option<Vec<Record>>>()
        // Nothing at all is null.
        .flat_map(|records| records.unwrap().unwrap_or_default())
        .filter(|record| {
            let id = record.description.rsplit(" with id ").next();
            id.is_some_and(|id| id.contains(text))
        })
        .collect()
}
