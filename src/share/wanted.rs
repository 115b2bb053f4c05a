//! The packages that a service shares, and what each is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Setting, Shared};
use crate::closure::below_vendor;
use crate::hex::hex;
use crate::scan::{self, Directory, Index, gofile};

/// Import paths of shared packages with their keys. Two equal keys are one compile.
pub(super) fn wanted(
    shared: &Shared,
    setting: &Setting,
    src: &Path,
) -> io::Result<BTreeMap<String, String>> {
    let index = scan::scan(src, &[])?;
    let mut base = Sha256::new();
    base.update(&setting.toolchain);
    for flag in setting.flags() {
        base.update([0]);
        base.update(flag);
    }
    let packages = index
        .directories
        .iter()
        .filter_map(|directory| Some((import_path(&directory.path, shared, &index)?, directory)));
    let mut keys = Keys {
        src,
        setting,
        base,
        packages: packages.collect(),
        known: BTreeMap::new(),
    };
    let mut out = BTreeMap::new();
    for import in &shared.imports {
        if let Some(version) = setting.versions.get(import) {
            out.insert(import.clone(), keys.of(import, version));
        }
    }
    for dir in &shared.dirs {
        if let Some(name) = import_path(dir, shared, &index) {
            let key = keys.of_package(&name)?;
            out.extend(key.map(|key| (name, key)));
        }
    }
    let names = match shared.standard {
        true => standard(src, &index)?,
        false => BTreeSet::new(),
    };
    for name in names {
        let key = keys.of(&name, "std");
        out.insert(name, key);
    }
    Ok(out)
}

struct Keys<'a> {
    src: &'a Path,
    setting: &'a Setting,
    base: Sha256,
    /// The packages of the repository by their import paths.
    packages: BTreeMap<String, &'a Directory>,
    /// Keys that were made, or are being made.
    known: BTreeMap<String, Option<String>>,
}

impl Keys<'_> {
    fn of(&self, name: &str, parts: &str) -> String {
        let mut hash = self.base.clone();
        hash.update([0]);
        hash.update(name);
        hash.update([0]);
        hash.update(parts);
        hex(&hash.finalize())
    }

    /// A package of the repository: its files, and the keys of what it imports. `None`
    /// for one that is not there.
    fn of_package(&mut self, name: &str) -> io::Result<Option<String>> {
        // Over all platforms together, imports may go round in a circle.
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let Some(directory) = self.packages.get(name).copied() else {
            return Ok(None);
        };
        self.known.insert(name.to_owned(), None);
        let dir = self.src.join(&directory.path);
        let mut parts = String::new();
        if directory.embeds.is_empty() {
            for file in &directory.files {
                parts += &format!("{file} {}\n", hash_of(&dir.join(file))?);
            }
        } else {
            // Whatever it embeds is below it.
            hash_tree(&dir, &mut parts)?;
        }
        let imports: BTreeSet<&str> = directory.imports.iter().map(|i| i.path.as_str()).collect();
        for import in imports {
            let key = match self.setting.versions.get(import) {
                Some(version) => Some(version.clone()),
                None => self.of_package(import)?,
            };
            parts += &format!("{import} {}\n", key.unwrap_or_default());
        }
        let key = self.of(name, &parts);
        self.known.insert(name.to_owned(), Some(key.clone()));
        Ok(Some(key))
    }
}

fn hash_of(file: &Path) -> io::Result<String> {
    Ok(hex(&Sha256::digest(fs::read(file)?)))
}

/// All files below a directory, in the order of their names.
fn hash_tree(dir: &Path, out: &mut String) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            hash_tree(&path, out)?;
        } else if kind.is_file() {
            *out += &format!("{} {}\n", path.display(), hash_of(&path)?);
        }
    }
    Ok(())
}

/// The import path of a directory; packages of a vendor directory have that of their
/// own module.
fn import_path(dir: &str, shared: &Shared, index: &Index) -> Option<String> {
    if let Some(vendored) = below_vendor(&shared.root, dir) {
        return Some(vendored.to_owned());
    }
    let module = index.module_of(dir)?;
    Some(match (dir, module.dir.as_str()) {
        (dir, root) if dir == root => module.path.clone(),
        (dir, ".") => format!("{}/{dir}", module.path),
        (dir, root) => format!(
            "{}/{}",
            module.path,
            dir[root.len()..].trim_start_matches('/')
        ),
    })
}

/// What the sources import of the standard library.
fn standard(src: &Path, index: &Index) -> io::Result<BTreeSet<String>> {
    let local = |path: &str| {
        let mut modules = index.modules.iter().map(|m| m.path.as_str());
        modules.any(|m| path == m || path.strip_prefix(m).is_some_and(|r| r.starts_with('/')))
    };
    let mut out = BTreeSet::new();
    for directory in &index.directories {
        for name in directory.files.iter().filter(|name| name.ends_with(".go")) {
            let text = fs::read(src.join(&directory.path).join(name))?;
            let head = gofile::head(&text, true).unwrap_or_default();
            let imports = head.imports.into_iter().map(|(path, _)| path);
            out.extend(imports.filter(|path| {
                let first = path.split('/').next().unwrap_or(path);
                !first.contains('.') && !["C", "unsafe", ""].contains(&first) && !local(path)
            }));
        }
    }
    Ok(out)
}
