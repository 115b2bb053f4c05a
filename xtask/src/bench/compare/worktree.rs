//! The files that one contestant builds: a copy of the repository of its own, with a
//! word of its own in it.
//!
//! Without that word contestants would find each other's steps in the daemon's cache:
//! equal files are equal keys, whoever builds them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::subject::Subject;
use crate::run::output;

/// What an edit of Go code leaves at the end of the file. A comment would not do: the
/// binary would be the same.
const MARK: &str = "\n// The edit of a comparison.\n";

/// One copy.
#[derive(Debug)]
pub(super) struct Worktree {
    root: PathBuf,
    word: String,
    edits: usize,
}

impl Worktree {
    /// Copies the repository to `root`, as one commit.
    ///
    /// # Errors
    ///
    /// A file cannot be copied, or git fails.
    pub(super) fn new(subject: &Subject, root: PathBuf, word: String) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        copy(&subject.root, &root)?;
        let tree = Self {
            root,
            word,
            edits: 0,
        };
        tree.git(&["init", "--quiet"])?;
        tree.git(&["add", "--all"])?;
        tree.commit()?;
        Ok(tree)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Changes the code of a Go file to something that it never was.
    ///
    /// # Errors
    ///
    /// It cannot be read or written.
    pub(super) fn edit_code(&mut self, path: &str) -> Result<()> {
        self.edits += 1;
        let file = self.root.join(path);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
        let edited = edited(&text, &format!("{} {}", self.word, self.edits));
        Ok(fs::write(&file, edited)?)
    }

    /// Changes a file that is no code.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(super) fn edit_text(&mut self, path: &str) -> Result<()> {
        self.edits += 1;
        Ok(fs::write(
            self.root.join(path),
            format!("# {} {}\n", self.word, self.edits),
        )?)
    }

    /// Changes the code of all services, and of what they share.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn edit_everything(&mut self, subject: &Subject) -> Result<()> {
        self.edit_code(&subject.shared.0)?;
        let mut services = subject.services.iter();
        services.try_for_each(|service| self.edit_code(&service.file))
    }

    /// Goes to the other version of the module that is bumped.
    ///
    /// # Errors
    ///
    /// `go.mod` cannot be read or written.
    pub(super) fn bump(&self, module: &str, versions: [&str; 2]) -> Result<()> {
        let path = self.root.join("go.mod");
        let text = fs::read_to_string(&path)?;
        Ok(fs::write(path, bumped(&text, module, versions))?)
    }

    /// A commit of what there is, also if that is nothing new.
    ///
    /// # Errors
    ///
    /// git fails.
    pub(super) fn commit(&self) -> Result<()> {
        self.git(&[
            "commit",
            "--quiet",
            "--all",
            "--allow-empty",
            "--message=a commit",
        ])
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        let mut git = Command::new("git");
        git.current_dir(&self.root)
            .args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"])
            .args(args);
        output(&mut git).map(drop)
    }
}

/// A Go file with an edit, and without the one before.
fn edited(text: &str, word: &str) -> String {
    let text = text.split(MARK).next().unwrap_or_default();
    format!(
        "{text}{MARK}\nvar comparedWord = \"{word}\"\n\nfunc init() {{\n\tif comparedWord == \"\" {{\n\t\t\
         println(comparedWord)\n\t}}\n}}\n"
    )
}

/// A `go.mod` with the other one of two versions.
fn bumped(text: &str, module: &str, [one, other]: [&str; 2]) -> String {
    let (one, other) = (format!("{module} {one}"), format!("{module} {other}"));
    if text.contains(&one) {
        text.replace(&one, &other)
    } else {
        text.replace(&other, &one)
    }
}

/// Copies a directory without `.git`.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_replaces_the_one_before() {
        let once = edited("package a\n", "x 1");
        let twice = edited(&once, "x 2");
        assert_eq!(once.replace("x 1", "x 2"), twice);
        assert!(twice.starts_with("package a\n\n// The edit"));
    }

    #[test]
    fn a_bump_goes_there_and_back() {
        let text = "require (\n\texample.org/a v1.0.0\n\texample.org/ab v1.0.0\n)\n";
        let there = bumped(text, "example.org/a", ["v1.0.0", "v1.1.0"]);
        assert_eq!(there.matches("v1.1.0").count(), 1);
        assert_eq!(bumped(&there, "example.org/a", ["v1.0.0", "v1.1.0"]), text);
    }
}
