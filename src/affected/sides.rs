//! Which two states are compared.
//!
//! The base is a directory or a revision; the head is the context as it is, or a
//! revision. Of revisions the part below the context is taken out of Git.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::checkout::Tree;
use super::git::{Git, GitError, is_zero};
use super::{Reason, Report, all, report};
use crate::fleet::Fleet;
use crate::local::{Local, Problem};

/// What to compare.
#[derive(Debug, Clone)]
pub struct Sides {
    /// A directory or a revision.
    pub base: String,
    /// A revision; the context as it is without one.
    pub head: Option<String>,
    /// The spec of a base that is a directory, where it is not found by itself.
    pub base_file: Option<PathBuf>,
}

/// One of the two states.
struct Taken {
    local: Local,
    /// Where it was taken out of Git.
    tree: Option<Tree>,
}

impl Taken {
    /// What it says, beside the other state. Who reads it may name files whose content decides what
    /// else is read.
    fn read(&mut self, other: Option<&Path>) -> Result<Result<Fleet, Problem>, GitError> {
        loop {
            let fleet = match Fleet::beside(&self.local, other) {
                Ok(fleet) => fleet,
                Err(problem) => return Ok(Err(problem)),
            };
            let closures = fleet.services.values().filter_map(|m| m.closure.as_ref());
            let named = closures.flat_map(|c| c.files.keys().chain(c.linked.keys()));
            if !self.fill(named)? {
                return Ok(Ok(fleet));
            }
        }
    }

    /// Has what files hold; whether that is news.
    fn fill<'a>(&mut self, paths: impl Iterator<Item = &'a String>) -> Result<bool, GitError> {
        let Some(tree) = &mut self.tree else {
            return Ok(false);
        };
        let paths = paths.map(|path| self.local.context.join(path));
        tree.fill(&paths.collect())
    }
}

/// The files that a report is about.
fn files_of(report: &Report) -> impl Iterator<Item = &String> {
    let reasons = report.services.iter().flat_map(|s| &s.reasons);
    reasons.filter_map(|reason| match reason {
        Reason::File { path, .. } => Some(path),
        _ => None,
    })
}

/// Why there is no report; the text is for people.
#[derive(Debug)]
pub enum Error {
    /// Git has no answer.
    Git(GitError),
    /// The head cannot be read.
    Head(Problem),
    /// The options contradict each other, or the base is not clear.
    Unclear(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(error) => write!(f, "gofleet: {error}"),
            Self::Head(problem) => problem.fmt(f),
            Self::Unclear(text) => write!(f, "gofleet: {text}"),
        }
    }
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// Where the base is.
enum Base {
    /// There was none.
    Nothing,
    Dir(PathBuf),
    Revision(String),
}

/// Compares; `warn` is told what a person should know besides.
///
/// # Errors
///
/// The head cannot be read, or the base cannot be found. A base that is found and
/// cannot be read affects all services.
pub fn compare(local: &Local, sides: &Sides, warn: &mut dyn FnMut(&str)) -> Result<Report, Error> {
    let base = base_of(local, &sides.base)?;
    let mut head = match &sides.head {
        None => Taken {
            local: local.clone(),
            tree: None,
        },
        Some(revision) => {
            let git = Git::find(&local.context)?;
            let commit = git.commit(revision)?;
            at_commit(local, &git, &commit)?
        }
    };
    let base = match base {
        Base::Nothing => None,
        Base::Dir(dir) => Some(Taken {
            local: in_directory(local, &dir, sides.base_file.as_deref()),
            tree: None,
        }),
        Base::Revision(revision) => {
            let git = Git::find(&local.context)?;
            let commit = commit_of_base(&git, &revision, sides.head.as_deref(), warn)?;
            Some(at_commit(local, &git, &commit)?)
        }
    };
    let beside = base.as_ref().map(|base| base.local.context.clone());
    let fleet = head.read(beside.as_deref())?.map_err(Error::Head)?;
    for warning in fleet.warnings() {
        warn(&warning);
    }
    let Some(mut base) = base else {
        return Ok(report(None, &fleet));
    };
    if fs::symlink_metadata(&base.local.file).is_err() {
        let name = base.local.file.display().to_string();
        let name = name.rsplit('/').next().unwrap_or_default();
        warn(&format!("the base has no `{name}`: all services are new"));
        return Ok(report(None, &fleet));
    }
    match base.read(Some(&head.local.context))? {
        Ok(before) => differences((base, before), (head, fleet)),
        Err(problem) => {
            warn(&format!("the base cannot be read:\n{problem}"));
            Ok(all(&fleet, "the spec of the base cannot be read"))
        }
    }
}

/// The report, once all that it is about is there.
fn differences(base: (Taken, Fleet), head: (Taken, Fleet)) -> Result<Report, Error> {
    let ((mut base, before), (mut head, now)) = (base, head);
    loop {
        let report = report(Some(&before), &now);
        let is_news = [&mut base, &mut head].map(|side| side.fill(files_of(&report)));
        let [base, head] = is_news;
        if !base? && !head? {
            return Ok(report);
        }
    }
}

/// The commit that a revision and the head come from.
fn commit_of_base(
    git: &Git,
    revision: &str,
    head: Option<&str>,
    warn: &mut dyn FnMut(&str),
) -> Result<String, GitError> {
    let other = head.unwrap_or("HEAD");
    match git.merge_base(revision, other) {
        // What both have is not in this clone. Compared with each other, they differ in
        // what happened on either side.
        Err(GitError::NoMergeBase { shallow: true, .. }) => {
            warn(&format!(
                "this is a shallow clone without the commit that `{revision}` and `{other}` \
                 come from: `{revision}` itself is compared, and what happened there since \
                 then counts, too"
            ));
            git.commit(revision)
        }
        found => found,
    }
}

fn base_of(local: &Local, base: &str) -> Result<Base, Error> {
    if is_zero(base) {
        return Ok(Base::Nothing);
    }
    let path = Path::new(base);
    if !path.is_dir() {
        return Ok(Base::Revision(base.to_owned()));
    }
    let plain = matches!(path.components().next(), Some(Component::Normal(_)));
    let git = plain.then(|| Git::find(&local.context).ok()).flatten();
    if git.is_some_and(|git| git.knows(base)) {
        return Err(Error::Unclear(format!(
            "`{base}` is a directory and a revision: write `./{base}` for the directory, \
             or the whole name of the revision, such as `refs/heads/{base}`"
        )));
    }
    Ok(Base::Dir(path.to_owned()))
}

/// The same spec and context in another directory.
fn in_directory(local: &Local, dir: &Path, file: Option<&Path>) -> Local {
    let file = match file {
        Some(file) => file.to_owned(),
        None => dir.join(place_of_spec(local)),
    };
    local.elsewhere(file, dir.to_owned())
}

/// Where the spec is in its context. If it was given from elsewhere, it is the file
/// of that name at the context's root, or the only one that says the same.
fn place_of_spec(local: &Local) -> PathBuf {
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (file, context) = (resolved(&local.file), resolved(&local.context));
    if let Ok(inside) = file.strip_prefix(&context) {
        return inside.to_owned();
    }
    let name = PathBuf::from(local.file.file_name().unwrap_or_default());
    if context.join(&name).exists() {
        return name;
    }
    let mut found = Vec::new();
    let mut pending = vec![context.clone()];
    let text = fs::read(&file).ok();
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(path),
                Ok(kind)
                    if kind.is_file()
                        && path.file_name() == Some(name.as_os_str())
                        && fs::read(&path).ok() == text =>
                {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    match found.as_slice() {
        [only] => only.strip_prefix(&context).map_or(name, Path::to_owned),
        _ => name,
    }
}

/// The same spec and context at a commit.
fn at_commit(local: &Local, git: &Git, commit: &str) -> Result<Taken, GitError> {
    let top = git.top.canonicalize()?;
    let spec = local.file.canonicalize().ok();
    let spec = match &spec {
        Some(path) => path.strip_prefix(&top).ok().map(Path::to_owned),
        // It may be in the commit and no longer here.
        None => {
            let context = local.context.canonicalize()?;
            let inside = local
                .file
                .strip_prefix(&local.context)
                .unwrap_or(&local.file);
            context
                .join(inside)
                .strip_prefix(&top)
                .ok()
                .map(Path::to_owned)
        }
    };
    let mut also = Vec::new();
    if let Some(spec) = &spec {
        let mut ignore = spec.clone().into_os_string();
        ignore.push(".dockerignore");
        also.extend([spec.clone(), PathBuf::from(ignore)]);
    }
    let tree = git.check_out(commit, &also)?;
    let context = tree.root().join(&git.prefix);
    // A spec outside of the repository has no history.
    let file = spec.map_or_else(|| local.file.clone(), |spec| tree.root().join(spec));
    Ok(Taken {
        local: local.elsewhere(file, context),
        tree: Some(tree),
    })
}
