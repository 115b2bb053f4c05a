//! Merge and diff ops: trees laid over each other, and what lies between two.
//!
//! Both are lazy: an image that is made of them is exported without unpacking,
//! and each input keeps its own layers. Not every snapshotter has them.
//! In a Dockerfile: `COPY --link`. Facts of moby/buildkit v0.32.2,
//! `docs/dev/merge-diff.md`.

use buildkit_proto::pb;

use crate::meta::describe;
use crate::output::{Inputs, finish};
use crate::{Error, OpMeta, Output, caps};

/// Lays trees over each other; later ones win.
///
/// Message `pb.MergeOp`. Cap: `mergeop`.
///
/// ```
/// use buildkit_llb::{Describe, FileOp, Merge, Mkfile, Source};
///
/// let base = Source::image("alpine").build();
/// let config = FileOp::new().mkfile(Mkfile::new("/config", "a=b\n")).build();
/// let image = Merge::new([&base, &config]).name("[api] image").build();
/// # image.check()?;
/// // One tree is itself.
/// assert_eq!(Merge::new([&base]).build(), base);
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Merge {
    inputs: Vec<Output>,
    meta: OpMeta,
}

describe!(Merge, Diff);

impl Merge {
    /// Merges trees, from the lowest one.
    pub fn new<T: Into<Output>>(inputs: impl IntoIterator<Item = T>) -> Self {
        Merge {
            inputs: inputs.into_iter().map(Into::into).collect(),
            meta: OpMeta::default(),
        }
    }

    /// Finishes the op.
    pub fn build(mut self) -> Output {
        if let [only] = self.inputs.as_slice() {
            return only.clone();
        }
        self.meta.need(caps::MERGE_OP);
        let error = self.inputs.is_empty().then_some(Error::EmptyMerge);
        let mut inputs = Inputs::default();
        // A tree that comes twice is two inputs: numbers must be positions.
        let merged = self.inputs.iter().map(|input| pb::MergeInput {
            input: inputs.push(input),
        });
        let operation = pb::op::Op::Merge(pb::MergeOp {
            inputs: merged.collect(),
        });
        finish(operation, inputs, None, self.meta, error)
    }
}

impl From<&Output> for Output {
    fn from(output: &Output) -> Self {
        output.clone()
    }
}

/// What has to be laid over one tree to get another.
///
/// Message `pb.DiffOp`. Cap: `diffop`. If the lower tree is an ancestor of the
/// upper one, this is the layers in between; otherwise files are compared, and
/// another time makes a file another.
///
/// ```
/// use buildkit_llb::{Diff, FileOp, Mkfile, Source};
///
/// let base = Source::image("alpine").build();
/// let changed = FileOp::on(&base).mkfile(Mkfile::new("/config", "a=b\n")).build();
/// let layer = Diff::new(Some(&base), Some(&changed)).build();
/// # layer.check()?;
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Diff {
    lower: Option<Output>,
    upper: Option<Output>,
    meta: OpMeta,
}

impl Diff {
    /// The change from `lower` to `upper`; `None` is the empty tree.
    pub fn new(lower: Option<&Output>, upper: Option<&Output>) -> Self {
        Diff {
            lower: lower.cloned(),
            upper: upper.cloned(),
            meta: OpMeta::default(),
        }
    }

    /// Finishes the op. The change from the empty tree to another is the other.
    pub fn build(mut self) -> Output {
        if let (None, Some(upper)) = (&self.lower, &self.upper) {
            return upper.clone();
        }
        self.meta.need(caps::DIFF_OP);
        let error = self.lower.is_none().then_some(Error::EmptyDiff);
        let mut inputs = Inputs::default();
        // Not deduplicated, as the Go client has it.
        let mut push = |side: Option<&Output>| side.map_or(-1, |side| inputs.push(side));
        let lower = push(self.lower.as_ref());
        let upper = push(self.upper.as_ref());
        let operation = pb::op::Op::Diff(pb::DiffOp {
            lower: Some(pb::LowerDiffInput { input: lower }),
            upper: Some(pb::UpperDiffInput { input: upper }),
        });
        finish(operation, inputs, None, self.meta, error)
    }
}
