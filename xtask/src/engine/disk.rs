//! Room on the disk of the engine's caches: looked at before anything is written there,
//! and made by `cargo xtask engine prune`.
//!
//! On a full disk daemons fail in many ways and few of them say why, so people are told
//! before.

use std::fs;
use std::path::Path;
use std::sync::Once;

use anyhow::{Context, Result, bail};

use super::state::Cache;
use super::{daemons, end_all};
use crate::run::say;

/// With less, people are told. A test run on a new machine writes about that: base images,
/// the caches of two buildkitds and of Docker Engine, programs, and cargo's folder.
const LOW: Room = Room {
    bytes: 10_000_000_000,
    who: "a test run on a new machine writes about",
};
/// With less, tests do not begin: those that meet the end of the disk fail far from it.
const LEAST: Room = Room {
    bytes: 3_000_000_000,
    who: "tests need at least",
};
/// What the names of daemons begin with whose state can be made again by building again.
/// The registry is not among them: it holds the base images.
const PRUNED: [&str; 2] = ["buildkitd-", "dockerd-"];

/// How much has to be free, and for whom.
struct Room {
    bytes: u64,
    who: &'static str,
}

impl Room {
    /// What people read when only `free` bytes are left on the disk of `caches`.
    fn lack(&self, free: u64, caches: &Path) -> Option<String> {
        (free < self.bytes).then(|| {
            format!(
                "only {} are free on the disk of the engine's caches ({}), and {} {}; \
                 make room with: cargo xtask engine prune",
                gigabytes(free),
                caches.display(),
                self.who,
                gigabytes(self.bytes)
            )
        })
    }
}

/// Tells people, once per command, that there is little room.
pub(super) fn look(cache: &Cache) -> Result<()> {
    static SAID: Once = Once::new();
    if let Some(lack) = LOW.lack(free(cache)?, cache.root()) {
        SAID.call_once(|| say(lack));
    }
    Ok(())
}

/// Makes sure that tests have room.
///
/// # Errors
///
/// They have not; the message says how to make some.
pub(crate) fn require_room() -> Result<()> {
    let cache = Cache::open()?;
    match LEAST.lack(free(&cache)?, cache.root()) {
        Some(lack) => bail!(lack),
        None => Ok(()),
    }
}

/// Ends all daemons, and removes what buildkitd, of any version, and Docker Engine keep:
/// caches, images, containers and volumes. Programs and base images stay, so that the next
/// start takes seconds.
///
/// # Errors
///
/// A daemon cannot be ended, or something of its state cannot be unmounted or removed.
pub(crate) fn prune() -> Result<()> {
    let cache = Cache::open()?;
    let _lock = cache.lock()?;
    let before = free(&cache)?;
    end_all(&cache)?;
    for entry in fs::read_dir(cache.daemon(""))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_pruned(&name) {
            say(format!("removing what {name} kept …"));
            daemons::remove_state(&entry.path())?;
        }
    }
    let after = free(&cache)?;
    say(format!(
        "{} became free; {} are free now",
        // Others write to the disk meanwhile.
        gigabytes(after.saturating_sub(before)),
        gigabytes(after)
    ));
    Ok(())
}

/// Whether `prune` removes the state of the daemon `name`.
fn is_pruned(name: &str) -> bool {
    PRUNED.iter().any(|prefix| name.starts_with(prefix))
}

/// Free bytes on the disk of the caches.
fn free(cache: &Cache) -> Result<u64> {
    let root = cache.root();
    let disk = rustix::fs::statvfs(root)
        .with_context(|| format!("cannot ask for the free space at {}", root.display()))?;
    // As `df` counts: without what the file system keeps for root.
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// `9.9 GB`, decimal and rounded down: too little never reads as enough.
fn gigabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000_000;
    match tenths % 10 {
        0 => format!("{} GB", tenths / 10),
        rest => format!("{}.{rest} GB", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_said_with_what_to_do_and_enough_is_not() {
        let caches = Path::new("/home/me/.cache/gofleet");
        assert_eq!(
            LOW.lack(9_999_999_999, caches).as_deref(),
            Some(
                "only 9.9 GB are free on the disk of the engine's caches \
                 (/home/me/.cache/gofleet), and a test run on a new machine writes about \
                 10 GB; make room with: cargo xtask engine prune"
            )
        );
        assert_eq!(LOW.lack(10_000_000_000, caches), None);
    }

    #[test]
    fn tests_begin_with_less_than_people_are_told_about() {
        let caches = Path::new("/c");
        let lack = LEAST.lack(2_999_999_999, caches).unwrap_or_default();
        assert!(lack.starts_with("only 2.9 GB are free"), "{lack}");
        assert!(lack.contains("tests need at least 3 GB"), "{lack}");
        assert_eq!(LEAST.lack(3_000_000_000, caches), None);
        assert!(LOW.lack(3_000_000_000, caches).is_some());
    }

    #[test]
    fn sizes_are_rounded_down() {
        let sizes = [0, 99_999_999, 100_000_000, 12_050_000_000].map(gigabytes);
        assert_eq!(sizes, ["0 GB", "0 GB", "0.1 GB", "12 GB"]);
    }

    #[test]
    fn all_versions_are_pruned_and_the_registry_is_not() {
        for name in [
            "buildkitd-v0.32.2",
            "buildkitd-v0.12.5",
            "dockerd-v2.0.0-beta.24",
        ] {
            assert!(is_pruned(name), "{name}");
        }
        assert!(!is_pruned(crate::engine::services::REGISTRY));
    }
}
