//! Graph → definition bytes.
//!
//! In: an output. Out: its ops, each after those it refers to and each once,
//! their metadata and the source map. The same graph gives the same bytes.
//!
//! Facts of moby/buildkit v0.32.2, `client/llb/state.go`, `sourcemap.go`.

use std::collections::BTreeSet;

use buildkit_proto::pb;

use crate::meta::merge;
use crate::output::postorder;
use crate::{Digest, Output, SourceFile, SourceLocation, caps, encode_op};

/// Encodes the graph behind an output.
///
/// The last op of the definition is the terminal: it has no operation, and its
/// only input is the output. Every op has metadata, as some frontends insist on.
///
/// Equal ops that were built apart become one; of their metadata the later one
/// wins, and all their locations stay.
pub fn marshal(output: &Output) -> pb::Definition {
    let mut definition = pb::Definition::default();
    let mut files = Vec::new();
    let mut source = pb::Source::default();
    let mut seen = BTreeSet::new();
    for vertex in postorder(output) {
        let digest = vertex.digest.as_str();
        if seen.insert(digest) {
            definition.def.push(vertex.bytes.clone());
        }
        let metadata = definition.metadata.entry(digest.to_owned()).or_default();
        merge(metadata, &vertex.meta.metadata);
        for location in &vertex.meta.locations {
            let location = to_wire(location, &mut files);
            let of_op = source.locations.entry(digest.to_owned()).or_default();
            if !of_op.locations.contains(&location) {
                of_op.locations.push(location);
            }
        }
    }
    source.infos = files.iter().map(|file| file.info().clone()).collect();
    definition.source = Some(source);

    let terminal = encode_op(&pb::Op {
        inputs: vec![output.to_input()],
        ..Default::default()
    });
    let metadata = terminal_metadata(&definition);
    let digest = Digest::of(&terminal).into();
    definition.metadata.insert(digest, metadata);
    definition.def.push(terminal);
    definition
}

/// The location, with its file added to `files`.
fn to_wire(location: &SourceLocation, files: &mut Vec<SourceFile>) -> pb::Location {
    let known = files.iter().position(|file| file.same(&location.file));
    let number = known.unwrap_or_else(|| {
        files.push(location.file.clone());
        files.len() - 1
    });
    pb::Location {
        source_index: i32::try_from(number).unwrap_or(i32::MAX),
        ranges: location.ranges.clone(),
    }
}

/// The terminal declares what the definition as a whole relies on.
fn terminal_metadata(definition: &pb::Definition) -> pb::OpMetadata {
    let ops = || definition.metadata.values();
    let used = [
        (caps::CONSTRAINTS, true),
        (caps::PLATFORM, true),
        (caps::META_IGNORE_CACHE, ops().any(|op| op.ignore_cache)),
        (
            caps::META_DESCRIPTION,
            ops().any(|op| !op.description.is_empty()),
        ),
        (
            caps::META_EXPORT_CACHE,
            ops().any(|op| op.export_cache.is_some()),
        ),
    ];
    let used = used.into_iter().filter(|(_, used)| *used);
    pb::OpMetadata {
        caps: used.map(|(cap, _)| (cap.to_owned(), true)).collect(),
        ..Default::default()
    }
}
