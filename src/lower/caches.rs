//! Whose cache mounts a step has. Here alone ids of cache mounts are made.
//!
//! Everybody who builds with the images that we choose shares mounts: what runs in them is Go,
//! our own program and git, and no spec decides that. A spec that names a builder image, or a
//! `GOAUTH` command, and a client or policy that replaces the image, choose a program. What that
//! leaves in a mount is for builds with the same program, and for no other.

use buildkit_llb::ImageRef;
use sha2::{Digest as _, Sha256};

use super::go::Builder;
use crate::hex::hex;
use crate::options::Options;
use crate::plan::{CacheMode, GoSetting, Plan};

/// What is known of the image that a builder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An image of a registry: its reference, and a digest of its content.
    Registry(String, String),
    /// A digest of its content.
    Content(String),
    /// Nothing but the session that brought it.
    Session(String),
}

/// Those who share cache mounts; a hash of the program that they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner([u8; 16]);

impl Owner {
    /// The owner of the mounts of a toolchain's steps: one for those that fetch and those that
    /// compile, which have different images. `None` is everybody.
    pub(super) fn of<'a>(
        plan: &Plan,
        builders: impl IntoIterator<Item = (&'a str, &'a Builder)>,
    ) -> Option<Self> {
        let mut own: Vec<&str> = builders
            .into_iter()
            .filter_map(|(asked, builder)| foreign(plan, asked, &builder.origin))
            .collect();
        own.extend(auth_command(plan));
        if own.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for part in own {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Some(Self(id))
    }
}

/// What tells an image from all others, unless it is the one that we chose.
fn foreign<'a>(plan: &Plan, asked: &str, origin: &'a Origin) -> Option<&'a str> {
    let is_named = matches!(plan.go, GoSetting::Image(_));
    match origin {
        Origin::Registry(found, _) if !is_named && is_official(asked, found) => None,
        Origin::Registry(_, digest) | Origin::Content(digest) => Some(digest),
        Origin::Session(session) => Some(session),
    }
}

/// Whether an image is the official one that was asked for, whatever digest that has now. A
/// version in a `go.mod` may be any text.
fn is_official(asked: &str, found: &str) -> bool {
    let parse = |text: &str| ImageRef::parse(text).ok();
    let (Some(asked), Some(found)) = (parse(asked), parse(found)) else {
        return false;
    };
    let name = |image: &ImageRef| (image.domain.clone(), image.path.clone(), image.tag.clone());
    (found.domain == "docker.io" && found.path == "library/golang") && name(&asked) == name(&found)
}

/// The value of `GOAUTH` if it names a command. `git` is one: it runs in a directory that the
/// value names, and obeys the configuration there (Go 1.26, `go help goauth`).
pub(super) fn auth_command(plan: &Plan) -> Option<&str> {
    let value = plan.fetch.settings.get("GOAUTH")?;
    let mut commands = value.split(';').map(str::trim);
    let is_command = |command: &str| !matches!(command, "" | "netrc" | "off");
    commands.any(is_command).then_some(value.as_str())
}

/// Ids of the mounts of compiled packages, and of modules.
pub(super) fn go_caches(options: &Options, owner: Option<Owner>, cache: CacheMode) -> [String; 2] {
    // What comes in layers is not all of a module: nobody else may take it for that.
    let names = match cache {
        CacheMode::Mount => ["build", "modules"],
        CacheMode::Layer => ["packed-build", "packed-modules"],
    };
    names.map(|name| cache_id(options, owner, name))
}

/// Id of a cache mount. Never empty, never ending in the mount's destination:
/// then the id would be part of the key.
pub(super) fn cache_id(options: &Options, owner: Option<Owner>, name: &str) -> String {
    let mut id = match &options.cache_mount_ns {
        Some(namespace) => format!("{namespace}/gofleet/"),
        None => "gofleet/".to_owned(),
    };
    if let Some(Owner(owner)) = owner {
        id += &format!("of-{}/", hex(&owner));
    }
    id + name
}

#[cfg(test)]
#[path = "caches_tests.rs"]
mod tests;
