//! Which packages were compiled into a build cache, and whose turn it is.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::turn::Turn;

/// Go removes what was not used for five days (`cmd/go/internal/cache`, Go 1.26); a
/// stamp goes before.
const UNUSED: Duration = Duration::from_secs(4 * 24 * 60 * 60);

/// The stamps of a build cache.
#[derive(Debug)]
pub(super) struct Stamps {
    dir: PathBuf,
    lock: PathBuf,
}

impl Stamps {
    /// Those below the directory of a build cache. Repositories take turns of their own.
    pub(super) fn new(cache: &Path, module: &str) -> io::Result<Self> {
        let dir = cache.join("gofleet");
        fs::create_dir_all(&dir)?;
        let name: String = module
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let lock = dir.join(format!("{name}.lock"));
        Ok(Self { dir, lock })
    }

    /// Whether something was compiled; then it is in use again.
    pub(super) fn has(&self, key: &str) -> bool {
        let now = FileTimes::new().set_modified(SystemTime::now());
        File::options()
            .write(true)
            .open(self.dir.join(key))
            .is_ok_and(|file| file.set_times(now).is_ok())
    }

    pub(super) fn add(&self, key: &str) -> io::Result<()> {
        fs::write(self.dir.join(key), "")
    }

    /// Waits until nobody else compiles.
    pub(super) fn turn(&self) -> io::Result<Turn> {
        Turn::take(&self.lock)
    }

    /// Removes old stamps. What cannot be removed now can be later.
    pub(super) fn tidy(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let is_stamp = !entry.file_name().to_string_lossy().ends_with(".lock");
            let age = entry.metadata().and_then(|m| m.modified()).ok();
            let age = age.and_then(|time| time.elapsed().ok());
            if is_stamp && age.is_some_and(|age| age > UNUSED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
