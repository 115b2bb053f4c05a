//! Which embed patterns match nothing.
//!
//! In: patterns, and names in directories. Out: those that no file is embedded by, or the
//! directories whose names have to be known first. Where the names come from is left to the
//! caller: a daemon, or a directory on this machine.

use std::collections::{BTreeMap, BTreeSet};

use super::{Embed, glob};
use crate::scan::join;

/// What has a name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A link: a matter between Go and its settings, so it counts for a file.
    Link,
}

/// The names in directories; a directory that does not exist has none. What Go embeds nothing
/// of, such as a named pipe, is not among them.
pub type Listings = BTreeMap<String, BTreeMap<String, Entry>>;

/// A pattern that Go takes, without `all:`, and whether that was there.
pub(super) fn valid_embed(written: &str) -> Option<(&str, bool)> {
    let (pattern, all) = match written.strip_prefix("all:") {
        Some(pattern) => (pattern, true),
        None => (written, false),
    };
    let valid = pattern
        .split('/')
        .all(|part| !matches!(part, "" | "." | ".."));
    valid.then_some((pattern, all))
}

/// The patterns that embed nothing.
///
/// # Errors
///
/// The directories that have to be listed first.
pub fn of_nothing<'a>(
    embeds: impl IntoIterator<Item = &'a Embed>,
    listings: &Listings,
) -> Result<Vec<&'a Embed>, BTreeSet<String>> {
    let mut look = Look {
        listings,
        wanted: BTreeSet::new(),
    };
    let embeds = embeds.into_iter();
    let of_nothing: Vec<&Embed> = embeds.filter(|embed| !look.matches(embed)).collect();
    match look.wanted.is_empty() {
        true => Ok(of_nothing),
        false => Err(look.wanted),
    }
}

struct Look<'a> {
    listings: &'a Listings,
    wanted: BTreeSet<String>,
}

impl<'a> Look<'a> {
    fn matches(&mut self, embed: &Embed) -> bool {
        let parts: Vec<&str> = embed.pattern.split('/').collect();
        let mut dirs = vec![embed.dir.clone()];
        let Some((last, above)) = parts.split_last() else {
            return true;
        };
        for part in above {
            let mut next = Vec::new();
            for dir in dirs {
                if !glob::is_glob(part) {
                    next.push(join(&dir, part));
                    continue;
                }
                for (name, entry) in self.names(&dir) {
                    match entry {
                        Entry::Directory if glob::matches(part, name) => {
                            next.push(join(&dir, name));
                        }
                        // Whatever it leads to.
                        Entry::Link if glob::matches(part, name) => return true,
                        _ => {}
                    }
                }
            }
            dirs = next;
        }
        let mut found = false;
        for dir in dirs {
            for (name, entry) in self.names(&dir) {
                if name != last && !(glob::is_glob(last) && glob::matches(last, name)) {
                    continue;
                }
                // Go wants something in each directory that a pattern names.
                if *entry == Entry::Directory && !self.holds(&join(&dir, name), embed.all) {
                    return false;
                }
                found = true;
            }
        }
        found
    }

    /// Whether there is a file to embed below a directory.
    fn holds(&mut self, dir: &str, all: bool) -> bool {
        let visible = |name: &str| all || !name.starts_with(['.', '_']);
        let names = self.names(dir).iter().filter(|(name, _)| visible(name));
        let (dirs, files): (Vec<_>, Vec<_>) =
            names.partition(|(_, entry)| **entry == Entry::Directory);
        !files.is_empty()
            || dirs
                .iter()
                .any(|(name, _)| self.holds(&join(dir, name), all))
    }

    fn names(&mut self, dir: &str) -> &'a BTreeMap<String, Entry> {
        static NONE: BTreeMap<String, Entry> = BTreeMap::new();
        match self.listings.get(dir) {
            Some(names) => names,
            None => {
                self.wanted.insert(dir.to_owned());
                &NONE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::Reason;

    /// The patterns of package `p` that embed nothing, and what was listed to know it.
    fn nothing(files: &[&str], patterns: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut all = Listings::new();
        for file in files {
            let mut at = ".".to_owned();
            let parts: Vec<&str> = file.split('/').collect();
            for (i, part) in parts.iter().enumerate() {
                let names = all.entry(at.clone()).or_default();
                if part.is_empty() {
                    break;
                }
                let entry = match (i + 1 == parts.len(), part.ends_with(".link")) {
                    (false, _) => Entry::Directory,
                    (true, true) => Entry::Link,
                    (true, false) => Entry::File,
                };
                names.insert((*part).to_owned(), entry);
                at = join(&at, part);
            }
        }
        let embeds: Vec<Embed> = patterns
            .iter()
            .map(|pattern| Embed {
                dir: "p".to_owned(),
                pattern: pattern.trim_start_matches("all:").to_owned(),
                all: pattern.starts_with("all:"),
                reason: Reason::default(),
            })
            .collect();
        let mut known = Listings::new();
        loop {
            match of_nothing(&embeds, &known) {
                Ok(found) => {
                    let found = found.iter().map(|e| e.pattern.clone()).collect();
                    return (found, known.into_keys().collect());
                }
                Err(wanted) => {
                    for dir in wanted {
                        let names = all.get(&dir).cloned().unwrap_or_default();
                        known.insert(dir, names);
                    }
                }
            }
        }
    }

    #[test]
    fn patterns_match_as_in_go() {
        let files = [
            "p/a.txt",
            "p/web/index.html",
            "p/web/js/x.js",
            "p/kept/.gitkeep",
            "p/kept/sub/_x",
            "p/empty/",
            "p/[slug].txt",
            "p/to.link",
        ];
        let (found, listed) = nothing(&files, &["a.txt", "web", "*.txt", "web/*/*.js"]);
        assert_eq!(found, [""; 0]);
        assert_eq!(listed, ["p", "p/web", "p/web/js"]);
        let bad = [
            "b.txt",
            "dist/*",
            "kept",
            "empty",
            "web/*.css",
            "web/*/*.css",
        ];
        assert_eq!(nothing(&files, &bad).0, bad);
        let good = ["all:kept", "kept/.gitkeep", "to.link", "[[]slug].txt"];
        assert_eq!(nothing(&files, &good).0, [""; 0]);
    }

    #[test]
    fn every_directory_that_a_pattern_names_holds_something() {
        let files = ["p/web/a/.x", "p/web/b/y"];
        assert_eq!(nothing(&files, &["web/*", "web"]).0, ["web/*"]);
    }
}
