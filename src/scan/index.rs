//! The scan's result, as it travels from the scan step to the frontend.

use serde::{Deserialize, Serialize};

/// Name of the index in the scan step's output.
pub const INDEX_FILE: &str = "index.json";

/// What a scan found. All paths are relative to the scanned directory, with `/`
/// as separator and `.` for the directory itself; all lists are sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Every `go.mod`, also those of modules that no service needs.
    pub modules: Vec<Module>,
    /// The `go.work` files.
    pub workspaces: Vec<Workspace>,
    /// Directories that hold a main package.
    pub mains: Vec<String>,
    /// Directories that hold Go files, none of them a main package's: they tell
    /// "no such directory" from "a library".
    pub libraries: Vec<String>,
}

/// One module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Directory of its `go.mod`.
    pub dir: String,
    /// Module path.
    pub path: String,
    /// The `go` line.
    pub go: Option<String>,
    /// The `toolchain` line, without `go` in front.
    pub toolchain: Option<String>,
    /// Whether it requires other modules: without, there is nothing to download.
    pub has_requirements: bool,
    /// Whether it has a `vendor/modules.txt`.
    pub vendored: bool,
    /// Directories of local `replace` lines, relative to the scanned directory;
    /// those outside of it are left out.
    pub replaces: Vec<String>,
}

/// One `go.work`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Directory of the `go.work`.
    pub dir: String,
    /// The `go` line.
    pub go: Option<String>,
    /// The `toolchain` line, without `go` in front.
    pub toolchain: Option<String>,
    /// Whether it has a `vendor/modules.txt`.
    pub vendored: bool,
    /// Directories of its modules.
    pub uses: Vec<String>,
}

impl Index {
    /// Main packages that people mean: not those in directories that `./...`
    /// passes over.
    #[must_use]
    pub fn suggestions(&self) -> Vec<String> {
        let hidden =
            |part: &str| part != "." && (part.starts_with(['.', '_']) || part == "testdata");
        let meant = self.mains.iter().filter(|dir| !dir.split('/').any(hidden));
        meant.cloned().collect()
    }

    /// The module that a package directory belongs to: the nearest `go.mod` at
    /// or above it.
    #[must_use]
    pub fn module_of(&self, dir: &str) -> Option<&Module> {
        self.modules
            .iter()
            .filter(|m| is_inside(dir, &m.dir))
            .max_by_key(|m| depth(&m.dir))
    }

    /// The workspace that the `go` command finds from a module's directory: the
    /// nearest `go.work` at or above it, whether or not it uses the module.
    #[must_use]
    pub fn workspace_of(&self, dir: &str) -> Option<&Workspace> {
        self.workspaces
            .iter()
            .filter(|w| is_inside(dir, &w.dir))
            .max_by_key(|w| depth(&w.dir))
    }
}

/// Whether `dir` is `parent` or lies below it.
fn is_inside(dir: &str, parent: &str) -> bool {
    parent == "."
        || dir
            .strip_prefix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn depth(dir: &str) -> usize {
    if dir == "." {
        0
    } else {
        dir.split('/').count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_module_owns_a_directory() {
        let module = |dir: &str| Module {
            dir: dir.into(),
            ..Module::default()
        };
        let index = Index {
            modules: vec![module("."), module("tools"), module("tools/gen")],
            ..Index::default()
        };
        let owner = |dir: &str| index.module_of(dir).map(|m| m.dir.clone());
        assert_eq!(owner("cmd/api").as_deref(), Some("."));
        assert_eq!(owner("tools/lint").as_deref(), Some("tools"));
        assert_eq!(owner("tools/gen").as_deref(), Some("tools/gen"));
        assert_eq!(owner("toolsmith").as_deref(), Some("."));
        assert_eq!(Index::default().module_of("."), None);
    }
}
