//! Two files, and the files of a tree: what they hold.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::hex::hex;
use crate::scan::{self, join};

/// How a file begins that stands for a large one in Git.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// Longest such file.
const LFS_BYTES: u64 = 1024;

/// Bytes compared at a time.
const BLOCK: usize = 64 * 1024;

/// Whether two paths hold the same: links the same target, files the same bytes,
/// directories always. What cannot be read is the same as nothing.
pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    same(a, b).unwrap_or(false)
}

fn same(a: &Path, b: &Path) -> io::Result<bool> {
    let (meta_a, meta_b) = (fs::symlink_metadata(a)?, fs::symlink_metadata(b)?);
    let (kind_a, kind_b) = (meta_a.file_type(), meta_b.file_type());
    if kind_a != kind_b {
        return Ok(false);
    }
    if kind_a.is_symlink() {
        return Ok(fs::read_link(a)? == fs::read_link(b)?);
    }
    if kind_a.is_dir() {
        return Ok(true);
    }
    if !kind_a.is_file() {
        return Ok(false);
    }
    if meta_a.len() == meta_b.len() && same_bytes(a, b)? {
        return Ok(true);
    }
    Ok(stands_for(a, b)? || stands_for(b, a)?)
}

fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let mut blocks = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    loop {
        blocks.0.clear();
        blocks.1.clear();
        let block = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        (&mut a).take(block).read_to_end(&mut blocks.0)?;
        (&mut b).take(block).read_to_end(&mut blocks.1)?;
        if blocks.0 != blocks.1 {
            return Ok(false);
        }
        if blocks.0.is_empty() {
            return Ok(true);
        }
    }
}

/// Whether a file is the pointer of Git LFS for another: a tree is taken out of Git
/// without its large files.
fn stands_for(pointer: &Path, file: &Path) -> io::Result<bool> {
    if fs::metadata(pointer)?.len() > LFS_BYTES {
        return Ok(false);
    }
    let text = fs::read(pointer)?;
    let Some(rest) = text.strip_prefix(LFS) else {
        return Ok(false);
    };
    let rest = String::from_utf8_lossy(rest);
    let field = |name: &str| rest.lines().find_map(|line| line.strip_prefix(name));
    let size = field("size ").and_then(|n| n.parse::<u64>().ok());
    let Some(wanted) = field("oid sha256:") else {
        return Ok(false);
    };
    if size != Some(fs::metadata(file)?.len()) {
        return Ok(false);
    }
    let mut hash = Sha256::new();
    let mut file = File::open(file)?;
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => break,
            n => hash.update(&block[..n]),
        }
    }
    Ok(hex(&hash.finalize()) == wanted)
}

/// Whether both or neither can be executed.
pub(super) fn same_executable(a: &Path, b: &Path) -> bool {
    let bit = |path: &Path| {
        let meta = fs::symlink_metadata(path).ok()?;
        Some(meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    bit(a) == bit(b)
}

/// All paths at and below a path, but what `hides` says is not there. A link at the
/// path itself is followed, as a copy follows it.
pub(super) fn tree(root: &Path, path: &str, hides: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut pending = vec![path.to_owned()];
    if root.join(path).is_symlink() {
        pending.extend(scan::link_target(root, path));
    }
    while let Some(path) = pending.pop() {
        let at = root.join(&path);
        let Ok(meta) = fs::symlink_metadata(&at) else {
            continue;
        };
        if meta.is_dir() {
            let entries = fs::read_dir(&at).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let below = names.map(|name| join(&path, &name));
            pending.extend(below.filter(|path| path != ".git"));
        }
        // A rule may hide a directory and take back what is below.
        if path != "." && !hides(&path) {
            out.insert(path);
        }
    }
    out
}
