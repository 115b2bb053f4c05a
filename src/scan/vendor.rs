//! Lists of vendored packages: whether Go uses them, and where they contradict the manifests.
//!
//! In: the text of `vendor/modules.txt` and of the manifests of the main modules. Out:
//! [`Unvendored`], one for each line that Go would complain about. Then it builds nothing.
//!
//! Rules of the `go` command: modload, `setDefaultBuildMod`, `readVendorList` and
//! `checkVendorConsistency` of Go 1.26.

use std::collections::{BTreeMap, BTreeSet};

use super::gomod::{Replacement, parse_go_mod, parse_go_work, require_lines};
use super::index::{Contradiction, Require, Unvendored};
use crate::versions::Go;

/// What a vendor directory was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    Module,
    Workspace,
}

impl Vendor {
    /// What a list says about that in its first line. One that is not there was made for a module.
    pub(super) fn of(list: &str) -> Self {
        let first = list.split('\n').next().unwrap_or_default();
        let notes = first.strip_prefix("## ").into_iter();
        let mut notes = notes.flat_map(|notes| notes.split(';'));
        match notes.any(|note| note.trim() == "workspace") {
            true => Self::Workspace,
            false => Self::Module,
        }
    }

    /// Whether Go takes modules from the directory: one that was made for what is built now,
    /// and not before Go 1.14.
    pub(super) fn serves(self, wanted: Self, go: Option<&str>) -> bool {
        let go = go.and_then(Go::parse);
        self == wanted && go.is_some_and(|go| go.is_at_least(14))
    }
}

/// A manifest: where it is, and its text.
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) dir: String,
    pub(super) text: String,
}

/// A module with a version, or without one where it is for all.
type Key = (String, String);

/// What a list says.
#[derive(Debug, Default)]
struct List {
    /// Modules that `go.mod` files require, each with its line.
    explicit: BTreeMap<Key, u32>,
    /// What stands for modules, as one text, with the line.
    replaced: BTreeMap<Key, (String, u32)>,
    /// Modules with packages in the directory.
    used: BTreeSet<Key>,
}

impl List {
    fn parse(text: &str) -> Self {
        let mut out = Self::default();
        let mut module: Option<(Key, u32)> = None;
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(words) = text.strip_prefix("# ") {
                let words: Vec<&str> = words.split_whitespace().collect();
                let (key, with) = match words.as_slice() {
                    [] | [_] => continue,
                    [path, "=>", with @ ..] => ((*path, ""), with),
                    [path, version, "=>", with @ ..] if is_version(version) => {
                        ((*path, *version), with)
                    }
                    [path, version, ..] if is_version(version) => ((*path, *version), &[][..]),
                    _ => {
                        module = None;
                        continue;
                    }
                };
                let key = (key.0.to_owned(), key.1.to_owned());
                if matches!(with, [_]) || matches!(with, [_, version] if is_version(version)) {
                    out.replaced.insert(key.clone(), (with.join(" "), line));
                }
                module = Some((key, line));
                continue;
            }
            let Some((key, at)) = &module else { continue };
            if let Some(notes) = text.strip_prefix("## ") {
                if notes.split(';').any(|note| note.trim() == "explicit") {
                    out.explicit.entry(key.clone()).or_insert(*at);
                }
            } else if text.split_whitespace().count() == 1 {
                out.used.insert(key.clone());
            }
        }
        out
    }
}

/// A version of a module begins like this; Go alone has to know whether it ends well.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Where the list of a vendor directory and the manifests of its main modules contradict each
/// other. `work` is the `go.work`, in a workspace.
pub(super) fn contradictions(
    list: (&str, &str),
    work: Option<&Manifest>,
    mains: &[Manifest],
) -> Vec<Unvendored> {
    let (list_path, list) = (list.0, List::parse(list.1));
    let mut out = Vec::new();
    let mut required = BTreeSet::new();
    for main in mains {
        for (path, version, line) in require_lines(&main.text) {
            let key = (path, version);
            if !list.explicit.contains_key(&key) {
                out.push(problem(&main.path, line, &key, Contradiction::NotListed));
            }
            required.insert(key);
        }
    }
    let replaces = Replaces::of(work, mains);
    replaces.compare(&list, &mut out);
    for (key, line) in &list.explicit {
        // Of others Go looks at the replacement alone.
        if list.used.contains(key) && !required.contains(key) {
            out.push(problem(list_path, *line, key, Contradiction::NotRequired));
        }
    }
    for (key, (with, line)) in &list.replaced {
        if replaces.find(key).is_none() {
            let what = Contradiction::NotReplaced(with.clone());
            out.push(problem(list_path, *line, key, what));
        }
    }
    out.sort();
    out.dedup();
    out
}

fn problem(file: &str, line: u32, key: &Key, what: Contradiction) -> Unvendored {
    Unvendored {
        file: file.to_owned(),
        line,
        module: Require {
            path: key.0.clone(),
            version: key.1.clone(),
        },
        what,
    }
}

/// The `replace` lines of main modules, in the order in which Go looks at them.
struct Replaces<'a> {
    /// The first file is `go.work`, if there is one.
    files: Vec<(&'a Manifest, Vec<Replacement>)>,
    /// Where directories are written relative to: those of workspaces are compared so.
    base: Option<&'a str>,
    /// The paths of main modules, which nothing replaces.
    mains: BTreeSet<String>,
}

impl<'a> Replaces<'a> {
    fn of(work: Option<&'a Manifest>, mains: &'a [Manifest]) -> Self {
        let mut out = Self {
            files: Vec::new(),
            base: work.map(|work| work.dir.as_str()),
            mains: BTreeSet::new(),
        };
        out.files
            .extend(work.map(|work| (work, parse_go_work(&work.text).replaces)));
        for main in mains {
            let parsed = parse_go_mod(&main.text);
            out.mains.insert(parsed.module);
            out.files.push((main, parsed.replaces));
        }
        out
    }

    /// What stands for a module, as a list names it.
    fn find(&self, key: &Key) -> Option<String> {
        if key.1.is_empty() && self.mains.contains(&key.0) {
            return None;
        }
        let found = self.files.iter().find_map(|(file, lines)| {
            let of = |version: &str| {
                let mut lines = lines.iter().rev();
                lines.find(|r| r.path == key.0 && r.version == version)
            };
            Some((file, of(&key.1).or_else(|| of(""))?))
        });
        found.map(|(file, line)| self.text(file, line))
    }

    fn text(&self, file: &Manifest, line: &Replacement) -> String {
        if !line.with_version.is_empty() {
            return format!("{} {}", line.with, line.with_version);
        }
        match self.base {
            // Those of `go.work` itself are compared as they are written.
            Some(base) if base != file.dir || !file.path.ends_with("go.work") => {
                relative(base, &file.dir, &line.with)
            }
            _ => line.with.clone(),
        }
    }

    fn compare(&self, list: &List, out: &mut Vec<Unvendored>) {
        let mut seen = BTreeSet::new();
        for (file, lines) in &self.files {
            for line in lines {
                let key = (line.path.clone(), line.version.clone());
                if !seen.insert(key.clone()) {
                    continue;
                }
                let listed = list.replaced.get(&key).map(|(with, _)| with);
                let what = match (self.find(&key), listed) {
                    (Some(with), None) => Contradiction::NotListedReplaced(with),
                    (Some(with), Some(listed)) if with != *listed => {
                        Contradiction::OtherReplacement(with, listed.clone())
                    }
                    _ => continue,
                };
                out.push(problem(&file.path, line.line, &key, what));
            }
        }
    }
}

/// A directory that is written relative to `dir`, relative to `base`, as Go writes it.
fn relative(base: &str, dir: &str, with: &str) -> String {
    if with.starts_with('/') {
        return with.to_owned();
    }
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(str::to_owned).collect()
    };
    let mut target = parts(dir);
    // How far the target is above what was scanned.
    let mut above = 0;
    for part in parts(with) {
        if part != ".." {
            target.push(part);
        } else if target.pop().is_none() {
            above += 1;
        }
    }
    let base = parts(base);
    let common = match above {
        0 => base.iter().zip(&target).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    let up = vec!["..".to_owned(); above + base.len() - common];
    let path = [&up, &target[common..]].concat().join("/");
    match path.as_str() {
        "" => ".".to_owned(),
        ".." => path,
        _ if path.starts_with("../") => path,
        _ => format!("./{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str, text: &str) -> Manifest {
        Manifest {
            path: path.to_owned(),
            dir: path.rsplit_once('/').map_or(".", |(dir, _)| dir).to_owned(),
            text: text.to_owned(),
        }
    }

    fn found(list: &str, work: Option<&str>, mains: &[(&str, &str)]) -> Vec<String> {
        let work = work.map(|text| manifest("go.work", text));
        let mains: Vec<Manifest> = mains.iter().map(|(p, t)| manifest(p, t)).collect();
        let found = contradictions(("vendor/modules.txt", list), work.as_ref(), &mains);
        let text = |u: Unvendored| {
            let module = format!("{}@{}", u.module.path, u.module.version);
            format!("{}:{} {module} {:?}", u.file, u.line, u.what)
        };
        found.into_iter().map(text).collect()
    }

    #[test]
    fn a_list_is_compared_in_both_directions() {
        let go_mod = "module m\ngo 1.26\nrequire a.org/x v1.0.0\nrequire b.org/y v1.1.0\n\
                      replace b.org/y => ./y\nreplace c.org/z v1.0.0 => f.org/z v1.2.0\n\
                      replace d.org/w => ./w\n";
        let list = "# a.org/x v1.0.0\n## explicit; go 1.20\na.org/x\n\
                    # b.org/y v1.0.0 => ./y\n## explicit\nb.org/y\n\
                    # e.org/v v1.0.0 => ./v\ne.org/v\n\
                    # b.org/y => ./y\n# c.org/z v1.0.0 => f.org/z v1.1.0\n";
        assert_eq!(
            found(list, None, &[("go.mod", go_mod)]),
            [
                "go.mod:4 b.org/y@v1.1.0 NotListed",
                "go.mod:6 c.org/z@v1.0.0 OtherReplacement(\"f.org/z v1.2.0\", \"f.org/z v1.1.0\")",
                "go.mod:7 d.org/w@ NotListedReplaced(\"./w\")",
                "vendor/modules.txt:4 b.org/y@v1.0.0 NotRequired",
                "vendor/modules.txt:7 e.org/v@v1.0.0 NotReplaced(\"./v\")",
            ]
        );
        let listed = "# a.org/x v1.0.0\n## explicit; go 1.20\n# b.org/y v1.1.0 => ./y\n## explicit\n\
                      # b.org/y => ./y\n# d.org/w => ./w\n# c.org/z v1.0.0 => f.org/z v1.2.0\n";
        assert_eq!(found(listed, None, &[("go.mod", go_mod)]), [""; 0]);
    }

    #[test]
    fn directories_of_a_workspace_are_compared_from_where_it_is() {
        let work = "go 1.26\nuse ./a\nuse ./b\nreplace q.org/r => ./r\n";
        let a = "module a\nrequire x.org/y v1.0.0\nreplace x.org/y => ../libs/y\n\
                 replace u.org/v => ../../far\nreplace b => ../b\n";
        let list = "## workspace\n# x.org/y v1.0.0 => ./libs/y\n## explicit\nx.org/y\n\
                    # x.org/y => ./libs/y\n# u.org/v => ../far\n# q.org/r => ./r\n";
        let mains = [("a/go.mod", a), ("b/go.mod", "module b\n")];
        assert_eq!(found(list, Some(work), &mains), [""; 0]);
        let old = list
            .replace("y v1.0.0", "y v0.9.0")
            .replace("./r\n", "./s\n");
        assert_eq!(
            found(&old, Some(work), &mains),
            [
                "a/go.mod:2 x.org/y@v1.0.0 NotListed",
                "go.work:4 q.org/r@ OtherReplacement(\"./r\", \"./s\")",
                "vendor/modules.txt:2 x.org/y@v0.9.0 NotRequired",
            ]
        );
    }

    #[test]
    fn what_is_not_there_was_made_for_a_module() {
        assert_eq!(Vendor::of(""), Vendor::Module);
        assert!(Vendor::of("## workspace\n# x v1\n") == Vendor::Workspace);
        let go_mod = "module m\nrequire a.org/x v1.0.0\n";
        let lacks = ["go.mod:2 a.org/x@v1.0.0 NotListed"];
        assert_eq!(found("", None, &[("go.mod", go_mod)]), lacks);
    }
}
