//! A closure as a list of files, for a directory on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Closure, Embed, Reason, glob};
use crate::scan::{Index, join};

/// Why a file is in a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is a source file of this directory.
    Directory(String),
    /// It says which modules a build has.
    Manifest,
    /// Something names it.
    Named(Reason),
}

/// The files of a closure, relative to `root`. What does not exist is left out.
#[must_use]
pub fn files(root: &Path, closure: &Closure, index: &Index) -> BTreeMap<String, Source> {
    let mut list = List {
        root,
        out: BTreeMap::new(),
    };
    for dir in closure.directories.keys() {
        let Some(directory) = index.directory(dir) else {
            continue;
        };
        let left_out = index.left_out(directory);
        let names = directory.files.iter();
        for name in names.filter(|name| !left_out.contains(&name.as_str())) {
            let path = join(dir, name);
            if !index.leads_nowhere(&path) {
                list.add(path, Source::Directory(dir.clone()));
            }
        }
    }
    for manifest in &closure.manifests {
        list.add(manifest.clone(), Source::Manifest);
    }
    for (path, reason) in &closure.files {
        if root.join(path).is_file() {
            list.add(path.clone(), Source::Named(reason.clone()));
        }
    }
    for (path, reason) in &closure.linked {
        list.add(path.clone(), Source::Named(reason.clone()));
    }
    for link in &closure.links {
        let reason = Reason {
            names: link.clone(),
            ..Reason::default()
        };
        list.add(link.clone(), Source::Named(reason));
    }
    for embed in &closure.embeds {
        list.embed(embed);
    }
    list.out
}

struct List<'a> {
    root: &'a Path,
    out: BTreeMap<String, Source>,
}

impl List<'_> {
    fn add(&mut self, path: String, source: Source) {
        self.out.entry(path).or_insert(source);
    }

    fn embed(&mut self, embed: &Embed) {
        let parts: Vec<&str> = embed.pattern.split('/').collect();
        self.matches(&embed.dir, &parts, embed);
    }

    /// Files and directories that the rest of a pattern matches below `dir`.
    fn matches(&mut self, dir: &str, parts: &[&str], embed: &Embed) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        let names = if glob::is_glob(part) {
            let names = self.names(dir).into_iter();
            names.filter(|name| glob::matches(part, name)).collect()
        } else {
            vec![(*part).to_owned()]
        };
        for name in names {
            let path = join(dir, &name);
            // Links are never embedded.
            let Ok(meta) = fs::symlink_metadata(self.root.join(&path)) else {
                continue;
            };
            if !rest.is_empty() {
                if meta.is_dir() {
                    self.boundary(&path, embed);
                    self.matches(&path, rest, embed);
                }
            } else if meta.is_dir() {
                self.tree(&path, embed.all, &embed.reason);
            } else if meta.is_file() {
                self.add(path, Source::Named(embed.reason.clone()));
            }
        }
    }

    /// The `go.mod` of a directory on the way: Go embeds nothing of another module.
    fn boundary(&mut self, dir: &str, embed: &Embed) {
        let path = join(dir, "go.mod");
        if self.root.join(&path).is_file() {
            self.add(path, Source::Named(embed.reason.clone()));
        }
    }

    /// Every file below a directory; without `hidden`, not what starts with a dot
    /// or an underscore.
    fn tree(&mut self, dir: &str, hidden: bool, reason: &Reason) {
        let mut pending = vec![dir.to_owned()];
        while let Some(dir) = pending.pop() {
            for name in self.names(&dir) {
                if !hidden && name.starts_with(['.', '_']) || name == ".git" {
                    continue;
                }
                let path = join(&dir, &name);
                let Ok(meta) = fs::symlink_metadata(self.root.join(&path)) else {
                    continue;
                };
                if meta.is_dir() {
                    pending.push(path);
                } else if meta.is_file() {
                    self.add(path, Source::Named(reason.clone()));
                }
            }
        }
    }

    fn names(&self, dir: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(dir)).into_iter().flatten();
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}
