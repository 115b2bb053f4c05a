//! Symbolic links: where they lead, without ever leaving the scanned directory.

use std::fs;
use std::path::Path;

use super::index::{join, parent};

/// Most links on the way to a file, as in Linux.
const MAX_LINKS: usize = 40;

/// What the path of a link leads to in the end, relative to `root`. `None` if it
/// leads outside, to nothing, or in a circle.
///
/// Links are followed one element at a time, so that `..` behind a link means
/// what the kernel takes it for, and nothing outside of `root` is ever touched.
pub(crate) fn resolve(root: &Path, link: &str) -> Option<String> {
    let mut links = 0;
    let mut pending: Vec<String> = link.rsplit('/').map(str::to_owned).collect();
    let mut at = String::from(".");
    while let Some(part) = pending.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                at = parent(&at)?.to_owned();
                continue;
            }
            _ => {}
        }
        let next = join(&at, &part);
        let path = root.join(&next);
        if !fs::symlink_metadata(&path).ok()?.file_type().is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        let target = fs::read_link(&path)
            .ok()?
            .into_os_string()
            .into_string()
            .ok()?;
        if target.starts_with('/') {
            return None;
        }
        pending.extend(target.rsplit('/').map(str::to_owned));
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_inside_the_root_only() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/x.go"), "").unwrap();
        symlink("a/b", at("ab")).unwrap();
        symlink("ab/x.go", at("x.go")).unwrap();
        symlink("../x.go", at("a/up.go")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink("../..", at("a/out")).unwrap();
        symlink("/etc/passwd", at("abs.go")).unwrap();
        symlink("gone.go", at("dangling.go")).unwrap();
        // `..` behind a link is the parent of its target.
        symlink("ab/../b/x.go", at("behind.go")).unwrap();
        let resolve = |link: &str| resolve(root.path(), link);
        assert_eq!(resolve("ab").as_deref(), Some("a/b"));
        assert_eq!(resolve("x.go").as_deref(), Some("a/b/x.go"));
        assert_eq!(resolve("a/up.go").as_deref(), Some("a/b/x.go"));
        assert_eq!(resolve("behind.go").as_deref(), Some("a/b/x.go"));
        for link in ["loop", "a/out", "abs.go", "dangling.go"] {
            assert_eq!(resolve(link), None, "{link}");
        }
    }
}
