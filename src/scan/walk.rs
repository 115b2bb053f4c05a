//! The walk: every directory once, on all cores.
//!
//! In: a directory. Out: per directory, what its files say. Symbolic links are
//! recorded and not followed; nothing that is no regular file is opened.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use super::Scope;
use super::constraint;
use super::gofile;
use super::index::{
    Constraint, Directory, Import, Link, Native, NativeKind, Note, is_inside, join, resolve,
};
use super::link;
use super::native::{self, Named};
use super::select::{self, Kind};

/// First bytes read of a Go file; most heads end before them.
const HEAD_BYTES: u64 = 16 * 1024;

/// Most bytes read of one file. Generated Go files of a few MiB exist; what is
/// larger holds data, and its head was read all the same.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// More threads do not help: the walk waits for the kernel.
const MAX_THREADS: usize = 8;

/// Modes that Git gives to files and directories under the usual umask.
const FILE_MODES: [u32; 2] = [0o644, 0o755];
const DIR_MODE: u32 = 0o755;

/// What a walk found, in no order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) directories: Vec<OneDirectory>,
    pub(super) links: Vec<Link>,
    pub(super) notes: Vec<Note>,
    pub(super) odd_modes: bool,
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
                        buffer: Vec::new(),
                    };
                    while let Some(dir) = queue.next() {
                        let below = worker.directory(dir);
                        queue.done(below);
                    }
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
        all.notes.extend(one.notes);
        all.odd_modes |= one.odd_modes;
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

struct Worker<'a> {
    root: &'a Path,
    scope: Scope<'a>,
    found: Found,
    buffer: Vec<u8>,
}

/// A file that is being read.
#[derive(Clone, Copy)]
struct Source<'a> {
    dir: &'a str,
    name: &'a str,
    /// In the directory's list.
    position: u32,
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
        let mut files: Vec<(String, PathBuf, Kind)> = Vec::new();
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
                let next = join(&dir, name);
                if self.enters(&dir, name, &next, &entry) {
                    below.push(next);
                }
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            if self.scope.hides(&join(&dir, &name)) {
                continue;
            }
            if vendored && name == select::VENDOR_LIST {
                one.manifests.push(name);
                continue;
            }
            let class = select::kind(&name);
            if kind.is_symlink() {
                self.link(&dir, name, class, &mut files);
            } else if kind.is_file() {
                match class {
                    Some(Kind::Manifest) => one.manifests.push(name),
                    Some(class) => files.push((name, entry.path(), class)),
                    None => {}
                }
            }
        }
        if files.is_empty() && one.manifests.is_empty() {
            return below;
        }
        if dir != "." {
            let mode = fs::metadata(&path).map_or(DIR_MODE, |m| m.mode() & 0o7777);
            self.found.odd_modes |= mode != DIR_MODE;
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        for (position, (name, path, class)) in files.into_iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            let source = Source {
                dir: &dir,
                name: &name,
                position,
            };
            if let Err(error) = self.file(source, &path, class, &mut one) {
                self.note(&join(&dir, &name), &error);
            }
            one.directory.files.push(name);
        }
        one.directory.path = dir;
        self.found.directories.push(one);
        below
    }

    fn enters(&self, dir: &str, name: &str, next: &str, entry: &DirEntry) -> bool {
        let hidden = select::passed_over(next).is_some();
        if hidden
            && !self
                .scope
                .reach
                .iter()
                .any(|r| is_inside(r, next) || is_inside(next, r))
        {
            return false;
        }
        if self.scope.hides_all(next) {
            return false;
        }
        // Without a list Go does not use it; then it is a name like any other.
        let list = join(next, select::VENDOR_LIST);
        name != "vendor"
            || (entry.path().join(select::VENDOR_LIST).is_file() && !self.scope.hides(&list))
            || !self.is_module(dir)
    }

    fn is_module(&self, dir: &str) -> bool {
        ["go.mod", "go.work"]
            .map(|name| join(dir, name))
            .iter()
            .any(|path| self.root.join(path).is_file() && !self.scope.hides(path))
    }

    /// A symbolic link: to a directory, or one with the name of a source file.
    fn link(
        &mut self,
        dir: &str,
        name: String,
        class: Option<Kind>,
        files: &mut Vec<(String, PathBuf, Kind)>,
    ) {
        let path = join(dir, &name);
        let target = link::resolve(self.root, &path);
        let hidden = target.as_ref().is_some_and(|t| self.scope.hides(t));
        let at = target.as_ref().map(|t| self.root.join(t));
        let meta = at.as_ref().and_then(|at| fs::metadata(at).ok());
        match (class, at, meta) {
            (Some(class), Some(at), Some(meta)) if meta.is_file() && !hidden => {
                self.found.links.push(Link { path, target });
                if class != Kind::Manifest {
                    files.push((name, at, class));
                }
            }
            (_, Some(_), Some(meta)) if meta.is_dir() => {
                self.found.links.push(Link { path, target });
            }
            (Some(_), ..) => self.found.links.push(Link { path, target: None }),
            _ => {}
        }
    }

    fn file(
        &mut self,
        source: Source<'_>,
        path: &Path,
        kind: Kind,
        one: &mut OneDirectory,
    ) -> io::Result<()> {
        let mut file = open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        self.found.odd_modes |= !FILE_MODES.contains(&(meta.mode() & 0o7777));
        match kind {
            Kind::Go => self.go(source, &mut file, meta.len(), one),
            Kind::Native => {
                self.buffer.clear();
                self.fill(&mut file, MAX_BYTES)?;
                let named = native::includes(&self.buffer, 1);
                one.directory.natives.extend(resolved(source, named));
                Ok(())
            }
            Kind::Opaque | Kind::Manifest => Ok(()),
        }
    }

    fn go(
        &mut self,
        source: Source<'_>,
        file: &mut File,
        size: u64,
        one: &mut OneDirectory,
    ) -> io::Result<()> {
        self.buffer.clear();
        self.fill(file, HEAD_BYTES)?;
        let mut whole = size <= HEAD_BYTES;
        let head = match gofile::head(&self.buffer, whole) {
            Some(head) => head,
            None => {
                self.fill(file, MAX_BYTES)?;
                whole = true;
                gofile::head(&self.buffer, true).unwrap_or_default()
            }
        };
        if size > MAX_BYTES {
            self.found.notes.push(Note {
                path: join(source.dir, source.name),
                text: format!(
                    "a Go file larger than {} MiB was not read to its end",
                    MAX_BYTES >> 20
                ),
            });
        }
        let mut embeds = Vec::new();
        if head.may_embed() {
            if !whole {
                self.fill(file, MAX_BYTES)?;
            }
            embeds = gofile::embeds(&self.buffer);
        }
        let constrained = match (constraint::of_name(source.name), head.constraint) {
            (Some(name), Some(text)) => Some(format!("{name} && ({text})")),
            (name, text) => name.or(text),
        };
        let constrained = constrained.filter(|c| !constraint::says_nothing(c));
        one.is_main |= head.package == "main"
            && constrained
                .as_deref()
                .is_none_or(|c| constraint::may_hold(c, &[]));
        if let Some(expression) = &constrained {
            one.directory.constraints.push(Constraint {
                file: source.position,
                expression: expression.clone(),
            });
        }
        let import = |(path, line)| Import {
            path,
            file: source.position,
            line,
            constraint: constrained.clone(),
        };
        one.directory
            .imports
            .extend(head.imports.into_iter().map(import));
        one.directory.embeds.extend(embeds.into_iter().map(import));
        for (preamble, line) in head.preambles {
            let mut named = native::includes(&preamble, line);
            named.extend(native::cgo_flags(&preamble, line));
            one.directory.natives.extend(resolved(source, named));
        }
        Ok(())
    }

    /// Appends up to `limit` bytes to the buffer.
    fn fill(&mut self, file: &mut File, limit: u64) -> io::Result<()> {
        file.take(limit).read_to_end(&mut self.buffer)?;
        Ok(())
    }

    fn note(&mut self, path: &str, error: &io::Error) {
        self.found.notes.push(Note {
            path: path.to_owned(),
            text: format!("cannot be read: {error}"),
        });
    }
}

/// Opens a file without waiting for what might be at the other end of it.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
}

/// Makes what native code names relative to the root. Paths that leave it are
/// the system's, or missing in the build as well.
fn resolved(source: Source<'_>, named: Vec<(Named, u32)>) -> impl Iterator<Item = Native> {
    let (dir, file) = (source.dir.to_owned(), source.position);
    named.into_iter().filter_map(move |(named, line)| {
        let what = match named {
            Named::File(path) => NativeKind::File(resolve(&dir, &path)?),
            Named::Dir(path) => NativeKind::Dir(resolve(&dir, &path)?),
            Named::Unknown => NativeKind::Unknown,
        };
        Some(Native { what, file, line })
    })
}
