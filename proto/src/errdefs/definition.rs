//! A definition in the JSON of Go's `encoding/json`, as it sits in a `Source`
//! detail: proto names as keys, bytes in base64, zero values left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::pb;

/// The definition and all that it holds.
pub(super) fn json(definition: &pb::Definition) -> Value {
    let ops = definition.def.iter();
    let metadata = definition.metadata.iter();
    object([
        (
            "def",
            ops.map(|op| Value::from(STANDARD.encode(op))).collect(),
        ),
        (
            "metadata",
            metadata
                .map(|(digest, of)| (digest.clone(), op_metadata(of)))
                .collect(),
        ),
        (
            "Source",
            definition.source.as_ref().map_or(Value::Null, source),
        ),
    ])
}

fn op_metadata(metadata: &pb::OpMetadata) -> Value {
    let resources = |r: &pb::LinuxResources| {
        object([
            ("memory", r.memory.into()),
            ("memorySwap", r.memory_swap.into()),
            ("cpuShares", r.cpu_shares.into()),
            ("cpuPeriod", r.cpu_period.into()),
            ("cpuQuota", r.cpu_quota.into()),
            ("cpusetCpus", r.cpuset_cpus.clone().into()),
            ("cpusetMems", r.cpuset_mems.clone().into()),
        ])
    };
    let group = |g: &pb::ProgressGroup| {
        object([
            ("id", g.id.clone().into()),
            ("name", g.name.clone().into()),
            ("weak", g.weak.into()),
        ])
    };
    let export = |e: &pb::ExportCache| object([("Value", e.value.into())]);
    object([
        ("ignore_cache", metadata.ignore_cache.into()),
        ("description", json!(metadata.description)),
        ("export_cache", optional(&metadata.export_cache, export)),
        ("caps", json!(metadata.caps)),
        ("progress_group", optional(&metadata.progress_group, group)),
        (
            "linux_resources",
            optional(&metadata.linux_resources, resources),
        ),
    ])
}

fn source(source: &pb::Source) -> Value {
    let position =
        |p: &pb::Position| object([("line", p.line.into()), ("character", p.character.into())]);
    let range = |r: &pb::Range| {
        object([
            ("start", optional(&r.start, position)),
            ("end", optional(&r.end, position)),
        ])
    };
    let location = |l: &pb::Location| {
        object([
            ("sourceIndex", l.source_index.into()),
            ("ranges", l.ranges.iter().map(range).collect()),
        ])
    };
    let locations =
        |l: &pb::Locations| object([("locations", l.locations.iter().map(location).collect())]);
    let info = |i: &pb::SourceInfo| {
        object([
            ("filename", i.filename.clone().into()),
            ("data", STANDARD.encode(&i.data).into()),
            ("definition", optional(&i.definition, json)),
            ("language", i.language.clone().into()),
        ])
    };
    let by_digest = source.locations.iter();
    object([
        (
            "locations",
            by_digest
                .map(|(digest, of)| (digest.clone(), locations(of)))
                .collect(),
        ),
        ("infos", source.infos.iter().map(info).collect()),
    ])
}

/// The JSON of a sub-message, null when it is not set.
fn optional<T>(message: &Option<T>, json: impl Fn(&T) -> Value) -> Value {
    message.as_ref().map_or(Value::Null, json)
}

/// An object of the fields that are set.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let set = |value: &Value| match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        // Of objects only maps are left out when empty; a sub-message that is
        // set stays, and an empty map reads the same either way.
        Value::Object(_) => true,
    };
    let fields = fields.into_iter().filter(|(_, value)| set(value));
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}
