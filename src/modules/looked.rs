//! Which module cache a check in front of a build has looked at.
//!
//! A check that comes from the daemon's cache says something about the module cache of that
//! time, which may be gone. So it leaves the name of what it looked at beside its marker.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Name of the file.
pub const LOOKED_FILE: &str = "looked.json";

/// What a check has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The name of the module cache.
    pub cache: String,
    /// Whether something was missing in it, which is there now.
    pub lacked: bool,
}

impl Looked {
    /// Writes it into a directory.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        fs::write(dir.join(LOOKED_FILE), serde_json::to_vec(self)?)
    }
}
