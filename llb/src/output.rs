//! Outputs: the edges of a graph, and the ops behind them.
//!
//! An op is encoded when its builder is finished. From then on it is its bytes,
//! their digest, its metadata and the outputs it takes as inputs; nothing else
//! of the builder is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::{Digest, Error, OpMeta, Platform, encode_op};

/// One output of one op: a tree of files that does not exist yet.
///
/// Cheap to clone. A graph is the outputs that one can reach from an output; it
/// cannot have cycles, because an op names its inputs by their digests.
#[derive(Clone)]
pub struct Output {
    pub(crate) vertex: Arc<Vertex>,
    pub(crate) index: i64,
}

impl Output {
    /// The digest of the op, which is its name in the daemon's progress and
    /// errors.
    pub fn digest(&self) -> &Digest {
        &self.vertex.digest
    }

    /// Which output of the op this is, from 0.
    pub fn index(&self) -> i64 {
        self.index
    }

    /// Encodes the graph for the daemon; see [`marshal`](crate::marshal).
    pub fn marshal(&self) -> pb::Definition {
        crate::marshal(self)
    }

    /// Finds the first op of the graph that the daemon would refuse, such as an
    /// exec without arguments. Builders do not fail, so that graphs read well.
    ///
    /// # Errors
    ///
    /// An op is not complete, or was given a text that is not what it should be.
    pub fn check(&self) -> Result<(), Error> {
        let ops = postorder(self).into_iter();
        ops.map(|vertex| vertex.error.clone())
            .find_map(|error| error)
            .map_or(Ok(()), Err)
    }

    pub(crate) fn new(vertex: Vertex) -> Self {
        Output {
            vertex: Arc::new(vertex),
            index: 0,
        }
    }

    pub(crate) fn at(&self, index: i64) -> Self {
        Output {
            vertex: Arc::clone(&self.vertex),
            index,
        }
    }

    pub(crate) fn to_input(&self) -> pb::Input {
        pb::Input {
            digest: self.digest().to_string(),
            index: self.index,
        }
    }
}

/// Outputs are equal if they are the same output of equal ops; metadata does not
/// count.
impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.digest() == other.digest()
    }
}

impl Eq for Output {}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({}[{}])", self.digest(), self.index)
    }
}

/// A finished op.
pub(crate) struct Vertex {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    pub(crate) meta: OpMeta,
    pub(crate) inputs: Vec<Output>,
    pub(crate) error: Option<Error>,
}

/// A long chain of ops would overflow the stack if each dropped the next.
impl Drop for Vertex {
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut self.inputs);
        while let Some(output) = rest.pop() {
            if let Some(mut vertex) = Arc::into_inner(output.vertex) {
                rest.append(&mut vertex.inputs);
            }
        }
    }
}

/// The ops behind an output, each after its inputs, each once.
pub(crate) fn postorder(output: &Output) -> Vec<&Vertex> {
    let mut seen: BTreeSet<*const Vertex> = BTreeSet::new();
    let mut order = Vec::new();
    // An op and how many of its inputs have been looked at.
    let mut path: Vec<(&Vertex, usize)> = vec![(&output.vertex, 0)];
    while let Some((vertex, next)) = path.last_mut() {
        match vertex.inputs.get(*next) {
            Some(input) => {
                *next += 1;
                if !seen.contains(&Arc::as_ptr(&input.vertex)) {
                    path.push((&input.vertex, 0));
                }
            }
            None => {
                let vertex: &Vertex = vertex;
                if seen.insert(vertex) {
                    order.push(vertex);
                }
                path.pop();
            }
        }
    }
    order
}

/// The inputs of an op, numbered from 0.
#[derive(Default)]
pub(crate) struct Inputs(pub(crate) Vec<Output>);

impl Inputs {
    /// Adds an input, or finds it if it is there.
    pub(crate) fn add(&mut self, output: &Output) -> i64 {
        match self.0.iter().position(|known| known == output) {
            Some(number) => number as i64,
            None => self.push(output),
        }
    }

    /// Adds an input even if it is there.
    pub(crate) fn push(&mut self, output: &Output) -> i64 {
        self.0.push(output.clone());
        self.0.len() as i64 - 1
    }
}

/// Finishes an op.
pub(crate) fn finish(
    operation: pb::op::Op,
    inputs: Inputs,
    platform: Option<&Platform>,
    mut meta: OpMeta,
    error: Option<Error>,
) -> Output {
    let op = pb::Op {
        inputs: inputs.0.iter().map(Output::to_input).collect(),
        op: Some(operation),
        platform: platform.map(pb::Platform::from),
        // Present even if empty, as the Go client has it: equal ops of other
        // frontends shall have equal digests.
        constraints: Some(pb::WorkerConstraints {
            filter: std::mem::take(&mut meta.filters),
        }),
    };
    let bytes = encode_op(&op);
    Output::new(Vertex {
        digest: Digest::of(&bytes),
        bytes,
        meta,
        inputs: inputs.0,
        error,
    })
}
