//! A repository as entries by path: files, symbolic links, empty directories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    File(Vec<u8>),
    /// A symbolic link to this target.
    Link(String),
    /// A named pipe, which nobody may wait for.
    Pipe,
}

/// Entries by path; directories are there because something is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, Entry>);

impl Tree {
    pub(crate) fn write(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Entry::File(text.into()));
    }

    pub(crate) fn link(&mut self, path: impl Into<String>, target: impl Into<String>) {
        self.0.insert(path.into(), Entry::Link(target.into()));
    }

    /// Moves a file or a directory with all that is below it; whether it is there.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> bool {
        let below = format!("{from}/");
        let names: Vec<String> = self.0.keys().cloned().collect();
        let mut found = false;
        for name in names {
            if name == from || name.starts_with(&below) {
                let entry = self.0.remove(&name).unwrap();
                self.0.insert(format!("{to}{}", &name[from.len()..]), entry);
                found = true;
            }
        }
        found
    }

    /// Makes `dir` hold these entries and nothing else.
    pub(crate) fn put(&self, dir: &Path) {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).unwrap();
        for (path, entry) in &self.0 {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match entry {
                Entry::File(bytes) => fs::write(&path, bytes).unwrap(),
                Entry::Link(target) => symlink(target, &path).unwrap(),
                Entry::Pipe => {
                    let status = std::process::Command::new("mkfifo").arg(&path).status();
                    assert!(status.unwrap().success(), "{}", path.display());
                }
            }
        }
    }

    /// What a directory holds.
    pub(crate) fn of(dir: &Path) -> Self {
        let mut tree = Self::default();
        let mut pending = vec![PathBuf::new()];
        while let Some(at) = pending.pop() {
            for entry in fs::read_dir(dir.join(&at)).unwrap() {
                let entry = entry.unwrap();
                let path = at.join(entry.file_name());
                let kind = entry.file_type().unwrap();
                let name = path.to_str().unwrap().to_owned();
                if kind.is_dir() {
                    pending.push(path);
                } else if kind.is_symlink() {
                    let target = fs::read_link(entry.path()).unwrap();
                    tree.link(name, target.to_str().unwrap());
                } else if kind.is_file() {
                    tree.write(name, fs::read(entry.path()).unwrap());
                } else {
                    tree.0.insert(name, Entry::Pipe);
                }
            }
        }
        tree
    }

    /// One entry of a directory, as it stands there; none for what is not there.
    pub(crate) fn entry(dir: &Path, path: &str) -> Option<Entry> {
        let path = dir.join(path);
        let meta = fs::symlink_metadata(&path).ok()?;
        Some(if meta.is_symlink() {
            Entry::Link(fs::read_link(&path).ok()?.to_str()?.to_owned())
        } else if meta.is_file() {
            Entry::File(fs::read(&path).ok()?)
        } else if meta.is_dir() {
            return None;
        } else {
            Entry::Pipe
        })
    }
}
