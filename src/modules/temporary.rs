//! Copies of manifests for the `go` command, which may write to them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is gone with the value.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    /// Makes one, with a name of its own.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }

    /// Copies files of a directory, and links as links; those that are not there are left out.
    pub(crate) fn copy<'a>(
        name: &str,
        from: &Path,
        files: impl IntoIterator<Item = &'a String>,
    ) -> io::Result<Self> {
        let dir = Self::new(name)?;
        for path in files {
            let at = from.join(path);
            if let Ok(text) = fs::read_to_string(&at) {
                dir.write(path, &text)?;
            } else if let Ok(target) = fs::read_link(&at) {
                dir.link(path, &target)?;
            }
        }
        Ok(dir)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> io::Result<()> {
        fs::write(self.below_directories(path)?, text)
    }

    /// Makes a symbolic link, with the directories above it.
    pub(crate) fn link(&self, path: &str, target: &Path) -> io::Result<()> {
        symlink(target, self.below_directories(path)?)
    }

    fn below_directories(&self, path: &str) -> io::Result<PathBuf> {
        let path = self.0.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        Ok(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is in a directory for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
