//! The packages that a service shares, and what each is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Setting, Shared};
use crate::closure::{self, Closure, Source, files};
use crate::scan::{self, Index, gofile};

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
    let mut keys = Keys {
        src,
        setting,
        index: &index,
        base,
        files: BTreeMap::new(),
    };
    let mut out = BTreeMap::new();
    for import in &shared.imports {
        if let Some(version) = setting.versions.get(import) {
            out.insert(import.clone(), keys.of(import, [version.as_bytes()]));
        }
    }
    let tags = setting.tags();
    for dir in &shared.dirs {
        if let Some(name) = import_path(dir, &index)
            && let Some(closure) = closure::closure(dir, &tags, &index)
        {
            out.insert(name.clone(), keys.of_closure(&name, &closure)?);
        }
    }
    for name in standard(src, &index)? {
        let key = keys.of(&name, [b"std".as_slice()]);
        out.insert(name, key);
    }
    Ok(out)
}

struct Keys<'a> {
    src: &'a Path,
    setting: &'a Setting,
    index: &'a Index,
    base: Sha256,
    /// Hashes of files by path.
    files: BTreeMap<String, [u8; 32]>,
}

impl Keys<'_> {
    fn of<'b>(&self, name: &str, parts: impl IntoIterator<Item = &'b [u8]>) -> String {
        let mut hash = self.base.clone();
        hash.update([0]);
        hash.update(name);
        for part in parts {
            hash.update([0]);
            hash.update(part);
        }
        let digest = hash.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A package of the repository: its files, those of what it imports, and the
    /// versions of all other modules behind it.
    fn of_closure(&mut self, name: &str, closure: &Closure) -> io::Result<String> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for (path, source) in files(self.src, closure, self.index) {
            if source != Source::Manifest {
                let hash = self.file(&path)?;
                parts.push([path.as_bytes(), &[0], &hash].concat());
            }
        }
        for import in closure.external.keys() {
            let version = self.setting.versions.get(import);
            parts.push(format!("{import} {version:?}").into_bytes());
        }
        Ok(self.of(name, parts.iter().map(Vec::as_slice)))
    }

    fn file(&mut self, path: &str) -> io::Result<[u8; 32]> {
        if let Some(known) = self.files.get(path) {
            return Ok(*known);
        }
        let file = self.src.join(path);
        // A link to a directory is followed where its files are.
        let hash = match file.is_dir() {
            true => [0; 32],
            false => Sha256::digest(fs::read(file)?).into(),
        };
        self.files.insert(path.to_owned(), hash);
        Ok(hash)
    }
}

fn import_path(dir: &str, index: &Index) -> Option<String> {
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
