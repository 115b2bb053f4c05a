//! Go's index of modules, and the module cache that it was made of.
//!
//! Go keeps in its build cache what it once read of a module: its packages, their files and
//! imports. It finds that again by the module's directory alone, because a version of a module
//! is the same for ever. But a builder may lose its module cache and keep its build cache, and
//! a private version that was tagged again then comes to the same directory with other files.
//! So both caches carry a name, and an index that was made of another module cache is removed.
//!
//! Source: Go 1.26, `cmd/go/internal/modindex`, `moduleHash`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cache::ModuleCache;
use crate::turn::Turn;

/// What the file of an index begins with, in all versions of Go that have one.
const MAGIC: &[u8] = b"go index v";

/// Where a module cache has its name, below its own directory.
pub const OWN_NAME: &str = "cache/gofleet-name";

/// Where a build cache has the name of the module cache that it was used with.
const ITS_NAME: &str = "gofleet-module-cache";

/// Has a build cache forget what it knows of modules, if it knows it from another module cache
/// than this one; the name of this one.
///
/// # Errors
///
/// Files of the caches cannot be read, written or removed.
pub fn pair(modules: &ModuleCache, build: &Path) -> io::Result<String> {
    let own = modules.path().join(OWN_NAME);
    fs::create_dir_all(own.parent().unwrap_or(modules.path()))?;
    let _turn = Turn::take(&own.with_extension("lock"))?;
    let mut name = fs::read_to_string(&own).unwrap_or_default();
    if name.is_empty() {
        name = new_name();
        fs::write(&own, &name)?;
    }
    let its = build.join(ITS_NAME);
    if fs::read_to_string(&its).is_ok_and(|known| known == name) {
        return Ok(name);
    }
    fs::create_dir_all(build)?;
    forget(build)?;
    fs::write(its, &name)?;
    Ok(name)
}

/// Another one for every module cache of a builder.
fn new_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_nanos().to_string()
}

/// Removes every index. Build caches keep data in `XX/NAME-d`.
fn forget(build: &Path) -> io::Result<()> {
    for entry in fs::read_dir(build)? {
        let entry = entry?;
        let is_part = entry.file_name().len() == 2 && entry.file_type()?.is_dir();
        if !is_part {
            continue;
        }
        for entry in fs::read_dir(entry.path())? {
            let path = entry?.path();
            let is_data = path.to_string_lossy().ends_with("-d");
            if is_data && is_index(&path) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Whether a file is an index. One that Go removes at this moment is none.
fn is_index(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    #[test]
    fn an_index_of_another_module_cache_is_forgotten() {
        let build = tree(&[
            ("00/1-d", "go index v2\n…"),
            ("00/2-d", "!<arch>\n"),
            ("01/3-d", ""),
            ("gofleet/4-d", "go index v2\n"),
            ("README", "go index v2\n"),
        ]);
        let index = build.path().join("00/1-d");
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pair = |dir: &tempfile::TempDir| {
            pair(&ModuleCache::new(dir.path().to_owned()), build.path()).unwrap();
        };
        // Nobody knows what it was made of.
        pair(&first);
        assert!(!index.exists());
        for kept in ["00/2-d", "01/3-d", "gofleet/4-d", "README"] {
            assert!(build.path().join(kept).exists(), "{kept}");
        }

        fs::write(&index, "go index v2\n").unwrap();
        pair(&first);
        assert!(index.exists());
        pair(&second);
        assert!(!index.exists());

        // The module cache was lost.
        fs::write(&index, "go index v2\n").unwrap();
        fs::remove_dir_all(second.path().join("cache")).unwrap();
        pair(&second);
        assert!(!index.exists());
    }
}
