//! Downloads.

use crate::meta::describe;
use crate::source::{Draft, octal};
use crate::{Error, OpMeta, Output, caps};

/// Builds the source op of a download; see [`Source::http`](crate::Source::http).
///
/// In a Dockerfile: `ADD URL`. Caps: `source.http` and one per attribute.
#[derive(Clone, Debug)]
pub struct HttpSource {
    draft: Draft,
    meta: OpMeta,
}

describe!(HttpSource);

impl HttpSource {
    pub(super) fn new(url: String) -> Self {
        let known = url.starts_with("https://") || url.starts_with("http://");
        let error = (!known).then(|| Error::Scheme {
            url: url.clone(),
            expected: "https or http",
        });
        let mut draft = Draft::new(url);
        draft.error = error;
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_HTTP);
        HttpSource { draft, meta }
    }

    /// Fails if the content has another digest. With it, an unchanged file needs
    /// no request.
    pub fn checksum(mut self, digest: impl Into<String>) -> Self {
        self.draft.set("http.checksum", digest);
        self.meta.need(caps::SOURCE_HTTP_CHECKSUM);
        self
    }

    /// Names the file. Otherwise the server or the URL does.
    pub fn filename(mut self, name: impl Into<String>) -> Self {
        self.draft.set("http.filename", name);
        self
    }

    /// Sets the permission bits of the file; 0600 otherwise.
    pub fn mode(mut self, mode: u32) -> Self {
        self.draft.set("http.perm", octal(mode));
        self.meta.need(caps::SOURCE_HTTP_PERM);
        self
    }

    /// Sets the owner of the file.
    pub fn owner(mut self, uid: u32, gid: u32) -> Self {
        self.draft.set("http.uid", uid.to_string());
        self.draft.set("http.gid", gid.to_string());
        self.meta.need(caps::SOURCE_HTTP_UID_GID);
        self
    }

    /// Sends the value of a secret as the `Authorization` header.
    pub fn auth_header_secret(mut self, id: impl Into<String>) -> Self {
        self.draft.set("http.authheadersecret", id);
        self.meta.need(caps::SOURCE_HTTP_AUTH);
        self
    }

    /// Sends an `Accept` header.
    pub fn accept(self, value: impl Into<String>) -> Self {
        self.header("http.header.accept", value)
    }

    /// Sends a `User-Agent` header.
    pub fn user_agent(self, value: impl Into<String>) -> Self {
        self.header("http.header.user-agent", value)
    }

    fn header(mut self, attr: &str, value: impl Into<String>) -> Self {
        self.draft.set(attr, value);
        self.meta.need(caps::SOURCE_HTTP_HEADER);
        self
    }

    /// Fails unless the armored detached OpenPGP signature was made by the key.
    pub fn signature(
        mut self,
        public_key: impl Into<String>,
        signature: impl Into<String>,
    ) -> Self {
        self.draft.set("http.sig.pubkey", public_key);
        self.draft.set("http.sig.signature", signature);
        self.meta.need(caps::SOURCE_HTTP_SIGNATURE_VERIFY);
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        self.draft.finish(None, self.meta)
    }
}
