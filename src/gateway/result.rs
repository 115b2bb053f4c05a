//! The answer to a request: images, plain trees, or text.
//!
//! In: refs with their platforms and configs. Out: the `Result` of a `Return`,
//! with the metadata that exporters read. What is in a config is left to
//! `image`.
//!
//! Contract of BuildKit v0.32: `exporter/containerimage/exptypes`,
//! `frontend/dockerui/build.go`.

use std::collections::BTreeMap;

use buildkit_llb::Platform;
use buildkit_proto::gateway;
use serde::Serialize;

use super::client::Ref;

const PLATFORMS: &str = "refs.platforms";
const CONFIG: &str = "containerimage.config";
const BASE_CONFIG: &str = "containerimage.base.config";
const EPOCH: &str = "source.date.epoch";

/// What one platform gives.
#[derive(Clone, Debug)]
pub struct PlatformResult {
    /// The platform of the image.
    pub platform: Platform,
    /// Its root file system.
    pub reference: Ref,
    /// Its OCI config, JSON; `None` for trees that are no images.
    pub config: Option<Vec<u8>>,
    /// The config of its base image, JSON.
    pub base_config: Option<Vec<u8>>,
    /// The time for `source.date.epoch`, seconds since 1970, when it is not
    /// the number that the user gave.
    pub epoch: Option<i64>,
}

/// The answer to a request.
#[derive(Clone, Debug, Default)]
pub struct FrontendResult {
    refs: Refs,
    metadata: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
enum Refs {
    /// Metadata alone.
    #[default]
    None,
    One(Ref),
    Map(BTreeMap<String, Ref>),
}

impl FrontendResult {
    /// The answer to a build: a map of platforms, or a single tree when `map`
    /// is false and there is one platform.
    ///
    /// A single tree names its platform too: an image without a config would
    /// get the daemon's.
    #[must_use]
    pub fn of_platforms(results: Vec<PlatformResult>, map: bool) -> Self {
        let map = map || results.len() != 1;
        let mut answer = Self::default();
        let mut platforms = Vec::new();
        let mut refs = BTreeMap::new();
        for result in results {
            let id = result.platform.to_string();
            let epoch = result.epoch.map(|seconds| seconds.to_string().into_bytes());
            for (key, value) in [
                (CONFIG, result.config),
                (BASE_CONFIG, result.base_config),
                (EPOCH, epoch),
            ] {
                let Some(value) = value else { continue };
                let key = if map {
                    format!("{key}/{id}")
                } else {
                    key.to_owned()
                };
                answer.metadata.insert(key, value);
            }
            platforms.push(ExportPlatform::new(&id, &result.platform));
            refs.insert(id, result.reference);
        }
        answer
            .metadata
            .insert(PLATFORMS.to_owned(), json(&Platforms { platforms }));
        answer.refs = match refs.pop_first() {
            Some((_, reference)) if !map => Refs::One(reference),
            Some((id, reference)) => {
                refs.insert(id, reference);
                Refs::Map(refs)
            }
            None => Refs::None,
        };
        answer
    }

    /// The answer to a subrequest: metadata without trees.
    #[must_use]
    pub fn of_metadata(metadata: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            refs: Refs::None,
            metadata,
        }
    }

    /// Adds a value for exporters or the client's metadata file.
    pub fn set(&mut self, key: &str, value: impl Into<Vec<u8>>) {
        self.metadata.insert(key.to_owned(), value.into());
    }

    /// A value that was set.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&[u8]> {
        self.metadata.get(key).map(Vec::as_slice)
    }

    /// The trees.
    pub(super) fn refs(&self) -> Vec<&Ref> {
        match &self.refs {
            Refs::None => Vec::new(),
            Refs::One(one) => vec![one],
            Refs::Map(map) => map.values().collect(),
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.refs, Refs::Map(_))
    }

    /// The message. `ref_array` is false for daemons from before
    /// `proto.refarray`, which know refs as plain ids.
    pub(super) fn to_proto(&self, ref_array: bool) -> gateway::Result {
        use gateway::result::Result as Kind;
        let proto = |reference: &Ref| gateway::Ref {
            id: reference.id.clone(),
            def: None,
        };
        let result = match &self.refs {
            // As upstream's client: an empty id, which is scratch.
            Refs::None if ref_array => Kind::Ref(gateway::Ref::default()),
            Refs::None => Kind::RefDeprecated(String::new()),
            Refs::One(one) if ref_array => Kind::Ref(proto(one)),
            Refs::One(one) => Kind::RefDeprecated(one.id.clone()),
            Refs::Map(map) if ref_array => Kind::Refs(gateway::RefMap {
                refs: map.iter().map(|(id, r)| (id.clone(), proto(r))).collect(),
            }),
            Refs::Map(map) => Kind::RefsDeprecated(gateway::RefMapDeprecated {
                refs: map
                    .iter()
                    .map(|(id, r)| (id.clone(), r.id.clone()))
                    .collect(),
            }),
        };
        gateway::Result {
            result: Some(result),
            metadata: self.metadata.clone(),
            attestations: BTreeMap::new(),
        }
    }
}

#[derive(Serialize)]
struct Platforms {
    #[serde(rename = "Platforms")]
    platforms: Vec<ExportPlatform>,
}

#[derive(Serialize)]
struct ExportPlatform {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Platform")]
    platform: OciPlatform,
}

#[derive(Serialize)]
struct OciPlatform {
    architecture: String,
    os: String,
    #[serde(rename = "os.version", skip_serializing_if = "String::is_empty")]
    os_version: String,
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    os_features: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    variant: String,
}

impl ExportPlatform {
    fn new(id: &str, platform: &Platform) -> Self {
        Self {
            id: id.to_owned(),
            platform: OciPlatform {
                architecture: platform.arch.clone(),
                os: platform.os.clone(),
                os_version: platform.os_version.clone(),
                os_features: platform.os_features.clone(),
                variant: platform.variant.clone(),
            },
        }
    }
}

/// JSON of plain structs, which cannot fail.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::result::Result as Kind;

    fn platform(name: &str) -> PlatformResult {
        PlatformResult {
            platform: Platform::parse(name).expect("platform"),
            reference: Ref {
                id: format!("ref of {name}"),
            },
            config: Some(format!("config of {name}").into_bytes()),
            base_config: None,
            epoch: None,
        }
    }

    #[test]
    fn one_platform_is_a_single_ref_that_names_its_platform() {
        let mut one = platform("linux/arm/v7");
        one.epoch = Some(5);
        let result = FrontendResult::of_platforms(vec![one], false);
        assert_eq!(
            result.metadata(CONFIG),
            Some(b"config of linux/arm/v7".as_slice())
        );
        assert_eq!(result.metadata(EPOCH), Some(b"5".as_slice()));
        assert_eq!(
            result.metadata(PLATFORMS),
            Some(
                br#"{"Platforms":[{"ID":"linux/arm/v7","Platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}"#
                    .as_slice()
            )
        );
        let proto = result.to_proto(true);
        assert!(matches!(proto.result, Some(Kind::Ref(r)) if r.id == "ref of linux/arm/v7"));
    }

    #[test]
    fn several_platforms_are_a_map_with_keys_per_platform() {
        let results = vec![platform("linux/arm64"), platform("linux/amd64")];
        let result = FrontendResult::of_platforms(results, false);
        assert!(result.is_map());
        assert_eq!(
            result.metadata("containerimage.config/linux/arm64"),
            Some(b"config of linux/arm64".as_slice())
        );
        assert!(result.metadata(CONFIG).is_none());
        let platforms = String::from_utf8_lossy(result.metadata(PLATFORMS).expect("platforms"));
        // The order asked for is kept in the list.
        assert!(platforms.find("arm64") < platforms.find("amd64"));
        let Some(Kind::Refs(map)) = result.to_proto(true).result else {
            panic!("expected a map");
        };
        assert_eq!(map.refs["linux/amd64"].id, "ref of linux/amd64");
    }

    #[test]
    fn a_map_of_one_is_kept_when_asked_for() {
        let result = FrontendResult::of_platforms(vec![platform("linux/amd64")], true);
        assert!(result.is_map());
    }

    #[test]
    fn old_daemons_get_plain_ids() {
        let one = FrontendResult::of_platforms(vec![platform("linux/amd64")], false);
        assert!(
            matches!(one.to_proto(false).result, Some(Kind::RefDeprecated(id)) if id == "ref of linux/amd64")
        );
        let map = FrontendResult::of_platforms(vec![platform("linux/amd64")], true);
        assert!(matches!(
            map.to_proto(false).result,
            Some(Kind::RefsDeprecated(_))
        ));
    }

    #[test]
    fn metadata_alone_has_an_empty_ref() {
        let metadata = BTreeMap::from([("result.txt".to_owned(), b"x".to_vec())]);
        let proto = FrontendResult::of_metadata(metadata).to_proto(true);
        assert!(matches!(proto.result, Some(Kind::Ref(r)) if r.id.is_empty()));
        assert_eq!(proto.metadata["result.txt"], b"x");
    }
}
