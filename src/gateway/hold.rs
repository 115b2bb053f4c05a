//! Cache mounts that stay the same from the first step of a request to the last.
//!
//! Between two steps nobody uses a cache mount. If the daemon measures it at that moment,
//! for its garbage collection or for `buildctl du`, the mount is taken, and the next step
//! gets a new, empty one: a build step without the modules that the step before it had
//! looked for. A mount in use is shared instead, and not measured. So the frontend uses
//! them until everything is built, in a container that it never starts.
//!
//! In: ids of cache mounts. Out: nothing that a build could see, and no error of its own:
//! without this, a build fails once in a long while.
//!
//! Contract of BuildKit v0.32: `solver/llbsolver/mounts/mount.go`
//! (`getRefCacheDirNoCache`), `cache/manager.go` (`DiskUsage`),
//! `frontend/gateway/gateway.go` (`NewContainer`, `Discard`).

use std::collections::BTreeSet;

use buildkit_proto::gateway::NewContainerRequest;
use buildkit_proto::pb;
use futures_util::future::try_join_all;

use super::caps::gateway as cap;
use super::client::Gateway;
use super::error::Error;
use super::result::FrontendResult;

/// Name of the container; `docker buildx du` shows it beside mounts that it made.
const CONTAINER: &str = "gofleet";

impl Gateway {
    /// Uses shared cache mounts until this process ends, where the daemon can do that.
    pub async fn hold_caches(&self, ids: BTreeSet<String>) {
        if !self.caps().gateway.supports(cap::EXEC) {
            return;
        }
        let request = NewContainerRequest {
            container_id: CONTAINER.to_owned(),
            mounts: ids.into_iter().map(shared).collect(),
            ..NewContainerRequest::default()
        };
        let _ = self.client().new_container(request).await;
    }

    /// Waits until a result is built, or fails: the daemon, which asks for it again, knows
    /// then, and tells the client more than a frontend could.
    ///
    /// # Errors
    ///
    /// The first failure; the daemon ends what it was building beside it.
    pub async fn wait_for(&self, result: &FrontendResult) -> Result<(), Error> {
        let built = result
            .refs()
            .into_iter()
            .filter(|reference| !reference.is_scratch())
            .map(|reference| self.evaluate(reference));
        try_join_all(built).await.map(drop)
    }
}

fn shared(id: String) -> pb::Mount {
    pb::Mount {
        dest: format!("/{id}"),
        mount_type: pb::MountType::Cache.into(),
        cache_opt: Some(pb::CacheOpt {
            id,
            sharing: pb::CacheSharingOpt::Shared.into(),
        }),
        ..pb::Mount::default()
    }
}
