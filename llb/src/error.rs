//! What can be wrong with a graph.

use crate::Digest;

/// A mistake in a graph or in a text that was to become a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not a platform.
    #[error("`{text}` is not a platform: {reason}")]
    Platform {
        /// The text.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A text is not an image reference.
    #[error("`{text}` is not an image reference: {reason}")]
    ImageRef {
        /// The text.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A blob is named by a tag, or by nothing.
    #[error("`{text}` names no blob: expected `NAME@DIGEST`")]
    BlobRef {
        /// The text.
        text: String,
    },
    /// A URL has a scheme that its source cannot have.
    #[error("`{url}` has a scheme that is not supported here: expected {expected}")]
    Scheme {
        /// The URL.
        url: String,
        /// The schemes that would do.
        expected: &'static str,
    },
    /// An exec has no arguments.
    #[error("an exec needs arguments")]
    NoArgs,
    /// An exec has no root file system.
    #[error("an exec needs a bind mount at `/`")]
    NoRoot,
    /// The root file system of an exec is writable, but is not an output.
    #[error("the mount at `/` is either read-only or an output")]
    RootWithoutOutput,
    /// A cache mount has no id; all such mounts would share one directory.
    #[error("the cache mount at `{dest}` has no id")]
    NoCacheId {
        /// Where it is mounted.
        dest: String,
    },
    /// An exec has no mount where one is asked for.
    #[error("the exec has no mount at `{dest}`")]
    NoMount {
        /// The path asked for.
        dest: String,
    },
    /// A mount is not an output of its exec.
    #[error("the mount at `{dest}` is not an output: it is read-only, temporary or a cache")]
    NoOutput {
        /// Where it is mounted.
        dest: String,
    },
    /// A file op has no actions.
    #[error("a file op needs an action")]
    NoActions,
    /// A merge has no inputs.
    #[error("a merge needs an input")]
    EmptyMerge,
    /// Both sides of a diff are the empty tree.
    #[error("a diff needs a lower or an upper tree")]
    EmptyDiff,
    /// A passthrough has no id.
    #[error("a passthrough needs an id")]
    NoPassthroughId,
    /// A definition is empty, or its last op does not name an output.
    #[error("the definition has no result")]
    NoResult,
    /// Bytes of a definition are not an op.
    #[error("op {number} of the definition cannot be decoded: {reason}")]
    Undecodable {
        /// Position in the definition, from 0.
        number: usize,
        /// What the decoder says.
        reason: String,
    },
    /// An op of a definition refers to one that is not there.
    #[error("the definition lacks op {digest}")]
    MissingOp {
        /// The op that is not there.
        digest: Digest,
    },
    /// An op of a definition refers to a negative output.
    #[error("the definition refers to output {index} of op {digest}")]
    NegativeIndex {
        /// The op that is referred to.
        digest: Digest,
        /// The output.
        index: i64,
    },
    /// A location of a definition is in a file that is not there.
    #[error("the definition lacks source file {index}")]
    MissingFile {
        /// Number of the file.
        index: i32,
    },
}
