//! Where the engine keeps what it built and what it runs: the user's cache
//! folder, shared by all clones of this repository.
//!
//! ```text
//! $XDG_CACHE_HOME/gofleet/
//!   lock                 held while a command changes anything below
//!   bin/PART-VERSION-KEY/   built programs; KEY is a hash of all that went in
//!   images/              inputs and stamps of the base images
//!   daemons/NAME/        configuration and data of one daemon, NAME with its version
//!   run/                 sockets, process records, what `engine env` prints
//!   log/                 one file per command and daemon
//!   docker-config/       DOCKER_CONFIG: plugins and builders
//! ```

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::run::say;

/// The cache folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

/// Held by the one command that may change the cache. Released when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Cache {
    /// Finds the folder (`$XDG_CACHE_HOME/gofleet`, else `~/.cache/gofleet`) and creates its parts.
    ///
    /// # Errors
    ///
    /// No home, or a path too long for the unix sockets in it.
    pub(crate) fn open() -> Result<Self> {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        let base = match absolute("XDG_CACHE_HOME") {
            Some(base) => base,
            None => absolute("HOME")
                .context("neither XDG_CACHE_HOME nor HOME is set")?
                .join(".cache"),
        };
        let cache = Self {
            root: base.join("gofleet"),
        };
        // sun_path holds 108 bytes, and the sockets of Docker's containerd take 60 of them.
        if cache.root.as_os_str().len() > 44 {
            bail!(
                "{} is too long a path for unix sockets; set XDG_CACHE_HOME to a shorter one",
                cache.root.display()
            );
        }
        for dir in ["bin", "images", "daemons", "run", "log", "docker-config"] {
            fs::create_dir_all(cache.root.join(dir))
                .with_context(|| format!("cannot create {}", cache.root.join(dir).display()))?;
        }
        Ok(cache)
    }

    /// Waits until no other `cargo xtask` changes the cache.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.root.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                say(format!(
                    "waiting for another `cargo xtask` (process {})",
                    holder.trim()
                ));
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache"),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Lock { _file: file })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn bin(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    pub(crate) fn images(&self, name: &str) -> PathBuf {
        self.root.join("images").join(name)
    }

    pub(crate) fn daemon(&self, name: &str) -> PathBuf {
        self.root.join("daemons").join(name)
    }

    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.root.join("run").join(name)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }

    pub(crate) fn docker_config(&self) -> PathBuf {
        self.root.join("docker-config")
    }

    /// Whether `host` (`unix:///…`) is a socket of this engine.
    pub(crate) fn owns(&self, host: &str) -> bool {
        host.strip_prefix("unix://")
            .is_some_and(|path| Path::new(path).starts_with(&self.root))
    }

    /// The loopback port of the daemon `name`: chosen once, then remembered, because
    /// image names and other daemons' settings hold it. `taken` by anything else
    /// than the daemon itself, it is chosen anew.
    ///
    /// # Errors
    ///
    /// No port is free, or the folder is not writable.
    pub(crate) fn port(&self, name: &str, runs: bool) -> Result<u16> {
        let path = self.root.join("run").join(format!("{name}.port"));
        let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        let remembered = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        if let Some(port) = remembered
            && (runs || free(port))
        {
            return Ok(port);
        }
        // Below the kernel's range for outgoing connections, which would take it
        // from a daemon that is down for a moment.
        let port = (5601..6000)
            .find(|port| free(*port))
            .context("no free port on 127.0.0.1")?;
        write_atomically(&path, port.to_string().as_bytes())?;
        Ok(port)
    }
}

/// Replaces a file so that a reader sees the old or the new one, never half of it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    fs::write(&temporary, bytes)
        .with_context(|| format!("cannot write {}", temporary.display()))?;
    fs::rename(&temporary, path).with_context(|| format!("cannot write {}", path.display()))
}

/// A short key of everything that makes one thing what it is.
pub(crate) fn key<T: AsRef<[u8]>>(inputs: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for input in inputs {
        let input = input.as_ref();
        // The length keeps "ab","c" and "a","bc" apart.
        hash.update((input.len() as u64).to_le_bytes());
        hash.update(input);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scratch(name: &str) -> Cache {
        let root = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("run")).unwrap();
        Cache { root }
    }

    #[test]
    fn a_port_is_remembered_unless_somebody_else_has_it() {
        let cache = scratch("port");
        let first = cache.port("registry", false).unwrap();
        assert_eq!(cache.port("registry", false).unwrap(), first);
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_eq!(
            cache.port("registry", true).unwrap(),
            first,
            "its own daemon has it"
        );
        assert_ne!(cache.port("registry", false).unwrap(), first);
        fs::remove_dir_all(&cache.root).unwrap();
    }

    #[test]
    fn only_one_command_at_a_time_has_the_lock() {
        let cache = scratch("lock");
        let lock = cache.lock().unwrap();
        let second = File::open(cache.root.join("lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);
        assert!(second.try_lock().is_ok());
        fs::remove_dir_all(&cache.root).unwrap();
    }

    #[test]
    fn own_sockets_are_told_from_others() {
        let cache = scratch("owns");
        assert!(cache.owns(&format!("unix://{}", cache.run("b.sock").display())));
        assert!(
            !cache.owns("unix:///run/buildkit/buildkitd.sock") && !cache.owns("tcp://127.0.0.1:1")
        );
        fs::remove_dir_all(&cache.root).unwrap();
    }

    #[test]
    fn a_key_knows_where_one_input_ends() {
        assert_ne!(key(["ab", "c"]), key(["a", "bc"]));
        assert_eq!(key(["ab", "c"]), key(["ab", "c"]));
        assert_eq!(key(["x"]).len(), 12);
    }
}
