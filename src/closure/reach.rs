//! Everything that a main package reaches.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::embedded::valid_embed;
use super::resolve::{Package, Resolver};
use super::root::ModuleRoot;
use super::{Closure, Doubt, Embed, Reason};
use crate::scan::assembly;
use crate::scan::constraint::Setting;
use crate::scan::select::{self, Kind};
use crate::scan::{
    Directory, Import, Index, Link, LinkEnd, Native, NativeKind, Place, ancestors, is_inside, join,
    parent,
};

/// The closure of the main package in a directory; `None` outside of every module.
///
/// `tags` are the build tags of the service. Tags of platforms may hold or not: the
/// closure serves all of them.
#[must_use]
pub fn closure(main: &str, tags: &[String], index: &Index) -> Option<Closure> {
    closure_with(main, tags, index, &BTreeSet::new())
}

/// The same, with packages that fetched modules import: `back` are import paths, as
/// [`modules`](crate::modules) finds them. Those that are in no local module count
/// for nothing.
#[must_use]
pub fn closure_with(
    main: &str,
    tags: &[String],
    index: &Index,
    back: &BTreeSet<String>,
) -> Option<Closure> {
    let root = ModuleRoot::of(main, index)?;
    let mut reach = Reach::new(main, tags, index, &root);
    if let Some(dir) = reach.main(main) {
        reach.directory(dir, Reason::default());
    }
    reach.above(main);
    reach.root(&root);
    for import in back {
        reach.back(import, &root.dir);
    }
    while let Some(dir) = reach.pending.pop() {
        reach.read(&dir);
    }
    let mut out = reach.out;
    out.manifests = manifests(&root, index);
    out.package = root.relative(main, index);
    out.root = root;
    out.embeds.sort();
    out.embeds
        .dedup_by(|a, b| (&a.dir, &a.pattern, a.all) == (&b.dir, &b.pattern, b.all));
    out.doubts.sort();
    out.doubts.dedup();
    Some(out)
}

/// The manifests that a build in a root reads. Vendored modules were checked when
/// they were copied: then Go reads no sums, but the list of what is there.
pub(super) fn manifests(root: &ModuleRoot, index: &Index) -> Vec<String> {
    let mut out = root.manifests.clone();
    if root.vendored {
        out.retain(|path| !path.ends_with(".sum"));
        let vendor = index.place(&join(&root.dir, "vendor")).path;
        let list = join(&vendor, select::VENDOR_LIST);
        out.extend(index.manifests.binary_search(&list).is_ok().then_some(list));
    }
    out
}

pub(super) struct Reach<'a> {
    index: &'a Index,
    tags: &'a [String],
    resolver: Resolver<'a>,
    out: Closure,
    pending: Vec<String>,
    /// Import paths that were followed.
    seen: HashSet<&'a str>,
}

impl<'a> Reach<'a> {
    pub(super) fn new(
        main: &str,
        tags: &'a [String],
        index: &'a Index,
        root: &'a ModuleRoot,
    ) -> Self {
        Self {
            index,
            tags,
            resolver: Resolver::new(index, root),
            out: Closure {
                main: main.to_owned(),
                ..Closure::default()
            },
            pending: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// The directory of the main package, if it was scanned.
    pub(super) fn main(&mut self, main: &str) -> Option<String> {
        match self.resolver.find(main) {
            Ok(place) => Some(self.place(place)),
            Err(place) => {
                self.missing(place, Reason::default());
                None
            }
        }
    }

    /// What a build reads to find its modules.
    pub(super) fn root(&mut self, root: &ModuleRoot) {
        self.out.links.extend(root.links.iter().cloned());
        let vendor = root.vendored.then(|| join(&root.dir, "vendor"));
        if let Some(vendor) = vendor {
            let place = self.index.place(&vendor);
            self.place(place);
        }
        let lost = root.lost.iter().filter_map(|path| self.index.link_at(path));
        self.out.broken.extend(lost.cloned());
        for manifest in manifests(root, self.index) {
            if let Some(link) = self.index.link_at(&manifest) {
                self.content(link);
            }
        }
    }

    /// Links with the name of a manifest that Go would find above the main package, if they
    /// led to one.
    pub(super) fn above(&mut self, main: &str) {
        let index = self.index;
        let module = index.module_above(main).map_or(".", |(dir, _)| dir);
        for dir in ancestors(main) {
            let go_mod = is_inside(dir, module).then(|| join(dir, "go.mod"));
            for path in go_mod.into_iter().chain([join(dir, "go.work")]) {
                if let Some(link) = index.link_at(&path) {
                    self.content(link);
                }
            }
        }
    }

    /// What was found so far.
    pub(super) fn take(&mut self) -> Closure {
        self.pending.clear();
        std::mem::take(&mut self.out)
    }

    /// Keeps the links on the way to a directory.
    fn place(&mut self, place: Place<'_>) -> String {
        let links = place.links.into_iter();
        self.out.links.extend(links.map(str::to_owned));
        place.path
    }

    fn missing(&mut self, place: Place<'_>, reason: Reason) {
        let links = place
            .links
            .iter()
            .filter_map(|path| self.index.link_at(path));
        let lost: Vec<&Link> = links.filter(|link| link.is_lost()).collect();
        self.out.broken.extend(lost.into_iter().cloned());
        if place.broken.is_none() {
            keep(&mut self.out.missing, place.path, reason);
        }
    }

    /// What the files of one directory name; nothing is followed.
    pub(super) fn one(&mut self, dir: &str) -> Closure {
        self.seen.clear();
        self.read(dir);
        self.take()
    }

    fn directory(&mut self, dir: String, reason: Reason) {
        if !self.out.directories.contains_key(&dir) {
            self.out.directories.insert(dir.clone(), reason);
            self.pending.push(dir);
        }
    }

    /// A package that something imports whose files are not in the repository.
    fn back(&mut self, import: &str, root: &str) {
        let Package { local, .. } = self.resolver.package(import);
        if local.is_empty() {
            return;
        }
        let candidates = self.resolver.modules(import);
        self.out.local_modules.extend(candidates);
        for place in local {
            let reason = Reason {
                file: join(root, "go.mod"),
                line: 0,
                names: import.to_owned(),
            };
            let dir = self.place(place);
            self.directory(dir, reason);
        }
    }

    /// Follows everything that the files of a directory name.
    fn read(&mut self, dir: &str) {
        let index = self.index;
        let Some(directory) = index.directory(dir) else {
            return;
        };
        for import in &directory.imports {
            let path = import.path.as_str();
            if !self.seen.contains(path) && path != "C" && path != "unsafe" && self.counts(import) {
                self.seen.insert(path);
                self.import(directory, import);
            }
        }
        for embed in &directory.embeds {
            if self.counts(embed) {
                self.embed(directory, embed);
            }
        }
        for native in &directory.natives {
            self.native(directory, native);
        }
        self.links(directory);
        for note in &self.index.notes {
            if parent(&note.path) == Some(dir) || note.path == dir {
                self.out.doubts.push(Doubt {
                    file: note.path.clone(),
                    line: 0,
                    text: note.text.clone(),
                });
            }
        }
    }

    fn counts(&self, import: &Import) -> bool {
        let setting = Setting {
            tags: Some(self.tags),
            open: &self.index.open,
        };
        let constraint = import.constraint.as_deref();
        constraint.is_none_or(|c| setting.may_hold(c))
    }

    fn import(&mut self, directory: &Directory, import: &Import) {
        let reason = Reason {
            file: directory.file(import.file),
            line: import.line,
            names: import.path.clone(),
        };
        let candidates = self.resolver.modules(&import.path);
        self.out.local_modules.extend(candidates);
        let package = self.resolver.package(&import.path);
        for place in package.local {
            let dir = self.place(place);
            self.directory(dir, reason.clone());
        }
        for place in package.unscanned {
            let dir = self.place(place);
            self.out.unscanned.insert(dir);
        }
        if let Some(place) = package.missing {
            self.missing(place, reason.clone());
        }
        if package.external {
            keep(&mut self.out.external, import.path.clone(), reason);
        }
    }

    fn embed(&mut self, directory: &Directory, embed: &Import) {
        // Other patterns are errors of the compiler's, and must not lead out.
        if let Some((pattern, all)) = valid_embed(&embed.path) {
            self.out.embeds.push(Embed {
                dir: directory.path.clone(),
                pattern: pattern.to_owned(),
                all,
                reason: Reason {
                    file: directory.file(embed.file),
                    line: embed.line,
                    names: embed.path.clone(),
                },
            });
        }
    }

    fn native(&mut self, directory: &Directory, native: &Native) {
        let file = directory.file(native.file);
        let reason = |names: &str| Reason {
            file: file.clone(),
            line: native.line,
            names: names.to_owned(),
        };
        match &native.what {
            NativeKind::File(path) => {
                let above = parent(path).unwrap_or(".");
                let name = path.rsplit('/').next().unwrap_or(path);
                let assembled = file.ends_with(assembly::SOURCE);
                if self.index.has_file(path) {
                    if above == directory.path {
                        // It is there anyway.
                    } else if assembled {
                        self.single(path, reason(path));
                    } else {
                        // Its own includes follow when the directory is read.
                        self.directory(above.to_owned(), reason(path));
                    }
                } else if select::kind(name) != Some(Kind::Native)
                    || select::passed_over(path).is_some()
                    || (assembled && above != directory.path)
                {
                    self.single(path, reason(path));
                }
                // Else it was scanned for, and is not there: the toolchain's own.
            }
            NativeKind::Link(path) => _ = self.out.links.insert(path.clone()),
            NativeKind::Dir(path) => {
                let below: Vec<String> = self
                    .index
                    .directories
                    .iter()
                    .filter(|d| is_inside(&d.path, path) && d.path != directory.path)
                    .filter(|d| {
                        d.files
                            .iter()
                            .any(|f| select::kind(f) == Some(Kind::Native))
                    })
                    .filter(|d| !d.is_package())
                    .map(|d| d.path.clone())
                    .collect();
                for dir in below {
                    self.directory(dir, reason(path));
                }
            }
            // Only a C compiler can tell, and no build here runs one.
            NativeKind::Unknown => {}
        }
    }

    /// A file that is named, and what it leads to if it is a link.
    fn single(&mut self, path: &str, reason: Reason) {
        keep(&mut self.out.files, path.to_owned(), reason);
        if let Some(link) = self.index.link_at(path) {
            self.content(link);
        }
    }

    /// Files that are links: what they lead to has to be there.
    fn links(&mut self, directory: &Directory) {
        let index = self.index;
        let left_out = index.left_out(directory);
        for link in index.links_in(directory) {
            let name = link.path.rsplit('/').next().unwrap_or(&link.path);
            // Go reads the profile of the main package alone.
            let counts = name != select::PROFILE || index.mains.contains(&directory.path);
            if counts && !left_out.contains(&name) {
                self.content(link);
            }
        }
    }

    /// What a link to a file leads to.
    fn content(&mut self, link: &Link) {
        let reason = |names: &str| Reason {
            file: link.path.clone(),
            line: 0,
            names: names.to_owned(),
        };
        match &link.end {
            LinkEnd::File(path) => {
                for path in link.hops.iter().chain([path]) {
                    keep(&mut self.out.linked, path.clone(), reason(path));
                }
            }
            LinkEnd::Absent(path) => {
                keep(&mut self.out.absent, path.clone(), reason(path));
            }
            _ => {
                self.out.broken.insert(link.clone());
            }
        }
    }
}

/// The first reason stays.
fn keep(map: &mut BTreeMap<String, Reason>, key: String, reason: Reason) {
    map.entry(key).or_insert(reason);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
