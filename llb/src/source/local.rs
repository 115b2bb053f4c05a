//! Directories of the client.

use crate::meta::describe;
use crate::source::{Draft, json_list, texts};
use crate::{OpMeta, Output, caps};

/// How the daemon finds out what has changed since the last transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differ {
    /// A file with the same size, time, mode and owner has not changed.
    Metadata,
    /// Everything is sent again. For single small files.
    None,
}

/// Builds the source op of a directory; see [`Source::local`](crate::Source::local).
///
/// Caps: `source.local` and one per attribute, except for the differ, which
/// older daemons may ignore: add [`caps::SOURCE_LOCAL_DIFFER`] if it matters.
///
/// A session id makes the digest of the op and of all that follow from it new
/// in each build. Steps are still found in the cache, by the content of files.
#[derive(Clone, Debug)]
pub struct LocalSource {
    draft: Draft,
    meta: OpMeta,
}

describe!(LocalSource);

impl LocalSource {
    pub(super) fn new(name: &str) -> Self {
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_LOCAL);
        LocalSource {
            draft: Draft::new(format!("local://{name}")),
            meta,
        }
    }

    /// Says which session offers the directory. Frontends give the id of the
    /// client's session.
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.draft.set("local.session", id);
        self.meta.need(caps::SOURCE_LOCAL_SESSION_ID);
        self
    }

    /// Makes the digest of the op differ; the daemon does nothing with it.
    pub fn unique(mut self, id: impl Into<String>) -> Self {
        self.draft.set("local.unique", id);
        self.meta.need(caps::SOURCE_LOCAL_UNIQUE);
        self
    }

    /// Transfers only what matches one of the patterns, in the syntax of
    /// `.dockerignore`. No patterns: everything.
    pub fn include<T: Into<String>>(self, patterns: impl IntoIterator<Item = T>) -> Self {
        let cap = caps::SOURCE_LOCAL_INCLUDE_PATTERNS;
        // The name on the wire is singular.
        self.list("local.includepattern", patterns, cap)
    }

    /// Transfers nothing that matches one of the patterns.
    pub fn exclude<T: Into<String>>(self, patterns: impl IntoIterator<Item = T>) -> Self {
        let cap = caps::SOURCE_LOCAL_EXCLUDE_PATTERNS;
        self.list("local.excludepatterns", patterns, cap)
    }

    /// Transfers these paths and what they link to, besides what is included.
    pub fn follow_paths<T: Into<String>>(self, paths: impl IntoIterator<Item = T>) -> Self {
        let cap = caps::SOURCE_LOCAL_FOLLOW_PATHS;
        self.list("local.followpaths", paths, cap)
    }

    /// Selects the stored copy that is brought up to date. Directories with
    /// different patterns should have different hints.
    pub fn shared_key_hint(mut self, hint: impl Into<String>) -> Self {
        self.draft.set("local.sharedkeyhint", hint);
        self.meta.need(caps::SOURCE_LOCAL_SHARED_KEY_HINT);
        self
    }

    /// Says how changes are found.
    pub fn differ(mut self, differ: Differ) -> Self {
        let value = match differ {
            Differ::Metadata => "metadata",
            Differ::None => "none",
        };
        self.draft.set("local.differ", value);
        self
    }

    /// Transfers files without their content, except for those that match one
    /// of the patterns.
    pub fn metadata_only<T: Into<String>>(mut self, except: impl IntoIterator<Item = T>) -> Self {
        self.draft.set("local.metadatatransfer", "true");
        let cap = caps::SOURCE_LOCAL_METADATA_TRANSFER;
        self.meta.need(cap);
        self.list("local.metadatatransferexclude", except, cap)
    }

    /// Sets a list; an empty one is as good as none.
    fn list<T: Into<String>>(
        mut self,
        attr: &str,
        items: impl IntoIterator<Item = T>,
        cap: &str,
    ) -> Self {
        let items = texts(items);
        if !items.is_empty() {
            self.draft.set(attr, json_list(&items));
            self.meta.need(cap);
        }
        self
    }

    /// Finishes the op.
    pub fn build(self) -> Output {
        self.draft.finish(None, self.meta)
    }
}
