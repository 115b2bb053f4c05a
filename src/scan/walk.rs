//! The walk: every directory once, on all cores.
//!
//! In: a directory. Out: per directory, what its files say. Links to directories are
//! recorded and not followed; nothing that is no regular file is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use super::Scope;
use super::include;
use super::index::{Directory, Link, LinkEnd, Note, join};
use super::link;
use super::read::{Reader, Source};
use super::select::{self, Kind};

/// More threads do not help: the walk waits for the kernel.
const MAX_THREADS: usize = 8;

/// What a walk found, in no order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) directories: Vec<OneDirectory>,
    pub(super) links: Vec<Link>,
    pub(super) irregular: Vec<String>,
    pub(super) notes: Vec<Note>,
}

/// One directory.
#[derive(Debug, Default)]
pub(super) struct OneDirectory {
    pub(super) directory: Directory,
    /// Whether it holds a main package.
    pub(super) is_main: bool,
    /// The manifests in it.
    pub(super) manifests: Vec<String>,
}

/// Walks `root`. Directories that `./...` passes over are entered on the way to,
/// and below, those that the scope reaches.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub(super) fn walk(root: &Path, scope: Scope<'_>) -> io::Result<Found> {
    fs::read_dir(root)?;
    let queue = Queue::new(String::from("."));
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    let found = thread::scope(|spawner| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                spawner.spawn(|| {
                    let mut worker = Worker {
                        root,
                        scope,
                        found: Found::default(),
                        reader: Reader::default(),
                    };
                    while let Some(dir) = queue.next() {
                        let below = worker.directory(dir);
                        queue.done(below);
                    }
                    worker.found.notes.append(&mut worker.reader.notes);
                    worker.found
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|w| w.join().ok())
            .collect::<Vec<_>>()
    });
    if found.len() != threads {
        return Err(io::Error::other("a scanning thread failed"));
    }
    let mut all = Found::default();
    for one in found {
        all.directories.extend(one.directories);
        all.links.extend(one.links);
        all.irregular.extend(one.irregular);
        all.notes.extend(one.notes);
    }
    Ok(all)
}

/// Directories that wait, and how many are being read: the walk is over when
/// both are none.
struct Queue {
    state: Mutex<(Vec<String>, usize)>,
    changed: Condvar,
}

impl Queue {
    fn new(first: String) -> Self {
        Self {
            state: Mutex::new((vec![first], 0)),
            changed: Condvar::new(),
        }
    }

    fn next(&self) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(dir) = state.0.pop() {
                state.1 += 1;
                return Some(dir);
            }
            if state.1 == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, below: Vec<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.extend(below);
        state.1 -= 1;
        self.changed.notify_all();
    }
}

/// A file of a directory: its name, and where its content is, if it is anywhere.
type Named = (String, Option<PathBuf>, Kind);

struct Worker<'a> {
    root: &'a Path,
    scope: Scope<'a>,
    found: Found,
    reader: Reader,
}

impl Worker<'_> {
    /// Reads one directory; the directories below it that are to be read.
    fn directory(&mut self, dir: String) -> Vec<String> {
        let path = self.root.join(&dir);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                self.note(&dir, &error);
                return Vec::new();
            }
        };
        let mut below = Vec::new();
        let mut files: Vec<Named> = Vec::new();
        let mut one = OneDirectory::default();
        let vendored = dir == "vendor" || dir.ends_with("/vendor");
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = entry.file_name();
            if kind.is_dir() {
                // A directory whose name is no text can be in no import path.
                let Some(name) = name.to_str() else { continue };
                if select::looks_like_file(name) {
                    one.directory.lookalikes.push(name.to_owned());
                }
                let next = join(&dir, name);
                if name == select::PROFILE && self.scope.covers(&next) && !self.scope.hides(&next) {
                    self.found.irregular.push(next.clone());
                }
                if self.enters(&next) {
                    below.push(next);
                }
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            let at = join(&dir, &name);
            if self.scope.hides(&at) {
                continue;
            }
            let class = match name.as_str() {
                select::VENDOR_LIST if vendored => Some(Kind::Manifest),
                name => select::kind(name),
            };
            let content = if kind.is_symlink() {
                // What is reached may be below it.
                self.scope
                    .enters(&at)
                    .then(|| self.link(at, class))
                    .flatten()
            } else if kind.is_file() {
                self.scope.covers(&at).then(|| Some(entry.path()))
            } else {
                self.found.irregular.push(at);
                continue;
            };
            match (class, content) {
                (Some(Kind::Manifest), Some(Some(_))) => one.manifests.push(name),
                (Some(Kind::Manifest) | None, _) | (_, None) => {}
                (Some(class), Some(content)) => files.push((name, content, class)),
            }
        }
        if files.is_empty() && one.manifests.is_empty() {
            return below;
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        one.directory.lookalikes.sort();
        self.reader.begin();
        for (position, (name, path, class)) in files.into_iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            let source = Source {
                dir: &dir,
                name: &name,
                position,
            };
            if let Some(path) = path
                && let Err(error) = self.reader.file(source, &path, class, &mut one)
            {
                self.note(&join(&dir, &name), &error);
            }
            one.directory.files.push(name);
        }
        one.directory.path = dir;
        let links = include::assembled(self.root, self.scope, &[], &mut one.directory);
        self.found.links.extend(links);
        self.found.directories.push(one);
        below
    }

    fn enters(&self, next: &str) -> bool {
        self.scope.enters(next) && !self.scope.hides_all(next)
    }

    /// Notes a symbolic link. If it may be a file of its directory: the file that it stands
    /// for, as far as that is there. Links with names of no meaning count when they may
    /// lead to directories.
    fn link(&mut self, path: String, class: Option<Kind>) -> Option<Option<PathBuf>> {
        let mut way = link::follow(self.root, &path, |at| self.scope.hides(at));
        let content = match &way.end {
            LinkEnd::Dir(_) => None,
            LinkEnd::File(at) => Some(Some(self.root.join(at))),
            _ => Some(None),
        };
        if class.is_some() || !matches!(way.end, LinkEnd::File(_) | LinkEnd::Special(_)) {
            // The first one is the link itself.
            let hops = way.links.split_off(1);
            let end = way.end;
            self.found.links.push(Link { path, end, hops });
        }
        content
    }

    fn note(&mut self, path: &str, error: &io::Error) {
        self.found.notes.push(Note {
            path: path.to_owned(),
            text: format!("cannot be read: {error}"),
        });
    }
}
