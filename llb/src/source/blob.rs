//! Single blobs of registries and OCI layouts, as files.

use crate::meta::describe;
use crate::source::{Draft, octal};
use crate::{Error, ImageRef, OpMeta, Output, caps};

/// Builds the source op of a blob; see [`Source::image_blob`](crate::Source::image_blob)
/// and [`Source::oci_layout_blob`](crate::Source::oci_layout_blob).
///
/// Caps: `source.imageblob`.
#[derive(Clone, Debug)]
pub struct BlobSource {
    draft: Draft,
    meta: OpMeta,
}

describe!(BlobSource);

impl BlobSource {
    pub(super) fn new(scheme: &str, reference: &str) -> Self {
        let (full, error) = match ImageRef::parse(reference) {
            Ok(blob) if blob.tag.is_none() => (blob.to_string(), None),
            Ok(_) => {
                let text = reference.to_owned();
                (text.clone(), Some(Error::BlobRef { text }))
            }
            Err(error) => (reference.to_owned(), Some(error)),
        };
        let mut draft = Draft::new(format!("{scheme}://{full}"));
        draft.error = error;
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_IMAGE_BLOB);
        BlobSource { draft, meta }
    }

    /// Says which session serves the layout, and the id of its store there.
    pub fn store(mut self, session: impl Into<String>, store: impl Into<String>) -> Self {
        self.draft.set("oci.session", session);
        self.draft.set("oci.store", store);
        self
    }

    /// Names the file.
    pub fn filename(mut self, name: impl Into<String>) -> Self {
        self.draft.set("http.filename", name);
        self
    }

    /// Sets the permission bits of the file.
    pub fn mode(mut self, mode: u32) -> Self {
        self.draft.set("http.perm", octal(mode));
        self
    }

    /// Sets the owner of the file.
    pub fn owner(mut self, uid: u32, gid: u32) -> Self {
        self.draft.set("http.uid", uid.to_string());
        self.draft.set("http.gid", gid.to_string());
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        self.draft.finish(None, self.meta)
    }
}
