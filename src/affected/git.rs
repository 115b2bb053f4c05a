//! Revisions of a Git repository as directories.
//!
//! `git` runs as a child process and writes to a directory of ours alone: with an
//! index of its own, without hooks, and without the filters of
//! Git LFS, whose pointers are compared instead (see `content`). Files that are in the work
//! tree as they were in the revision are copied from there; the others are taken out of Git, and
//! fetched where the clone has no blobs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// A repository, seen from a directory in its work tree.
#[derive(Debug, Clone)]
pub struct Git {
    /// The root of the work tree.
    pub top: PathBuf,
    /// The directory below it, with `/` at its end; empty at the root.
    pub prefix: OsString,
}

/// Why Git gives no answer; the text is for people, complete.
#[derive(Debug)]
pub enum GitError {
    /// There is no `git`.
    Missing,
    /// It said this.
    Failed(String),
    /// A revision is not there.
    NoRevision {
        /// As it was given.
        revision: String,
        /// Whether the clone holds only a part of the history.
        shallow: bool,
    },
    /// Two revisions have no common commit.
    NoMergeBase {
        /// As they were given.
        revisions: [String; 2],
        /// Whether the clone holds only a part of the history.
        shallow: bool,
    },
    /// Something else on this machine.
    Io(io::Error),
}

/// What to do about a shallow clone.
const DEEPEN: &str = "this is a shallow clone, so fetch the history: \
    `fetch-depth: 0` for actions/checkout, or `git fetch --unshallow`";

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "`git` is not installed; `--base DIR` compares with a directory and works without",
            ),
            Self::Failed(text) => f.write_str(text),
            Self::NoRevision { revision, shallow } => {
                write!(f, "no revision `{revision}` in this repository")?;
                match shallow {
                    true => write!(f, "; {DEEPEN}"),
                    false => write!(f, "; if it is on a remote, fetch it first: `git fetch`"),
                }
            }
            Self::NoMergeBase { revisions, shallow } => {
                let [a, b] = revisions;
                write!(f, "`{a}` and `{b}` have no common commit")?;
                match shallow {
                    true => write!(f, "; {DEEPEN}"),
                    false => write!(f, "; `--base DIR` compares with any directory"),
                }
            }
            Self::Io(error) => write!(f, "cannot take a revision out of Git: {error}"),
        }
    }
}

impl From<io::Error> for GitError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Git {
    /// The repository that a directory is in.
    ///
    /// # Errors
    ///
    /// There is no `git`, or the directory is in no work tree.
    pub fn find(dir: &Path) -> Result<Self, GitError> {
        let top = line(run(dir, &["rev-parse", "--show-toplevel"], None, None)?);
        let prefix = line(run(dir, &["rev-parse", "--show-prefix"], None, None)?);
        Ok(Self {
            top: PathBuf::from(top),
            prefix,
        })
    }

    /// Whether a text names a commit.
    pub fn knows(&self, revision: &str) -> bool {
        self.commit(revision).is_ok()
    }

    /// The commit of a revision.
    ///
    /// # Errors
    ///
    /// There is no such commit.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let wanted = format!("{revision}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        match self.run(&args) {
            Ok(out) => Ok(line(out).to_string_lossy().into_owned()),
            Err(GitError::Failed(_)) => Err(GitError::NoRevision {
                revision: revision.to_owned(),
                shallow: self.is_shallow(),
            }),
            Err(error) => Err(error),
        }
    }

    /// The commit that two revisions come from.
    ///
    /// # Errors
    ///
    /// One of them is not there, or there is no such commit.
    pub fn merge_base(&self, a: &str, b: &str) -> Result<String, GitError> {
        let commits = [self.commit(a)?, self.commit(b)?];
        match self.run(&["merge-base", &commits[0], &commits[1]]) {
            Ok(out) => Ok(line(out).to_string_lossy().into_owned()),
            Err(GitError::Failed(_)) => Err(GitError::NoMergeBase {
                revisions: [a.to_owned(), b.to_owned()],
                shallow: self.is_shallow(),
            }),
            Err(error) => Err(error),
        }
    }

    fn is_shallow(&self) -> bool {
        let answer = self.run(&["rev-parse", "--is-shallow-repository"]);
        answer.is_ok_and(|out| out.trim_ascii() == b"true")
    }

    /// Writes what a commit has below the prefix, and the files in `also` (relative
    /// to the root of the work tree), into a new directory.
    ///
    /// # Errors
    ///
    /// Git or the file system say no.
    pub fn check_out(&self, commit: &str, also: &[PathBuf]) -> Result<Tree, GitError> {
        let tree = Tree::new()?;
        fs::create_dir_all(tree.root().join(&self.prefix))?;
        let index = tree.dir.join("index");
        self.run_with(&["read-tree", commit], &index, None)?;
        // `:(top,literal)` keeps names from being patterns.
        let mut specs: Vec<OsString> = vec![pathspec(&self.prefix)];
        specs.extend(also.iter().map(|path| pathspec(path.as_os_str())));
        let specs: Vec<String> = specs
            .into_iter()
            .map(|spec| spec.into_string())
            .collect::<Result<_, _>>()
            .map_err(|_| GitError::Failed("a path of the context is not UTF-8".to_owned()))?;
        let wanted = self.entries(Some(&index), &specs)?;
        // Most files are in the work tree as they were, and reading them from there takes nothing
        // out of Git, which may not even have them.
        let here = self.unchanged(&specs)?;
        let mut names = Vec::new();
        let mut blobs = Vec::new();
        for (path, entry) in &wanted {
            if here.get(path) == Some(entry) && self.copy(path, entry, &tree).is_ok() {
                continue;
            }
            names.extend_from_slice(path);
            names.push(0);
            // The commit of a submodule is in another repository.
            if entry.mode != "160000" {
                blobs.push(entry.blob.as_str());
            }
        }
        self.fetch(commit, &blobs)?;
        let mut prefix = OsString::from("--prefix=");
        prefix.push(tree.root());
        prefix.push("/");
        let prefix = prefix
            .into_string()
            .map_err(|_| GitError::Failed("the temporary directory is not UTF-8".to_owned()))?;
        let args = ["checkout-index", "--force", "-z", "--stdin", &prefix];
        self.run_with(&args, &index, Some(names))?;
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
        match entry.mode.as_str() {
            "120000" => std::os::unix::fs::symlink(fs::read_link(from)?, to),
            "100644" | "100755" if from.symlink_metadata()?.is_file() => {
                fs::copy(from, to).map(drop)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Fetches those blobs of a commit that a clone without blobs lacks, all at once: Git by itself would fetch one
    /// after the other.
    fn fetch(&self, commit: &str, blobs: &[&str]) -> Result<(), GitError> {
        let remote = self.run(&["config", "--get-regexp", r"^remote\..*\.promisor$"]);
        let Ok(remote) = remote else { return Ok(()) };
        let remote = String::from_utf8_lossy(&remote).into_owned();
        let name = remote.lines().next().and_then(|line| {
            let key = line.split(' ').next()?;
            key.strip_prefix("remote.")?.strip_suffix(".promisor")
        });
        let Some(name) = name else { return Ok(()) };
        let list = [
            "rev-list",
            "--objects",
            "--no-walk",
            "--missing=print",
            commit,
        ];
        let objects = self.run(&list)?;
        let objects = String::from_utf8_lossy(&objects).into_owned();
        let absent: BTreeSet<&str> = (objects.lines())
            .filter_map(|line| line.strip_prefix('?'))
            .collect();
        let missing: String = (blobs.iter())
            .filter(|blob| absent.contains(*blob))
            .map(|blob| format!("{blob}\n"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let args = [
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            name,
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
        ];
        run(&self.top, &args, None, Some(missing.into_bytes())).map(drop)
    }

    fn run(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        run(&self.top, args, None, None)
    }

    fn run_with(
        &self,
        args: &[&str],
        index: &Path,
        stdin: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, GitError> {
        run(&self.top, args, Some(index), stdin)
    }
}

/// A file in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: String,
    blob: String,
}

/// Files of an index by path.
type Entries = BTreeMap<Vec<u8>, Entry>;

fn pathspec(path: &OsStr) -> OsString {
    let mut spec = OsString::from(":(top,literal)");
    spec.push(path);
    spec
}

/// The answer without the newline at its end.
fn line(mut out: Vec<u8>) -> OsString {
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    OsString::from_vec(out)
}

fn run(
    dir: &Path,
    args: &[&str],
    index: Option<&Path>,
    stdin: Option<Vec<u8>>,
) -> Result<Vec<u8>, GitError> {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
        ])
        .args(["-c", "filter.lfs.smudge=", "-c", "filter.lfs.process="])
        .args(["-c", "filter.lfs.clean=", "-c", "filter.lfs.required=false"])
        .args(args)
        .current_dir(dir)
        // A hook that runs us says which index its own `git` means.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_PREFIX")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    // Of a clone without trees, too, a revision can be had; blobs are fetched at once.
    if args.first() != Some(&"read-tree") {
        command.env("GIT_NO_LAZY_FETCH", "1");
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.is_dir() => {
            return Err(GitError::Missing);
        }
        Err(error) => return Err(error.into()),
    };
    let writer = child.stdin.take().zip(stdin).map(|(mut pipe, bytes)| {
        // A command that does not read its input says why on its way out.
        thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let out = child.wait_with_output()?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    if out.status.success() {
        return Ok(out.stdout);
    }
    let said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    let verbs = args
        .iter()
        .skip_while(|arg| **arg == "-c" || arg.contains('='));
    let verb = verbs.copied().next().unwrap_or_default();
    Err(GitError::Failed(match said.as_str() {
        "" => format!("`git {verb}` failed: {}", out.status),
        said => format!("`git {verb}` failed: {said}"),
    }))
}

/// A directory of ours; it is gone with the value.
#[derive(Debug)]
pub struct Tree {
    dir: PathBuf,
}

impl Tree {
    fn new() -> io::Result<Self> {
        let above = std::env::temp_dir();
        for number in 0..1000 {
            let dir = above.join(format!("gofleet-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => {
                    fs::create_dir(dir.join("tree"))?;
                    return Ok(Self { dir });
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
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Whether a revision is the one that forges send for a branch that did not exist.
pub(super) fn is_zero(revision: &str) -> bool {
    revision.len() >= 40 && revision.as_bytes().iter().all(|b| *b == b'0')
}
