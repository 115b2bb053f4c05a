//! Cache mounts that stay the same from the first step of a request to the last.
//!
//! Between two steps nobody uses a cache mount. If the daemon measures it at that moment,
//! for its garbage collection or for `buildctl du`, the mount is taken, and the next step
//! gets a new, empty one: a build step without the modules that the step before it had
//! looked for. A mount in use is shared instead, and not measured. So the frontend uses
//! them until everything is built, in a container that it never starts.
//!
//! Newer daemons let a frontend read the mounts of such a container.
//!
//! In: ids of cache mounts. Out: nothing that a build could see, and no error of its own:
//! without this, a build step runs twice once in a long while (`frontend/lost.rs`).
//!
//! Contract of BuildKit v0.32: `solver/llbsolver/mounts/mount.go`
//! (`getRefCacheDirNoCache`), `cache/manager.go` (`DiskUsage`),
//! `frontend/gateway/gateway.go` (`NewContainer`, `Discard`).

use std::collections::BTreeSet;

use buildkit_proto::gateway::{NewContainerRequest, ReadFileRequest, ReleaseContainerRequest};
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

    /// Reads a small file, by its path in it, of the shared cache mount that steps get now; `None` where there is
    /// none, or where the daemon does not show it.
    pub async fn read_cache(&self, id: &str, path: &str) -> Option<Vec<u8>> {
        if !self.caps().gateway.supports(cap::EXEC_FILESYSTEM) {
            return None;
        }
        // Of its own: what is held since the beginning may be another mount.
        let container_id = format!("{CONTAINER}-reads");
        let request = NewContainerRequest {
            container_id: container_id.clone(),
            mounts: vec![shared(id.to_owned())],
            ..NewContainerRequest::default()
        };
        let mut client = self.client();
        client.new_container(request).await.ok()?;
        let request = ReadFileRequest {
            r#ref: container_id.clone(),
            // In containers, paths are absolute.
            file_path: format!("/{path}"),
            ..ReadFileRequest::default()
        };
        let read = client.read_file_container(request).await;
        let release = ReleaseContainerRequest { container_id };
        let _ = client.release_container(release).await;
        Some(read.ok()?.into_inner().data)
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
