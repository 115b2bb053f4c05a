//! Build ops: graphs that are made during the build.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::meta::describe;
use crate::output::{Inputs, finish};
use crate::{OpMeta, Output, Platform, caps};

/// The builder that runs LLB; there is no other.
const LLB_BUILDER: i64 = -1;

/// Key of the input that holds the definition, and the file it is read from.
const DEFINITION_INPUT: &str = "buildkit.llb.definition";

/// Runs a definition that an earlier op has written to a file.
///
/// Message `pb.BuildOp`. Cap: `source.buildop.llbfilename`. The daemon counts it
/// as experimental, and provenance of such builds is not complete.
///
/// ```
/// use buildkit_llb::{BuildOp, Copy, FileOp, Mkfile, Source, encode_definition};
///
/// let inner = FileOp::new().mkfile(Mkfile::new("/made", "inside\n")).build();
/// let definition = encode_definition(&inner.marshal());
/// let file = FileOp::new().mkfile(Mkfile::new("/graph.pb", definition)).build();
/// let tree = BuildOp::new(&file).filename("graph.pb").build();
/// # tree.check()?;
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BuildOp {
    source: Output,
    attrs: BTreeMap<String, String>,
    platform: Option<Platform>,
    meta: OpMeta,
}

describe!(BuildOp);

impl BuildOp {
    /// Runs the definition in the file `buildkit.llb.definition` of a tree.
    pub fn new(source: &Output) -> Self {
        let mut meta = OpMeta::default();
        meta.need(caps::BUILD_OP_LLB_FILE_NAME);
        BuildOp {
            source: source.clone(),
            attrs: BTreeMap::new(),
            platform: None,
            meta,
        }
    }

    /// Reads the definition from this file.
    pub fn filename(mut self, path: impl Into<String>) -> Self {
        self.attrs
            .insert("llbbuild.filename".to_owned(), path.into());
        self
    }

    /// Sets the platform of the op itself.
    pub fn platform(mut self, platform: impl Into<Platform>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        let mut inputs = Inputs::default();
        let input = inputs.add(&self.source);
        let operation = pb::op::Op::Build(pb::BuildOp {
            builder: LLB_BUILDER,
            inputs: [(DEFINITION_INPUT.to_owned(), pb::BuildInput { input })].into(),
            def: None,
            attrs: self.attrs,
        });
        finish(operation, inputs, self.platform.as_ref(), self.meta, None)
    }
}
