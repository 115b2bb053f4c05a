//! The scan's result, as it travels from the scan step to the frontend.
//!
//! The index says what stands in the files, and decides nothing: which files a
//! service can see is computed from it by `closure`.

use serde::{Deserialize, Serialize};

use super::constraint::{Setting, may_hold_on};
use crate::versions::Go;

/// Most links on one path, as in Linux.
pub(super) const MAX_LINKS: usize = 40;

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
    /// Directories that hold a main package, without build tags on a usual platform.
    pub mains: Vec<String>,
    /// Paths of all manifests: `go.mod`, `go.sum`, `go.work`, `go.work.sum` and
    /// `vendor/modules.txt`.
    pub manifests: Vec<String>,
    /// Directories that hold files which a build can read, manifests included.
    pub directories: Vec<Directory>,
    /// Symbolic links to directories, those with the name of a source file or that assembly
    /// includes, and those to something that was not scanned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Pipes, devices and the like in the place of files: who opens one may wait for ever. And
    /// directories that have the name of a profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub irregular: Vec<String>,
    /// What the scan could not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Words of build constraints that may hold besides the usual ones, see
    /// [`open_words`](super::open_words). No scan sets it: who asks for unusual
    /// builds does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
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
    /// The modules that it requires.
    pub requires: Vec<Require>,
    /// Whether its modules come from a `vendor` directory, when it is built by itself.
    pub vendored: bool,
    /// Where its `go.mod` and the list of its `vendor` directory say different things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unvendored: Vec<Unvendored>,
    /// Required modules that come from elsewhere and that its `go.sum` does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsummed: Vec<Unsummed>,
    /// Versions that are never chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<Require>,
    /// Its `replace` lines.
    pub replaces: Vec<Replace>,
    /// Paths of `ignore` lines as written: `./...` passes over them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<String>,
}

/// A module at the version that another one requires.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Require {
    /// Its path.
    #[serde(rename = "p")]
    pub path: String,
    /// The version.
    #[serde(rename = "v")]
    pub version: String,
}

/// A `replace` line.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replace {
    /// The replaced module path.
    pub path: String,
    /// The version that is replaced; empty for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What stands for it.
    #[serde(flatten)]
    pub with: With,
    /// The version of the module that stands for it; empty for a directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub with_version: String,
    /// The line, from 1.
    #[serde(rename = "l", default)]
    pub line: u32,
}

/// A contradiction between manifests and a list of vendored packages: then Go builds nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unvendored {
    /// The file with the line that shows it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The module; without a version where a `replace` is for all.
    pub module: Require,
    /// What is wrong.
    pub what: Contradiction,
}

/// Kinds of [`Unvendored`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Contradiction {
    /// The module is required, and the list does not say so.
    NotListed,
    /// The list says that the module is required, and it is not.
    NotRequired,
    /// The module is replaced by this, and the list does not say so.
    NotListedReplaced(String),
    /// The list says that the module is replaced by this, and it is not.
    NotReplaced(String),
    /// The module is replaced by the first, and by the second says the list.
    OtherReplacement(String, String),
}

/// A required module without its checksums.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unsummed {
    /// The path that is required.
    #[serde(rename = "p")]
    pub path: String,
    /// What comes in its place, which is the module itself unless it is replaced.
    #[serde(rename = "m")]
    pub module: Require,
    /// The line of the `require`, from 1.
    #[serde(rename = "l")]
    pub line: u32,
    /// Whether the sum of its `go.mod` alone is missing.
    #[serde(rename = "g", default)]
    pub is_go_mod: bool,
}

/// What stands for a replaced module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum With {
    /// A directory.
    #[serde(rename = "dir")]
    Dir(String),
    /// A directory outside of the scanned one, as written.
    #[serde(rename = "outside")]
    Outside(String),
    /// Another module, by its path.
    #[serde(rename = "module")]
    Module(String),
}

impl Default for With {
    fn default() -> Self {
        Self::Dir(".".to_owned())
    }
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
    /// Whether its modules come from a `vendor` directory.
    pub vendored: bool,
    /// Where the manifests and the list of that directory say different things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unvendored: Vec<Unvendored>,
    /// Modules that its modules require, and of whose `go.mod` none of them and no `go.work.sum` knows
    /// the sum, each with the `go.mod` that has the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsummed: Vec<(String, Unsummed)>,
    /// Directories of its modules.
    pub uses: Vec<String>,
    /// Its `use` lines: the directory as written, and the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<(String, u32)>,
    /// Directories of `use` lines without a `go.mod`, as written, with their lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<(String, u32)>,
    /// Its `replace` lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Replace>,
}

/// A directory with files that a build can read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Where it is.
    #[serde(rename = "p")]
    pub path: String,
    /// Names of its files, tests left out.
    #[serde(rename = "f")]
    pub files: Vec<String>,
    /// The constraints of its files of `package main`; an empty one for a file without.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub mains: Vec<String>,
    /// Names of directories in it that look like those of files, such as `nats.go`.
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub lookalikes: Vec<String>,
    /// Constraints of its Go files that keep them out of some builds on all
    /// platforms.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// What its Go files import, the standard library left out.
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<Import>,
    /// What its Go files embed.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Import>,
    /// What its native code names outside of the directory's own files.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub natives: Vec<Native>,
    /// What its assembly includes and Go's build cache does not see (see
    /// `scan/assembly.rs`).
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub unhashed: Vec<Unhashed>,
}

/// A file that a package is compiled from and that is in no key of Go's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unhashed {
    /// Where it is.
    #[serde(rename = "p")]
    pub path: String,
    /// The digest of its content.
    #[serde(rename = "h")]
    pub digest: String,
}

/// Something that a Go file names in text: an import path or an embed pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Import {
    /// The path or pattern, unquoted.
    #[serde(rename = "p")]
    pub path: String,
    /// Position of the file in the directory's list.
    #[serde(rename = "f")]
    pub file: u32,
    /// Line, from 1.
    #[serde(rename = "l")]
    pub line: u32,
    /// The file's constraint, its name's included: what keeps it out of some builds.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
}

/// The constraint of a file, its name's included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// Position of the file in the directory's list.
    #[serde(rename = "f")]
    pub file: u32,
    /// An expression as in `//go:build`.
    #[serde(rename = "c")]
    pub expression: String,
}

/// What native code names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Native {
    /// What it is.
    #[serde(rename = "w")]
    pub what: NativeKind,
    /// Position of the naming file in the directory's list.
    #[serde(rename = "f")]
    pub file: u32,
    /// Line, from 1.
    #[serde(rename = "l")]
    pub line: u32,
}

/// Kinds of [`Native`]; paths are resolved, relative to the scanned directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NativeKind {
    /// A file.
    #[serde(rename = "f")]
    File(String),
    /// A link on the way to a file.
    #[serde(rename = "l")]
    Link(String),
    /// A directory of headers or libraries, with everything below.
    #[serde(rename = "d")]
    Dir(String),
    /// Only a C compiler can tell.
    #[serde(rename = "?")]
    Unknown,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Where it is.
    pub path: String,
    /// What it leads to in the end.
    pub end: LinkEnd,
    /// The other links on the way there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<String>,
}

/// What is at the end of a way through links; paths are relative to the scanned directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkEnd {
    /// A file.
    File(String),
    /// A directory.
    Dir(String),
    /// A pipe, a device or a socket.
    Special(String),
    /// Nothing that was scanned: a client sends it when it is asked for, or it does not exist.
    Absent(String),
    /// It leaves the scanned directory.
    Outside,
    /// It never ends.
    Circle,
}

impl Link {
    /// The file that it stands for.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.end {
            LinkEnd::File(path) => Some(path),
            _ => None,
        }
    }

    /// Whether it leads to no directory that was scanned.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        !matches!(self.end, LinkEnd::Dir(_))
    }

    /// The directory that it stands for; one that was not scanned may be one.
    #[must_use]
    pub fn directory(&self) -> Option<&str> {
        match &self.end {
            LinkEnd::Dir(path) | LinkEnd::Absent(path) => Some(path),
            _ => None,
        }
    }
}

/// Where a path leads through links to directories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The path without links.
    pub path: String,
    /// The links on the way.
    pub links: Vec<&'a str>,
    /// A link that leads nowhere: `path` ends there.
    pub broken: Option<&'a Link>,
}

/// Something that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// File or directory.
    pub path: String,
    /// What is wrong, in words.
    pub text: String,
}

impl Module {
    /// Whether its list of requirements has every version that is chosen: then Go reads the
    /// listed modules and no others (since Go 1.17).
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        let go = self.go.as_deref().and_then(Go::parse);
        go.is_some_and(|go| go.is_at_least(17))
    }
}

impl Directory {
    /// Whether it holds a Go package: a Go file that is no test.
    #[must_use]
    pub fn is_package(&self) -> bool {
        self.files.iter().any(|file| file.ends_with(".go"))
    }

    /// Path of the file at a position of the list.
    #[must_use]
    pub fn file(&self, position: u32) -> String {
        let name = usize::try_from(position)
            .ok()
            .and_then(|i| self.files.get(i));
        join(&self.path, name.map_or("?", String::as_str))
    }
}

impl Index {
    /// Main packages that people mean: not those in directories that `./...`
    /// passes over.
    #[must_use]
    pub fn suggestions(&self) -> Vec<String> {
        let hidden = |dir: &str| super::select::passed_over(dir).is_some() || self.is_ignored(dir);
        let meant = self.mains.iter().filter(|dir| !hidden(dir));
        meant.cloned().collect()
    }

    /// Whether an `ignore` line of the directory's module names it or a directory
    /// above it: then patterns with `...` do not match it (since Go 1.25).
    #[must_use]
    pub fn is_ignored(&self, dir: &str) -> bool {
        let Some(module) = self.module_of(dir) else {
            return false;
        };
        module
            .ignores
            .iter()
            .any(|path| match path.strip_prefix("./") {
                Some(_) => resolve(&module.dir, path).is_some_and(|path| is_inside(dir, &path)),
                // Without `./` in front it is that path at any depth of the module.
                None => {
                    let below = match module.dir.as_str() {
                        "." => dir,
                        above => dir.strip_prefix(above).unwrap_or(dir),
                    };
                    let path = path.trim_matches('/');
                    format!("/{below}/").contains(&format!("/{path}/"))
                }
            })
    }

    /// Whether a directory holds a main package in a build for a system and a processor.
    #[must_use]
    pub fn is_main(&self, dir: &str, tags: &[String], os: &str, arch: &str) -> bool {
        let holds =
            |constraint: &String| constraint.is_empty() || may_hold_on(constraint, tags, os, arch);
        self.directory(&self.place(dir).path)
            .is_some_and(|d| d.mains.iter().any(holds))
    }

    /// Whether a path is that of a file which the scan saw.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        parent(path)
            .and_then(|dir| self.directory(dir))
            .is_some_and(|d| d.files.iter().any(|f| f == name))
    }

    /// The same, or whether what a link there leads to was read.
    #[must_use]
    pub fn is_scanned(&self, path: &str) -> bool {
        self.has_file(path) || self.link_at(path).is_some_and(|link| link.file().is_some())
    }

    /// Names of a directory's Go files that no build reads, whatever its tags: scripts,
    /// and files for systems that nobody asked for.
    #[must_use]
    pub fn left_out<'a>(&self, directory: &'a Directory) -> Vec<&'a str> {
        let setting = Setting {
            tags: None,
            open: &self.open,
        };
        let out = directory.constraints.iter();
        out.filter(|c| !setting.may_hold(&c.expression))
            .filter_map(|c| directory.files.get(usize::try_from(c.file).ok()?))
            .map(String::as_str)
            .collect()
    }

    /// A directory, if it holds files that a build can read.
    #[must_use]
    pub fn directory(&self, path: &str) -> Option<&Directory> {
        let found = self
            .directories
            .binary_search_by(|d| d.path.as_str().cmp(path));
        found.ok().map(|i| &self.directories[i])
    }

    /// The module that a package directory belongs to: the nearest `go.mod` at
    /// or above it.
    #[must_use]
    pub fn module_of(&self, dir: &str) -> Option<&Module> {
        self.module_above(dir).map(|(_, module)| module)
    }

    /// The same, and the directory at or above `dir` that holds the `go.mod`; it is not the
    /// module's own path when that is a link.
    #[must_use]
    pub fn module_above<'d>(&self, dir: &'d str) -> Option<(&'d str, &Module)> {
        ancestors(dir).find_map(|dir| Some((dir, self.module_at(&self.place(dir).path)?)))
    }

    /// Where a path leads through links to directories.
    #[must_use]
    pub fn place(&self, path: &str) -> Place<'_> {
        let mut place = Place {
            path: path.to_owned(),
            ..Place::default()
        };
        // A scan knows no links below links, so there is one at most on a path.
        while !self.links.is_empty() {
            let link = ancestors(&place.path).find_map(|at| self.link_at(at));
            let Some(link) = link else { break };
            place.links.push(&link.path);
            place.links.extend(link.hops.iter().map(String::as_str));
            let rest = place.path[link.path.len()..].trim_start_matches('/');
            match link.directory() {
                // What leads to itself is a circle, which has no directory.
                Some(target) if place.links.len() <= MAX_LINKS => {
                    place.path = join(target, if rest.is_empty() { "." } else { rest });
                }
                _ => {
                    place.broken = Some(link);
                    break;
                }
            }
        }
        place
    }

    /// The symbolic link at a path.
    #[must_use]
    pub fn link_at(&self, path: &str) -> Option<&Link> {
        let found = self.links.binary_search_by(|l| l.path.as_str().cmp(path));
        found.ok().map(|i| &self.links[i])
    }

    /// The links among the files of a directory.
    pub fn links_in<'a>(&'a self, directory: &'a Directory) -> impl Iterator<Item = &'a Link> {
        let files = directory.files.iter().filter(|_| !self.links.is_empty());
        files.filter_map(|name| self.link_at(&join(&directory.path, name)))
    }

    /// The file whose content is that of a path: the path itself, or what a link there
    /// leads to.
    #[must_use]
    pub fn content_of<'a>(&'a self, path: &'a str) -> &'a str {
        self.link_at(path).and_then(Link::file).unwrap_or(path)
    }

    /// Whether a path is a link to no file.
    #[must_use]
    pub fn leads_nowhere(&self, path: &str) -> bool {
        self.link_at(path).is_some_and(|link| link.file().is_none())
    }

    /// The module whose `go.mod` is in this directory.
    #[must_use]
    pub fn module_at(&self, dir: &str) -> Option<&Module> {
        let found = self.modules.binary_search_by(|m| m.dir.as_str().cmp(dir));
        found.ok().map(|i| &self.modules[i])
    }

    /// The workspace that the `go` command finds from a module's directory: the
    /// nearest `go.work` at or above it, whether or not it uses the module.
    #[must_use]
    pub fn workspace_of(&self, dir: &str) -> Option<&Workspace> {
        nearest(&self.workspaces, |w| &w.dir, dir)
    }
}

/// The item at `dir` or the nearest directory above it; items are sorted.
fn nearest<'a, T>(items: &'a [T], key: impl Fn(&T) -> &String, dir: &str) -> Option<&'a T> {
    let mut dir = dir;
    loop {
        if let Ok(i) = items.binary_search_by(|item| key(item).as_str().cmp(dir)) {
            return items.get(i);
        }
        dir = parent(dir)?;
    }
}

/// A directory and those above it, from the inside out.
pub(crate) fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| parent(dir))
}

/// The directory above; `None` above the scanned directory itself.
pub(crate) fn parent(dir: &str) -> Option<&str> {
    match dir.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None if dir == "." => None,
        None => Some("."),
    }
}

/// Whether `dir` is `above` or lies below it.
pub(crate) fn is_inside(dir: &str, above: &str) -> bool {
    above == "."
        || dir
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Joins a directory of the context and a name, without a `./` in front.
pub(crate) fn join(dir: &str, name: &str) -> String {
    match (dir, name) {
        (".", name) => name.to_owned(),
        (dir, ".") => dir.to_owned(),
        (dir, name) => format!("{dir}/{name}"),
    }
}

/// Resolves a path that is relative to `dir`; `None` if it is absolute or leaves
/// the root.
pub(crate) fn resolve(dir: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|p| *p != ".").collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
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

    #[test]
    fn ignore_lines_are_a_place_or_a_name() {
        let module = Module {
            dir: "svc".into(),
            ignores: vec!["./old".into(), "gen/out".into()],
            ..Module::default()
        };
        let index = Index {
            modules: vec![module],
            ..Index::default()
        };
        for (dir, ignored) in [
            ("svc/old/cmd", true),
            ("svc/cmd/old", false),
            ("svc/a/gen/out/b", true),
            ("svc/gen/outer", false),
            ("old", false),
            ("svc", false),
        ] {
            assert_eq!(index.is_ignored(dir), ignored, "{dir}");
        }
    }

    #[test]
    fn resolves_targets_inside_the_root() {
        assert_eq!(resolve("svc/a", "../../lib").as_deref(), Some("lib"));
        assert_eq!(resolve(".", "./").as_deref(), Some("."));
        assert_eq!(resolve(".", "../out"), None);
        assert_eq!(resolve("a", "/abs"), None);
    }
}
