//! The encoding whose digests the daemon uses.
//!
//! The daemon encodes every op anew with Go's deterministic encoder and names
//! it by that digest in progress, errors and source maps. prost differs from it
//! in two ways: it writes the operation of a [`pb::Op`] in the order of field
//! numbers, where Go writes it last; and it leaves out empty keys and values of
//! map entries, which Go always writes. The functions here do as Go does.
//!
//! Facts of moby/buildkit v0.32.2, `solver/pb/ops.go` and
//! google.golang.org/protobuf, `internal/impl`.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// Encodes an op as the daemon does.
///
/// ```
/// use buildkit_llb::{Digest, encode_op};
/// use buildkit_proto::pb;
///
/// let mut op = pb::Op::default();
/// op.platform = Some(pb::Platform::default());
/// op.op = Some(pb::op::Op::File(pb::FileOp::default()));
/// // The operation (number 4) comes after the platform (number 10).
/// assert_eq!(encode_op(&op), [0x52, 0, 0x22, 0]);
/// ```
pub fn encode_op(op: &pb::Op) -> Vec<u8> {
    use pb::op::Op;

    let envelope = pb::Op {
        op: None,
        inputs: op.inputs.clone(),
        platform: op.platform.clone(),
        constraints: op.constraints.clone(),
    };
    let mut out = envelope.encode_to_vec();
    let Some(operation) = &op.op else { return out };
    let (number, body) = match operation {
        Op::Exec(op) => (2, op.encode_to_vec()),
        Op::Source(op) => (3, source_op(op)),
        Op::File(op) => (4, op.encode_to_vec()),
        Op::Build(op) => (5, build_op(op)),
        Op::Merge(op) => (6, op.encode_to_vec()),
        Op::Diff(op) => (7, op.encode_to_vec()),
        Op::Passthrough(op) => (8, op.encode_to_vec()),
    };
    put_bytes(&mut out, number, &body);
    out
}

/// Encodes a definition as the Go client does.
pub fn encode_definition(definition: &pb::Definition) -> Vec<u8> {
    let mut out = Vec::new();
    for op in &definition.def {
        put_bytes(&mut out, 1, op);
    }
    for (digest, metadata) in &definition.metadata {
        put_entry(&mut out, 2, digest, |entry| {
            put_bytes(entry, 2, &op_metadata(metadata));
        });
    }
    if let Some(source) = &definition.source {
        put_bytes(&mut out, 3, &source_map(source));
    }
    out
}

fn source_op(op: &pb::SourceOp) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &op.identifier);
    put_texts(&mut out, 2, &op.attrs);
    out
}

fn build_op(op: &pb::BuildOp) -> Vec<u8> {
    let mut out = Vec::new();
    put_int(&mut out, 1, op.builder);
    for (name, input) in &op.inputs {
        put_entry(&mut out, 2, name, |entry| {
            put_bytes(entry, 2, &input.encode_to_vec());
        });
    }
    if let Some(definition) = &op.def {
        put_bytes(&mut out, 3, &encode_definition(definition));
    }
    put_texts(&mut out, 4, &op.attrs);
    out
}

fn op_metadata(metadata: &pb::OpMetadata) -> Vec<u8> {
    let mut out = Vec::new();
    put_int(&mut out, 1, metadata.ignore_cache.into());
    put_texts(&mut out, 2, &metadata.description);
    if let Some(export) = &metadata.export_cache {
        put_bytes(&mut out, 4, &export.encode_to_vec());
    }
    for (cap, needed) in &metadata.caps {
        put_entry(&mut out, 5, cap, |entry| {
            encode_key(2, WireType::Varint, entry);
            encode_varint((*needed).into(), entry);
        });
    }
    if let Some(group) = &metadata.progress_group {
        put_bytes(&mut out, 6, &group.encode_to_vec());
    }
    if let Some(resources) = &metadata.linux_resources {
        put_bytes(&mut out, 7, &resources.encode_to_vec());
    }
    out
}

fn source_map(source: &pb::Source) -> Vec<u8> {
    let mut out = Vec::new();
    for (digest, locations) in &source.locations {
        put_entry(&mut out, 1, digest, |entry| {
            put_bytes(entry, 2, &locations.encode_to_vec());
        });
    }
    for info in &source.infos {
        let mut body = Vec::new();
        put_text(&mut body, 1, &info.filename);
        if !info.data.is_empty() {
            put_bytes(&mut body, 2, &info.data);
        }
        if let Some(definition) = &info.definition {
            put_bytes(&mut body, 3, &encode_definition(definition));
        }
        put_text(&mut body, 4, &info.language);
        put_bytes(&mut out, 2, &body);
    }
    out
}

/// Writes an entry of a map: the key, which is text, and what `value` writes.
fn put_entry(out: &mut Vec<u8>, number: u32, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    let mut entry = Vec::new();
    put_bytes(&mut entry, 1, key.as_bytes());
    value(&mut entry);
    put_bytes(out, number, &entry);
}

fn put_texts(out: &mut Vec<u8>, number: u32, map: &BTreeMap<String, String>) {
    for (key, text) in map {
        put_entry(out, number, key, |entry| {
            put_bytes(entry, 2, text.as_bytes());
        });
    }
}

/// Writes a text, unless it is empty.
fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, number, text.as_bytes());
    }
}

/// Writes an integer, unless it is zero.
fn put_int(out: &mut Vec<u8>, number: u32, value: i64) {
    if value != 0 {
        encode_key(number, WireType::Varint, out);
        // Negative numbers take ten bytes: two's complement in 64 bits.
        encode_varint(value as u64, out);
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
