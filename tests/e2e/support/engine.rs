//! The engine that the environment selects.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::command::Tool;

/// Settings of the Go command that say where modules come from. Steps take them
/// as secrets, so that no test and no cache key holds a machine's own.
const FETCH_SETTINGS: [&str; 4] = ["GOPROXY", "GOPRIVATE", "GONOSUMDB", "GOSUMDB"];

/// Addresses of the daemons.
pub(crate) struct Engine {
    /// The loopback registry, `127.0.0.1:PORT`: the mirror of `docker.io` for both daemons.
    pub(crate) registry: String,
    /// Name of the remote builder in front of it.
    pub(crate) builder: String,
}

/// The engine of this run.
///
/// # Panics
///
/// When the environment selects none: these tests are never skipped silently.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        // Read by the commands themselves.
        variable("DOCKER_CONFIG");
        variable("BUILDKIT_HOST");
        Engine {
            registry: variable("GOFLEET_REGISTRY"),
            builder: variable("BUILDX_BUILDER"),
        }
    })
}

/// Makes sure that Docker Engine is there too, for tests that run containers.
pub(crate) fn needs_docker() {
    engine();
    variable("DOCKER_HOST");
}

/// A variable of the engine's environment.
pub(crate) fn variable(name: &str) -> String {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => {
            panic!("{name} is not set: this test needs the engine, run it with `cargo xtask test`")
        }
    }
}

/// Where this machine fetches modules from, as `NAME`, value.
pub(crate) fn fetch_settings() -> &'static [(&'static str, String)] {
    static SETTINGS: OnceLock<Vec<(&'static str, String)>> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        FETCH_SETTINGS
            .into_iter()
            .map(|name| {
                (
                    name,
                    Tool::new("go")
                        .args(["env", name])
                        .ok()
                        .text()
                        .trim()
                        .to_owned(),
                )
            })
            .filter(|(_, value)| !value.is_empty())
            .collect()
    })
}

/// A folder of this repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds back other tests that compile much: side by side they would only
/// compile the same packages twice.
pub(crate) fn heavy() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::new(());
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}
