//! Definitions of others, as parts of a graph of one's own.
//!
//! In: a definition, such as an input of a frontend or the root file system of
//! its own image. Out: the output that its terminal names. Its ops keep their
//! bytes, and with them their digests and unknown fields; their metadata and
//! locations come along.

use std::collections::BTreeMap;

use buildkit_proto::pb;
use prost::Message;

use crate::output::Vertex;
use crate::{Digest, Error, OpMeta, Output, SourceFile, SourceLocation};

/// Embeds definitions.
#[derive(Clone, Copy, Debug)]
pub enum Foreign {}

impl Foreign {
    /// The output of a definition.
    ///
    /// ```
    /// use buildkit_llb::{Exec, Foreign, Mount, Source};
    ///
    /// let definition = Source::image("alpine").build().marshal();
    /// let image = Foreign::from_definition(&definition)?;
    /// let exec = Exec::new(["true"]).mount(Mount::bind("/", &image)).build();
    /// # assert_eq!(exec.root()?.marshal().def[0], definition.def[0]);
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The definition has no result ([`Error::NoResult`] also stands for the
    /// empty tree), an op that cannot be decoded, or a reference to an op or file
    /// that it lacks.
    pub fn from_definition(definition: &pb::Definition) -> Result<Output, Error> {
        let (last, ops) = definition.def.split_last().ok_or(Error::NoResult)?;
        let terminal = decode(ops.len(), last)?;
        let result = match terminal.inputs.into_iter().next() {
            Some(result) if terminal.op.is_none() => result,
            _ => return Err(Error::NoResult),
        };
        let mut pending = BTreeMap::new();
        for (number, bytes) in ops.iter().enumerate() {
            let inputs = decode(number, bytes)?.inputs;
            pending.insert(Digest::of(bytes), (bytes, inputs));
        }
        let mut locations = locations(definition)?;
        let mut finished: BTreeMap<Digest, Output> = BTreeMap::new();
        // Depth first, without recursion: the depth is up to the definition.
        let mut path = vec![Digest::named(&result.digest)];
        while let Some(digest) = path.last().cloned() {
            let missing = || Error::MissingOp {
                digest: digest.clone(),
            };
            if finished.contains_key(&digest) {
                path.pop();
                continue;
            }
            let (bytes, inputs) = pending.get(&digest).ok_or_else(missing)?;
            let waiting = inputs
                .iter()
                .map(|input| Digest::named(&input.digest))
                .find(|input| !finished.contains_key(input));
            if let Some(input) = waiting {
                path.push(input);
                continue;
            }
            let inputs = inputs.iter().map(|input| find(&finished, input));
            let metadata = definition.metadata.get(digest.as_str());
            let vertex = Vertex {
                bytes: bytes.to_vec(),
                inputs: inputs.collect::<Result<_, _>>()?,
                meta: OpMeta {
                    metadata: metadata.cloned().unwrap_or_default(),
                    locations: locations.remove(digest.as_str()).unwrap_or_default(),
                    filters: Vec::new(),
                },
                error: None,
                digest: digest.clone(),
            };
            finished.insert(digest, Output::new(vertex));
        }
        find(&finished, &result)
    }
}

fn decode(number: usize, bytes: &[u8]) -> Result<pb::Op, Error> {
    pb::Op::decode(bytes).map_err(|error| Error::Undecodable {
        number,
        reason: error.to_string(),
    })
}

fn find(finished: &BTreeMap<Digest, Output>, input: &pb::Input) -> Result<Output, Error> {
    let digest = Digest::named(&input.digest);
    if input.index < 0 {
        let index = input.index;
        return Err(Error::NegativeIndex { digest, index });
    }
    match finished.get(&digest) {
        Some(output) => Ok(output.at(input.index)),
        None => Err(Error::MissingOp { digest }),
    }
}

/// The locations of each op.
fn locations(definition: &pb::Definition) -> Result<BTreeMap<&str, Vec<SourceLocation>>, Error> {
    let Some(source) = &definition.source else {
        return Ok(BTreeMap::new());
    };
    let files: Vec<SourceFile> = source.infos.iter().map(SourceFile::from_info).collect();
    let mut by_op = BTreeMap::new();
    for (digest, wire) in &source.locations {
        let mut of_op = Vec::new();
        for location in &wire.locations {
            let index = location.source_index;
            let number = usize::try_from(index).ok();
            let file = number.and_then(|number| files.get(number));
            of_op.push(SourceLocation {
                file: file.cloned().ok_or(Error::MissingFile { index })?,
                ranges: location.ranges.clone(),
            });
        }
        by_op.insert(digest.as_str(), of_op);
    }
    Ok(by_op)
}

#[cfg(test)]
mod tests;
