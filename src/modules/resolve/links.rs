//! Symbolic links on the way to modules: `replace` and `use` lines name them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::modules::request::Request;
use crate::scan::{ancestors, join, link_target};

/// The links of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::modules) struct Links {
    /// What each says.
    pub(in crate::modules) texts: BTreeMap<String, PathBuf>,
    /// Where each leads.
    targets: BTreeMap<String, String>,
}

impl Links {
    /// Those that stand among the manifests.
    pub(super) fn of(request: &Request, texts: &BTreeMap<String, String>, src: &Path) -> Self {
        let mut out = Self::default();
        for path in request.manifests.iter().filter(|p| !texts.contains_key(*p)) {
            if let Ok(text) = fs::read_link(src.join(path)) {
                out.texts.insert(path.clone(), text);
                out.targets
                    .extend(link_target(src, path).map(|target| (path.clone(), target)));
            }
        }
        out
    }

    /// A directory without links on the way.
    pub(super) fn real(&self, dir: &str) -> String {
        let found = ancestors(dir).find_map(|at| Some((at, self.targets.get(at)?)));
        match found {
            None => dir.to_owned(),
            Some((link, target)) if link == dir => target.clone(),
            Some((link, target)) => join(target, dir[link.len()..].trim_start_matches('/')),
        }
    }

    /// Paths of manifests, and of all links: a copy of the ones needs the others.
    pub(super) fn with(&self, manifests: &BTreeMap<String, String>) -> Vec<String> {
        manifests.keys().chain(self.texts.keys()).cloned().collect()
    }
}
