//! Build steps that failed because a check in front of them had looked at another cache mount.
//!
//! A check that comes from the daemon's cache says nothing about the mount that its build step
//! gets: the check ended, the build step did not, and then the mount was lost, or the build
//! has another name space of mounts. Nobody can ask the daemon whether a build step is cached,
//! and where it is, no check may run: a runner with an imported cache would fetch everything
//! for nothing. So it is decided when a build step has failed.
//!
//! 1. Each build of the request is asked for by itself: which of them failed?
//! 2. Did its check look at the mount that is there now? It left the mount's name beside its
//!    marker, and newer daemons let the frontend read the mount (`gateway/hold.rs`). If it is
//!    the same, the failure is the build's own: most are, and cost nothing more.
//! 3. Otherwise the check runs once more, which fetches what is missing. If that says that
//!    the mount is another one, or lacked something, the build step runs once more behind it.
//!
//! That build step has the key that it has under `--no-cache`: the daemon remembers within one
//! request what has failed under a key. The next build runs it under its own key.

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::Digest;
use buildkit_proto::errdefs::{self, Detail};
use futures_util::{StreamExt as _, stream};

use super::failures::Outcome;
use super::solve_output;
use crate::diag::Rule;
use crate::gateway::error::RpcError;
use crate::gateway::{Error, Gateway, Warning};
use crate::lower::{Build, Check};
use crate::modules::{LOOKED_FILE, Looked, OWN_NAME};
use crate::options::Options;

/// How many graphs are asked for at once. The daemon's own limits decide what runs.
const AT_ONCE: usize = 256;

/// A build that may have failed for want of modules.
pub(super) struct Suspect {
    /// The mount that its check had looked at, if it has said so.
    cache: Option<String>,
    /// Whether the step that failed is another request's: the daemon takes steps of one key
    /// for one, and that one may have had another mount.
    foreign: bool,
}

/// Builds whose checks had looked at another mount than the one that is there, by their labels.
pub(super) async fn suspects(
    gateway: &Gateway,
    options: &Options,
    outcomes: &[Outcome],
) -> BTreeMap<String, Suspect> {
    let mut names: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut suspects = BTreeMap::new();
    for Outcome { build, result } in outcomes {
        let (Some(check), Err(Error::Rpc(error))) = (&build.check, result) else {
            continue;
        };
        let Some(foreign) = is_foreign(error, build) else {
            continue;
        };
        let looked = read(gateway, options, check).await.ok();
        let cache = looked.map(|looked| looked.cache);
        let now = match names.get(check.cache.as_str()) {
            Some(known) => known.clone(),
            None => {
                let name = gateway.read_cache(&check.cache, OWN_NAME).await;
                let name = name.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                names.insert(&check.cache, name.clone());
                name
            }
        };
        if foreign || now.is_none() || now != cache {
            suspects.insert(build.label.clone(), Suspect { cache, foreign });
        }
    }
    suspects
}

/// The labels of those suspects that lacked something, as a check says that runs now. `builds`
/// are the same builds with such checks.
pub(super) async fn confirmed(
    gateway: &Gateway,
    options: &Options,
    suspects: &BTreeMap<String, Suspect>,
    builds: &[Build],
) -> BTreeSet<String> {
    let asked = builds.iter().filter_map(|build| {
        let suspect = suspects.get(&build.label)?;
        Some((build, suspect, build.check.as_ref()?))
    });
    let asked = stream::iter(asked).map(async |(build, suspect, check)| {
        let lost = match read(gateway, options, check).await {
            Ok(now) => {
                now.lacked || suspect.foreign || suspect.cache.as_deref() != Some(&now.cache)
            }
            // What cannot be fetched is what the user has to know.
            Err(_) => true,
        };
        lost.then(|| build.label.clone())
    });
    let lost: Vec<Option<String>> = asked.buffered(AT_ONCE).collect().await;
    lost.into_iter().flatten().collect()
}

/// What people read about it.
pub(super) fn warning(lost: &BTreeSet<String>) -> Warning {
    let names: Vec<&str> = lost.iter().map(String::as_str).collect();
    let text = format!(
        "the cache mount of modules is another one than a cached check has seen; modules are \
         fetched again, and built again: {}",
        names.join(", ")
    );
    Warning::new(Rule::LostModules, text)
}

/// What a check has seen; it runs if it has not.
async fn read(gateway: &Gateway, options: &Options, check: &Check) -> Result<Looked, Error> {
    let tree = solve_output(gateway, options, &check.output).await?;
    let json = gateway.read_file(&tree, LOOKED_FILE).await?;
    serde_json::from_slice(&json).map_err(|error| Error::Internal(error.to_string()))
}

/// Whether a failed step is the same step of another request; `None` when it is a step in
/// front of the build step, whose failure is its own, or nothing that failed.
fn is_foreign(error: &RpcError, build: &Build) -> Option<bool> {
    let vertex = errdefs::Vertex::all(&error.status).pop()?.digest;
    if vertex == build.output.digest().as_str() {
        return Some(false);
    }
    let graph = build.output.marshal().def;
    let mut graph = graph.iter().map(|op| Digest::of(op));
    (!graph.any(|digest| digest.as_str() == vertex)).then_some(true)
}
