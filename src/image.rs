//! The OCI image configuration, as far as gofleet reads and writes it.
//!
//! Fields of the base image that we do not know are kept. Source: the OCI image
//! specification 1.1, `config.md`, with Docker's own additions left untouched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An image configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// CPU architecture in Go's words.
    #[serde(default)]
    pub architecture: String,
    /// Operating system in Go's words.
    #[serde(default)]
    pub os: String,
    /// CPU variant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What the runtime is told.
    #[serde(default)]
    pub config: RunConfig,
    /// Layers; the exporter writes the real ones.
    #[serde(default)]
    pub rootfs: RootFs,
    /// One entry per layer or setting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The `config` object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// Numeric or named user, with an optional group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `port/protocol` → empty object.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_default"
    )]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=value`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_default"
    )]
    pub env: Vec<String>,
    /// Words of the entrypoint.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_default"
    )]
    pub entrypoint: Vec<String>,
    /// Words of the default arguments.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_default"
    )]
    pub cmd: Vec<String>,
    /// Directory the program starts in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Labels.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The `rootfs` object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Uncompressed digests.
    #[serde(default, deserialize_with = "null_default")]
    pub diff_ids: Vec<String>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids: Vec::new(),
        }
    }
}

/// One entry of the history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What made the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether there is no layer to this entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ImageConfig {
    /// Reads the JSON that the daemon resolved for an image.
    ///
    /// # Errors
    ///
    /// When it is no image configuration.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The environment, split at the first `=`.
    pub fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        self.config
            .env
            .iter()
            .map(|entry| entry.split_once('=').unwrap_or((entry, "")))
    }

    /// Removes a variable.
    pub fn unset_env(&mut self, name: &str) {
        let is = |entry: &String| entry.split_once('=').map_or(entry.as_str(), |(n, _)| n) == name;
        self.config.env.retain(|entry| !is(entry));
    }

    /// Sets a variable: in its place when it is there, else at the end.
    pub fn set_env(&mut self, name: &str, value: &str) {
        let entry = format!("{name}={value}");
        let same = |e: &&mut String| e.split_once('=').map_or(e.as_str(), |(n, _)| n) == name;
        match self.config.env.iter_mut().find(same) {
            Some(existing) => *existing = entry,
            None => self.config.env.push(entry),
        }
    }
}

/// Docker writes `null` for empty lists and maps.
fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keeps_what_it_does_not_know() {
        let json = r#"{"architecture":"arm64","os":"linux","os.version":"1","config":{"Cmd":null,"Env":["A=1","B"],"Healthcheck":{"Test":["NONE"]}},"rootfs":{"type":"layers","diff_ids":null},"history":[{"comment":"c"}]}"#;
        let mut config = ImageConfig::from_json(json.as_bytes()).unwrap();
        config.set_env("A", "2");
        config.set_env("C", "x=y");
        assert_eq!(
            config.env().collect::<Vec<_>>(),
            [("A", "2"), ("B", ""), ("C", "x=y")]
        );
        config.unset_env("B");
        config.unset_env("C=x");
        assert_eq!(config.env().collect::<Vec<_>>(), [("A", "2"), ("C", "x=y")]);
        let out: Value = serde_json::to_value(&config).unwrap();
        assert_eq!(out["os.version"], "1");
        assert_eq!(out["config"]["Healthcheck"]["Test"][0], "NONE");
        assert_eq!(out["history"][0]["comment"], "c");
    }
}
