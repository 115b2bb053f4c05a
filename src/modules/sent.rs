//! What a server sends instead of a `go.mod`.
//!
//! Go compares the checksum of a `go.mod` before it reads it, and keeps nothing of one that
//! differs. So a login page in front of a module proxy is a wrong checksum to it. Before
//! anybody is suspected of having changed a module, its `go.mod` is fetched once more, to
//! a directory that is thrown away, and looked at.

use std::fs;
use std::path::Path;

use super::cache::ModuleCache;
use super::modfile::{ModFile, Module};
use super::temporary::Temporary;
use crate::fetch::Go;

/// What Go says of a `go.mod` that is not what `go.sum` says.
const MISMATCH: &str = "/go.mod: checksum mismatch";

/// Most characters that are repeated of what a server sends.
const MAX_SHOWN: usize = 80;

/// The beginning of what is sent as the `go.mod` of a module, if what Go says is about that,
/// and if it is none.
pub(super) fn instead_of_manifest(module: &Module, text: &str, go: &dyn Go) -> Option<String> {
    if !text.contains(MISMATCH) {
        return None;
    }
    let dir = Temporary::new("gofleet-sent").ok()?;
    let cache = ModuleCache::new(dir.path().join("cache"));
    // It may fail: what was sent is there all the same.
    let _ = ask(module, cache.path(), dir.path(), go);
    let sent = fs::read(cache.download(module, "mod")).ok()?;
    let sent = String::from_utf8_lossy(&sent);
    if ModFile::parse(&sent).module().is_some() {
        return None;
    }
    let first = sent.lines().map(str::trim).find(|line| !line.is_empty());
    Some(match first {
        None => "what is sent is empty".to_owned(),
        Some(line) => {
            let shown: String = line.chars().take(MAX_SHOWN).collect();
            format!("what is sent begins with `{shown}`")
        }
    })
}

fn ask(module: &Module, cache: &Path, dir: &Path, go: &dyn Go) -> Option<()> {
    let name = format!("{}@{}", module.path, module.version);
    go.unchecked(cache, dir, &["list", "-m", "--", &name])
        .ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fetch::GoError;

    /// Fetches this as every `go.mod`.
    struct Sends(&'static str);

    impl Go for Sends {
        fn run(&self, _: &Path, _: &[&str]) -> Result<Vec<u8>, GoError> {
            Err(GoError::NotRun)
        }

        fn unchecked(&self, cache: &Path, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
            assert_eq!(args, ["list", "-m", "--", "a.org/x@v1.0.0"]);
            let dir = cache.join("cache/download/a.org/x/@v");
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("v1.0.0.mod"), self.0).unwrap();
            Err(GoError::NotRun)
        }
    }

    #[test]
    fn a_page_is_told_from_a_changed_manifest() {
        let module = Module {
            path: "a.org/x".to_owned(),
            version: "v1.0.0".to_owned(),
        };
        let text = "verifying a.org/x@v1.0.0/go.mod: checksum mismatch";
        let found = |sent, text| instead_of_manifest(&module, text, &Sends(sent));
        assert_eq!(
            found("\n<!DOCTYPE html>\n<html>", text).as_deref(),
            Some("what is sent begins with `<!DOCTYPE html>`")
        );
        assert_eq!(found("", text).as_deref(), Some("what is sent is empty"));
        assert_eq!(found("module a.org/y\n", text), None);
        assert_eq!(
            found("<html>", "verifying a.org/x@v1.0.0: checksum mismatch"),
            None
        );
    }
}
