//! Patterns of `//go:embed`: Go's `path.Match`, one path element at a time.

use super::Embed;

impl Embed {
    /// Whether the pattern names a file, or a directory above it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let below = match self.dir.as_str() {
            "." => Some(path),
            dir => path
                .strip_prefix(dir)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(below) = below else {
            return false;
        };
        let fits = |pattern: &str| {
            let mut names = below.split('/');
            let mut parts = pattern.split('/');
            parts.all(|part| names.next().is_some_and(|name| matches(part, name)))
        };
        fits(&self.pattern) || self.boundaries().any(|pattern| fits(&pattern))
    }

    /// Patterns of the `go.mod` files on the way to what is embedded: where there is one, the rest
    /// belongs to another module, and Go embeds nothing of it.
    pub(crate) fn boundaries(&self) -> impl Iterator<Item = String> {
        let ends = self.pattern.match_indices('/').map(|(end, _)| end);
        ends.map(|end| format!("{}/go.mod", &self.pattern[..end]))
    }
}

/// Whether a path element matches a pattern element. A malformed pattern matches
/// nothing: the compiler reports it.
#[must_use]
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last star takes one more character.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p == pattern.len() && n == name.len() {
            return true;
        }
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n + 1));
            p += 1;
            continue;
        }
        if let Some(&c) = name.get(n)
            && let Some(length) = one(&pattern[p..], c)
        {
            p += length;
            n += 1;
            continue;
        }
        match retry {
            Some((star, next)) if next <= name.len() => {
                p = star + 1;
                n = next;
                retry = Some((star, next + 1));
            }
            _ => return false,
        }
    }
}

/// Length of the pattern's first item if it matches the character.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        '[' => {
            let mut at = 1;
            let negated = pattern.get(at) == Some(&'^');
            at += usize::from(negated);
            let mut found = false;
            let mut items = 0;
            loop {
                if pattern.get(at) == Some(&']') && items > 0 {
                    return (found != negated).then_some(at + 1);
                }
                let (low, next) = class_char(pattern, at)?;
                at = next;
                let mut high = low;
                if pattern.get(at) == Some(&'-') {
                    (high, at) = class_char(pattern, at + 1)?;
                }
                found |= low <= c && c <= high;
                items += 1;
            }
        }
        literal => (*literal == c).then_some(1),
    }
}

fn class_char(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match *pattern.get(at)? {
        '-' | ']' => None,
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        c => Some((c, at + 1)),
    }
}

/// Whether a pattern is more than a name.
#[must_use]
pub(super) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_match_as_in_go() {
        for (pattern, name, expected) in [
            ("a.txt", "a.txt", true),
            ("*.html", "x.html", true),
            ("*.html", ".html", true),
            ("*.html", "x.htm", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[", "[", false),
            ("*", "", true),
            ("**", "abc", true),
            ("[\\]]", "]", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let pattern = "a*".repeat(50);
        let name = "ab".repeat(1000);
        assert!(matches(&pattern, &name));
        assert!(!matches(&(pattern + "c"), &name));
    }

    #[test]
    fn a_pattern_covers_what_is_below() {
        let covers = |dir: &str, pattern: &str, path: &str| {
            let embed = Embed {
                dir: dir.to_owned(),
                pattern: pattern.to_owned(),
                all: false,
                reason: crate::closure::Reason::default(),
            };
            embed.covers(path)
        };
        assert!(covers("web", "static", "web/static/a/b.css"));
        assert!(covers(".", "*.go", "main.go"));
        assert!(covers("web", "*/*.go", "web/a/b.go"));
        assert!(!covers("web", "*.go", "web/a/b.go"));
        assert!(!covers("web", "*.go", "webs/b.go"));
        assert!(!covers("web", "a/b", "web/a"));
    }
}
