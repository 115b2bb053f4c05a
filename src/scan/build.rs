//! From what a walk found to the index: manifests read, lists sorted, imports of
//! the standard library left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::gomod::{Replacement, parse_go_mod, parse_go_work, use_lines};
use super::index::{
    Import, Index, LinkEnd, Module, Replace, Require, With, Workspace, join, resolve,
};
use super::sums::{self, unsummed};
use super::vendor::{self, Manifest, Vendor};
use super::walk::{self, Found, OneDirectory};
use super::{Scope, include, link, select};
use crate::ignore::Rules;

/// Bytes read of a `go.mod` or `go.work`. Go itself has a limit of 16 MiB.
const MANIFEST_BYTES: u64 = 16 * 1024 * 1024;

/// Scans a directory.
///
/// Unreadable files and directories below `root` become notes: if a build needs
/// one, the `go` command says so with its own message. `reach` names directories
/// that are read although `./...` passes over them.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn scan(root: &Path, reach: &[String]) -> io::Result<Index> {
    let ignore = &Rules::default();
    scan_scope(root, Scope { reach, ignore })
}

/// Scans the part of a directory that a scope names, as [`scan`] does all of it.
///
/// # Errors
///
/// When `root` itself cannot be read.
pub fn scan_scope(root: &Path, scope: Scope<'_>) -> io::Result<Index> {
    let found = walk::walk(root, scope)?;
    Ok(index(root, found, scope))
}

fn index(root: &Path, found: Found, scope: Scope<'_>) -> Index {
    let mut index = Index {
        links: found.links,
        irregular: found.irregular,
        notes: found.notes,
        ..Index::default()
    };
    index.links.sort();
    let lists: Vec<(String, String)> = linked_lists(root, &index, scope.ignore);
    let vendored: BTreeSet<String> = found
        .directories
        .iter()
        .filter(|d| d.manifests.iter().any(|m| m == select::VENDOR_LIST))
        .map(|d| d.directory.path.clone())
        .chain(lists.iter().map(|(vendor, _)| vendor.clone()))
        .collect();
    let unlisted = unlisted(&found.directories, &vendored);
    index
        .manifests
        .extend(lists.into_iter().map(|(_, list)| list));
    for mut one in found.directories {
        let dir = one.directory.path.clone();
        let dir = dir.as_str();
        for manifest in &one.manifests {
            index.manifests.push(join(dir, manifest));
            let text = || read(root, &join(dir, manifest));
            let vendor = join(dir, "vendor");
            let vendor = match vendored.contains(&vendor) {
                true => Some(Vendor::of(&read(root, &join(&vendor, select::VENDOR_LIST)))),
                false => unlisted.contains(&vendor).then_some(Vendor::Module),
            };
            match manifest.as_str() {
                "go.mod" => {
                    let sums = one.manifests.iter().find(|name| *name == "go.sum");
                    let sums = sums.map(|name| read(root, &join(dir, name)));
                    let module = module(dir, &text(), &sums.unwrap_or_default(), vendor);
                    index.modules.push(module);
                }
                "go.work" => index.workspaces.push(workspace(dir, &text(), vendor)),
                _ => {}
            }
        }
        let is_vendored = is_below_vendor(dir, &vendored);
        if one.is_main && !is_vendored {
            index.mains.push(dir.to_owned());
        }
        if is_vendored {
            one.directory.mains.clear();
        }
        index.directories.push(one.directory);
    }
    index.modules.sort_by(|a, b| a.dir.cmp(&b.dir));
    index.workspaces.sort_by(|a, b| a.dir.cmp(&b.dir));
    index.mains.sort();
    index.manifests.sort();
    index.manifests.dedup();
    index.directories.sort_by(|a, b| a.path.cmp(&b.path));
    index.irregular.sort();
    index.notes.sort();
    let Index {
        links, directories, ..
    } = &mut index;
    let more = include::behind_links(root, scope, links, directories);
    links.extend(more);
    links.sort();
    links.dedup();
    keep_lost_uses(&mut index);
    compare_vendor_lists(root, &vendored, &mut index);
    sums::compare_workspaces(&mut index, |path| read(root, path));
    let roots = local_roots(&index);
    for directory in &mut index.directories {
        directory.imports = without_std(std::mem::take(&mut directory.imports), &roots);
        directory.natives.sort();
        directory.natives.dedup();
    }
    index
}

/// Drops the `use` lines that lead to a module, or to a link that leads nowhere: that is
/// said by itself.
fn keep_lost_uses(index: &mut Index) {
    let mut workspaces = std::mem::take(&mut index.workspaces);
    for workspace in &mut workspaces {
        workspace.lost.retain(|(target, _)| {
            let Some(dir) = resolve(&workspace.dir, target) else {
                return true;
            };
            let place = index.place(&dir);
            let mut links = place.links.iter().filter_map(|path| index.link_at(path));
            let is_unknown = place.broken.is_some() || links.any(super::Link::is_lost);
            index.module_at(&place.path).is_none() && !is_unknown
        });
    }
    index.workspaces = workspaces;
}

/// Links with the name `vendor` to directories that hold a list of vendored packages, each
/// with that list.
fn linked_lists(root: &Path, index: &Index, ignore: &Rules) -> Vec<(String, String)> {
    let links = index.links.iter();
    let named = links.filter(|l| l.path == "vendor" || l.path.ends_with("/vendor"));
    let lists = named.filter_map(|link| {
        let list = join(link.directory()?, select::VENDOR_LIST);
        let is_there = root.join(&list).is_file() && ignore.hidden_by(&list).is_none();
        is_there.then(|| (link.path.clone(), list))
    });
    lists.collect()
}

fn is_below_vendor(dir: &str, vendored: &BTreeSet<String>) -> bool {
    let mut at = Some(dir);
    while let Some(dir) = at {
        if vendored.contains(dir) {
            return true;
        }
        at = super::index::parent(dir);
    }
    false
}

/// First elements of all module paths that directories stand for: a module may be
/// named `mono`, and then `mono/lib` is not the standard library's.
fn local_roots(index: &Index) -> BTreeSet<String> {
    let replaces = index.modules.iter().flat_map(|m| &m.replaces);
    let replaces = replaces.chain(index.workspaces.iter().flat_map(|w| &w.replaces));
    let required = index.modules.iter().flat_map(|m| &m.requires);
    let required = required.map(|r| &r.path);
    let paths = index.modules.iter().map(|m| &m.path);
    paths
        .chain(replaces.map(|r| &r.path))
        .chain(required)
        .map(|path| first_element(path).to_owned())
        .collect()
}

fn first_element(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// Drops what the standard library provides, and repeats: of several files that
/// import a path, the first one that is in every build stands for all of them.
fn without_std(imports: Vec<Import>, roots: &BTreeSet<String>) -> Vec<Import> {
    let mut kept: BTreeMap<(String, Option<String>), Import> = BTreeMap::new();
    for import in imports {
        let first = first_element(&import.path);
        if !first.contains('.') && !roots.contains(first) {
            continue;
        }
        let key = (import.path.clone(), import.constraint.clone());
        kept.entry(key).or_insert(import);
    }
    let always: BTreeSet<String> = kept
        .keys()
        .filter(|(_, constraint)| constraint.is_none())
        .map(|(path, _)| path.clone())
        .collect();
    kept.into_values()
        .filter(|i| i.constraint.is_none() || !always.contains(&i.path))
        .collect()
}

/// Vendor directories without a list: Go takes modules from there all the same.
fn unlisted(found: &[OneDirectory], listed: &BTreeSet<String>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for one in found {
        let above = super::index::ancestors(&one.directory.path);
        out.extend(above.filter(|dir| *dir == "vendor" || dir.ends_with("/vendor")));
    }
    let out = out.into_iter().filter(|dir| !listed.contains(*dir));
    out.map(str::to_owned).collect()
}

/// Compares the lists that Go uses with the manifests that they were made of.
fn compare_vendor_lists(root: &Path, listed: &BTreeSet<String>, index: &mut Index) {
    let manifest = |dir: &str, name: &str| {
        let path = join(dir, name);
        let text = read(root, &path);
        let dir = dir.to_owned();
        Manifest { path, dir, text }
    };
    let list = |dir: &str| {
        let vendor = join(dir, "vendor");
        let path = join(&vendor, select::VENDOR_LIST);
        let text = match listed.contains(&vendor) {
            true => read(root, &path),
            false => String::new(),
        };
        (path, text)
    };
    let mut modules = std::mem::take(&mut index.modules);
    for module in modules.iter_mut().filter(|module| module.vendored) {
        let (path, text) = list(&module.dir);
        let own = [manifest(&module.dir, "go.mod")];
        module.unvendored = vendor::contradictions((&path, &text), None, &own);
    }
    index.modules = modules;
    let mut workspaces = std::mem::take(&mut index.workspaces);
    for workspace in workspaces.iter_mut().filter(|w| w.vendored) {
        let dirs = workspace.uses.iter().map(|dir| index.place(dir).path);
        let dirs: BTreeSet<String> = dirs.collect();
        if dirs.iter().any(|dir| index.module_at(dir).is_none()) {
            continue;
        }
        let (path, text) = list(&workspace.dir);
        let work = manifest(&workspace.dir, "go.work");
        let mains: Vec<Manifest> = dirs.iter().map(|dir| manifest(dir, "go.mod")).collect();
        workspace.unvendored = vendor::contradictions((&path, &text), Some(&work), &mains);
    }
    index.workspaces = workspaces;
}

fn module(dir: &str, text: &str, sums: &str, vendor: Option<Vendor>) -> Module {
    let parsed = parse_go_mod(text);
    let go = parsed.go.as_deref();
    let vendored = vendor.is_some_and(|vendor| vendor.serves(Vendor::Module, go));
    let unsummed = unsummed(text, &parsed, sums);
    Module {
        dir: dir.to_owned(),
        path: parsed.module,
        go: parsed.go,
        toolchain: parsed.toolchain,
        requires: requires(parsed.requires),
        vendored,
        unvendored: Vec::new(),
        unsummed,
        excludes: requires(parsed.excludes),
        replaces: replaces(dir, parsed.replaces),
        ignores: parsed.ignores,
    }
}

fn workspace(dir: &str, text: &str, vendor: Option<Vendor>) -> Workspace {
    let parsed = parse_go_work(text);
    let go = parsed.go.as_deref();
    let vendored = vendor.is_some_and(|vendor| vendor.serves(Vendor::Workspace, go));
    Workspace {
        dir: dir.to_owned(),
        go: parsed.go,
        toolchain: parsed.toolchain,
        vendored,
        unvendored: Vec::new(),
        unsummed: Vec::new(),
        uses: inside(dir, &parsed.uses),
        lines: use_lines(text),
        lost: use_lines(text),
        replaces: replaces(dir, parsed.replaces),
    }
}

fn requires(lines: Vec<(String, String)>) -> Vec<Require> {
    let lines = lines.into_iter();
    lines
        .map(|(path, version)| Require { path, version })
        .collect()
}

fn replaces(dir: &str, lines: Vec<Replacement>) -> Vec<Replace> {
    let replace = |line: Replacement| {
        let with = match line.is_directory().then(|| resolve(dir, &line.with)) {
            Some(Some(dir)) => With::Dir(dir),
            Some(None) => With::Outside(line.with),
            None => With::Module(line.with),
        };
        Replace {
            path: line.path,
            version: line.version,
            with,
            with_version: line.with_version,
            line: line.line,
        }
    };
    let mut out: Vec<Replace> = lines.into_iter().map(replace).collect();
    out.sort();
    out.dedup();
    out
}

/// Resolves relative directories against `dir`; those that leave the root, and
/// absolute ones, are dropped.
fn inside(dir: &str, targets: &[String]) -> Vec<String> {
    let mut out: Vec<String> = targets.iter().filter_map(|t| resolve(dir, t)).collect();
    out.sort();
    out.dedup();
    out
}

/// Text of a manifest, through symbolic links that stay inside; empty if it cannot
/// be read, since the `go` command says that better.
fn read(root: &Path, path: &str) -> String {
    let mut bytes = Vec::new();
    if let LinkEnd::File(path) = link::follow(root, path, |_| false).end
        && let Ok(file) = File::open(root.join(path))
    {
        let _ = file.take(MANIFEST_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;

    #[test]
    fn finds_modules_mains_and_imports() {
        let root = tree(&[
            (
                "go.mod",
                "module m\ngo 1.26\nrequire x.org/y v1.0.0\nreplace x.org/z => ./z\n",
            ),
            ("go.work", "go 1.26\nuse .\nuse ./tools\n"),
            (
                "cmd/api/main.go",
                "package main\nimport (\n\t\"fmt\"\n\t\"m/lib\"\n\t\"x.org/y\"\n)\n",
            ),
            (
                "cmd/api/main_test.go",
                "package main\nimport \"m/testonly\"\n",
            ),
            (
                "lib/lib.go",
                "package lib\nimport _ \"embed\"\n\n//go:embed a.txt\nvar A string\n",
            ),
            (
                "lib/gen.go",
                "//go:build ignore\n\npackage main\nimport \"x.org/gen\"\n",
            ),
            ("tools/go.mod", "module m/tools\ngo 1.26\n"),
            ("tools/vendor/modules.txt", ""),
            ("tools/vendor/x/main.go", "package main\n"),
            ("testdata/main.go", "package main\n"),
            ("_dev/tool/main.go", "package main\n"),
            ("only_test/a_test.go", "package main\n"),
            ("docs/readme.md", "hi"),
        ]);
        std::os::unix::fs::symlink("cmd", root.path().join("loop")).unwrap();

        let index = scan(root.path(), &[]).unwrap();
        assert_eq!(index.mains, ["cmd/api"]);
        let dirs: Vec<_> = index.modules.iter().map(|m| m.dir.as_str()).collect();
        assert_eq!(dirs, [".", "tools"]);
        assert_eq!(index.modules[0].requires[0].path, "x.org/y");
        assert!(!index.modules[0].vendored && index.modules[1].vendored);
        assert_eq!(index.workspaces[0].uses, [".", "tools"]);
        let paths = |dir: &str| -> Vec<String> {
            let directory = index.directory(dir).unwrap();
            directory.imports.iter().map(|i| i.path.clone()).collect()
        };
        assert_eq!(paths("cmd/api"), ["m/lib", "x.org/y"]);
        assert_eq!(paths("lib"), ["x.org/gen"]);
        let lib = index.directory("lib").unwrap();
        assert_eq!(lib.files, ["gen.go", "lib.go"]);
        assert_eq!(lib.imports[0].constraint.as_deref(), Some("ignore"));
        assert_eq!(
            (lib.embeds[0].path.as_str(), lib.embeds[0].line),
            ("a.txt", 4)
        );
        assert_eq!(lib.file(lib.embeds[0].file), "lib/lib.go");
        assert_eq!(index.links[0].directory(), Some("cmd"));
        assert!(index.directory("docs").is_none() && index.directory("only_test").is_none());

        let reached = scan(root.path(), &["_dev/tool".to_owned()]).unwrap();
        assert_eq!(reached.mains, ["_dev/tool", "cmd/api"]);
        assert_eq!(reached.suggestions(), ["cmd/api"]);
    }

    #[test]
    fn a_vendor_directory_is_for_a_module_or_for_a_workspace() {
        let vendored = |go: &str, list: &str| {
            let root = tree(&[
                ("go.mod", &format!("module m\n{go}\n")),
                ("go.work", &format!("{go}\nuse .\n")),
                ("vendor/modules.txt", list),
            ]);
            let index = scan(root.path(), &[]).unwrap();
            (index.modules[0].vendored, index.workspaces[0].vendored)
        };
        assert_eq!(vendored("go 1.14", "# x.org/y v1.0.0\n"), (true, false));
        assert_eq!(vendored("go 1.26", ""), (true, false));
        assert_eq!(vendored("go 1.26", "## workspace\n# x v1\n"), (false, true));
        assert_eq!(vendored("go 1.26", "## x; workspace \n"), (false, true));
        assert_eq!(vendored("go 1.26", "# x v1\n## workspace\n"), (true, false));
        assert_eq!(vendored("go 1.13", "# x.org/y v1.0.0\n"), (false, false));
        assert_eq!(vendored("", "## workspace\n"), (false, false));
    }

    #[test]
    fn pipes_are_no_sources_and_nobody_waits_for_them() {
        let root = tree(&[
            ("go.mod", "module m\ngo 1.26\n"),
            ("main.go", "package main\n"),
            ("vendor/a.txt", ""),
        ]);
        for name in ["x.go", "go.sum", "vendor/modules.txt", "data.bin"] {
            let path = root.path().join(name);
            rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
        }
        let index = scan(root.path(), &[]).unwrap();
        assert_eq!(
            index.irregular,
            ["data.bin", "go.sum", "vendor/modules.txt", "x.go"]
        );
        assert_eq!(index.directory(".").unwrap().files, ["main.go"]);
        assert_eq!(index.manifests, ["go.mod"]);
    }

    #[test]
    fn a_missing_root_is_an_error() {
        assert!(scan(Path::new("/nonexistent/gofleet"), &[]).is_err());
    }

    #[test]
    fn what_an_ignore_file_hides_is_not_there() {
        let root = tree(&[
            ("go.mod", "module m\ngo 1.26\n"),
            ("vendor/modules.txt", "# x v1\n"),
            ("a/main.go", "package main\n"),
            ("a/gen.go", "package main\n"),
            ("b/b.go", "package b\n"),
            ("b/c/c.go", "package c\n"),
            ("b/c/d/d.go", "package d\n"),
        ]);
        std::os::unix::fs::symlink("../b/b.go", root.path().join("a/link.go")).unwrap();
        let found = |rules: &str| {
            let ignore = &Rules::parse(rules.as_bytes());
            let scope = Scope { reach: &[], ignore };
            let index = scan_scope(root.path(), scope).unwrap();
            let files = index.directories.iter();
            let files: Vec<String> = files
                .flat_map(|d| d.files.iter().map(|f| join(&d.path, f)))
                .collect();
            (files.join(" "), index.modules[0].vendored)
        };
        let rules = "vendor\n**/gen.go\nb\n!b/c/d\n";
        // The link is there, and what it leads to is not.
        let some = "a/link.go a/main.go b/c/d/d.go";
        assert_eq!(found(rules), (some.to_owned(), false));
        let all = "a/gen.go a/link.go a/main.go b/b.go b/c/c.go b/c/d/d.go";
        assert_eq!(found(""), (all.to_owned(), true));
    }
}
