//! Configs of images, each looked up once.
//!
//! In: a reference, a platform, how to look it up. Out: the image's digest and
//! config, or what a source policy made of the reference. Every lookup is a
//! line in the user's progress and a round trip to a registry, so equal ones
//! share one call, also while it is under way.
//!
//! Contract of BuildKit v0.32: `frontend/gateway/gateway.go`,
//! `frontend/gateway/grpcclient/client.go` (`ResolveImageConfig`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use buildkit_llb::{Platform, ResolveMode};
use buildkit_proto::gateway::{
    ResolveImageConfigRequest, ResolveSourceImageRequest, ResolveSourceMetaRequest,
    ResolveSourceMetaResponse,
};
use buildkit_proto::pb;
use tokio::sync::OnceCell;

use super::caps::gateway as cap;
use super::client::{Gateway, failed};
use super::error::Error;

/// Scheme of images in a registry.
pub(super) const DOCKER_IMAGE: &str = "docker-image://";
/// Scheme of images in the client's OCI layout.
pub(super) const OCI_LAYOUT: &str = "oci-layout://";
/// `ResolverType` of `ResolveImageConfig` for OCI layouts; 0 is the registry.
const OCI_RESOLVER: i32 = 1;

/// An image to look up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageQuery {
    /// Fully qualified reference with tag or digest.
    pub reference: String,
    /// The platform wanted.
    pub platform: Platform,
    /// Where to look.
    pub place: ImagePlace,
}

/// Where an image is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImagePlace {
    /// A registry or the builder's own store: `default`, `pull` or `local`.
    Registry(&'static str),
    /// An OCI layout that a session serves.
    OciLayout {
        /// The session.
        session: String,
        /// The layout's name in it.
        store: String,
    },
}

impl ImagePlace {
    /// A registry, asked by `--pull`'s rules.
    #[must_use]
    pub fn registry(mode: ResolveMode) -> Self {
        Self::Registry(match mode {
            ResolveMode::Default => "default",
            ResolveMode::Pull => "pull",
            ResolveMode::Local => "local",
        })
    }
}

/// What a reference stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// An image.
    Image(ImageConfig),
    /// A source policy replaced the image by another kind of source; this is
    /// its identifier.
    Other(String),
}

/// An image's config and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// The reference to build with; a source policy may have changed it.
    pub reference: String,
    /// Digest of the manifest or index, `sha256:…`; may be empty.
    pub digest: String,
    /// The OCI image config, JSON.
    pub config: Vec<u8>,
}

/// All lookups of a request.
#[derive(Default)]
pub(super) struct ImageCache {
    lookups: Mutex<BTreeMap<ImageQuery, Arc<OnceCell<Resolved>>>>,
}

impl ImageCache {
    fn cell(&self, query: &ImageQuery) -> Arc<OnceCell<Resolved>> {
        // A panic elsewhere leaves the map as it was: nothing runs under the lock.
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        lookups.entry(query.clone()).or_default().clone()
    }
}

impl Gateway {
    /// Looks an image up; equal queries share one call.
    ///
    /// `log_name` is the line that the user sees; the first caller's is shown.
    ///
    /// # Errors
    ///
    /// There is no such image, or none for the platform. Failures are not kept.
    pub async fn resolve_image(
        &self,
        query: &ImageQuery,
        log_name: &str,
    ) -> Result<Resolved, Error> {
        let cell = self.images.cell(query);
        let resolved = cell
            .get_or_try_init(|| self.look_up(query, log_name))
            .await?;
        Ok(resolved.clone())
    }

    /// Looks up the config of an image in a registry.
    ///
    /// # Errors
    ///
    /// As [`Gateway::resolve_image`]; also when a source policy replaced the
    /// image by something that is none.
    pub async fn resolve_image_config(
        &self,
        reference: &str,
        platform: &Platform,
        mode: ResolveMode,
        log_name: &str,
    ) -> Result<ImageConfig, Error> {
        let query = ImageQuery {
            reference: reference.to_owned(),
            platform: platform.clone(),
            place: ImagePlace::registry(mode),
        };
        match self.resolve_image(&query, log_name).await? {
            Resolved::Image(image) => Ok(image),
            Resolved::Other(identifier) => Err(Error::Request(format!(
                "a source policy replaces image `{reference}` by `{identifier}`, \
                 which is not an image"
            ))),
        }
    }

    /// Asks what a source stands for: the digest of an image, the commit of a
    /// repository, the checksum of a download.
    ///
    /// # Errors
    ///
    /// There is no such source, or the builder is too old to be asked.
    pub async fn resolve_source_meta(
        &self,
        request: ResolveSourceMetaRequest,
    ) -> Result<ResolveSourceMetaResponse, Error> {
        self.caps()
            .gateway
            .require_one(cap::SOURCE_META)
            .map_err(Error::MissingCap)?;
        let answer = self.client().resolve_source_meta(request).await;
        let answer = answer.map_err(|status| failed("ResolveSourceMeta", &status))?;
        Ok(answer.into_inner())
    }

    async fn look_up(&self, query: &ImageQuery, log_name: &str) -> Result<Resolved, Error> {
        // Only the newer call tells when a policy made something else of it.
        if self.caps().gateway.supports(cap::SOURCE_META) {
            self.look_up_source(query, log_name).await
        } else {
            self.look_up_config(query, log_name).await
        }
    }

    async fn look_up_source(&self, query: &ImageQuery, log_name: &str) -> Result<Resolved, Error> {
        let mut source = pb::SourceOp::default();
        let mut resolve_mode = String::new();
        match &query.place {
            ImagePlace::Registry(mode) => {
                source.identifier = format!("{DOCKER_IMAGE}{}", query.reference);
                resolve_mode = (*mode).to_owned();
            }
            ImagePlace::OciLayout { session, store } => {
                source.identifier = format!("{OCI_LAYOUT}{}", query.reference);
                let attrs = [("oci.session", session), ("oci.store", store)];
                let attrs = attrs.into_iter().filter(|(_, value)| !value.is_empty());
                source.attrs = attrs
                    .map(|(key, value)| (key.to_owned(), value.clone()))
                    .collect();
            }
        }
        let answer = self
            .resolve_source_meta(ResolveSourceMetaRequest {
                source: Some(source),
                platform: Some(pb::Platform::from(&query.platform)),
                log_name: log_name.to_owned(),
                resolve_mode,
                image: Some(ResolveSourceImageRequest::default()),
                ..ResolveSourceMetaRequest::default()
            })
            .await?;
        let identifier = answer.source.map(|s| s.identifier).unwrap_or_default();
        let reference = identifier
            .strip_prefix(DOCKER_IMAGE)
            .or_else(|| identifier.strip_prefix(OCI_LAYOUT));
        match (answer.image, reference) {
            (Some(image), Some(reference)) => Ok(Resolved::Image(ImageConfig {
                reference: reference.to_owned(),
                digest: image.digest,
                config: image.config,
            })),
            _ => Ok(Resolved::Other(identifier)),
        }
    }

    async fn look_up_config(&self, query: &ImageQuery, log_name: &str) -> Result<Resolved, Error> {
        let mut request = ResolveImageConfigRequest {
            r#ref: query.reference.clone(),
            platform: Some(pb::Platform::from(&query.platform)),
            log_name: log_name.to_owned(),
            ..ResolveImageConfigRequest::default()
        };
        match &query.place {
            ImagePlace::Registry(mode) => request.resolve_mode = (*mode).to_owned(),
            ImagePlace::OciLayout { session, store } => {
                request.resolver_type = OCI_RESOLVER;
                request.session_id.clone_from(session);
                request.store_id.clone_from(store);
            }
        }
        let answer = self.client().resolve_image_config(request).await;
        let answer = answer
            .map_err(|status| failed("ResolveImageConfig", &status))?
            .into_inner();
        // Old daemons do not send the reference back.
        let reference = if answer.r#ref.is_empty() {
            query.reference.clone()
        } else {
            answer.r#ref
        };
        Ok(Resolved::Image(ImageConfig {
            reference,
            digest: answer.digest,
            config: answer.config,
        }))
    }
}
