//! What the daemon tells a frontend before the first call: its environment
//! and one file.
//!
//! In: environment variables, `/run/config/buildkit/metadata/frontend.bin`.
//! Out: a [`Request`]. What the options mean is left to `options`.
//!
//! Contract of BuildKit v0.32: `frontend/gateway/gateway.go`, `client/workers.go`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use buildkit_llb::Platform;
use buildkit_proto::pb;
use buildkit_proto::prost::Message;
use serde::Deserialize;

const OPTION_PREFIX: &str = "BUILDKIT_FRONTEND_OPT_";
const FRONTEND_DEFINITION: &str = "/run/config/buildkit/metadata/frontend.bin";

/// One request, as the daemon handed it over.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The options of the client, by key.
    pub options: BTreeMap<String, String>,
    /// The session that serves local directories and secrets.
    pub session_id: String,
    /// The workers of the daemon; the first is the default.
    pub workers: Vec<Worker>,
    /// The product's name for messages about capabilities; may be empty.
    pub exported_product: String,
    /// The graph of our own image's root, to run ourselves in a step.
    pub frontend_bin: Option<pb::Definition>,
}

/// A worker of the daemon.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// Its id.
    pub id: String,
    /// What it can run, its own platform first.
    #[serde(deserialize_with = "platforms")]
    pub platforms: Vec<Platform>,
    /// The version of its BuildKit.
    #[serde(rename = "buildkitVersion")]
    pub version: Version,
}

/// The version of a daemon.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Version {
    /// Go package, such as `github.com/moby/buildkit`.
    pub package: String,
    /// Such as `v0.32.2`.
    pub version: String,
}

impl Request {
    /// Reads the environment of this process.
    #[must_use]
    pub fn from_env() -> Self {
        let mut request = Self::from_vars(std::env::vars_os());
        request.frontend_bin = read_definition(Path::new(FRONTEND_DEFINITION));
        request
    }

    /// Reads a given environment; no file.
    pub fn from_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut request = Self::default();
        for (name, value) in vars {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
                // Options are UTF-8: they come out of a protobuf map.
                continue;
            };
            match name.as_str() {
                "BUILDKIT_SESSION_ID" => request.session_id = value,
                // As upstream: a list that cannot be read is no list.
                "BUILDKIT_WORKERS" => {
                    request.workers = serde_json::from_str(&value).unwrap_or_default();
                }
                "BUILDKIT_EXPORTEDPRODUCT" => request.exported_product = value,
                _ if name.starts_with(OPTION_PREFIX) => {
                    let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                    request.options.insert(key.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        request
    }

    /// The daemon's own platform: the first of its first worker.
    #[must_use]
    pub fn native_platform(&self) -> Option<&Platform> {
        self.workers.first()?.platforms.first()
    }

    /// The builder for messages, such as `BuildKit v0.12.5`; empty if unknown.
    #[must_use]
    pub fn builder(&self) -> String {
        let version = self.workers.first().map(|w| w.version.version.as_str());
        match version {
            // What builds without version information call themselves.
            None | Some("" | "v0.0.0+unknown") => String::new(),
            Some(version) => format!("BuildKit {version}"),
        }
    }
}

fn read_definition(path: &Path) -> Option<pb::Definition> {
    let bytes = std::fs::read(path).ok()?;
    pb::Definition::decode(bytes.as_slice()).ok()
}

/// Reads the platforms of the OCI JSON form.
fn platforms<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Platform>, D::Error> {
    #[derive(Deserialize)]
    struct Oci {
        os: String,
        architecture: String,
        #[serde(default)]
        variant: String,
    }
    let list = Option::<Vec<Oci>>::deserialize(d)?.unwrap_or_default();
    Ok(list
        .iter()
        .filter_map(|p| {
            let mut text = format!("{}/{}", p.os, p.architecture);
            if !p.variant.is_empty() {
                text.push('/');
                text.push_str(&p.variant);
            }
            Platform::parse(&text).ok()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(vars: &[(&str, &str)]) -> Request {
        Request::from_vars(vars.iter().map(|(k, v)| (k.into(), v.into())))
    }

    #[test]
    fn options_are_split_at_the_first_equals_sign() {
        let request = request(&[
            ("BUILDKIT_FRONTEND_OPT_0", "build-arg:LDFLAGS=-X a=b"),
            ("BUILDKIT_FRONTEND_OPT_17", "no-cache="),
            ("BUILDKIT_FRONTEND_OPT_3", "bare"),
            ("BUILDKIT_SESSION_ID", "s"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(request.options["build-arg:LDFLAGS"], "-X a=b");
        assert_eq!(request.options["no-cache"], "");
        assert_eq!(request.options["bare"], "");
        assert_eq!(request.options.len(), 3);
        assert_eq!(request.session_id, "s");
    }

    #[test]
    fn workers_tell_platform_and_version() {
        let json = r#"[{"id":"w","labels":null,"platforms":[
            {"architecture":"arm64","os":"linux"},
            {"architecture":"arm","os":"linux","variant":"v7"}],
            "gcPolicy":[{}],"buildkitVersion":{"package":"p","version":"v0.12.5","revision":"r"},
            "cdiDevices":null}]"#;
        let request = request(&[("BUILDKIT_WORKERS", json)]);
        let native = request.native_platform().map(ToString::to_string);
        assert_eq!(native.as_deref(), Some("linux/arm64"));
        assert_eq!(request.workers[0].platforms[1].to_string(), "linux/arm/v7");
        assert_eq!(request.builder(), "BuildKit v0.12.5");
    }

    #[test]
    fn a_missing_or_broken_worker_list_is_empty() {
        for json in ["", "null", "{"] {
            let request = request(&[("BUILDKIT_WORKERS", json)]);
            assert!(request.native_platform().is_none(), "{json}");
            assert_eq!(request.builder(), "");
        }
    }
}
