//! Where the sources come from: the main context and the named ones.
//!
//! In: the `context…` options. Out: what the main context is, and lookups by
//! name. Loading is left to `gateway::load`.
//!
//! Rules of BuildKit v0.32: `frontend/dockerui/context.go`, `namedcontext.go`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildkit_llb::{ImageRef, Platform};

use super::git_url::{GitUrl, NotGit};
use super::{Reader, values};

/// Local name and input name under which clients offer the main context.
pub(crate) const CONTEXT_LOCAL: &str = "context";
const CONTEXT: &str = "context:";
const INPUT_METADATA: &str = "input-metadata:";
const LOCAL_SESSION: &str = "local-sessionid:";
const SHARED_KEY: &str = "sharedkey:localdir:";

/// All contexts of a request.
#[derive(Clone, Debug)]
pub struct Contexts {
    /// The main context.
    pub main: MainContext,
    /// Sub-directory of a main context that is not a local directory.
    pub subdir: Option<String>,
    named: BTreeMap<String, String>,
    input_metadata: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    local_sessions: BTreeMap<String, String>,
    shared_keys: BTreeMap<String, String>,
}

/// The main context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MainContext {
    /// A directory of the client, unless an input of that name replaces it.
    Local,
    /// A Git repository.
    Git {
        /// The repository, with `BUILDKIT_CONTEXT_KEEP_GIT_DIR` and
        /// `SOURCE_DATE_EPOCH` already applied.
        url: GitUrl,
        /// What the client wrote, for people.
        text: String,
    },
    /// A download: an archive to unpack, or the build file itself.
    Http(String),
}

/// A context that the client gave a name (`--build-context NAME=VALUE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedContext<'a> {
    /// The option's name without `context:`, with the platform if the option has it.
    pub key: String,
    /// What it is replaced by, such as `docker-image://alpine`.
    pub value: &'a str,
    /// Part of the shared-key hint of a local directory.
    pub shared_key: &'a str,
}

impl Contexts {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self {
            main: main_context(read),
            subdir: read.text("contextsubdir"),
            named: read.prefixed(CONTEXT),
            input_metadata: input_metadata(read),
            local_sessions: read.prefixed(LOCAL_SESSION),
            shared_keys: read.prefixed(SHARED_KEY),
        }
    }

    /// The named context that replaces an image or a source of this name, for
    /// a platform. A context for the platform alone wins.
    ///
    /// # Errors
    ///
    /// The name is not an image reference.
    pub fn named(
        &self,
        name: &str,
        platform: &Platform,
    ) -> Result<Option<NamedContext<'_>>, buildkit_llb::Error> {
        // dockerui looks contexts up by the short form without `:latest`.
        let name = ImageRef::parse(name)?.familiar();
        let name = name.strip_suffix(":latest").unwrap_or(&name).to_owned();
        let with_platform = format!("{name}::{platform}");
        Ok([with_platform, name].into_iter().find_map(|key| {
            let value = self.named.get(&key)?;
            let shared_key = self.shared_keys.get(&key).map_or("", String::as_str);
            Some(NamedContext {
                key,
                value,
                shared_key,
            })
        }))
    }

    /// The names of all named contexts, with their platforms where given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// The session that serves a local directory, `default` for most.
    #[must_use]
    pub fn session_of<'a>(&'a self, local: &str, default: &'a str) -> &'a str {
        self.local_sessions
            .get(local)
            .map_or(default, String::as_str)
    }

    /// A value of the metadata of an input, such as its image config.
    #[must_use]
    pub fn input_metadata(&self, input: &str, key: &str) -> Option<&[u8]> {
        let metadata = self.input_metadata.get(input)?;
        metadata.get(key).map(Vec::as_slice)
    }
}

fn main_context(read: &mut Reader<'_>) -> MainContext {
    let key = read
        .text("contextkey")
        .unwrap_or_else(|| CONTEXT_LOCAL.to_owned());
    let Some(text) = read.text(&key) else {
        return MainContext::Local;
    };
    match GitUrl::parse(&text) {
        Ok(mut url) => {
            // dockerui ignores a value that is no boolean; people would not
            // notice that their wish is ignored.
            let flag = "--build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR";
            let key = "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR";
            if read.value(key, flag, values::boolean) == Some(true) {
                url.keep_git_dir = Some(true);
            }
            // File times of a checkout are those of the fetch; with an epoch
            // they come from the commit.
            if read.text("build-arg:SOURCE_DATE_EPOCH").is_some() && url.mtime.is_none() {
                url.mtime = Some("commit".to_owned());
            }
            MainContext::Git { url, text }
        }
        Err(NotGit::Invalid(message)) => {
            read.error("context", message);
            MainContext::Local
        }
        Err(NotGit::Other) if text.starts_with("http://") || text.starts_with("https://") => {
            MainContext::Http(text)
        }
        Err(NotGit::Other) => MainContext::Local,
    }
}

fn input_metadata(read: &mut Reader<'_>) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut out = BTreeMap::new();
    for (input, json) in read.prefixed(INPUT_METADATA) {
        let decoded = serde_json::from_str::<BTreeMap<String, Option<String>>>(&json)
            .map_err(|e| e.to_string())
            .and_then(|map| {
                map.into_iter()
                    .map(|(key, value)| {
                        let bytes = STANDARD.decode(value.unwrap_or_default());
                        Ok((key, bytes.map_err(|e| e.to_string())?))
                    })
                    .collect::<Result<BTreeMap<_, _>, String>>()
            });
        match decoded {
            Ok(metadata) => {
                out.insert(input, metadata);
            }
            Err(message) => read.error(
                &format!("{INPUT_METADATA}{input}"),
                format!("expected a JSON map of base64 values: {message}"),
            ),
        }
    }
    out
}
