//! What the builder can do.
//!
//! In: the capability lists of a `Pong`, the capabilities that a graph needs.
//! Out: yes, or one line that a user understands. Which capability an op
//! needs is known to `buildkit-llb`.
//!
//! Names and the frozen defaults: BuildKit v0.32, `frontend/gateway/pb/caps.go`,
//! `solver/pb/caps.go`, `frontend/gateway/grpcclient/client.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use buildkit_proto::caps::ApiCap;

/// The oldest BuildKit whose builders run all of gofleet's graphs.
pub const OLDEST_BUILDKIT: &str = "0.12";

/// Capabilities of the gateway that we ask for by name.
pub mod gateway {
    /// `Evaluate` in a solve request.
    pub const SOLVE_EVALUATE: &str = "gateway.solve.evaluate";
    /// The `Evaluate` call.
    pub const EVALUATE: &str = "gateway.evaluate";
    /// Containers of the frontend's own.
    pub const EXEC: &str = "gateway.exec";
    /// Reading the mounts of such containers.
    pub const EXEC_FILESYSTEM: &str = "gateway.exec.filesystem";
    /// The `Warn` call.
    pub const WARNINGS: &str = "gateway.warnings";
    /// The `Inputs` call.
    pub const INPUTS: &str = "frontend.inputs";
    /// The `ReadDir` call.
    pub const READ_DIR: &str = "readdir";
    /// The `StatFile` call.
    pub const STAT_FILE: &str = "statfile";
    /// The `Return` call.
    pub const RETURN: &str = "return";
    /// Results of several platforms.
    pub const RETURN_MAP: &str = "returnmap";
    /// The current form of refs in results.
    pub const REF_ARRAY: &str = "proto.refarray";
    /// The `ResolveSourceMeta` call.
    pub const SOURCE_META: &str = "source.metaresolver";
    /// Cache imports in a solve request.
    pub const IMPORT_CACHES: &str = "importcaches";
}

/// What a daemon that reports no list had when capabilities were invented.
const FROZEN_GATEWAY: [&str; 4] = [
    "solve.base",
    "solve.inlinereturn",
    "resolveimage",
    "readfile",
];
const FROZEN_LLB: [&str; 29] = [
    "source.image",
    "source.local",
    "source.local.unique",
    "source.local.sessionid",
    "source.local.includepatterns",
    "source.local.followpaths",
    "source.local.excludepatterns",
    "source.local.sharedkeyhint",
    "source.git",
    "source.git.keepgitdir",
    "source.git.fullurl",
    "source.http",
    "source.http.checksum",
    "source.http.perm",
    // The wire has this spelling.
    "soruce.http.uidgid",
    "source.buildop.llbfilename",
    "exec.meta.base",
    "exec.meta.proxyenv",
    "exec.mount.bind",
    "exec.mount.cache",
    "exec.mount.cache.sharing",
    "exec.mount.selector",
    "exec.mount.tmpfs",
    "exec.mount.secret",
    "constraints",
    "platform",
    "meta.ignorecache",
    "meta.description",
    "meta.exportcache",
];

/// Everything the builder said about itself.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Calls and fields of the gateway.
    pub gateway: CapSet,
    /// Ops and their fields.
    pub llb: CapSet,
}

/// One list of capabilities.
#[derive(Clone, Debug)]
pub struct CapSet {
    /// Reason why it is disabled, or `None` when it is there.
    known: BTreeMap<String, Option<String>>,
    builder: String,
}

/// A capability that the builder lacks. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCap {
    /// Name on the wire.
    pub cap: String,
    /// Why it is disabled; `None` when the builder does not know it.
    pub disabled: Option<String>,
    /// The builder, such as `BuildKit v0.9`, or empty.
    pub builder: String,
}

impl Caps {
    /// Reads the lists of a `Pong`. An empty list means a daemon from before
    /// capabilities, which has the frozen defaults.
    ///
    /// `builder` names the builder in messages; may be empty.
    #[must_use]
    pub fn new(gateway: &[ApiCap], llb: &[ApiCap], builder: &str) -> Self {
        Self {
            gateway: CapSet::new(gateway, &FROZEN_GATEWAY, builder),
            llb: CapSet::new(llb, &FROZEN_LLB, builder),
        }
    }
}

impl CapSet {
    fn new(reported: &[ApiCap], frozen: &[&str], builder: &str) -> Self {
        let known = if reported.is_empty() {
            frozen.iter().map(|id| ((*id).to_owned(), None)).collect()
        } else {
            reported
                .iter()
                .map(|cap| {
                    let disabled = (!cap.enabled).then(|| cap.disabled_reason_msg.clone());
                    (cap.id.clone(), disabled)
                })
                .collect()
        };
        Self {
            known,
            builder: builder.to_owned(),
        }
    }

    /// Whether the builder has a capability.
    #[must_use]
    pub fn supports(&self, cap: &str) -> bool {
        matches!(self.known.get(cap), Some(None))
    }

    /// Checks one capability.
    ///
    /// # Errors
    ///
    /// The builder does not have it.
    pub fn require_one(&self, cap: &str) -> Result<(), MissingCap> {
        let disabled = match self.known.get(cap) {
            Some(None) => return Ok(()),
            Some(Some(reason)) => Some(reason.clone()),
            None => None,
        };
        Err(MissingCap {
            cap: cap.to_owned(),
            disabled,
            builder: self.builder.clone(),
        })
    }

    /// Checks all capabilities of a graph.
    ///
    /// # Errors
    ///
    /// The first one, by name, that the builder does not have.
    pub fn require(&self, caps: &BTreeSet<String>) -> Result<(), MissingCap> {
        caps.iter().try_for_each(|cap| self.require_one(cap))
    }
}

impl fmt::Display for MissingCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this builder")?;
        if !self.builder.is_empty() {
            write!(f, " ({})", self.builder)?;
        }
        match &self.disabled {
            Some(reason) if reason.is_empty() => write!(f, " has `{}` disabled", self.cap),
            Some(reason) => write!(f, " has `{}` disabled: {reason}", self.cap),
            None => write!(
                f,
                " lacks `{}`; gofleet needs BuildKit {OLDEST_BUILDKIT} or newer",
                self.cap
            ),
        }
    }
}

impl std::error::Error for MissingCap {}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(id: &str, enabled: bool, reason: &str) -> ApiCap {
        ApiCap {
            id: id.to_owned(),
            enabled,
            disabled_reason_msg: reason.to_owned(),
            ..ApiCap::default()
        }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_reported_list_counts_and_nothing_else() {
        let caps = Caps::new(&[cap("readdir", true, "")], &[cap("mergeop", true, "")], "");
        assert!(caps.gateway.supports("readdir"));
        assert!(!caps.gateway.supports("readfile"));
        assert!(caps.llb.require(&set(&["mergeop"])).is_ok());
    }

    #[test]
    fn no_list_means_the_frozen_defaults() {
        let caps = Caps::new(&[], &[], "");
        assert!(caps.gateway.supports("readfile") && !caps.gateway.supports("return"));
        assert!(caps.llb.supports("exec.mount.secret") && !caps.llb.supports("file.base"));
    }

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        let llb = [
            cap("exec.meta.network", true, ""),
            cap("a.off", false, "by policy"),
            cap("b.off", false, ""),
        ];
        let caps = Caps::new(&[], &llb, "BuildKit v0.9.3");
        let message = |name: &str| {
            let missing = caps.llb.require(&set(&["exec.meta.network", name]));
            missing.expect_err(name).to_string()
        };
        assert_eq!(
            message("mergeop"),
            "this builder (BuildKit v0.9.3) lacks `mergeop`; gofleet needs BuildKit 0.12 or newer"
        );
        assert_eq!(
            message("a.off"),
            "this builder (BuildKit v0.9.3) has `a.off` disabled: by policy"
        );
        assert_eq!(
            message("b.off"),
            "this builder (BuildKit v0.9.3) has `b.off` disabled"
        );
    }
}
