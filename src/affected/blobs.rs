//! Blobs that a clone lacks because it was told to leave them out (`--filter=blob:none`).

use std::collections::BTreeSet;

use super::git::{Git, GitError, run};

impl Git {
    /// Those blobs of a commit that are on a remote alone, with the name of that remote. Only a
    /// clone that lacks any is looked through.
    pub(super) fn absent(&self, commit: &str) -> Result<Absent, GitError> {
        let remote = self.run(&["config", "--get-regexp", r"^remote\..*\.promisor$"]);
        let remote = String::from_utf8_lossy(&remote.unwrap_or_default()).into_owned();
        let name = remote.lines().next().and_then(|line| {
            let key = line.split(' ').next()?;
            key.strip_prefix("remote.")?.strip_suffix(".promisor")
        });
        let Some(name) = name else {
            return Ok(Absent::default());
        };
        let list = [
            "rev-list",
            "--objects",
            "--no-walk",
            "--missing=print",
            commit,
        ];
        let objects = self.run(&list)?;
        let objects = String::from_utf8_lossy(&objects).into_owned();
        let missing = objects.lines().filter_map(|line| line.strip_prefix('?'));
        Ok(Absent {
            remote: name.to_owned(),
            blobs: missing.map(str::to_owned).collect(),
        })
    }

    /// Fetches what is absent of these blobs, all at once: Git by itself would fetch one after the
    /// other.
    pub(super) fn fetch<'a>(
        &self,
        absent: &mut Absent,
        blobs: impl Iterator<Item = &'a str>,
    ) -> Result<(), GitError> {
        let missing: String = blobs
            .filter(|blob| absent.blobs.remove(*blob))
            .map(|blob| format!("{blob}\n"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let args = [
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            &absent.remote,
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
        ];
        run(&self.top, &args, None, Some(missing.into_bytes())).map(drop)
    }
}

/// Blobs that only a remote has.
#[derive(Debug, Clone, Default)]
pub(super) struct Absent {
    /// The name of the remote.
    remote: String,
    blobs: BTreeSet<String>,
}

impl Absent {
    /// Whether a blob is not in the clone.
    pub(super) fn has(&self, blob: &str) -> bool {
        self.blobs.contains(blob)
    }
}
