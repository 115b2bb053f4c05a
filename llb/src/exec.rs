//! Exec ops: a process on mounted trees.
//!
//! Message `pb.ExecOp`. In a Dockerfile: `RUN`, with no shell around it.
//! Mount order, numbering of inputs and outputs, and declared caps are those of
//! the Go client (moby/buildkit v0.32.2, `client/llb/exec.go`), so that equal
//! execs have equal digests.

use buildkit_proto::pb;

use crate::meta::describe;
use crate::mount::{Kind, Mount};
use crate::output::finish;
use crate::path::absolute;
use crate::{Error, OpMeta, Output, Platform, caps};

mod mount_table;

use mount_table::MountTable;

/// The network of an exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// That of the daemon's sandbox.
    #[default]
    Sandbox,
    /// That of the daemon's host; both daemon and client must allow it.
    Host,
    /// None but the loopback device.
    None,
}

/// The privileges of an exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Those of a container.
    #[default]
    Sandbox,
    /// All; both daemon and client must allow it.
    Insecure,
}

/// Proxy variables, set in upper and lower case. They are in no cache key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyEnv {
    /// `HTTP_PROXY`.
    pub http_proxy: String,
    /// `HTTPS_PROXY`.
    pub https_proxy: String,
    /// `FTP_PROXY`.
    pub ftp_proxy: String,
    /// `NO_PROXY`.
    pub no_proxy: String,
    /// `ALL_PROXY`.
    pub all_proxy: String,
}

/// An environment variable whose value is a secret of the client. The value is
/// in no cache key.
///
/// ```
/// use buildkit_llb::SecretEnv;
///
/// let token = SecretEnv::new("gh-token").name("GITHUB_TOKEN").optional();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SecretEnv(pb::SecretEnv);

impl SecretEnv {
    /// The secret of this id, in a variable of the same name.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        SecretEnv(pb::SecretEnv {
            name: id.clone(),
            id,
            optional: false,
        })
    }

    /// Names the variable.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Sets nothing if the client has no such secret, instead of failing.
    pub fn optional(mut self) -> Self {
        self.0.optional = true;
        self
    }
}

/// A finished exec, which has an output for each writable bind mount.
#[derive(Clone, Debug)]
pub struct Exec {
    output: Output,
    /// Paths of mounts, and the output each of them is.
    mounts: Vec<(String, Option<i64>)>,
}

impl Exec {
    /// Starts an exec of a command line. No shell is involved; the first
    /// argument is looked up in `PATH`.
    ///
    /// ```
    /// use buildkit_llb::{Describe, Exec, Mount, Network, Source};
    ///
    /// let image = Source::image("golang:1.26").build();
    /// let exec = Exec::new(["go", "env", "-w", "GOFLAGS=-trimpath"])
    ///     .env("GOPROXY", "off")
    ///     .network(Network::None)
    ///     .mount(Mount::bind("/", &image))
    ///     .name("[build] go env")
    ///     .build();
    /// let root = exec.root()?;
    /// # root.check()?;
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "reads as the op that is made")]
    pub fn new<T: Into<String>>(args: impl IntoIterator<Item = T>) -> ExecBuilder {
        ExecBuilder::new(args.into_iter().map(Into::into).collect())
    }

    /// The tree at `/` after the exec.
    ///
    /// # Errors
    ///
    /// There is no mount at `/`, or it is read-only.
    pub fn root(&self) -> Result<Output, Error> {
        self.output("/")
    }

    /// The tree of a mount after the exec.
    ///
    /// # Errors
    ///
    /// There is no mount at that path, or it is no output: read-only, thrown
    /// away, or not a bind mount.
    pub fn output(&self, dest: &str) -> Result<Output, Error> {
        let dest = || dest.to_owned();
        let mount = self.mounts.iter().find(|(at, _)| *at == dest());
        match mount {
            Some((_, Some(index))) => Ok(self.output.at(*index)),
            Some(_) => Err(Error::NoOutput { dest: dest() }),
            None => Err(Error::NoMount { dest: dest() }),
        }
    }
}

/// Builds an exec; see [`Exec::new`].
///
/// Caps: `exec.meta.base` and one per feature in use.
#[derive(Clone, Debug)]
pub struct ExecBuilder {
    process: pb::Meta,
    network: Network,
    security: Security,
    secrets: Vec<SecretEnv>,
    devices: Vec<pb::CdiDevice>,
    mounts: Vec<Mount>,
    platform: Option<Platform>,
    meta: OpMeta,
}

describe!(ExecBuilder);

impl ExecBuilder {
    fn new(args: Vec<String>) -> Self {
        let mut meta = OpMeta::default();
        meta.need(caps::EXEC_META_BASE);
        ExecBuilder {
            process: pb::Meta {
                args,
                cwd: "/".to_owned(),
                // As the Go client has it: empty directories made for mounts go
                // away with the mounts.
                remove_mount_stubs_recursive: true,
                ..Default::default()
            },
            network: Network::default(),
            security: Security::default(),
            secrets: Vec::new(),
            devices: Vec::new(),
            mounts: Vec::new(),
            platform: None,
            meta,
        }
    }

    /// Sets an environment variable, after those that are set. Order counts for
    /// the cache. `PATH` has a default.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let of_name = |entry: &String| entry.split('=').next() == Some(name);
        self.process.env.retain(|entry| !of_name(entry));
        self.process.env.push(format!("{name}={}", value.as_ref()));
        self
    }

    /// Sets the working directory, `/` otherwise. It is made if it is missing.
    pub fn cwd(mut self, path: impl AsRef<str>) -> Self {
        self.process.cwd = absolute(path.as_ref());
        self
    }

    /// Sets the user: a name or number, and `:` and a group if need be. Names
    /// are looked up in the root tree.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.process.user = user.into();
        self
    }

    /// Sets the host name.
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.process.hostname = name.into();
        self
    }

    /// Sets the network.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sets the privileges.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Sets proxy variables.
    pub fn proxy(mut self, proxy: ProxyEnv) -> Self {
        self.process.proxy_env = Some(pb::ProxyEnv {
            http_proxy: proxy.http_proxy,
            https_proxy: proxy.https_proxy,
            ftp_proxy: proxy.ftp_proxy,
            no_proxy: proxy.no_proxy,
            all_proxy: proxy.all_proxy,
        });
        self.meta.need(caps::EXEC_META_PROXY);
        self
    }

    /// Adds a line to `/etc/hosts`. The name is in the cache key, the address is
    /// not.
    pub fn extra_host(mut self, host: impl Into<String>, ip: impl Into<String>) -> Self {
        self.process.extra_hosts.push(pb::HostIp {
            host: host.into(),
            ip: ip.into(),
        });
        self
    }

    /// Sets a limit, such as `nofile`.
    pub fn ulimit(mut self, name: impl Into<String>, soft: i64, hard: i64) -> Self {
        self.process.ulimit.push(pb::Ulimit {
            name: name.into(),
            soft,
            hard,
        });
        self.meta.need(caps::EXEC_META_ULIMIT);
        self
    }

    /// Runs under this cgroup of the daemon's host.
    pub fn cgroup_parent(mut self, path: impl Into<String>) -> Self {
        self.process.cgroup_parent = path.into();
        self.meta.need(caps::EXEC_META_CGROUP_PARENT);
        self
    }

    /// Says which exit codes mean success; only 0 otherwise.
    pub fn valid_exit_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.process.valid_exit_codes = codes.into_iter().collect();
        self.meta.need(caps::EXEC_VALID_EXIT_CODE);
        self
    }

    /// Sets a variable to a secret.
    pub fn secret_env(mut self, secret: SecretEnv) -> Self {
        self.secrets.push(secret);
        // The Go client declares the mount too, for variables alone.
        self.meta.need(caps::EXEC_MOUNT_SECRET);
        self.meta.need(caps::EXEC_SECRET_ENV);
        self
    }

    /// Adds a device by its Container Device Interface name; an `optional` one
    /// may be missing.
    pub fn device(mut self, name: impl Into<String>, optional: bool) -> Self {
        self.devices.push(pb::CdiDevice {
            name: name.into(),
            optional,
        });
        self.meta.need(caps::EXEC_META_CDI);
        self
    }

    /// Runs as on this platform. Without it: the daemon's own.
    pub fn platform(mut self, platform: impl Into<Platform>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Adds a mount. Their order does not count: parents are mounted first.
    pub fn mount(mut self, mount: impl Into<Mount>) -> Self {
        self.mounts.push(mount.into());
        self
    }

    /// Adds mounts.
    pub fn mounts<T: Into<Mount>>(mut self, mounts: impl IntoIterator<Item = T>) -> Self {
        self.mounts.extend(mounts.into_iter().map(Into::into));
        self
    }

    /// Finishes the op.
    pub fn build(mut self) -> Exec {
        let error = self.error();
        let mounts = std::mem::take(&mut self.mounts);
        let table = MountTable::new(mounts, &mut self.meta);
        self.declare();
        self = match table.ssh_sockets.first() {
            Some(socket) if !self.has_env("SSH_AUTH_SOCK") => self.env("SSH_AUTH_SOCK", socket),
            _ => self,
        };
        let operation = pb::op::Op::Exec(pb::ExecOp {
            meta: Some(self.process),
            mounts: table.mounts,
            network: match self.network {
                Network::Sandbox => pb::NetMode::Unset,
                Network::Host => pb::NetMode::Host,
                Network::None => pb::NetMode::None,
            }
            .into(),
            security: match self.security {
                Security::Sandbox => pb::SecurityMode::Sandbox,
                Security::Insecure => pb::SecurityMode::Insecure,
            }
            .into(),
            secretenv: self.secrets.into_iter().map(|secret| secret.0).collect(),
            cdi_devices: self.devices,
        });
        Exec {
            output: finish(
                operation,
                table.inputs,
                self.platform.as_ref(),
                self.meta,
                error,
            ),
            mounts: table.outputs,
        }
    }

    /// Declares the caps that are known only in the end.
    fn declare(&mut self) {
        if self.network != Network::Sandbox {
            self.meta.need(caps::EXEC_META_NETWORK);
        }
        if self.security != Security::Sandbox {
            self.meta.need(caps::EXEC_META_SECURITY);
        }
        if !self.has_env("PATH") {
            self.meta.need(caps::EXEC_META_SETS_DEFAULT_PATH);
        }
        if self.meta.metadata.linux_resources.is_some() {
            self.meta.need(caps::EXEC_META_LINUX_RESOURCES);
        }
    }

    fn has_env(&self, name: &str) -> bool {
        let mut names = self.process.env.iter().map(|entry| entry.split('=').next());
        names.any(|known| known == Some(name))
    }

    /// What the daemon would refuse.
    fn error(&self) -> Option<Error> {
        let binds = || {
            self.mounts.iter().filter_map(|mount| match &mount.0 {
                Kind::Bind(bind) => Some(bind),
                _ => None,
            })
        };
        let nameless = self.mounts.iter().find_map(|mount| match &mount.0 {
            Kind::Cache(cache) if cache.id.is_empty() => Some(cache.dest.clone()),
            _ => None,
        });
        if self.process.args.is_empty() {
            Some(Error::NoArgs)
        } else if let Some(dest) = nameless {
            Some(Error::NoCacheId { dest })
        } else {
            match binds().find(|bind| bind.dest == "/") {
                None => Some(Error::NoRoot),
                Some(root) if root.no_output && !root.readonly => Some(Error::RootWithoutOutput),
                Some(_) => None,
            }
        }
    }
}

#[cfg(test)]
mod tests;
