//! What the client asked of every step: network, hosts, limits, caches.
//!
//! In: the options. Out: functions that give an exec these settings. What is in
//! an exec's cache key and what is not is decided by BuildKit (see
//! `docs/caching.md`): proxies and resources are not.

use buildkit_llb::{Describe as _, ExecBuilder, Mount, Network};

use super::caches::{self, Owner};
use crate::options::Options;
use crate::plan::CacheMode;

/// Settings of exec steps, as the Dockerfile frontend applies them to `RUN`.
#[derive(Clone, Copy)]
pub(super) struct StepSettings<'a> {
    pub(super) options: &'a Options,
    /// How many builds of one repository run side by side, at least 1.
    pub(super) parallel: u32,
    /// Where modules and compiled dependencies come from.
    pub(super) cache: CacheMode,
    /// Whose cache mounts the steps have; `None` is everybody.
    pub(super) owner: Option<Owner>,
}

impl StepSettings<'_> {
    /// Ids of the cache mounts of compiled packages, and of modules.
    pub(super) fn go_caches(&self) -> [String; 2] {
        caches::go_caches(self.options, self.owner, self.cache)
    }

    /// Applies the settings to a step that may use the network.
    pub(super) fn online(&self, exec: ExecBuilder) -> ExecBuilder {
        let mut exec = self.common(exec);
        if let Some(network) = self.options.exec.network {
            exec = exec.network(network);
        }
        if let Some(proxy) = &self.options.exec.proxy {
            exec = exec.proxy(proxy.clone());
        }
        exec
    }

    /// Applies the settings to a step that needs no network, whatever was asked.
    pub(super) fn offline(&self, exec: ExecBuilder) -> ExecBuilder {
        self.common(exec).network(Network::None)
    }

    fn common(&self, mut exec: ExecBuilder) -> ExecBuilder {
        let asked = &self.options.exec;
        for host in &asked.extra_hosts {
            exec = exec.extra_host(&host.host, host.ip.to_string());
        }
        for ulimit in &asked.ulimits {
            exec = exec.ulimit(&ulimit.name, ulimit.soft, ulimit.hard);
        }
        if let Some(size) = asked.shm_size {
            exec = exec.mount(Mount::tmpfs("/dev/shm").size(size));
        }
        if let Some(hostname) = &asked.hostname {
            exec = exec.hostname(hostname);
        }
        if let Some(parent) = &asked.cgroup_parent {
            exec = exec.cgroup_parent(parent);
        }
        if let Some(resources) = &asked.linux_resources {
            exec = exec.linux_resources(resources.clone());
        }
        exec
    }
}
