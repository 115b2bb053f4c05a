//! A Git repository and its revisions.
//!
//! `git` runs as a child process: without hooks, and without the filters of Git LFS, whose
//! pointers are compared instead (see `content`).

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
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

    pub(super) fn run(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        run(&self.top, args, None, None)
    }

    pub(super) fn run_with(
        &self,
        args: &[&str],
        index: &Path,
        stdin: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, GitError> {
        run(&self.top, args, Some(index), stdin)
    }
}

/// The answer without the newline at its end.
fn line(mut out: Vec<u8>) -> OsString {
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    OsString::from_vec(out)
}

pub(super) fn run(
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

/// Whether a revision is the one that forges send for a branch that did not exist.
pub(super) fn is_zero(revision: &str) -> bool {
    revision.len() >= 40 && revision.as_bytes().iter().all(|b| *b == b'0')
}
