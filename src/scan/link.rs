//! Symbolic links: where they lead, without ever leaving the scanned directory.

use std::fs;
use std::io;
use std::path::Path;

use super::index::{LinkEnd, MAX_LINKS, join, parent};

/// The way from a path to what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The links that were followed, in their order.
    pub(crate) links: Vec<String>,
    /// What is at the end of it.
    pub(crate) end: LinkEnd,
}

/// Follows a path that may be a link, or lie behind one.
///
/// Links are followed one element at a time, so that `..` behind a link means
/// what the kernel takes it for, and nothing outside of `root` is ever touched.
/// What `hides` names is not there.
pub(crate) fn follow(root: &Path, path: &str, hides: impl Fn(&str) -> bool) -> Way {
    let mut links: Vec<String> = Vec::new();
    let mut pending: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut at = String::from(".");
    let mut there = true;
    while let Some(part) = pending.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                match parent(&at) {
                    Some(above) => at = above.to_owned(),
                    None => return way(links, LinkEnd::Outside),
                }
                // Of a directory that nothing was sent of, nothing is here to see.
                there |= root.join(&at).is_dir();
                continue;
            }
            _ => {}
        }
        at = join(&at, &part);
        if !there {
            continue;
        }
        match link_text(root, &at) {
            Ok(None) => {}
            Ok(Some(_)) if hides(&at) => there = false,
            Ok(Some(text)) if text.starts_with('/') => {
                links.push(at);
                return way(links, LinkEnd::Outside);
            }
            Ok(Some(text)) => {
                links.push(at.clone());
                if links.len() > MAX_LINKS {
                    return way(links, LinkEnd::Circle);
                }
                pending.extend(text.rsplit('/').map(str::to_owned));
                at = parent(&at).unwrap_or(".").to_owned();
            }
            Err(_) => there = false,
        }
    }
    let end = match fs::symlink_metadata(root.join(&at)) {
        Ok(meta) if there && meta.is_dir() => LinkEnd::Dir(at),
        Ok(meta) if there && meta.is_file() && !hides(&at) => LinkEnd::File(at),
        Ok(meta) if there && !meta.is_file() => LinkEnd::Special(at),
        _ => LinkEnd::Absent(at),
    };
    way(links, end)
}

fn way(links: Vec<String>, end: LinkEnd) -> Way {
    Way { links, end }
}

/// What the path of a link leads to in the end, relative to `root`. `None` if it
/// leads outside, to nothing, or in a circle.
pub(crate) fn resolve(root: &Path, link: &str) -> Option<String> {
    match follow(root, link, |_| false).end {
        LinkEnd::File(at) | LinkEnd::Dir(at) | LinkEnd::Special(at) => Some(at),
        LinkEnd::Absent(_) | LinkEnd::Outside | LinkEnd::Circle => None,
    }
}

/// What a link says; `None` for anything else that is there.
fn link_text(root: &Path, path: &str) -> io::Result<Option<String>> {
    let path = root.join(path);
    if !fs::symlink_metadata(&path)?.file_type().is_symlink() {
        return Ok(None);
    }
    let text = fs::read_link(&path)?.into_os_string().into_string();
    text.map(Some)
        .map_err(|_| io::Error::other("a link to a name that is no text"))
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
        for (target, name) in [
            ("a/b", "ab"),
            ("ab/x.go", "x.go"),
            ("../x.go", "a/up.go"),
            ("loop", "loop"),
            ("../..", "a/out"),
            ("/etc/passwd", "abs.go"),
            ("gone.go", "dangling.go"),
            // `..` behind a link is the parent of its target.
            ("ab/../b/x.go", "behind.go"),
            ("ab/no/../gone.go", "absent.go"),
            ("unsent/../a/b/x.go", "through.go"),
        ] {
            symlink(target, at(name)).unwrap();
        }
        let follow = |link: &str| follow(root.path(), link, |path| path == "a/b/hidden.go");
        let end = |link: &str| follow(link).end;
        let file = || LinkEnd::File("a/b/x.go".to_owned());
        assert_eq!(end("ab"), LinkEnd::Dir("a/b".to_owned()));
        for link in ["x.go", "a/up.go", "behind.go", "ab/x.go", "through.go"] {
            assert_eq!(end(link), file(), "{link}");
        }
        assert_eq!(follow("a/up.go").links, ["a/up.go", "x.go", "ab"]);
        assert_eq!(end("loop"), LinkEnd::Circle);
        for link in ["a/out", "abs.go"] {
            assert_eq!(end(link), LinkEnd::Outside, "{link}");
        }
        assert_eq!(end("dangling.go"), LinkEnd::Absent("gone.go".to_owned()));
        assert_eq!(end("absent.go"), LinkEnd::Absent("a/b/gone.go".to_owned()));
        fs::write(at("a/b/hidden.go"), "").unwrap();
        assert_eq!(
            end("ab/hidden.go"),
            LinkEnd::Absent("a/b/hidden.go".to_owned())
        );
    }
}
