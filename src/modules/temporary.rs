//! Copies of manifests for the `go` command, which may write to them.

use std::fs;
use std::io;
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

    /// Copies files of a directory; those that are not there are left out.
    pub(crate) fn copy<'a>(
        name: &str,
        from: &Path,
        files: impl IntoIterator<Item = &'a String>,
    ) -> io::Result<Self> {
        let dir = Self::new(name)?;
        for path in files {
            if let Ok(text) = fs::read_to_string(from.join(path)) {
                dir.write(path, &text)?;
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
        let path = self.0.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(path, text)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is in a directory for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
