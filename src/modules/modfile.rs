//! A `go.mod` as a list of directives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::scan::{gomod, resolve};
use crate::versions::{self, Go};

/// A module at a version; a directory has no version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// One `replace` line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replace {
    path: String,
    /// Empty for every version.
    version: String,
    with: Module,
}

/// The lines of a `go.mod`.
#[derive(Debug, Clone, Default)]
pub(super) struct ModFile {
    directives: Vec<(String, Vec<String>)>,
    /// Required versions by path.
    pub(super) requires: BTreeMap<String, String>,
    replaces: Vec<Replace>,
}

impl ModFile {
    pub(super) fn parse(text: &str) -> Self {
        let directives = gomod::directives(text);
        let mut file = Self::default();
        let is_excluded = |path: &String, version: &String| {
            let mut lines = directives.iter().filter(|(verb, _)| verb == "exclude");
            lines.any(|(_, args)| args.starts_with(&[path.clone(), version.clone()]))
        };
        for (verb, args) in &directives {
            match (verb.as_str(), args.as_slice()) {
                ("require", [path, version, ..]) if !is_excluded(path, version) => {
                    // Of several lines of one module Go takes the highest.
                    let known = file.requires.entry(path.clone()).or_default();
                    if versions::modules(known, version).is_le() {
                        known.clone_from(version);
                    }
                }
                ("replace", args) => file.replaces.extend(replace(args)),
                _ => {}
            }
        }
        file.directives = directives;
        file
    }

    /// The module's own path.
    pub(super) fn module(&self) -> Option<&String> {
        let line = self.directives.iter().find(|(verb, _)| verb == "module");
        line.and_then(|(_, args)| args.first())
    }

    /// Whether the module graph is pruned: then `go build` reads the listed modules
    /// and no others (since Go 1.17).
    pub(super) fn is_pruned(&self) -> bool {
        let go = self.directives.iter().find(|(verb, _)| verb == "go");
        let version = go.and_then(|(_, args)| args.first());
        let go = version.and_then(|version| Go::parse(version));
        go.is_some_and(|go| go.is_at_least(17))
    }

    /// What stands for a required module: itself, or what it is replaced with.
    pub(super) fn replaced(&self, path: &str, version: &str) -> Module {
        let fits = |r: &&Replace| r.path == path && (r.version.is_empty() || r.version == version);
        // A line with a version wins over one without.
        let with = self
            .replaces
            .iter()
            .filter(fits)
            .max_by_key(|r| !r.version.is_empty());
        match with {
            Some(replace) => replace.with.clone(),
            None => Module {
                path: path.to_owned(),
                version: version.to_owned(),
            },
        }
    }

    /// The directory of the context that stands for a required module; the file is in `root`.
    pub(super) fn directory(&self, path: &str, root: &str) -> Option<String> {
        let with = self.replaced(path, self.requires.get(path)?);
        let is_directory = with.version.is_empty();
        is_directory.then(|| resolve(root, &with.path)).flatten()
    }

    /// The file without the lines about other modules than `keep`, and without what
    /// no build reads (`tool`, `retract`, `ignore`, comments).
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> String {
        let mut out = String::new();
        for (verb, args) in &self.directives {
            let kept = match verb.as_str() {
                "module" | "go" | "toolchain" | "godebug" => true,
                "require" | "replace" | "exclude" => args.first().is_some_and(|path| keep(path)),
                _ => false,
            };
            if kept {
                out.push_str(verb);
                for arg in args {
                    let _ = write!(out, " {}", word(arg));
                }
                out.push('\n');
            }
        }
        out
    }
}

fn replace(args: &[String]) -> Option<Replace> {
    let arrow = args.iter().position(|a| a == "=>")?;
    let old = &args[..arrow];
    let new = &args[arrow + 1..];
    Some(Replace {
        path: old.first()?.clone(),
        version: old.get(1).cloned().unwrap_or_default(),
        with: Module {
            path: new.first()?.clone(),
            version: new.get(1).cloned().unwrap_or_default(),
        },
    })
}

/// A word as a `go.mod` has it: quoted if it would be read otherwise.
fn word(text: &str) -> String {
    let plain = text == "=>"
        || !text.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || "\"'`(),[]".contains(c))
            && !text.contains("//")
            && !text.contains("/*");
    if plain {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Paths of all modules that a `go.mod` or `go.work` names: those it requires, and those
/// that stand for others.
#[must_use]
pub fn named(text: &str) -> Vec<String> {
    let file = ModFile::parse(text);
    let replaced = file.replaces.into_iter().map(|replace| replace.with);
    let fetched = replaced.filter(|with| !with.version.is_empty());
    let mut paths: Vec<String> = fetched.map(|with| with.path).collect();
    paths.extend(file.requires.into_keys());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "module m // x\ngo 1.26.1\ntoolchain go1.26.3\ntool a.org/t/cmd\n\
        require (\n\ta.org/t v1.0.0 // indirect\n\tb.org/u v0.2.0\n)\n\
        replace b.org/u v0.2.0 => c.org/f v0.3.0\nreplace b.org/u => ./u\n\
        replace \"d.org/x\" => \"../with blank\"\nretract v1.0.0\ngodebug default=go1.21\n";

    #[test]
    fn lines_of_other_modules_are_left_out() {
        let file = ModFile::parse(TEXT);
        assert_eq!(
            file.only(|path| path == "b.org/u"),
            "module m\ngo 1.26.1\ntoolchain go1.26.3\nrequire b.org/u v0.2.0\n\
             replace b.org/u v0.2.0 => c.org/f v0.3.0\nreplace b.org/u => ./u\n\
             godebug default=go1.21\n"
        );
        assert!(
            file.only(|_| true)
                .contains("replace d.org/x => \"../with blank\"\n")
        );
    }

    #[test]
    fn a_replacement_of_a_version_wins() {
        let file = ModFile::parse(TEXT);
        assert_eq!(file.replaced("b.org/u", "v0.2.0").path, "c.org/f");
        assert_eq!(file.replaced("b.org/u", "v0.1.0").path, "./u");
        assert_eq!(file.replaced("a.org/t", "v1.0.0").version, "v1.0.0");
    }

    #[test]
    fn the_highest_line_that_is_not_excluded_counts() {
        let file = ModFile::parse(
            "module m\ngo 1.26\nrequire a.org/t v1.2.0\nrequire a.org/t v1.1.0\nrequire b.org/u v1.0.0\n\
             exclude b.org/u v1.0.0\n",
        );
        assert_eq!(file.requires["a.org/t"], "v1.2.0");
        assert_eq!(file.requires.get("b.org/u"), None);
    }

    #[test]
    fn old_modules_are_not_pruned() {
        let pruned = |go: &str| ModFile::parse(&format!("module m\n{go}\n")).is_pruned();
        assert!(pruned("go 1.17") && pruned("go 1.26rc1") && pruned("go 2.0"));
        assert!(!pruned("go 1.16") && !pruned("") && !pruned("go 1.9.7"));
    }
}
