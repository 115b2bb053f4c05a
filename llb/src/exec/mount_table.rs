//! The mounts of an exec in the order of the wire.
//!
//! In: mounts as they were added. Out: sorted by path as the Go client sorts
//! them, with inputs and outputs numbered.

use buildkit_proto::pb;

use crate::mount::{BindMount, CacheMount, ContentCache, Kind, Mount, Sharing};
use crate::output::Inputs;
use crate::{OpMeta, Output, caps};

/// The mounts of an exec in the order of the wire, with numbered inputs and
/// outputs.
#[derive(Default)]
pub(super) struct MountTable {
    pub(super) mounts: Vec<pb::Mount>,
    pub(super) inputs: Inputs,
    /// Paths of mounts, and the output each of them is.
    pub(super) outputs: Vec<(String, Option<i64>)>,
    next_output: i64,
    /// Paths of SSH agents.
    pub(super) ssh_sockets: Vec<String>,
}

impl MountTable {
    /// Sorts and numbers mounts, and declares what they need.
    pub(super) fn new(mounts: Vec<Mount>, meta: &mut OpMeta) -> Self {
        let is_file = |kind: &Kind| matches!(kind, Kind::Secret(_) | Kind::Ssh(_));
        let kinds = mounts.into_iter().map(|mount| mount.0);
        let (mut files, mut trees): (Vec<_>, Vec<_>) = kinds.partition(is_file);
        // Stable: mounts at one path stay in order.
        trees.sort_by(|a, b| dest(a).cmp(dest(b)));
        // Secrets before agents, both after everything else and in the order
        // they were added.
        files.sort_by_key(|kind| matches!(kind, Kind::Ssh(_)));
        let mut table = MountTable::default();
        for kind in trees.into_iter().chain(files) {
            table.add(kind, meta);
        }
        table
    }

    fn add(&mut self, kind: Kind, meta: &mut OpMeta) {
        let is_output = matches!(&kind, Kind::Bind(mount) if mount.is_output());
        // The daemon numbers outputs by position, whatever is written here.
        let output = is_output.then_some(self.next_output);
        self.next_output += i64::from(is_output);
        let mut mount = match kind {
            Kind::Bind(mount) => self.bind(mount, meta),
            Kind::Cache(mount) => self.cache(mount, meta),
            Kind::Tmpfs(mount) => {
                meta.need(caps::EXEC_MOUNT_TMPFS);
                if mount.size > 0 {
                    meta.need(caps::EXEC_MOUNT_TMPFS_SIZE);
                }
                pb::Mount {
                    dest: mount.dest,
                    mount_type: pb::MountType::Tmpfs.into(),
                    tmpfs_opt: Some(pb::TmpfsOpt { size: mount.size }),
                    ..EMPTY
                }
            }
            Kind::Secret(mount) => {
                meta.need(caps::EXEC_MOUNT_SECRET);
                pb::Mount {
                    dest: mount.dest,
                    mount_type: pb::MountType::Secret.into(),
                    secret_opt: Some(mount.opt),
                    // As the Go client has it; the daemon does not look at it.
                    output: 0,
                    ..EMPTY
                }
            }
            Kind::Ssh(mount) => {
                meta.need(caps::EXEC_MOUNT_SSH);
                let number = self.ssh_sockets.len();
                let dest = match mount.dest.is_empty() {
                    true => format!("/run/buildkit/ssh_agent.{number}"),
                    false => mount.dest,
                };
                self.ssh_sockets.push(dest.clone());
                pb::Mount {
                    dest,
                    mount_type: pb::MountType::Ssh.into(),
                    ssh_opt: Some(mount.opt),
                    output: 0,
                    ..EMPTY
                }
            }
        };
        if let Some(output) = output {
            mount.output = output;
        }
        self.outputs.push((mount.dest.clone(), output));
        self.mounts.push(mount);
    }

    fn bind(&mut self, mount: BindMount, meta: &mut OpMeta) -> pb::Mount {
        if mount.input.is_some() {
            meta.need(caps::EXEC_MOUNT_BIND);
        }
        if mount.no_output && !mount.readonly {
            meta.need(caps::EXEC_MOUNT_BIND_READ_WRITE_NO_OUTPUT);
        }
        pb::Mount {
            input: self.input(&mount.input),
            selector: selector(mount.selector, meta),
            dest: mount.dest,
            readonly: mount.readonly,
            content_cache: content_cache(mount.content_cache, meta),
            ..EMPTY
        }
    }

    fn cache(&mut self, mount: CacheMount, meta: &mut OpMeta) -> pb::Mount {
        meta.need(caps::EXEC_MOUNT_CACHE);
        meta.need(caps::EXEC_MOUNT_CACHE_SHARING);
        pb::Mount {
            input: self.input(&mount.input),
            selector: selector(mount.selector, meta),
            dest: mount.dest,
            readonly: mount.readonly,
            mount_type: pb::MountType::Cache.into(),
            cache_opt: Some(pb::CacheOpt {
                id: mount.id,
                sharing: match mount.sharing {
                    Sharing::Shared => pb::CacheSharingOpt::Shared,
                    Sharing::Private => pb::CacheSharingOpt::Private,
                    Sharing::Locked => pb::CacheSharingOpt::Locked,
                }
                .into(),
            }),
            content_cache: content_cache(mount.content_cache, meta),
            ..EMPTY
        }
    }

    fn input(&mut self, input: &Option<Output>) -> i64 {
        input.as_ref().map_or(-1, |input| self.inputs.add(input))
    }
}

/// A mount of nothing that is no output. Zero would mean number 0 of both.
const EMPTY: pb::Mount = pb::Mount {
    input: -1,
    selector: String::new(),
    dest: String::new(),
    output: -1,
    readonly: false,
    mount_type: pb::MountType::Bind as i32,
    tmpfs_opt: None,
    cache_opt: None,
    secret_opt: None,
    ssh_opt: None,
    result_id: String::new(),
    content_cache: pb::MountContentCache::Default as i32,
};

fn selector(path: String, meta: &mut OpMeta) -> String {
    if !path.is_empty() {
        meta.need(caps::EXEC_MOUNT_SELECTOR);
    }
    path
}

fn content_cache(mode: ContentCache, meta: &mut OpMeta) -> i32 {
    if mode != ContentCache::Default {
        meta.need(caps::EXEC_MOUNT_CONTENT_CACHE);
    }
    match mode {
        ContentCache::Default => pb::MountContentCache::Default,
        ContentCache::On => pb::MountContentCache::On,
        ContentCache::Off => pb::MountContentCache::Off,
    }
    .into()
}

fn dest(kind: &Kind) -> &str {
    match kind {
        Kind::Bind(mount) => &mount.dest,
        Kind::Cache(mount) => &mount.dest,
        Kind::Tmpfs(mount) => &mount.dest,
        Kind::Secret(mount) => &mount.dest,
        Kind::Ssh(mount) => &mount.dest,
    }
}
