//! Images, and the named contexts that replace them.
//!
//! In: an image reference of the spec and a platform. Out: an output for the
//! graph and the image's config: from the registry, or from whatever the client
//! put in its place with `--build-context NAME=VALUE`, or from whatever a
//! source policy of the daemon makes of it.
//!
//! Values and rules of BuildKit v0.32: `frontend/dockerui/namedcontext.go`.

use buildkit_llb::{Describe, Differ, ImageRef, Output, Platform, Source};

use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::images::{DOCKER_IMAGE, ImageConfig, ImagePlace, ImageQuery, Resolved};
use super::load::{IGNORE_FILE, Loader, foreign, git};
use crate::hex::hex;
use crate::lower::Origin;
use crate::options::NamedContext;
use crate::options::git_url::{self, GitUrl, NotGit};
use crate::scan::select::escape;

/// The image that is no image.
const SCRATCH: &str = "scratch";
/// How often policies may send a reference elsewhere before it is a circle.
const MAX_REDIRECTS: usize = 10;
/// Metadata of an input that is an image config.
const IMAGE_CONFIG: &str = "containerimage.config";
/// The name that a download gets.
const DOWNLOAD: &str = "context";

/// An image, or what stands in for it.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its root file system; `None` is scratch.
    pub output: Option<Output>,
    /// Its OCI config, JSON; sources that are no images have none.
    pub config: Option<Vec<u8>>,
    /// What it is, for people: the reference with its digest, a URL.
    pub reference: String,
    /// What tells it from other images.
    pub origin: Origin,
}

impl Loader<'_> {
    /// The image of a reference: what the client put in its place, or the one
    /// in the registry, pinned to the digest it has now so that all solves of
    /// a build agree.
    ///
    /// `name` is the step's name for the user, where the image is a step of
    /// its own; contexts have names of their own.
    ///
    /// # Errors
    ///
    /// The reference is malformed, or there is no such image for the platform.
    pub async fn image(
        &self,
        reference: &str,
        platform: &Platform,
        name: &str,
    ) -> Result<Image, Error> {
        if let Some(image) = self.named_image(reference, platform).await? {
            return Ok(image);
        }
        if reference == SCRATCH {
            return Ok(scratch());
        }
        let full = image_ref(reference)?;
        let log_name = format!("[internal] load metadata for {full}");
        let query = ImageQuery {
            reference: full.to_string(),
            platform: platform.clone(),
            place: ImagePlace::registry(self.options.resolve_mode),
        };
        match self.gateway.resolve_image(&query, &log_name).await? {
            Resolved::Image(config) => self.registry_image(config, platform, name),
            Resolved::Other(identifier) => {
                let policy = NamedContext {
                    key: full.familiar(),
                    value: &identifier,
                    shared_key: "",
                };
                self.context_value(&policy, reference, platform, 1).await
            }
        }
    }

    /// What the client put in the place of an image, if anything.
    ///
    /// # Errors
    ///
    /// The reference is malformed, or the context cannot be loaded.
    pub async fn named_image(
        &self,
        reference: &str,
        platform: &Platform,
    ) -> Result<Option<Image>, Error> {
        let named = self.options.contexts.named(reference, platform);
        match named.map_err(|e| Error::Request(e.to_string()))? {
            Some(context) => self
                .context_value(&context, reference, platform, 0)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// A tree that the client gave a name, for reading all of it: without Git's
    /// directory and what its ignore file hides. `Some(None)` is an empty one.
    ///
    /// # Errors
    ///
    /// The context cannot be loaded.
    pub async fn named_tree(
        &self,
        name: &str,
        platform: &Platform,
    ) -> Result<Option<Option<Output>>, Error> {
        let named = self.options.contexts.named(name, platform);
        let Some(context) = named.map_err(|e| Error::Request(e.to_string()))? else {
            return Ok(None);
        };
        let Some(local) = context.value.strip_prefix("local:") else {
            let image = self.context_value(&context, name, platform, 0).await?;
            return Ok(Some(image.output));
        };
        let local = local.trim_start_matches("//");
        let spec = &self.spec().await?.file_name;
        let session = self.session_of(local).to_owned();
        let own = format!("{spec}{IGNORE_FILE}");
        let source = Source::local(local)
            .session(session.clone())
            .follow_paths([own.clone(), IGNORE_FILE.to_owned()])
            .shared_key_hint(format!("context:{name}-{IGNORE_FILE}"))
            .differ(Differ::None)
            .name(format!("[context {name}] load {IGNORE_FILE}"))
            .build();
        let hidden = self.read_ignore_of(&source, &[&own, IGNORE_FILE]).await?;
        // The ignore files and the spec are read even where they are hidden.
        let kept = [spec.clone(), own, IGNORE_FILE.to_owned()];
        let kept = kept.map(|file| format!("!{}", escape(&file)));
        let exclude = [".git".to_owned()]
            .into_iter()
            .chain(hidden.patterns())
            .chain(kept);
        let tree = Source::local(local)
            .session(session)
            .exclude(exclude)
            .shared_key_hint(format!("context:{name}-gofleet-affected"))
            .name(format!("[context {name}] load from client"))
            .build();
        Ok(Some(Some(tree)))
    }

    async fn context_value(
        &self,
        context: &NamedContext<'_>,
        reference: &str,
        platform: &Platform,
        redirects: usize,
    ) -> Result<Image, Error> {
        let key = &context.key;
        let value = context.value;
        if redirects > MAX_REDIRECTS {
            return Err(Error::Request(format!(
                "the source policies send `{reference}` in a circle; the last turn was `{value}`"
            )));
        }
        let invalid = |what: &str| Error::Request(format!("context `{key}`: {what} `{value}`"));
        let (scheme, rest) = value
            .split_once(':')
            .ok_or_else(|| invalid("expected TYPE:VALUE, found"))?;
        let rest = rest.trim_start_matches("//");
        match scheme {
            "docker-image" if rest == SCRATCH => Ok(scratch()),
            "docker-image" => {
                let full = image_ref(rest)?;
                let log_name = format!("[context {key}] load metadata for {full}");
                let query = ImageQuery {
                    reference: full.to_string(),
                    platform: platform.clone(),
                    place: ImagePlace::registry(self.options.resolve_mode),
                };
                match self.gateway.resolve_image(&query, &log_name).await? {
                    Resolved::Image(config) => {
                        self.registry_image(config, platform, &format!("[context {key}] {rest}"))
                    }
                    Resolved::Other(identifier) => {
                        let policy = NamedContext {
                            key: key.clone(),
                            value: &identifier,
                            shared_key: context.shared_key,
                        };
                        let next = self.context_value(&policy, reference, platform, redirects + 1);
                        Box::pin(next).await
                    }
                }
            }
            "oci-layout" => self.oci_layout(key, rest, reference, platform).await,
            "input" => self.input(key, rest).await,
            "local" => self.local(context, rest).await,
            "http" | "https" | "git" => match GitUrl::parse(value) {
                Ok(url) => self.plain(git(&url, &source_name(key, value))?, value),
                Err(NotGit::Invalid(message)) => {
                    Err(Error::Request(format!("context `{key}`: {message}")))
                }
                Err(NotGit::Other) if scheme != "git" => {
                    let file = Source::http(value)
                        .filename(DOWNLOAD)
                        .name(source_name(key, value))
                        .build();
                    self.plain(file, value)
                }
                Err(NotGit::Other) => Err(invalid("expected a Git URL, found")),
            },
            _ if scheme.starts_with("git@") => match GitUrl::parse(value) {
                Ok(url) => self.plain(git(&url, &source_name(key, value))?, value),
                Err(_) => Err(invalid("expected a Git URL, found")),
            },
            _ => Err(invalid("unknown type of source in")),
        }
    }

    /// A tree without a config.
    fn plain(&self, output: Output, value: &str) -> Result<Image, Error> {
        Ok(Image {
            output: Some(output),
            config: None,
            reference: git_url::redact(value),
            origin: Origin::Session(self.session.to_owned()),
        })
    }

    fn registry_image(
        &self,
        image: ImageConfig,
        platform: &Platform,
        name: &str,
    ) -> Result<Image, Error> {
        let mut reference = image_ref(&image.reference)?;
        if reference.digest.is_none() && !image.digest.is_empty() {
            reference.digest = Some(image.digest);
        }
        // Images in a local store may have no digest; their configuration names their layers.
        let digest = reference.digest.clone();
        let digest = digest.unwrap_or_else(|| hex(&Sha256::digest(&image.config)));
        let output = Source::image(reference.to_string())
            .platform(platform)
            .resolve_mode(self.options.resolve_mode)
            .name(name)
            .build();
        Ok(Image {
            output: Some(output),
            config: Some(image.config),
            reference: reference.to_string(),
            origin: Origin::Registry(reference.to_string(), digest),
        })
    }

    async fn oci_layout(
        &self,
        key: &str,
        layout: &str,
        reference: &str,
        platform: &Platform,
    ) -> Result<Image, Error> {
        let (store, digest) = layout.split_once('@').ok_or_else(|| {
            Error::Request(format!(
                "context `{key}`: expected `oci-layout://STORE@DIGEST`, found `{layout}`"
            ))
        })?;
        // A tag is for people; the store is the name before it.
        let name_end = store.rfind('/').map_or(0, |slash| slash + 1);
        let store = match store[name_end..].find(':') {
            Some(colon) => &store[..name_end + colon],
            None => store,
        };
        // The daemon wants a reference with the digest; which name it has is
        // seen in messages alone.
        let mut label = image_ref(reference)?;
        label.digest = Some(digest.to_owned());
        let label = label.to_string();
        let query = ImageQuery {
            reference: label.clone(),
            platform: platform.clone(),
            place: ImagePlace::OciLayout {
                session: self.session.to_owned(),
                store: store.to_owned(),
            },
        };
        let log_name = format!("[context {key}] load metadata for {label}");
        let resolved = self.gateway.resolve_image(&query, &log_name).await?;
        let Resolved::Image(image) = resolved else {
            return Err(Error::Request(format!(
                "context `{key}`: a source policy replaces the OCI layout by something else"
            )));
        };
        let output = Source::oci_layout(label.clone())
            .store(self.session, store)
            .platform(platform)
            .name(format!("[context {key}] OCI load from client"))
            .build();
        Ok(Image {
            output: Some(output),
            config: Some(image.config),
            reference: label,
            origin: Origin::Content(digest.to_owned()),
        })
    }

    async fn input(&self, key: &str, input: &str) -> Result<Image, Error> {
        let inputs = self.gateway.inputs().await?;
        let graph = inputs.get(input).ok_or_else(|| {
            Error::Request(format!(
                "context `{key}`: the client sent no input `{input}`"
            ))
        })?;
        let config = self.options.contexts.input_metadata(input, IMAGE_CONFIG);
        Ok(Image {
            output: Some(foreign(graph)?),
            config: config.map(<[u8]>::to_vec),
            reference: format!("input:{input}"),
            origin: Origin::Session(self.session.to_owned()),
        })
    }

    async fn local(&self, context: &NamedContext<'_>, local: &str) -> Result<Image, Error> {
        let key = &context.key;
        let session = self.session_of(local).to_owned();
        let ignore = Source::local(local)
            .session(session.clone())
            .follow_paths([IGNORE_FILE])
            .shared_key_hint(format!("context:{key}-{IGNORE_FILE}"))
            .differ(Differ::None)
            .name(format!("[context {key}] load {IGNORE_FILE}"))
            .build();
        let ignored = self.read_ignore(&ignore).await?;
        let output = Source::local(local)
            .session(session)
            .exclude(ignored.rules.patterns())
            .shared_key_hint(format!("context:{key}-{}", context.shared_key))
            .name(format!("[context {key}] load from client"))
            .build();
        self.plain(output, context.value)
    }
}

fn scratch() -> Image {
    Image {
        output: None,
        config: None,
        reference: SCRATCH.to_owned(),
        origin: Origin::Content(SCRATCH.to_owned()),
    }
}

fn source_name(key: &str, value: &str) -> String {
    format!("[context {key}] {}", git_url::redact(value))
}

/// A reference, of which `docker-image://` may be left over from a policy.
fn image_ref(text: &str) -> Result<ImageRef, Error> {
    let text = text.strip_prefix(DOCKER_IMAGE).unwrap_or(text);
    ImageRef::parse(text).map_err(|e| Error::Request(e.to_string()))
}
