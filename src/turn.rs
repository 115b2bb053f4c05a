//! Turns between processes that share a cache mount.

use std::fs::File;
use std::io;
use std::path::Path;

/// A turn; it is over with the value, and with the process that has it.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until nobody else has the lock of this file, which is made if need be.
    pub(crate) fn take(file: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(file)?;
        file.lock()?;
        Ok(Self { _lock: file })
    }
}
