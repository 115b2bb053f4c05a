//! A small disk in memory that can be full at any moment, and have room again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::output;

/// Bytes of it. Base images, caches and images of a run take about a third.
const SIZE: u64 = 3 << 30;
/// Left when it is full: a daemon that cannot write a byte of its database has other errors.
const LEFT: u64 = 64 << 10;
/// How often a full disk is tried to be made while somebody writes.
const TRIES: u32 = 20;

/// The disk; it is unmounted with the value.
pub(super) struct Disk {
    dir: PathBuf,
}

impl Disk {
    /// Mounts it on `dir`.
    ///
    /// # Errors
    ///
    /// That needs root.
    pub(super) fn new(dir: PathBuf) -> Result<Self> {
        fs::create_dir_all(&dir)?;
        output(
            Command::new("mount")
                .args([
                    "-t",
                    "tmpfs",
                    "-o",
                    &format!("size={SIZE}"),
                    "gofleet-faults",
                ])
                .arg(&dir),
        )?;
        Ok(Self { dir })
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Leaves no room.
    ///
    /// # Errors
    ///
    /// It cannot be mounted anew.
    pub(super) fn fill(&self) -> Result<()> {
        let mut full = Ok(());
        // No size is taken that is smaller than what was written in the meantime.
        for _ in 0..TRIES {
            let stat = rustix::fs::statvfs(&self.dir)?;
            let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize;
            full = self.resize(used + LEFT);
            if full.is_ok() {
                break;
            }
        }
        full
    }

    /// Makes room again.
    ///
    /// # Errors
    ///
    /// It cannot be mounted anew.
    pub(super) fn empty(&self) -> Result<()> {
        self.resize(SIZE)
    }

    /// A size is one of the file system, for all who have it mounted (tmpfs(5)).
    fn resize(&self, size: u64) -> Result<()> {
        output(
            Command::new("mount")
                .args(["-o", &format!("remount,size={size}")])
                .arg(&self.dir),
        )?;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::DETACH;
        let _ = rustix::mount::unmount(&self.dir, flags);
        let _ = fs::remove_dir(&self.dir);
    }
}
