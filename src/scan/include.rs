//! Where the assembler finds what it includes.
//!
//! It opens the name in the package directory, as the kernel reads it: `..` behind a link is
//! above what the link leads to. What is not there it looks for where the name leads as a text
//! from the directory, as `go` calls that: behind a link the same directory has several names.
//!
//! Facts: Go 1.26, `cmd/asm/internal/lex`: `NewInput`, `include`.

use std::path::Path;

use super::index::{Directory, Link, LinkEnd, Native, NativeKind, Unhashed, join, resolve};
use super::link::follow;
use super::{Scope, assembly, read};
use crate::ignore::Rules;

/// A place that an include leads to.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Without links to directories on the way. It may be a link itself.
    pub(crate) path: String,
    /// The links on the way.
    pub(crate) links: Vec<String>,
    /// The file, if it is a link.
    pub(crate) link: Option<Link>,
    /// The text, if it is there.
    pub(crate) text: Option<Vec<u8>>,
}

/// Adds what the assembly of a directory includes; the files among that which are links.
/// `names` are other names of the directory.
pub(super) fn assembled(
    root: &Path,
    scope: Scope<'_>,
    names: &[String],
    directory: &mut Directory,
) -> Vec<Link> {
    let Directory {
        path: dir,
        files,
        natives,
        unhashed,
        ..
    } = directory;
    let (positions, sources): (Vec<u32>, Vec<&str>) = (0..)
        .zip(files.iter().map(String::as_str))
        .filter(|(_, name)| name.ends_with(assembly::SOURCE))
        .unzip();
    if sources.is_empty() {
        return Vec::new();
    }
    let finder = Finder {
        root,
        scope,
        dir,
        names,
    };
    let mut links = Vec::new();
    for found in assembly::included(dir, &sources, |name| finder.find(name)) {
        let native = |what: NativeKind| Native {
            what,
            file: positions[found.source],
            line: found.line,
        };
        natives.push(native(NativeKind::File(found.path.clone())));
        natives.extend(
            found
                .links
                .iter()
                .cloned()
                .map(NativeKind::Link)
                .map(native),
        );
        links.extend(found.link);
        let path = found.path;
        unhashed.extend(found.unhashed.map(|digest| Unhashed { path, digest }));
    }
    links
}

/// The name of the header in a package directory that says what Go does not put into its key of
/// the package.
pub(crate) const UNHASHED: &str = "gofleet_unhashed.h";

/// What that header says; nothing includes it.
pub(crate) fn unhashed_header(unhashed: &[Unhashed]) -> Option<String> {
    let lines = unhashed
        .iter()
        .map(|u| format!("{} {}\n", u.digest, u.path));
    (!unhashed.is_empty()).then(|| lines.collect())
}

/// The same for a directory of a fetched module, which has no links.
pub(crate) fn unhashed_in(root: &Path, dir: &str, files: Vec<String>) -> Option<String> {
    let mut directory = Directory {
        path: dir.to_owned(),
        files,
        ..Directory::default()
    };
    let everything = Scope {
        reach: &[],
        ignore: &Rules::default(),
    };
    assembled(root, everything, &[], &mut directory);
    unhashed_header(&directory.unhashed)
}

/// Does the same once more for directories that links lead to: only now their names are known.
pub(super) fn behind_links(
    root: &Path,
    scope: Scope<'_>,
    links: &[Link],
    directories: &mut [Directory],
) -> Vec<Link> {
    let mut out = Vec::new();
    if !links.iter().any(|link| matches!(link.end, LinkEnd::Dir(_))) {
        return out;
    }
    for directory in directories {
        let Directory { files, natives, .. } = &*directory;
        let is_source = |position: u32| {
            let name = usize::try_from(position).ok().and_then(|i| files.get(i));
            name.is_some_and(|name| name.ends_with(assembly::SOURCE))
        };
        if !natives.iter().any(|native| is_source(native.file)) {
            continue;
        }
        let names = names(&directory.path, links);
        if names.is_empty() {
            continue;
        }
        let others = natives.iter().filter(|native| !is_source(native.file));
        directory.natives = others.cloned().collect();
        directory.unhashed.clear();
        out.extend(assembled(root, scope, &names, directory));
    }
    out
}

/// Looks up what the assembly of one package directory includes.
pub(super) struct Finder<'a> {
    pub(super) root: &'a Path,
    pub(super) scope: Scope<'a>,
    pub(super) dir: &'a str,
    /// Other names of the directory, behind links.
    pub(super) names: &'a [String],
}

impl Finder<'_> {
    /// Where an include leads: one place, if something is there, else all that it may be at.
    pub(super) fn find(&self, name: &str) -> Vec<Place> {
        let opened = (!name.starts_with('/')).then(|| join(self.dir, name));
        let mut out = opened
            .as_deref()
            .map_or(Vec::new(), |path| self.turns(path));
        let dirs = [self.dir].into_iter();
        let dirs = dirs.chain(self.names.iter().map(String::as_str));
        let joined = dirs.filter_map(|dir| resolve(dir, name.trim_start_matches('/')));
        for path in opened.into_iter().chain(joined) {
            let Some(place) = self.place(&path) else {
                continue;
            };
            if place.text.is_some() {
                return vec![place];
            }
            if !out.iter().any(|known| known.path == place.path) {
                out.push(place);
            }
        }
        out
    }

    /// Names in front of a `..` where nothing is: what a client has there may be a link, and then
    /// the path goes on from where it leads.
    fn turns(&self, path: &str) -> Vec<Place> {
        let hides = |path: &str| self.scope.hides(path);
        let ends = path.match_indices("/..").map(|(end, _)| &path[..end]);
        let names = ends.filter(|before| !before.ends_with(".."));
        let absent = names.filter_map(|name| match follow(self.root, name, hides).end {
            LinkEnd::Absent(path) => Some(Place {
                path,
                ..Place::default()
            }),
            _ => None,
        });
        absent.collect()
    }

    /// A path that may have links and `..` on the way; `None` if it leaves the scanned directory.
    fn place(&self, path: &str) -> Option<Place> {
        let hides = |path: &str| self.scope.hides(path);
        let (above, name) = path.rsplit_once('/').unwrap_or((".", path));
        if matches!(name, "" | "." | "..") {
            return None;
        }
        let way = follow(self.root, above, hides);
        let (LinkEnd::Dir(dir) | LinkEnd::Absent(dir)) = way.end else {
            return None;
        };
        let path = join(&dir, name);
        let mut own = follow(self.root, &path, hides);
        let text = match &own.end {
            LinkEnd::File(file) => read::text(self.root, file),
            _ => None,
        };
        let is_link = own.links.first() == Some(&path);
        let link = is_link.then(|| Link {
            path: path.clone(),
            hops: own.links.split_off(1),
            end: own.end,
        });
        Some(Place {
            path,
            links: way.links,
            link,
            text,
        })
    }
}

/// The other names of a directory, behind links.
pub(super) fn names(dir: &str, links: &[Link]) -> Vec<String> {
    let mut out = vec![dir.to_owned()];
    let mut at = 0;
    while at < out.len() && out.len() <= MAX_NAMES {
        for link in links {
            let below = match &link.end {
                LinkEnd::Dir(target) if target == "." => Some(out[at].as_str()),
                LinkEnd::Dir(target) => match out[at].strip_prefix(target.as_str()) {
                    Some("") => Some("."),
                    Some(below) => below.strip_prefix('/'),
                    None => None,
                },
                _ => None,
            };
            let name = below.map(|below| join(&link.path, below));
            out.extend(name.filter(|name| !out.contains(name)));
        }
        at += 1;
    }
    out.split_off(1)
}

/// Links in a circle give a directory names without end.
const MAX_NAMES: usize = 40;
