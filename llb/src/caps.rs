//! Names of the capabilities that ops of this crate declare, and those that a
//! definition needs.
//!
//! An op lists what it relies on in its metadata. A daemon that lacks one fails
//! when it loads the definition, instead of ignoring a field it does not know.
//! Facts of moby/buildkit v0.32.2, `solver/pb/caps.go`; which op declares what
//! is as in `client/llb`, except that file ops declare all that they use.

use std::collections::BTreeSet;

use buildkit_proto::pb;

macro_rules! caps {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $value;)*
    };
}

caps! {
    /// Images.
    SOURCE_IMAGE = "source.image";
    /// Images resolved anew.
    SOURCE_IMAGE_RESOLVE_MODE = "source.image.resolvemode";
    /// Some layers of an image.
    SOURCE_IMAGE_LAYER_LIMIT = "source.image.layerlimit";
    /// Images with a checksum.
    SOURCE_IMAGE_CHECKSUM = "source.image.checksum";
    /// Single blobs of a registry or layout.
    SOURCE_IMAGE_BLOB = "source.imageblob";
    /// Images of an OCI layout.
    SOURCE_OCI_LAYOUT = "source.ocilayout";
    /// Directories of the client.
    SOURCE_LOCAL = "source.local";
    /// Directories with a value that sets them apart.
    SOURCE_LOCAL_UNIQUE = "source.local.unique";
    /// Directories of a given session.
    SOURCE_LOCAL_SESSION_ID = "source.local.sessionid";
    /// Directories with include patterns.
    SOURCE_LOCAL_INCLUDE_PATTERNS = "source.local.includepatterns";
    /// Directories with followed paths.
    SOURCE_LOCAL_FOLLOW_PATHS = "source.local.followpaths";
    /// Directories with exclude patterns.
    SOURCE_LOCAL_EXCLUDE_PATTERNS = "source.local.excludepatterns";
    /// Directories with a hint for incremental transfer.
    SOURCE_LOCAL_SHARED_KEY_HINT = "source.local.sharedkeyhint";
    /// Directories with a way to find changes.
    SOURCE_LOCAL_DIFFER = "source.local.differ";
    /// Directories transferred without contents.
    SOURCE_LOCAL_METADATA_TRANSFER = "source.local.metadatatransfer";
    /// Git repositories.
    SOURCE_GIT = "source.git";
    /// Git repositories with their `.git`.
    SOURCE_GIT_KEEP_DIR = "source.git.keepgitdir";
    /// Git repositories by their whole URL.
    SOURCE_GIT_FULL_URL = "source.git.fullurl";
    /// Git over HTTP with credentials.
    SOURCE_GIT_HTTP_AUTH = "source.git.httpauth";
    /// Git over SSH with known hosts.
    SOURCE_GIT_KNOWN_SSH_HOSTS = "source.git.knownsshhosts";
    /// Git over SSH with an agent.
    SOURCE_GIT_MOUNT_SSH_SOCK = "source.git.mountsshsock";
    /// Part of a git repository.
    SOURCE_GIT_SUBDIR = "source.git.subdir";
    /// A given commit.
    SOURCE_GIT_CHECKSUM = "source.git.checksum";
    /// Git repositories without submodules.
    SOURCE_GIT_SKIP_SUBMODULES = "source.git.skipsubmodules";
    /// Signed commits or tags.
    SOURCE_GIT_SIGNATURE_VERIFY = "source.git.signatureverify";
    /// File times of git repositories.
    SOURCE_GIT_MTIME = "source.git.mtime";
    /// Commits fetched by their checksum.
    SOURCE_GIT_FETCH_BY_COMMIT = "source.git.fetchbycommit";
    /// Commits taken from a bundle.
    SOURCE_GIT_BUNDLE = "source.git.bundle";
    /// Commits given as a bundle.
    SOURCE_GIT_CHECKOUT_BUNDLE = "source.git.checkoutbundle";
    /// Downloads.
    SOURCE_HTTP = "source.http";
    /// Downloads with credentials.
    SOURCE_HTTP_AUTH = "source.http.auth";
    /// Downloads with a checksum.
    SOURCE_HTTP_CHECKSUM = "source.http.checksum";
    /// Downloads with a file mode.
    SOURCE_HTTP_PERM = "source.http.perm";
    /// Downloads with an owner. Misspelt on the wire.
    SOURCE_HTTP_UID_GID = "soruce.http.uidgid";
    /// Downloads with request headers.
    SOURCE_HTTP_HEADER = "source.http.header";
    /// Downloads with a signature.
    SOURCE_HTTP_SIGNATURE_VERIFY = "source.http.signatureverify";
    /// Build ops.
    BUILD_OP_LLB_FILE_NAME = "source.buildop.llbfilename";
    /// Execs.
    EXEC_META_BASE = "exec.meta.base";
    /// Execs in a given cgroup.
    EXEC_META_CGROUP_PARENT = "exec.meta.cgroup.parent";
    /// Execs with a network mode.
    EXEC_META_NETWORK = "exec.meta.network";
    /// Execs with proxy variables.
    EXEC_META_PROXY = "exec.meta.proxyenv";
    /// Execs with a security mode.
    EXEC_META_SECURITY = "exec.meta.security";
    /// Execs whose `PATH` is set by the daemon.
    EXEC_META_SETS_DEFAULT_PATH = "exec.meta.setsdefaultpath";
    /// Execs with limits.
    EXEC_META_ULIMIT = "exec.meta.ulimit";
    /// Execs with devices.
    EXEC_META_CDI = "exec.meta.cdi";
    /// Execs with limits of their cgroup.
    EXEC_META_LINUX_RESOURCES = "exec.meta.linux.resources";
    /// Bind mounts.
    EXEC_MOUNT_BIND = "exec.mount.bind";
    /// Writable mounts that are thrown away.
    EXEC_MOUNT_BIND_READ_WRITE_NO_OUTPUT = "exec.mount.bind.readwrite-nooutput";
    /// Cache mounts.
    EXEC_MOUNT_CACHE = "exec.mount.cache";
    /// Cache mounts with a sharing mode.
    EXEC_MOUNT_CACHE_SHARING = "exec.mount.cache.sharing";
    /// Mounts of a part of a tree.
    EXEC_MOUNT_SELECTOR = "exec.mount.selector";
    /// Tmpfs mounts.
    EXEC_MOUNT_TMPFS = "exec.mount.tmpfs";
    /// Tmpfs mounts with a size.
    EXEC_MOUNT_TMPFS_SIZE = "exec.mount.tmpfs.size";
    /// Secret files.
    EXEC_MOUNT_SECRET = "exec.mount.secret";
    /// SSH agents.
    EXEC_MOUNT_SSH = "exec.mount.ssh";
    /// Mounts that say whether content counts for the cache.
    EXEC_MOUNT_CONTENT_CACHE = "exec.mount.cache.content";
    /// Secret variables.
    EXEC_SECRET_ENV = "exec.secretenv";
    /// Exit codes that mean success.
    EXEC_VALID_EXIT_CODE = "exec.validexitcode";
    /// File ops.
    FILE_BASE = "file.base";
    /// Removal by wildcard.
    FILE_RM_WILDCARD = "file.rm.wildcard";
    /// Copies with patterns.
    FILE_COPY_INCLUDE_EXCLUDE_PATTERNS = "file.copy.includeexcludepatterns";
    /// Copies with paths that must exist.
    FILE_COPY_REQUIRED_PATHS = "file.copy.requiredpaths";
    /// Copies that replace files by directories and the reverse.
    FILE_COPY_ALWAYS_REPLACE_EXISTING_DEST_PATHS = "file.copy.alwaysreplaceexistingdestpaths";
    /// Copies with a symbolic mode. Never reported by a daemon up to BuildKit 0.33.
    FILE_COPY_MODE_STRING_FORMAT = "file.copy.modestring";
    /// Symbolic links.
    FILE_SYMLINK_CREATE = "file.symlink.create";
    /// Ops with constraints; all have them.
    CONSTRAINTS = "constraints";
    /// Ops with a platform.
    PLATFORM = "platform";
    /// Ops that ignore the cache.
    META_IGNORE_CACHE = "meta.ignorecache";
    /// Ops with a description.
    META_DESCRIPTION = "meta.description";
    /// Ops that say whether cache exports hold them.
    META_EXPORT_CACHE = "meta.exportcache";
    /// Merges.
    MERGE_OP = "mergeop";
    /// Diffs.
    DIFF_OP = "diffop";
    /// Passthroughs.
    PASSTHROUGH_OP = "passthroughop";
}

/// The capabilities that a definition needs: those of all its ops.
///
/// ```
/// use buildkit_llb::{Source, caps_of};
///
/// let definition = Source::image("alpine").build().marshal();
/// let caps = caps_of(&definition);
/// assert!(caps.contains("source.image"));
/// ```
pub fn caps_of(definition: &pb::Definition) -> BTreeSet<String> {
    let caps = definition.metadata.values().flat_map(|op| op.caps.keys());
    caps.cloned().collect()
}
