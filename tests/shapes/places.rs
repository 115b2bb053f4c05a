//! Where the `go` command looks: the module of a package, and names of packages there.

use std::path::Path;

use crate::draft::{Main, join};

/// The directory of the module that a package is in, by its name.
pub(crate) fn module_root(whole: &Path, dir: &str) -> Option<String> {
    let mut at = dir;
    loop {
        if whole.join(at).join("go.mod").is_file() {
            return Some(at.to_owned());
        }
        if at == "." {
            return None;
        }
        at = at.rsplit_once('/').map_or(".", |(above, _)| above);
    }
}

/// A manifest at or above a directory that is a link to nothing, as where the ignore file hides
/// the target. Go passes it by and builds something else, which gofleet calls an error.
pub(crate) fn lost_manifest(whole: &Path, dir: &str) -> Option<String> {
    let mut at = dir;
    loop {
        let manifests = ["go.work", "go.mod"].map(|name| join(at, name));
        let is_lost = |path: &String| whole.join(path).is_symlink() && !whole.join(path).exists();
        if let Some(lost) = manifests.into_iter().find(is_lost) {
            return Some(lost);
        }
        if at == "." {
            return None;
        }
        at = at.rsplit_once('/').map_or(".", |(above, _)| above);
    }
}

/// A package as an argument of `go build` in its module.
pub(crate) fn package(root: &str, dir: &str) -> String {
    let below = if root == "." {
        dir
    } else {
        dir.strip_prefix(root).unwrap_or(dir)
    };
    match below.trim_start_matches('/') {
        "" | "." => ".".to_owned(),
        below => format!("./{below}"),
    }
}

/// The first named pipe that the build of a service would read.
pub(crate) fn pipe<'a>(whole: &Path, main: &'a Main) -> Option<&'a String> {
    main.pipes.iter().find(|path| whole.join(path).exists())
}
