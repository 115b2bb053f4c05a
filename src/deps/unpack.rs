//! Layers → module cache and build cache.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{COMPILED_DIR, MODULES_DIR, STAMPS};
use crate::turn::Turn;

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
    // Whoever has the same to copy waits, and finds it there.
    let locks = modules.join(STAMPS);
    fs::create_dir_all(&locks)?;
    let _turn = Turn::take(&locks.join(format!("{}.lock", name_of(layers)?)))?;
    let mut unpacked = Unpacked::default();
    for layer in layers {
        let layer = layer.as_ref();
        unpacked.modules += unpack_modules(&layer.join(MODULES_DIR), modules)?;
        // Names say what is in files. A file that names another one comes behind it.
        let from = layer.join(COMPILED_DIR);
        for end in ["-d", "-a"] {
            unpacked.compiled += copy_missing(&from, compiled, &|name| name.ends_with(end))?;
        }
    }
    Ok(unpacked)
}

/// A name for what is in layers: the stamps of modules, or nothing but the standard library.
fn name_of(layers: &[impl AsRef<Path>]) -> io::Result<String> {
    let mut name = "standard".to_owned();
    for layer in layers {
        for stamp in stamps(&layer.as_ref().join(MODULES_DIR))? {
            name = stamp.to_string_lossy().into_owned();
        }
    }
    Ok(name)
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
}
