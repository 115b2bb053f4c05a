//! Reading of one file: what it says about a build.
//!
//! In: a path. Out: additions to the directory that the file is in. Of a Go file
//! only the head is read where that is enough. Nothing that is no regular file is
//! read, and nothing is waited for.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::assembly;
use super::constraint;
use super::gofile;
use super::index::{Constraint, Import, Native, NativeKind, Note, join, resolve};
use super::native::{self, Named};
use super::select::Kind;
use super::walk::OneDirectory;
use super::words::{self, SCRIPT};

/// First bytes read of a Go file; most heads end before them.
const HEAD_BYTES: u64 = 16 * 1024;

/// Most bytes read of one file. Generated Go files of a few MiB exist; what is
/// larger holds data, and its head was read all the same.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A file that is to be read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) dir: &'a str,
    pub(super) name: &'a str,
    /// In the directory's list.
    pub(super) position: u32,
}

/// Reads the files of one directory after the other.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) notes: Vec<Note>,
    buffer: Vec<u8>,
    /// What files of this directory import in every build.
    seen: HashSet<String>,
}

impl Reader {
    /// The files that follow are another directory's.
    pub(super) fn begin(&mut self) {
        self.seen.clear();
    }

    /// Reads one file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no regular file.
    pub(super) fn file(
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
        match kind {
            Kind::Go => self.go(source, &mut file, meta.len(), one),
            // What assembly includes depends on the directory: see `assembly`.
            Kind::Native if source.name.ends_with(assembly::SOURCE) => Ok(()),
            Kind::Native => {
                self.buffer.clear();
                self.fill(&mut file, meta.len(), MAX_BYTES)?;
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
        self.fill(file, size, HEAD_BYTES)?;
        let mut whole = size <= HEAD_BYTES;
        let head = match gofile::head(&self.buffer, whole) {
            Some(head) => head,
            None => {
                self.fill(file, size, MAX_BYTES)?;
                whole = true;
                gofile::head(&self.buffer, true).unwrap_or_default()
            }
        };
        if size > MAX_BYTES {
            self.notes.push(Note {
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
                self.fill(file, size, MAX_BYTES)?;
            }
            embeds = gofile::embeds(&self.buffer);
        }
        let stated = match (words::of_name(source.name), head.constraint) {
            (Some(name), Some(text)) => Some(format!("{name} && ({text})")),
            (name, text) => name.or(text),
        };
        if head.package == "main" {
            let constraint = stated.clone().unwrap_or_default();
            if !one.directory.mains.contains(&constraint) {
                one.directory.mains.push(constraint);
            }
        }
        let constrained = (stated.as_ref()).filter(|c| !constraint::says_nothing(c));
        one.is_main |=
            head.package == "main" && constrained.is_none_or(|c| constraint::may_hold(c, &[]));
        if let Some(expression) = constrained {
            one.directory.constraints.push(Constraint {
                file: source.position,
                expression: expression.clone(),
            });
        }
        let constrained = in_builds(stated, &head.package, &head.imports);
        let import = |(path, line)| Import {
            path,
            file: source.position,
            line,
            constraint: constrained.clone(),
        };
        // Most files of a directory import the same packages.
        for (path, line) in head.imports {
            if self.seen.contains(&path) {
                continue;
            }
            if constrained.is_none() {
                self.seen.insert(path.clone());
            }
            one.directory.imports.push(import((path, line)));
        }
        one.directory.embeds.extend(embeds.into_iter().map(import));
        for (preamble, line) in head.preambles {
            let mut named = native::includes(&preamble, line);
            named.extend(native::cgo_flags(&preamble, line));
            one.directory.natives.extend(resolved(source, named));
        }
        Ok(())
    }

    /// Appends what the file has up to `limit` more bytes; `size` is its whole size.
    fn fill(&mut self, file: &mut File, size: u64, limit: u64) -> io::Result<()> {
        if size == 0 {
            // Some file systems do not say.
            file.take(limit).read_to_end(&mut self.buffer)?;
            return Ok(());
        }
        let start = self.buffer.len();
        let known = size.saturating_sub(start as u64).min(limit);
        let end = start + usize::try_from(known).unwrap_or(0);
        self.buffer.resize(end, 0);
        let mut at = start;
        while at < end {
            match file.read(&mut self.buffer[at..]) {
                Ok(0) => break,
                Ok(count) => at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(at);
        Ok(())
    }
}

/// The text of a file that is there and no link.
pub(super) fn text(root: &Path, path: &str) -> Option<Vec<u8>> {
    let file = open(&root.join(path)).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    Some(text)
}

/// The constraint under which a build reads what a file imports and embeds: Go passes over
/// files that need cgo where there is none, and over those of a package of this name.
fn in_builds(stated: Option<String>, package: &str, imports: &[(String, u32)]) -> Option<String> {
    let implied = if package == "documentation" {
        SCRIPT
    } else if imports.iter().any(|(path, _)| path == "C") {
        "cgo"
    } else {
        return stated;
    };
    Some(match stated {
        Some(stated) => format!("({stated}) && {implied}"),
        None => implied.to_owned(),
    })
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
