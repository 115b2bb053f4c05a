//! The image configuration that goes with the layers.
//!
//! Nothing in it changes with the commit or the day: times are the epoch, or
//! `SOURCE_DATE_EPOCH` when the client gives one.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use buildkit_llb::Platform;
use serde_json::{Map, Value};

use super::build::BINARY_DIR;
use super::user::{Home, Runner};
use crate::image::{History, ImageConfig};
use crate::plan::ImageSettings;

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a configuration is made from.
pub(super) struct ConfigInputs<'a> {
    pub(super) platform: &'a Platform,
    pub(super) settings: &'a ImageSettings,
    /// Configuration of the base image; `None` on scratch.
    pub(super) base: Option<&'a ImageConfig>,
    /// Who runs the program.
    pub(super) runner: &'a Runner,
    /// The binary that runs when the spec has no entrypoint.
    pub(super) binary: Option<&'a str>,
    /// History texts of our layers, in order.
    pub(super) layers: &'a [String],
    /// `--label`.
    pub(super) client_labels: &'a BTreeMap<String, String>,
    /// Seconds since 1970.
    pub(super) epoch: u64,
}

/// Builds the configuration of one image.
pub(super) fn image_config(inputs: &ConfigInputs<'_>) -> ImageConfig {
    let settings = inputs.settings;
    let runner = inputs.runner;
    let mut image = inputs.base.cloned().unwrap_or_else(scratch_config);
    made_for(&mut image, inputs.platform, inputs.layers, inputs.epoch);

    image.config.user.clone_from(&runner.text);
    match &runner.home {
        Home::Is(home) => image.set_env("HOME", home),
        Home::OfBase => {}
        Home::AskPasswd => image.unset_env("HOME"),
    }
    for (name, value) in &settings.environment {
        image.set_env(name, value);
    }
    match (&settings.entrypoint, inputs.binary) {
        (Some(words), _) => {
            image.config.entrypoint.clone_from(words);
            image.config.cmd.clear();
        }
        (None, Some(binary)) => {
            image.config.entrypoint = vec![format!("{BINARY_DIR}/{binary}")];
            // A base image's arguments belong to its own program.
            image.config.cmd.clear();
        }
        (None, None) => {}
    }
    if let Some(words) = &settings.command {
        image.config.cmd.clone_from(words);
    }
    if let Some(dir) = &settings.working_dir {
        image.config.working_dir.clone_from(&dir.value);
    }
    if image.config.working_dir.is_empty() {
        "/".clone_into(&mut image.config.working_dir);
    }
    for port in &settings.expose {
        image
            .config
            .exposed_ports
            .insert(port.clone(), Value::Object(Map::new()));
    }
    let labels = settings.labels.iter().chain(inputs.client_labels);
    image
        .config
        .labels
        .extend(labels.map(|(k, v)| (k.clone(), v.clone())));
    image
}

/// The configuration of a tree that is exported as an image, and not meant to run.
///
/// Without one the daemon writes its own: with its platform, and the time of the build.
pub(super) fn plain_config(
    platform: &Platform,
    layers: &[String],
    client_labels: &BTreeMap<String, String>,
    epoch: u64,
) -> ImageConfig {
    let mut image = ImageConfig::default();
    made_for(&mut image, platform, layers, epoch);
    image.config.labels.clone_from(client_labels);
    image
}

/// Says for which platform an image is, when it was made, and of which layers.
fn made_for(image: &mut ImageConfig, platform: &Platform, layers: &[String], epoch: u64) {
    image.os.clone_from(&platform.os);
    image.architecture.clone_from(&platform.arch);
    image.variant.clone_from(&platform.variant);
    let created = rfc3339(epoch);
    image.created = Some(created.clone());
    image.history.extend(layers.iter().map(|text| History {
        created: Some(created.clone()),
        created_by: Some(text.clone()),
        ..History::default()
    }));
}

fn scratch_config() -> ImageConfig {
    let mut image = ImageConfig::default();
    image.set_env("PATH", DEFAULT_PATH);
    image
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entrypoint_replaces_the_base_images_program() {
        let base = ImageConfig::from_json(
            br#"{"architecture":"amd64","os":"linux","config":{"User":"0","Env":["PATH=/x"],"Entrypoint":["/sh"],"Cmd":["-c"]}}"#,
        )
        .unwrap_or_default();
        let settings = ImageSettings {
            expose: vec!["80/tcp".into()],
            ..ImageSettings::default()
        };
        let config = image_config(&ConfigInputs {
            platform: &Platform::new("linux", "amd64", ""),
            settings: &settings,
            base: Some(&base),
            runner: &Runner::on_base(&base, None, None),
            binary: Some("api"),
            layers: &["gofleet: api".to_owned()],
            client_labels: &BTreeMap::new(),
            epoch: 0,
        });
        assert_eq!(config.config.entrypoint, ["/usr/local/bin/api"]);
        assert!(config.config.cmd.is_empty());
        assert_eq!(config.config.user, "0", "the base image's own user is kept");
        assert_eq!(config.config.env, ["PATH=/x"]);
        assert!(config.config.exposed_ports.contains_key("80/tcp"));
    }
}
