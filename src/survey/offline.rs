//! The `go` command that is asked what a build reads: it fetches nothing, and writes to copies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::fetch::{Go, GoCommand, GoError};
use crate::modules::Temporary;

/// An answer of the command, or what kept it from answering.
type Answer = Result<Vec<u8>, GoError>;

/// The command for one module root. It answers each question once.
pub(super) struct Offline {
    root: PathBuf,
    manifests: Vec<String>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Go may add sums to what it reads: the user's own files stay as they are.
    copy: Option<Temporary>,
    answers: BTreeMap<Vec<String>, Answer>,
}

impl Offline {
    /// The command for manifests below a directory.
    pub(super) fn new(root: &Path, manifests: &[String]) -> Self {
        Self {
            root: root.to_owned(),
            manifests: manifests.to_vec(),
            known: Mutex::default(),
        }
    }

    fn ask(&self, copy: &mut Option<Temporary>, dir: &Path, args: &[&str]) -> Answer {
        let below = dir.strip_prefix(&self.root).map_err(|_| GoError::NotRun)?;
        if copy.is_none() {
            let made = Temporary::copy("gofleet-survey", &self.root, &self.manifests);
            *copy = Some(made.map_err(|_| GoError::NotRun)?);
        }
        let copy = copy.as_ref().ok_or(GoError::NotRun)?;
        GoCommand::default().run(&copy.path().join(below), args)
    }
}

impl Go for Offline {
    fn run(&self, dir: &Path, args: &[&str]) -> Answer {
        if args.starts_with(&["mod", "download"]) || args.contains(&"-mod=readonly") {
            return Err(GoError::NotRun);
        }
        let key: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { copy, answers } = &mut *known;
        if let Some(answer) = answers.get(&key) {
            return answer.clone();
        }
        let answer = self.ask(copy, dir, args);
        answers.insert(key, answer.clone());
        answer
    }

    /// Nothing is built with the answer.
    fn tries(&self) -> bool {
        false
    }
}
