//! Images of registries and OCI layouts.

use crate::meta::describe;
use crate::source::Draft;
use crate::{ImageRef, OpMeta, Output, Platform, caps};

/// When the daemon asks the registry what a tag means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolveMode {
    /// As the daemon sees fit.
    #[default]
    Default,
    /// Always.
    Pull,
    /// Only if there is no such image on the daemon's side.
    Local,
}

/// How the daemon files the image in its cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordType {
    /// An image like any other.
    #[default]
    Regular,
    /// An image that serves the build itself.
    Internal,
    /// The image of a frontend.
    Frontend,
}

/// Builds the source op of an image; see [`Source::image`](crate::Source::image).
///
/// Caps: `source.image`, and one for each of resolving anew, layer limit and
/// checksum.
#[derive(Clone, Debug)]
pub struct ImageSource {
    draft: Draft,
    platform: Option<Platform>,
    meta: OpMeta,
}

describe!(ImageSource, OciLayoutSource);

impl ImageSource {
    pub(super) fn new(reference: &str) -> Self {
        let (full, error) = match ImageRef::parse(reference) {
            Ok(image) => (image.to_string(), None),
            Err(error) => (reference.to_owned(), Some(error)),
        };
        let mut draft = Draft::new(format!("docker-image://{full}"));
        draft.error = error;
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_IMAGE);
        ImageSource {
            draft,
            platform: None,
            meta,
        }
    }

    /// Takes the image of this platform. Without it: the daemon's own.
    pub fn platform(mut self, platform: impl Into<Platform>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Says when the registry is asked.
    pub fn resolve_mode(mut self, mode: ResolveMode) -> Self {
        match mode {
            ResolveMode::Default => {
                self.draft.attrs.remove("image.resolvemode");
            }
            ResolveMode::Pull => {
                self.draft.set("image.resolvemode", "pull");
                self.meta.need(caps::SOURCE_IMAGE_RESOLVE_MODE);
            }
            ResolveMode::Local => self.draft.set("image.resolvemode", "local"),
        }
        self
    }

    /// Says how the daemon files the image.
    pub fn record_type(mut self, record: RecordType) -> Self {
        match record {
            RecordType::Regular => {
                self.draft.attrs.remove("image.recordtype");
            }
            RecordType::Internal => self.draft.set("image.recordtype", "internal"),
            RecordType::Frontend => self.draft.set("image.recordtype", "frontend"),
        }
        self
    }

    /// Takes only this many layers, from the lowest one.
    pub fn layer_limit(mut self, layers: u32) -> Self {
        self.draft.set("image.layerlimit", layers.to_string());
        self.meta.need(caps::SOURCE_IMAGE_LAYER_LIMIT);
        self
    }

    /// Fails if the manifest has another digest.
    pub fn checksum(mut self, digest: impl Into<String>) -> Self {
        self.draft.set("image.checksum", digest);
        self.meta.need(caps::SOURCE_IMAGE_CHECKSUM);
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        self.draft.finish(self.platform.as_ref(), self.meta)
    }
}

/// Builds the source op of an image in an OCI layout; see
/// [`Source::oci_layout`](crate::Source::oci_layout).
///
/// Caps: `source.ocilayout`.
#[derive(Clone, Debug)]
pub struct OciLayoutSource {
    draft: Draft,
    platform: Option<Platform>,
    meta: OpMeta,
}

impl OciLayoutSource {
    pub(super) fn new(reference: String) -> Self {
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_OCI_LAYOUT);
        OciLayoutSource {
            draft: Draft::new(format!("oci-layout://{reference}")),
            platform: None,
            meta,
        }
    }

    /// Says which session serves the layout, and the id of its store there.
    pub fn store(mut self, session: impl Into<String>, store: impl Into<String>) -> Self {
        self.draft.set("oci.session", session);
        self.draft.set("oci.store", store);
        self
    }

    /// Takes only this many layers, from the lowest one.
    pub fn layer_limit(mut self, layers: u32) -> Self {
        self.draft.set("oci.layerlimit", layers.to_string());
        self
    }

    /// Takes the image of this platform. Without it: the daemon's own.
    pub fn platform(mut self, platform: impl Into<Platform>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        self.draft.finish(self.platform.as_ref(), self.meta)
    }
}
