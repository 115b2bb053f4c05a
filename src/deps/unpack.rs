//! Layers → module cache and build cache.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{COMPILED_DIR, MODULES_DIR, STAMPS};
use crate::turn::Turn;

/// Directory in a build cache where Go has nothing; stamps of shared packages are there, too.
const OWN_DIR: &str = "gofleet";

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files of modules.
    pub modules: usize,
    /// Files of compiled packages.
    pub compiled: usize,
}

/// Copies what caches lack of layers. Files appear whole, and modules all before their stamp,
/// so that an end in between costs nothing but the rest of the work.
///
/// # Errors
///
/// Files cannot be read or written, as on a full disk.
pub fn unpack(
    layers: &[impl AsRef<Path>],
    modules: &Path,
    compiled: &Path,
) -> io::Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    for layer in layers {
        let layer = layer.as_ref();
        unpacked.modules += unpack_modules(&layer.join(MODULES_DIR), modules)?;
        unpacked.compiled += copy_compiled(&layer.join(COMPILED_DIR), compiled)?;
    }
    Ok(unpacked)
}

/// Copies what a build cache lacks of another one; how many files. Names say what is in files:
/// one that names another one comes behind it.
pub(super) fn copy_compiled(from: &Path, to: &Path) -> io::Result<usize> {
    let _turn = turn(&to.join(OWN_DIR))?;
    let mut copied = 0;
    for end in ["-d", "-a"] {
        copied += copy_missing(from, to, &|name| name.ends_with(end))?;
    }
    Ok(copied)
}

/// Waits until nobody else copies to a cache. Layers of different module roots have files in
/// common: whoever comes next finds them there.
fn turn(dir: &Path) -> io::Result<Turn> {
    fs::create_dir_all(dir)?;
    Turn::take(&dir.join("unpack.lock"))
}

/// The names of the stamps in a module cache; none where there is no such directory.
fn stamps(dir: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(dir.join(STAMPS)) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn unpack_modules(from: &Path, to: &Path) -> io::Result<usize> {
    let stamps = stamps(from)?;
    let has = |stamp: &OsString| to.join(STAMPS).join(stamp).exists();
    if stamps.iter().all(has) {
        return Ok(0);
    }
    let _turn = turn(&to.join(STAMPS))?;
    let copied = copy_missing(from, to, &|_| true)?;
    for stamp in stamps {
        fs::write(to.join(STAMPS).join(stamp), "")?;
    }
    Ok(copied)
}

/// Copies files that are not there yet and whose names are wanted; how many.
fn copy_missing(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> io::Result<usize> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    fs::create_dir_all(to)?;
    let mut copied = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let (source, dest) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            if dest.symlink_metadata().is_err() {
                symlink(fs::read_link(&source)?, &dest)?;
            }
        } else if kind.is_dir() {
            // Stamps come last.
            if !source.ends_with(STAMPS) {
                copied += copy_missing(&source, &dest, wanted)?;
            }
        } else if wanted(&name.to_string_lossy()) && !dest.exists() {
            let part = to.join(format!(".{}.part", name.to_string_lossy()));
            fs::copy(&source, &part)?;
            fs::rename(&part, &dest)?;
            copied += 1;
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    fn layer(stamp: &str, file: &str) -> tempfile::TempDir {
        let layer = tree(&[
            (&format!("modules/cache/gofleet/{stamp}"), ""),
            (&format!("modules/a.org/x@v1/{file}"), "package x\n"),
            ("compiled/00/1-a", "a"),
            ("compiled/01/2-d", "d"),
            ("compiled/README", "text"),
        ]);
        symlink(".", layer.path().join("modules/a.org/x@v1/part")).unwrap();
        layer
    }

    #[test]
    fn what_is_missing_is_copied() {
        let (first, second) = (layer("1", "x.go"), layer("2", "y.go"));
        let (modules, compiled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let run = |layer: &tempfile::TempDir| {
            let found = unpack(&[layer.path()], modules.path(), compiled.path()).unwrap();
            (found.modules, found.compiled)
        };
        assert_eq!(run(&first), (1, 2));
        assert_eq!(run(&first), (0, 0));
        // Another part of the same module.
        assert_eq!(run(&second), (1, 0));
        assert!(modules.path().join("a.org/x@v1/x.go").exists());
        assert!(modules.path().join("a.org/x@v1/y.go").exists());
        assert!(modules.path().join("a.org/x@v1/part").is_dir());
        assert!(!compiled.path().join("README").exists());

        // Without its stamp, a copy did not end.
        fs::remove_file(modules.path().join("cache/gofleet/1")).unwrap();
        fs::remove_file(modules.path().join("a.org/x@v1/x.go")).unwrap();
        assert_eq!(run(&first), (1, 0));
        fs::remove_file(compiled.path().join("01/2-d")).unwrap();
        assert_eq!(run(&first), (0, 1));
    }

    /// Two module roots have layers of their own, with the same files in them.
    #[test]
    fn who_copies_the_same_waits() {
        let names: Vec<String> = (0..300).map(|i| format!("modules/m@v1/f{i}")).collect();
        let objects: Vec<String> = (0..300).map(|i| format!("compiled/00/{i}-d")).collect();
        let files = names.iter().chain(&objects);
        let layers = ["1", "2", "3"].map(|stamp| {
            let stamp = format!("modules/{STAMPS}/{stamp}");
            let files = files.clone().chain([&stamp]).map(|name| (&**name, "x"));
            tree(&files.collect::<Vec<_>>())
        });
        let (modules, compiled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let run = |layer: &tempfile::TempDir| {
            let found = unpack(&[layer.path()], modules.path(), compiled.path());
            let found = found.unwrap();
            found.modules + found.compiled
        };
        let copied: usize = std::thread::scope(|scope| {
            let running = layers.each_ref().map(|layer| scope.spawn(|| run(layer)));
            running.map(|thread| thread.join().unwrap()).iter().sum()
        });
        assert_eq!(copied, 600);
    }
}
