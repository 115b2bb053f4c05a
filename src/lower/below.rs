//! What stands in an image below the files that are put into it, and where these go.
//!
//! Files go where a `COPY` of a Dockerfile puts them: links of the image below are followed, at
//! the end of a path too, and directories that are there keep their owner and mode. Layers are
//! made beside the image and not on it, so this has to be known before they are made: the
//! frontend looks, in as many rounds as links and directories lead on, and a layer says the same
//! of these directories as the image below it does.
//!
//! Beyond `COPY`: directories inside of a copied directory stay as they are below, too.

use std::collections::{BTreeMap, BTreeSet};

use super::build::BINARY_DIR;
use super::problems;
use crate::diag::Diagnostic;
use crate::plan::{FileEntry, ImageSettings};

/// As many links as Linux follows in one path.
const MAX_LINKS: usize = 40;

/// Owner and mode of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirMeta {
    /// Permissions with the bits for sticky, setgid and setuid, as `stat` has them.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
}

impl DirMeta {
    /// A directory of root's that everybody may read: what a copy makes of missing parents.
    pub const PLAIN: Self = Self::of(0o755, 0, 0);

    pub(super) const fn of(mode: u32, uid: u32, gid: u32) -> Self {
        Self { mode, uid, gid }
    }
}

/// What stands at a path; links are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A directory.
    Directory(DirMeta),
    /// A symbolic link, with its text.
    Link(String),
    /// A file, or something else that holds no files.
    File,
}

/// What is known of an image, by absolute path.
#[derive(Debug, Clone, Default)]
pub struct Below {
    found: BTreeMap<String, Found>,
    /// Whether what is not known may be asked for; otherwise there is nothing.
    open: bool,
}

impl Below {
    /// An image that can be looked into.
    #[must_use]
    pub fn open() -> Self {
        Self {
            found: BTreeMap::new(),
            open: true,
        }
    }

    /// Keeps what stands at a path.
    pub fn insert(&mut self, path: impl Into<String>, found: Found) {
        self.found.insert(path.into(), found);
    }

    pub(super) fn directory(&mut self, path: &str, meta: DirMeta) {
        self.insert(path, Found::Directory(meta));
    }

    fn at(&self, path: &str) -> Option<&Found> {
        match self.found.get(path) {
            None if !self.open => Some(&Found::Nothing),
            found => found,
        }
    }
}

/// What `files` names in the context, by source; directories with their names, and whether
/// these are directories themselves.
#[derive(Debug, Clone, Default)]
pub struct SourceKinds {
    /// By path relative to the context.
    pub found: BTreeMap<String, SourceKind>,
    /// Whether what is not known may be asked for; otherwise it is copied as it is.
    pub open: bool,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// Anything but a directory.
    File,
    /// A directory, and which of its names are directories.
    Directory(BTreeMap<String, bool>),
}

/// Why there is no layout yet, or none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplaced {
    /// What has to be looked up first.
    Ask(Ask),
    /// What is wrong.
    Problems(Vec<Diagnostic>),
}

/// Paths to look up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// In the image below.
    pub below: BTreeSet<String>,
    /// In the context.
    pub sources: BTreeSet<String>,
}

/// Where the files of an image go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) files: Vec<Placed>,
    /// Directories on the way to the files, by path.
    pub(super) kept: BTreeMap<String, DirMeta>,
    /// The working directory, when it has to be made, with what is on the way.
    pub(super) working_dir: Option<BTreeMap<String, DirMeta>>,
    /// Places of the binaries, in the order of their names.
    pub(super) binaries: Vec<(String, BTreeMap<String, DirMeta>)>,
}

/// One copy of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// Which entry of `files` it comes from.
    pub(super) entry: usize,
    pub(super) source: String,
    pub(super) dest: String,
    /// Names in the source that go somewhere else.
    pub(super) without: Vec<String>,
}

/// Finds out where everything goes. `owner` is who runs the program.
pub(super) fn layout(
    settings: &ImageSettings,
    binaries: &[String],
    owner: (u32, u32),
    below: &Below,
    sources: &SourceKinds,
) -> Result<Layout, Unplaced> {
    let mut below = below.clone();
    let mut making = Making {
        below: &mut below,
        sources,
        layout: Layout::default(),
        ask: Ask::default(),
        problems: Vec::new(),
    };
    if let Some(dir) = &settings.working_dir {
        making.working_dir(dir, owner);
    }
    for (number, entry) in settings.files.iter().enumerate() {
        making.entry(number, entry);
    }
    for name in binaries {
        making.binary(name);
    }
    // Problems wait until all of them are known.
    if making.ask != Ask::default() {
        Err(Unplaced::Ask(making.ask))
    } else if !making.problems.is_empty() {
        Err(Unplaced::Problems(making.problems))
    } else {
        Ok(making.layout)
    }
}

/// Where a path leads.
struct Place {
    path: String,
    /// The directories on the way, and the place itself when it is one.
    kept: BTreeMap<String, DirMeta>,
    found: Found,
}

struct Making<'a> {
    below: &'a mut Below,
    sources: &'a SourceKinds,
    layout: Layout,
    ask: Ask,
    problems: Vec<Diagnostic>,
}

impl Making<'_> {
    fn working_dir(&mut self, dir: &crate::diag::Spanned<String>, (uid, gid): (u32, u32)) {
        let Some(place) = self.place(&dir.value, |at| problems::not_a_directory(at, dir.span))
        else {
            return;
        };
        match place.found {
            Found::Directory(_) => {}
            Found::Nothing => {
                // As `WORKDIR` does it: every directory that is missing belongs to the user.
                let mut made = place.kept;
                let meta = DirMeta::of(0o755, uid, gid);
                for path in prefixes(&place.path) {
                    if !made.contains_key(path) {
                        made.insert(path.to_owned(), meta);
                        self.below.directory(path, meta);
                    }
                }
                self.layout.working_dir = Some(made);
            }
            Found::File | Found::Link(_) => {
                let problem = problems::not_a_directory(&place.path, dir.span);
                self.problems.push(problem);
            }
        }
    }

    fn entry(&mut self, number: usize, entry: &FileEntry) {
        let blocked = |at: &str| problems::not_a_directory(at, entry.span);
        if let Some(place) = self.place(&entry.dest, blocked) {
            self.copy(number, entry, entry.source.clone(), place);
        }
    }

    fn copy(&mut self, number: usize, entry: &FileEntry, source: String, place: Place) {
        let mut without = Vec::new();
        // What is new below is copied whole, whatever it is.
        if place.found != Found::Nothing {
            match self.sources.found.get(&source) {
                None if self.sources.open => {
                    self.ask.sources.insert(source);
                    return;
                }
                Some(SourceKind::File) => {
                    if matches!(place.found, Found::Directory(_)) {
                        let problem = problems::is_a_directory(&place.path, &source, entry.span);
                        self.problems.push(problem);
                        return;
                    }
                }
                Some(SourceKind::Directory(_)) if place.found == Found::File => {
                    let problem = problems::not_a_directory(&place.path, entry.span);
                    self.problems.push(problem);
                    return;
                }
                Some(SourceKind::Directory(names)) => {
                    without = self.inside(number, entry, &source, &place.path, names);
                }
                None => {}
            }
        }
        self.layout.kept.extend(place.kept);
        self.layout.files.push(Placed {
            entry: number,
            source,
            dest: place.path,
            without,
        });
    }

    /// What of a directory's content meets something below; the names that go their own way.
    fn inside(
        &mut self,
        number: usize,
        entry: &FileEntry,
        source: &str,
        dest: &str,
        names: &BTreeMap<String, bool>,
    ) -> Vec<String> {
        let mut without = Vec::new();
        for (name, is_dir) in names {
            let path = join(dest, name);
            let blocked = |at: &str| problems::not_a_directory(at, entry.span);
            let Some(found) = self.look(&path) else {
                continue;
            };
            match found {
                Found::Nothing => {}
                Found::Directory(_) | Found::Link(_) if *is_dir => {
                    if let Some(place) = self.place(&path, blocked) {
                        without.push(name.clone());
                        let source = match source {
                            "." => name.clone(),
                            source => format!("{source}/{name}"),
                        };
                        self.copy(number, entry, source, place);
                    }
                }
                Found::File if *is_dir => self.problems.push(blocked(&path)),
                Found::Directory(_) => {
                    let problem = problems::is_a_directory(&path, source, entry.span);
                    self.problems.push(problem);
                }
                // A file takes the place of a file or a link, as it does in `COPY`.
                Found::File | Found::Link(_) => {}
            }
        }
        without
    }

    fn binary(&mut self, name: &str) {
        // Nobody wrote this path, so there is no place in the spec to show.
        let path = format!("{BINARY_DIR}/{name}");
        let Some(place) = self.place(&path, problems::no_place_for_binary) else {
            return;
        };
        if matches!(place.found, Found::Directory(_)) {
            let problem = problems::no_place_for_binary(&place.path);
            self.problems.push(problem);
        }
        self.layout.binaries.push((place.path, place.kept));
    }

    fn look(&mut self, path: &str) -> Option<Found> {
        let found = self.below.at(path).cloned();
        if found.is_none() {
            self.ask.below.insert(path.to_owned());
        }
        found
    }

    /// Walks a path as the kernel does. `None` when something is asked or wrong.
    fn place(&mut self, path: &str, blocked: impl Fn(&str) -> Diagnostic) -> Option<Place> {
        let mut left: Vec<String> = components(path);
        left.reverse();
        let mut at = String::from("/");
        let mut kept = BTreeMap::new();
        let mut found = Found::Directory(DirMeta::PLAIN);
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                at = parent(&at).to_owned();
                found = Found::Directory(DirMeta::PLAIN);
                continue;
            }
            match found {
                Found::File | Found::Link(_) => {
                    self.problems.push(blocked(&at));
                    return None;
                }
                Found::Nothing => {
                    at = join(&at, &name);
                    continue;
                }
                Found::Directory(_) => {}
            }
            let next = join(&at, &name);
            found = self.look(&next)?;
            match &found {
                Found::Link(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        self.problems.push(blocked(&next));
                        return None;
                    }
                    let mut more = components(target);
                    more.reverse();
                    left.extend(more);
                    if target.starts_with('/') {
                        at = String::from("/");
                    }
                    found = Found::Directory(DirMeta::PLAIN);
                }
                Found::Directory(meta) => {
                    kept.insert(next.clone(), *meta);
                    at = next;
                }
                Found::File | Found::Nothing => at = next,
            }
        }
        // Directories that only links led through are not on the way.
        kept.retain(|dir, _| at == *dir || at.starts_with(&format!("{dir}/")));
        Some(Place {
            path: at,
            kept,
            found,
        })
    }
}

fn components(path: &str) -> Vec<String> {
    let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
    names.map(str::to_owned).collect()
}

fn join(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// `/a`, `/a/b`, … up to the path itself.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.char_indices().filter(|(at, c)| *c == '/' && *at > 0);
    let ends = ends.map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| &path[..end]).filter(|path| *path != "/")
}

#[cfg(test)]
#[path = "below_tests.rs"]
mod tests;
