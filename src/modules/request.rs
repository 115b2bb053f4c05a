//! The question about the modules of a root, and the answer to it.
//!
//! Both are files: the frontend asks, a step answers, the frontend reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::modfile::Module;
use crate::closure::{Closure, ModuleRoot};
use crate::fetch::Problem;

/// Name of the file with what was found.
pub const MODULES_FILE: &str = "modules.json";

/// Directory of each service's manifests in an answer, below the service's key.
pub const SERVICES_DIR: &str = "services";

/// Directory of what has to be at hand for the build of each service, below its key.
pub const NEEDED_DIR: &str = "needed";

/// Name of the file in [`NEEDED_DIR`].
pub const NEEDED_FILE: &str = "needed.json";

/// What a download is asked. Two equal requests are one step. `packed` says how it is
/// written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Directory that the `go` command runs in.
    pub root: String,
    /// Whether a `go.work` is in it.
    pub workspace: bool,
    /// All manifests of the root, those that exist, and the links on the way to them.
    pub manifests: Vec<String>,
    /// The services.
    pub services: Vec<ServiceRequest>,
}

/// One service of a [`Request`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceRequest {
    /// Directory in the output: the main package and its tags.
    pub key: String,
    /// Packages of other modules that it imports.
    pub imports: BTreeSet<String>,
    /// Its build tags.
    pub tags: Vec<String>,
    /// Module paths that directories stand for and whose packages it may import.
    pub local: BTreeSet<String>,
}

impl Request {
    /// The question about services of one module root.
    #[must_use]
    pub fn new(root: &ModuleRoot, services: Vec<ServiceRequest>) -> Self {
        Self {
            root: root.dir.clone(),
            workspace: root.workspace,
            manifests: [root.manifests.as_slice(), &root.links].concat(),
            services,
        }
    }
}

impl ServiceRequest {
    /// The question about a service that sees a closure.
    #[must_use]
    pub fn new(key: String, closure: &Closure, tags: &[String]) -> Self {
        Self {
            key,
            imports: closure.external.keys().cloned().collect(),
            tags: tags.to_vec(),
            local: closure.local_modules.clone(),
        }
    }
}

/// What was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What the build of each service reads, by its key in the request.
    pub services: BTreeMap<String, ServiceModules>,
    /// Modules that cannot be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// When they were asked for, in milliseconds since 1970; `None` without problems, so that
    /// the same modules give the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
}

/// What has to be in the module cache for the build of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// Directory that the `go` command runs in.
    pub root: String,
    /// The manifests that the build sees.
    pub manifests: Vec<String>,
    /// Modules whose files are read.
    pub modules: BTreeSet<Module>,
    /// Modules whose `go.mod` is read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub graph: BTreeSet<Module>,
    /// For each import, what tells one version of it and all behind it from another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
}

/// What the build of one service reads of the manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceModules {
    /// The modules that its build looks into, with their versions.
    pub modules: BTreeMap<String, String>,
    /// Packages of the repository that fetched packages import.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub back: BTreeSet<String>,
    /// Why its manifests are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Text of its manifests by path.
    #[serde(skip)]
    pub manifests: BTreeMap<String, String>,
    /// What has to be at hand for its build.
    #[serde(skip)]
    pub needed: Needed,
    /// Directories of the fetched packages that its build reads, each with its module.
    #[serde(skip)]
    pub packages: BTreeMap<PathBuf, Module>,
}

impl Answer {
    /// Says when it was asked for what cannot be had, if there is such a thing.
    #[must_use]
    pub fn asked_at(self, time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let asked = (!self.problems.is_empty()).then_some(millis);
        Self { asked, ..self }
    }

    /// Whether its problems are those of another day: the step ran before that time, and the
    /// answer comes from a cache.
    #[must_use]
    pub fn is_older_than(&self, time: SystemTime) -> bool {
        let asked = Duration::from_millis(self.asked.unwrap_or(0));
        UNIX_EPOCH
            .checked_add(asked)
            .is_none_or(|asked| asked < time)
    }

    /// Writes the answer into a directory.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn write(&self, out: &Path) -> io::Result<()> {
        for (key, service) in &self.services {
            let dir = out.join(SERVICES_DIR).join(key);
            for (path, text) in &service.manifests {
                write(&dir.join(path), text.as_bytes())?;
            }
            let needed = serde_json::to_vec(&service.needed)?;
            write(&out.join(NEEDED_DIR).join(key).join(NEEDED_FILE), &needed)?;
        }
        fs::write(out.join(MODULES_FILE), serde_json::to_vec(self)?)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(path, bytes)
}
