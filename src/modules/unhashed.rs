//! What is compiled into packages of fetched modules and is in no key of Go's.
//!
//! Go keys a package of a module by the version that `go.mod` *requires*, whatever replaces it, and
//! by the files of its directory. So with the original, with a fork of it, and with the next version
//! of the fork it takes one object for the other where only a header elsewhere differs. As for
//! packages of the repository, a header of ours in the directory says what that is; and a file
//! beside the module's checksum says that somebody looked.
//!
//! Both are there before Go reads the module for the first time: it remembers which files it has.
//! `docs/dev/go-build-cache.md` has what else is in no key.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::cache::ModuleCache;
use super::modfile::Module;
use crate::scan::{UNHASHED, join, unhashed_in};

/// The extension of the file that says that a module was looked at.
pub(crate) const STAMP: &str = "unhashed";

/// Whether a module was looked at.
pub(super) fn is_marked(module: &Module, cache: &ModuleCache) -> bool {
    cache.download(module, STAMP).is_file()
}

/// Looks at a module, if it is there and nobody did.
///
/// # Errors
///
/// Its files cannot be read or written.
pub(super) fn mark(module: &Module, cache: &ModuleCache) -> io::Result<()> {
    let Some(root) = cache.dir(module) else {
        return Ok(());
    };
    let stamp = cache.download(module, STAMP);
    if stamp.is_file() {
        return Ok(());
    }
    let mut pending = vec![".".to_owned()];
    while let Some(dir) = pending.pop() {
        let mut files = Vec::new();
        for entry in fs::read_dir(root.join(&dir))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            match entry.file_type()? {
                kind if kind.is_dir() => pending.push(join(&dir, &name)),
                kind if kind.is_file() && name != UNHASHED => files.push(name),
                _ => {}
            }
        }
        files.sort();
        if let Some(text) = unhashed_in(&root, &dir, files) {
            put(&root.join(&dir), &text)?;
        }
    }
    if let Some(above) = stamp.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(stamp, "")
}

/// Writes a header whole or not at all. Go takes the right to write from directories of modules.
fn put(dir: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(dir)?.permissions();
    fs::set_permissions(dir, Permissions::from_mode(mode.mode() | 0o200))?;
    let written = written(dir, text);
    fs::set_permissions(dir, mode)?;
    written
}

fn written(dir: &Path, text: &str) -> io::Result<()> {
    // Several steps may be about to do this; no build reads files of such a name.
    let new: PathBuf = dir.join(format!(".{UNHASHED}.{}", std::process::id()));
    fs::write(&new, text)?;
    fs::set_permissions(&new, Permissions::from_mode(0o444))?;
    fs::rename(new, dir.join(UNHASHED))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    #[test]
    fn a_package_says_what_it_includes_from_elsewhere() {
        let root = tree(&[
            ("a.org/x@v1.0.0/asm/asm.go", "package asm\n"),
            (
                "a.org/x@v1.0.0/asm/a_amd64.s",
                "#include \"textflag.h\"\n#include \"own.h\"\n#include \"../h/v.h\"\n",
            ),
            ("a.org/x@v1.0.0/asm/own.h", "#define OWN 1\n"),
            ("a.org/x@v1.0.0/h/v.h", "#include \"../h/w.inc\"\n"),
            ("a.org/x@v1.0.0/h/w.inc", "#define W 1\n"),
            ("a.org/x@v1.0.0/none/a.s", "#include \"own.h\"\n"),
            ("a.org/x@v1.0.0/none/own.h", "#define OWN 1\n"),
        ]);
        let cache = ModuleCache::new(root.path().to_owned());
        let module = |path: &str| Module {
            path: path.to_owned(),
            version: "v1.0.0".to_owned(),
        };
        let dir = root.path().join("a.org/x@v1.0.0/asm");
        fs::set_permissions(&dir, Permissions::from_mode(0o555)).unwrap();
        let says = || fs::read_to_string(dir.join(UNHASHED));
        mark(&module("a.org/x"), &cache).unwrap();
        let first = says().unwrap();
        let named: Vec<_> = first.lines().filter_map(|l| l.split_once(' ')).collect();
        assert_eq!([named[0].1, named[1].1], ["h/v.h", "h/w.inc"]);
        assert_eq!(named.len(), 2);
        assert_eq!(
            fs::metadata(&dir).unwrap().permissions().mode() & 0o777,
            0o555
        );
        assert!(
            !root
                .path()
                .join("a.org/x@v1.0.0/none")
                .join(UNHASHED)
                .exists()
        );
        assert!(is_marked(&module("a.org/x"), &cache));
        // Nobody looks twice, and not at what is not there.
        fs::write(root.path().join("a.org/x@v1.0.0/h/w.inc"), "#define W 2\n").unwrap();
        mark(&module("a.org/x"), &cache).unwrap();
        assert_eq!(says().unwrap(), first);
        fs::remove_file(cache.download(&module("a.org/x"), STAMP)).unwrap();
        mark(&module("a.org/x"), &cache).unwrap();
        assert_ne!(says().unwrap(), first);
        mark(&module("b.org/y"), &cache).unwrap();
        assert!(!is_marked(&module("b.org/y"), &cache));
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
    }
}
