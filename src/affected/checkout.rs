//! Revisions as directories.
//!
//! Git writes to a directory of ours alone, with an index of its own. Files that are in the work
//! tree as they were in the revision are copied from there; the others are taken out of Git.
//!
//! A clone may have no blobs. Those that a scan reads are fetched; any other one has a file in
//! its place that names it, until somebody asks for what it holds ([`Tree::fill`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::blobs::Absent;
use super::git::{Git, GitError, run};
use crate::scan::select::{Kind, VENDOR_LIST, kind};

/// A directory of ours with what a revision has; it is gone with the value.
#[derive(Debug)]
pub struct Tree {
    dir: PathBuf,
    git: Git,
    absent: Absent,
    /// Files that hold the name of their blob, by path below [`Tree::root`].
    unfilled: Entries,
}

/// A file in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: String,
    blob: String,
}

impl Entry {
    fn is_link(&self) -> bool {
        self.mode == "120000"
    }

    fn is_file(&self) -> bool {
        matches!(self.mode.as_str(), "100644" | "100755")
    }
}

/// Files of an index by path.
type Entries = BTreeMap<Vec<u8>, Entry>;

impl Git {
    /// Writes what a commit has below the prefix, and the files in `also` (relative
    /// to the root of the work tree), into a new directory.
    ///
    /// # Errors
    ///
    /// Git or the file system say no.
    pub fn check_out(&self, commit: &str, also: &[PathBuf]) -> Result<Tree, GitError> {
        let mut tree = Tree::new(self)?;
        fs::create_dir_all(tree.root().join(&self.prefix))?;
        self.run_with(&["read-tree", commit], &tree.index(), None)?;
        // `:(top,literal)` keeps names from being patterns.
        let mut specs: Vec<OsString> = vec![pathspec(&self.prefix)];
        specs.extend(also.iter().map(|path| pathspec(path.as_os_str())));
        let specs: Vec<String> = specs
            .into_iter()
            .map(|spec| spec.into_string())
            .collect::<Result<_, _>>()
            .map_err(|_| GitError::Failed("a path of the context is not UTF-8".to_owned()))?;
        let wanted = self.entries(Some(&tree.index()), &specs)?;
        // Most files are in the work tree as they were, and reading them from there takes nothing
        // out of Git, which may not even have them.
        let here = self.unchanged(&specs)?;
        let mut others = Entries::new();
        for (path, entry) in wanted {
            if here.get(&path) != Some(&entry) || self.copy(&path, &entry, &tree).is_err() {
                others.insert(path, entry);
            }
        }
        if !others.is_empty() {
            tree.absent = self.absent(commit)?;
        }
        let is_also = |path: &[u8]| also.iter().any(|a| a.as_os_str().as_bytes() == path);
        let (unfilled, now) = others.into_iter().partition(|(path, entry)| {
            let is_read = is_read(path) || is_also(path);
            entry.is_file() && tree.absent.has(&entry.blob) && !is_read
        });
        tree.unfilled = unfilled;
        tree.take(&now)?;
        tree.fill_targets()?;
        tree.name_blobs()?;
        Ok(tree)
    }

    /// What an index has, by path; the user's own without one.
    fn entries(&self, index: Option<&Path>, specs: &[String]) -> Result<Entries, GitError> {
        let mut args = vec![
            "ls-files",
            "-z",
            "--cached",
            "--stage",
            "-v",
            "--full-name",
            "--",
        ];
        args.extend(specs.iter().map(String::as_str));
        let out = run(&self.top, &args, index, None)?;
        let read = |line: &[u8]| {
            let tab = line.iter().position(|b| *b == b'\t')?;
            let head = String::from_utf8_lossy(&line[..tab]).into_owned();
            let mut words = head.split(' ');
            let (tag, mode, blob) = (words.next()?, words.next()?, words.next()?);
            let entry = Entry {
                mode: mode.to_owned(),
                blob: blob.to_owned(),
            };
            // Git does not look whether the others are what it has: it was told that they are, or
            // that they are not there.
            let path = (tag == "H" || index.is_some()).then(|| line[tab + 1..].to_vec())?;
            Some((path, entry))
        };
        Ok(out.split(|b| *b == 0).filter_map(read).collect())
    }

    /// The files of the work tree that are what the index says, by path.
    fn unchanged(&self, specs: &[String]) -> Result<Entries, GitError> {
        let mut entries = self.entries(None, specs)?;
        let mut args = vec!["diff-files", "-z", "--name-only", "--no-ext-diff", "--"];
        args.extend(specs.iter().map(String::as_str));
        let changed = self.run(&args)?;
        for path in changed.split(|b| *b == 0) {
            entries.remove(path);
        }
        Ok(entries)
    }

    /// Copies a file or a link of the work tree.
    fn copy(&self, path: &[u8], entry: &Entry, tree: &Tree) -> io::Result<()> {
        let path = OsStr::from_bytes(path);
        let (from, to) = (self.top.join(path), tree.root().join(path));
        if let Some(above) = to.parent() {
            fs::create_dir_all(above)?;
        }
        if entry.is_link() {
            std::os::unix::fs::symlink(fs::read_link(from)?, to)
        } else if entry.is_file() && from.symlink_metadata()?.is_file() {
            fs::copy(from, to).map(drop)
        } else {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

impl Tree {
    fn new(git: &Git) -> io::Result<Self> {
        let above = std::env::temp_dir();
        for number in 0..1000 {
            let dir = above.join(format!("gofleet-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => {
                    fs::create_dir(dir.join("tree"))?;
                    return Ok(Self {
                        dir,
                        git: git.clone(),
                        absent: Absent::default(),
                        unfilled: Entries::new(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the temporary directory is full of ours"))
    }

    /// Where the files are.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.dir.join("tree")
    }

    fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// Puts in place what files hold, if it is not there yet; whether it was not for any of them.
    ///
    /// # Errors
    ///
    /// It cannot be fetched, or Git says no.
    pub(super) fn fill(&mut self, paths: &BTreeSet<PathBuf>) -> Result<bool, GitError> {
        let root = self.root();
        self.fill_if(|path| paths.contains(&root.join(OsStr::from_bytes(path))))
    }

    /// The same for files that a link leads to: who reads the link may read them.
    fn fill_targets(&mut self) -> Result<bool, GitError> {
        if self.unfilled.is_empty() {
            return Ok(false);
        }
        let mut names = BTreeSet::new();
        let mut pending = vec![self.root()];
        while let Some(dir) = pending.pop() {
            for entry in fs::read_dir(dir)?.flatten() {
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    pending.push(entry.path());
                } else if kind.is_symlink() {
                    let target = fs::read_link(entry.path())?;
                    names.extend(target.file_name().map(|name| name.as_bytes().to_vec()));
                }
            }
        }
        self.fill_if(|path| names.contains(name(path)))
    }

    fn fill_if(&mut self, is_wanted: impl Fn(&[u8]) -> bool) -> Result<bool, GitError> {
        let unfilled = std::mem::take(&mut self.unfilled).into_iter();
        let (now, later): (Entries, _) = unfilled.partition(|(path, _)| is_wanted(path));
        self.unfilled = later;
        self.take(&now)?;
        Ok(!now.is_empty())
    }

    /// Takes files out of Git.
    fn take(&mut self, files: &Entries) -> Result<(), GitError> {
        // The commit of a submodule is in another repository.
        let blobs = files.values().filter(|entry| entry.mode != "160000");
        let blobs = blobs.map(|entry| entry.blob.as_str());
        self.git.fetch(&mut self.absent, blobs)?;
        let mut prefix = OsString::from("--prefix=");
        prefix.push(self.root());
        prefix.push("/");
        let prefix = prefix
            .into_string()
            .map_err(|_| GitError::Failed("the temporary directory is not UTF-8".to_owned()))?;
        let args = ["checkout-index", "--force", "-z", "--stdin", &prefix];
        let names = files.keys().flat_map(|path| [path.as_slice(), &[0]]);
        let names = names.flatten().copied().collect();
        let index = self.index();
        self.git.run_with(&args, &index, Some(names)).map(drop)
    }

    /// Writes the name of the blob where a file is not filled: as long as nobody asks, files are
    /// the same if their blobs are.
    fn name_blobs(&self) -> io::Result<()> {
        for (path, entry) in &self.unfilled {
            let at = self.root().join(OsStr::from_bytes(path));
            if let Some(above) = at.parent() {
                fs::create_dir_all(above)?;
            }
            let executable = entry.mode == "100755";
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(if executable { 0o755 } else { 0o644 })
                .open(at)?;
            writeln!(file, "a file that was not fetched: blob {}", entry.blob)?;
        }
        Ok(())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Whether a scan, or who decides what is scanned, reads the content of a file.
fn is_read(path: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name(path));
    matches!(kind(&name), Some(Kind::Go | Kind::Native | Kind::Manifest))
        || name == VENDOR_LIST
        || name.ends_with(".dockerignore")
}

fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

fn pathspec(path: &OsStr) -> OsString {
    let mut spec = OsString::from(":(top,literal)");
    spec.push(path);
    spec
}
