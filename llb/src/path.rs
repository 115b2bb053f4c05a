//! Slash-separated paths inside trees, cleaned as Go's package `path` does.

/// Removes `.`, `..` and empty elements of an absolute path; a relative one
/// starts at the root.
pub(crate) fn absolute(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    format!("/{}", elements.join("/"))
}

/// Like [`absolute`], but keeps a final `/` or `/.`, which say that the path is
/// a directory to copy into.
pub(crate) fn destination(path: &str) -> String {
    let mut clean = absolute(path);
    if path.ends_with('/') && clean != "/" {
        clean.push('/');
    } else if path.ends_with("/.") {
        if clean != "/" {
            clean.push('/');
        }
        clean.push('.');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean() {
        for (path, expect) in [
            ("", "/"),
            ("/", "/"),
            ("a", "/a"),
            ("./a//b/", "/a/b"),
            ("/a/../../b/.", "/b"),
            ("..", "/"),
        ] {
            assert_eq!(absolute(path), expect, "{path}");
        }
    }

    #[test]
    fn destinations_stay_directories() {
        for (path, expect) in [
            ("/", "/"),
            ("/a/", "/a/"),
            ("a//", "/a/"),
            ("/a/.", "/a/."),
            ("/.", "/."),
            (".", "/"),
        ] {
            assert_eq!(destination(path), expect, "{path}");
        }
    }
}
