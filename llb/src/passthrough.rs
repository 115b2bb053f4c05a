//! Passthrough ops: trees handed on, with others that must be built as well.

use buildkit_proto::pb;

use crate::meta::describe;
use crate::output::{Inputs, finish};
use crate::{Error, OpMeta, Output, caps};

/// Hands trees on unchanged, once all inputs are built.
///
/// Message `pb.PassthroughOp`. Cap: `passthroughop`; needs BuildKit 0.31. The id
/// is in the digest of the op, not in the cache key of its outputs.
///
/// ```
/// use buildkit_llb::{Exec, Mount, Passthrough, Source};
///
/// let image = Source::image("alpine").build();
/// let tests = Exec::new(["true"]).mount(Mount::bind("/", &image)).build().root()?;
/// // The image, but only if the tests pass.
/// let tested = Passthrough::new("tested", &image).requires(&tests).build();
/// # tested.check()?;
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Passthrough {
    id: String,
    inputs: Vec<Output>,
    /// Which of the inputs are handed on.
    outputs: Vec<i64>,
    meta: OpMeta,
}

describe!(Passthrough);

impl Passthrough {
    /// Hands a tree on.
    pub fn new(id: impl Into<String>, output: &Output) -> Self {
        let mut meta = OpMeta::default();
        meta.need(caps::PASSTHROUGH_OP);
        let passthrough = Passthrough {
            id: id.into(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            meta,
        };
        passthrough.forward(output)
    }

    /// Hands one more tree on.
    pub fn forward(mut self, output: &Output) -> Self {
        self.outputs.push(self.inputs.len() as i64);
        self.requires(output)
    }

    /// Builds a tree without handing it on.
    pub fn requires(mut self, output: &Output) -> Self {
        self.inputs.push(output.clone());
        self
    }

    /// Finishes the op and gives the first tree.
    pub fn build(self) -> Output {
        let mut inputs = Inputs::default();
        for input in &self.inputs {
            inputs.push(input);
        }
        let error = self.id.is_empty().then_some(Error::NoPassthroughId);
        let operation = pb::op::Op::Passthrough(pb::PassthroughOp {
            id: self.id,
            outputs: self.outputs,
        });
        finish(operation, inputs, None, self.meta, error)
    }

    /// Finishes the op and gives all trees, in the order they were added.
    pub fn build_all(self) -> Vec<Output> {
        let count = self.outputs.len() as i64;
        let first = self.build();
        (0..count).map(|index| first.at(index)).collect()
    }
}
