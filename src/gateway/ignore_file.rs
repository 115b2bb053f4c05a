//! The text of an ignore file.
//!
//! In: the bytes of `.dockerignore`. Out: patterns for the daemon, which does
//! the matching.
//!
//! Rules of moby/patternmatcher v0.6, `ignorefile`.

/// Reads an ignore file: a pattern a line, `#` comments in the first column
/// alone, paths cleaned and relative.
pub(super) fn parse(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut patterns = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (mark, pattern) = match line.strip_prefix('!') {
            Some(pattern) => ("!", pattern.trim()),
            None => ("", line),
        };
        patterns.push(format!("{mark}{}", clean_pattern(pattern)));
    }
    patterns
}

/// Go's `filepath.Clean`, then without the leading slash.
fn clean_pattern(pattern: &str) -> String {
    if pattern.is_empty() {
        return String::new();
    }
    let rooted = pattern.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (parts.is_empty(), rooted) {
        (true, true) => "/".to_owned(),
        (true, false) => ".".to_owned(),
        (false, _) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_files_are_read_as_docker_reads_them() {
        let text =
            "\u{feff}# comment\n\n  # not a comment\n/abs\n./a/../b/\n! !x\n!/keep \r\n..\n/\n!\n";
        assert_eq!(
            parse(text.as_bytes()),
            [
                "# not a comment",
                "abs",
                "b",
                "!!x",
                "!keep",
                "..",
                "/",
                "!"
            ]
        );
    }

    #[test]
    fn patterns_are_cleaned_as_go_does() {
        for (pattern, clean) in [
            ("a//b", "a/b"),
            ("a/.", "a"),
            ("../a", "../a"),
            ("../../a", "../../a"),
            ("/../a", "a"),
            ("a/..", "."),
            ("**/x", "**/x"),
        ] {
            assert_eq!(clean_pattern(pattern), clean, "{pattern}");
        }
    }
}
