//! The details of errors, which are JSON in the `Any`s of a [`Status`].
//!
//! A detail's type URL is the path of BuildKit's Go package, the name of the
//! type and `+json`, with no host in front. Its value is not protobuf but JSON:
//! that of Go's `encoding/json` (bytes in base64, integers as numbers), except
//! for [`Solve`], which is in the JSON form of protobuf.
//!
//! In: `Any`s of a received status. Out: `Any`s for a status to send. Details
//! of other types are for the caller to keep as they are: clients read them.
//!
//! Facts of moby/buildkit v0.32.2: `solver/errdefs`, `util/grpcerrors`,
//! `frontend/gateway/pb/exit.go`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_types::Any;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::pb;
use crate::rpc::Status;

mod definition;

/// A typed error detail.
///
/// ```
/// use buildkit_proto::errdefs::{Detail, Vertex};
///
/// let any = Vertex { digest: "sha256:00".into() }.to_any();
/// assert_eq!(any.type_url, "github.com/moby/buildkit/errdefs.Vertex+json");
/// assert_eq!(any.value, br#"{"digest":"sha256:00"}"#);
/// assert_eq!(Vertex::from_any(&any).unwrap().unwrap().digest, "sha256:00");
/// ```
pub trait Detail: Serialize + DeserializeOwned {
    /// The type URL on the wire.
    const TYPE_URL: &'static str;

    /// Wraps the detail for a status.
    fn to_any(&self) -> Any {
        Any {
            type_url: Self::TYPE_URL.to_owned(),
            // Plain structs with string keys: there is nothing JSON cannot say.
            value: serde_json::to_vec(self).unwrap_or_default(),
        }
    }

    /// Reads the detail, or `None` if `any` is of another type.
    ///
    /// # Errors
    ///
    /// The value is not the JSON that its type URL promises.
    fn from_any(any: &Any) -> Option<Result<Self, serde_json::Error>> {
        (any.type_url == Self::TYPE_URL).then(|| serde_json::from_slice(&any.value))
    }

    /// All readable details of this type, in the order of the status: the last
    /// one was added last.
    fn all(status: &Status) -> Vec<Self> {
        let read = |any| Self::from_any(any)?.ok();
        status.details.iter().filter_map(read).collect()
    }
}

macro_rules! details {
    ($($name:ident = $url:literal;)*) => {
        $(impl Detail for $name {
            const TYPE_URL: &'static str = concat!("github.com/moby/buildkit/", $url, "+json");
        })*
    };
}

details! {
    Source = "errdefs.Source";
    Vertex = "errdefs.Vertex";
    Frontend = "errdefs.Frontend";
    FrontendCap = "errdefs.FrontendCap";
    Subrequest = "errdefs.Subrequest";
    CompatibilityFeature = "errdefs.CompatibilityFeature";
    Solve = "errdefs.Solve";
    Exit = "gatewayapi.ExitMessage";
}

/// The place in the user's file that an error is about. Clients print it with
/// the lines around it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<SourceInfo>,
    /// The lines to point at. None: nothing is printed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

impl Source {
    /// The detail for ranges of a file.
    pub fn new(info: &pb::SourceInfo, ranges: &[pb::Range]) -> Self {
        Source {
            info: Some(SourceInfo::from(info)),
            ranges: ranges.iter().map(Range::from).collect(),
        }
    }
}

/// A file of the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceInfo {
    /// Name shown in front of the snippet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filename: String,
    /// The whole file.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "base64_bytes")]
    pub data: Vec<u8>,
    /// The graph that loads the file, in the JSON form of Go's struct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
    /// Language, for colours.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
}

impl From<&pb::SourceInfo> for SourceInfo {
    fn from(info: &pb::SourceInfo) -> Self {
        SourceInfo {
            filename: info.filename.clone(),
            data: info.data.clone(),
            definition: info.definition.as_ref().map(definition::json),
            language: info.language.clone(),
        }
    }
}

/// A part of a file, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Range {
    // Both ends are always written: printers look into both.
    /// Its first place.
    pub start: Position,
    /// Its last place.
    pub end: Position,
}

impl From<&pb::Range> for Range {
    fn from(range: &pb::Range) -> Self {
        let position = |p: Option<pb::Position>| {
            p.map_or_else(Position::default, |p| Position {
                line: p.line,
                character: p.character,
            })
        };
        Range {
            start: position(range.start),
            end: position(range.end),
        }
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// Line, from 1.
    pub line: i32,
    /// Column; carried, but not shown.
    pub character: i32,
}

/// The vertex that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vertex {
    /// Digest of the op, as the daemon encodes it.
    pub digest: String,
}

/// The frontend that an error came through. Added by the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Frontend {
    /// Such as `gateway.v0`.
    pub name: String,
    /// Its image, if it has one.
    pub source: String,
}

/// A capability that the frontend lacks. The status code is `Unimplemented`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrontendCap {
    /// Name of the capability.
    pub name: String,
}

/// A subrequest that the frontend does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subrequest {
    /// The `requestid` that was asked for.
    pub name: String,
}

/// A feature that the daemon refuses under the compatibility version in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompatibilityFeature {
    /// The version in force.
    pub version: i64,
    /// Name of the feature.
    pub feature: String,
}

/// What a failed op had and made; its ids may be mounted in a container of the
/// gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Solve {
    /// Result ids of the inputs.
    #[serde(rename = "inputIDs", skip_serializing_if = "Vec::is_empty")]
    pub input_ids: Vec<String>,
    /// Result ids of the mounts, in their failed state.
    #[serde(rename = "mountIDs", skip_serializing_if = "Vec::is_empty")]
    pub mount_ids: Vec<String>,
    /// The op, in the JSON form of protobuf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Value>,
    /// The file action that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Subject>,
    /// The input whose content could not be hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Subject>,
    /// The description of the op's metadata.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub description: BTreeMap<String, String>,
}

/// A part of an op, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// Number of the action or input.
    #[serde(with = "int64")]
    pub index: i64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exit {
    /// Exit code; 255 stands for unknown.
    #[serde(rename = "Code")]
    pub code: u32,
}

/// Bytes as Go's `encoding/json` writes them.
mod base64_bytes {
    use super::*;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(d)?.unwrap_or_default();
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

/// Integers of 64 bits as protobuf's JSON writes them: as text. Its readers
/// take numbers too.
mod int64 {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &i64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Text(String),
        }
        match Form::deserialize(d)? {
            Form::Number(number) => Ok(number),
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests;
