//! The closures of many main packages, without what led to their parts.
//!
//! A frontend that builds one service still has to know what all the others share with
//! it, and which modules they need: it is asked once per target, and each time about
//! every service. Services read mostly the same directories, so each directory is
//! looked at once here, and a closure is a walk over what was found.

use std::collections::{BTreeMap, HashMap};

use super::reach::{Reach, manifests};
use super::root::ModuleRoot;
use super::{Closure, Embed, Reason};
use crate::scan::Index;

/// Outlines of the closures of an index.
pub struct Outlines<'a> {
    index: &'a Index,
    /// By module directory and build tags, on which it depends what a directory names.
    groups: HashMap<(&'a str, Vec<String>), Group>,
}

impl<'a> Outlines<'a> {
    /// Outlines of an index; nothing is looked at yet.
    #[must_use]
    pub fn new(index: &'a Index) -> Self {
        Self {
            index,
            groups: HashMap::new(),
        }
    }

    /// The closure of a main package as [`closure`](super::closure) has it, with empty
    /// reasons; `None` outside of every module.
    #[must_use]
    pub fn of(&mut self, main: &str, tags: &[String]) -> Option<Closure> {
        let module = self.index.module_of(main)?;
        let root = ModuleRoot::of(main, self.index)?;
        let group = self
            .groups
            .entry((&module.dir, tags.to_vec()))
            .or_insert_with(|| Group {
                root,
                ..Group::default()
            });
        Some(group.closure(main, tags, self.index))
    }
}

/// Main packages with the same versions and build tags.
#[derive(Default)]
struct Group {
    root: ModuleRoot,
    numbers: HashMap<String, usize>,
    /// By number.
    directories: Vec<Directory>,
}

struct Directory {
    path: String,
    /// Its place in the index, whose order is that of paths: numbers are sorted faster
    /// than paths that begin alike.
    place: usize,
    part: Option<Part>,
}

/// What the files of one directory name.
struct Part {
    /// Numbers of directories.
    next: Vec<usize>,
    /// Everything else.
    rest: Closure,
}

impl Group {
    fn closure(&mut self, main: &str, tags: &[String], index: &Index) -> Closure {
        let Self {
            root,
            numbers,
            directories,
        } = self;
        let mut out = Closure {
            main: main.to_owned(),
            ..Closure::default()
        };
        let mut number = |path: String, directories: &mut Vec<Directory>| {
            *numbers.entry(path).or_insert_with_key(|path| {
                let place = index.directories.binary_search_by(|d| d.path.cmp(path));
                directories.push(Directory {
                    path: path.clone(),
                    place: place.unwrap_or_else(|place| place),
                    part: None,
                });
                directories.len() - 1
            })
        };
        let mut reach = Reach::new(main, tags, index, root);
        let mut found = Vec::new();
        if let Some(dir) = reach.main(main) {
            found.push(number(dir, directories));
        }
        reach.above(main);
        reach.root(root);
        let first = Part {
            next: Vec::new(),
            rest: reach.take(),
        };
        first.add_to(&mut out);
        let mut seen = vec![false; directories.len()];
        if let Some(first) = found.first() {
            seen[*first] = true;
        }
        let mut at = 0;
        while let Some(&this) = found.get(at) {
            at += 1;
            if directories[this].part.is_none() {
                let mut rest = reach.one(&directories[this].path);
                let next = std::mem::take(&mut rest.directories).into_keys();
                let next = next.map(|path| number(path, directories)).collect();
                directories[this].part = Some(Part { next, rest });
                seen.resize(directories.len(), false);
            }
            let Some(part) = &directories[this].part else {
                continue;
            };
            part.add_to(&mut out);
            for next in &part.next {
                if !std::mem::replace(&mut seen[*next], true) {
                    found.push(*next);
                }
            }
        }
        let mut paths: Vec<&Directory> = found.iter().map(|n| &directories[*n]).collect();
        paths.sort_unstable_by_key(|directory| directory.place);
        let paths = paths.into_iter().map(|directory| directory.path.clone());
        out.directories = paths.map(|path| (path, Reason::default())).collect();
        out.manifests = manifests(root, index);
        out.package = root.relative(main, index);
        out.root = root.clone();
        out.embeds.sort();
        out.embeds.dedup();
        out.doubts.sort();
        out.doubts.dedup();
        out
    }
}

impl Part {
    fn add_to(&self, out: &mut Closure) {
        add(&mut out.files, self.rest.files.keys());
        add(&mut out.external, self.rest.external.keys());
        add(&mut out.missing, self.rest.missing.keys());
        add(&mut out.linked, self.rest.linked.keys());
        add(&mut out.absent, self.rest.absent.keys());
        out.broken.extend(self.rest.broken.iter().cloned());
        for (from, to) in [
            (&self.rest.links, &mut out.links),
            (&self.rest.unscanned, &mut out.unscanned),
            (&self.rest.local_modules, &mut out.local_modules),
        ] {
            for name in from {
                if !to.contains(name) {
                    to.insert(name.clone());
                }
            }
        }
        out.embeds
            .extend(self.rest.embeds.iter().map(|embed| Embed {
                reason: Reason::default(),
                ..embed.clone()
            }));
        out.doubts.extend_from_slice(&self.rest.doubts);
    }
}

fn add<'a>(to: &mut BTreeMap<String, Reason>, names: impl IntoIterator<Item = &'a String>) {
    for name in names {
        if !to.contains_key(name) {
            to.insert(name.clone(), Reason::default());
        }
    }
}

#[cfg(test)]
#[path = "outline_tests.rs"]
mod tests;
