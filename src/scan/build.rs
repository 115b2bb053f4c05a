//! From what a walk found to the index: manifests read, lists sorted, imports of
//! the standard library left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::gomod::{
    Replacement, explicitly_vendored, is_for_workspace, parse_go_mod, parse_go_work, require_lines,
    use_lines,
};
use super::index::{
    Import, Index, LinkEnd, Module, Replace, Require, With, Workspace, is_inside, join, resolve,
};
use super::walk::{self, Found};
use super::{Scope, include, link, select};
use crate::ignore::Rules;
use crate::versions::Go;

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
            let vendor = vendored.contains(&vendor).then(|| vendor_of(root, &vendor));
            match manifest.as_str() {
                "go.mod" => {
                    let mut module = module(dir, &text(), vendor);
                    if module.vendored {
                        let list = join(&join(dir, "vendor"), select::VENDOR_LIST);
                        module.unvendored = unvendored(&text(), &read(root, &list));
                    }
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
    let roots = local_roots(&index);
    for directory in &mut index.directories {
        directory.imports = without_std(std::mem::take(&mut directory.imports), &roots);
        directory.natives.sort();
        directory.natives.dedup();
    }
    index
}

/// Drops the `use` lines that lead to a module, or to a link, which may.
fn keep_lost_uses(index: &mut Index) {
    let mut workspaces = std::mem::take(&mut index.workspaces);
    for workspace in &mut workspaces {
        workspace.lost.retain(|(target, _)| {
            let Some(dir) = resolve(&workspace.dir, target) else {
                return true;
            };
            let is_linked = index.links.iter().any(|link| is_inside(&dir, &link.path));
            index.module_at(&dir).is_none() && !is_linked
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

/// What a list of vendored packages was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Module,
    Workspace,
}

fn vendor_of(root: &Path, vendor: &str) -> Vendor {
    match is_for_workspace(&read(root, &join(vendor, select::VENDOR_LIST))) {
        true => Vendor::Workspace,
        false => Vendor::Module,
    }
}

/// Whether Go takes modules from a `vendor` directory: one that was made for what is built
/// now, and not before Go 1.14 (modload, `setDefaultBuildMod` of Go 1.26).
fn is_vendored(go: Option<&str>, vendor: Option<Vendor>, wanted: Vendor) -> bool {
    let go = go.and_then(Go::parse);
    vendor == Some(wanted) && go.is_some_and(|go| go.is_at_least(14))
}

fn module(dir: &str, text: &str, vendor: Option<Vendor>) -> Module {
    let parsed = parse_go_mod(text);
    let vendored = is_vendored(parsed.go.as_deref(), vendor, Vendor::Module);
    Module {
        dir: dir.to_owned(),
        path: parsed.module,
        go: parsed.go,
        toolchain: parsed.toolchain,
        requires: requires(parsed.requires),
        vendored,
        unvendored: Vec::new(),
        replaces: replaces(dir, parsed.replaces),
        ignores: parsed.ignores,
    }
}

/// Required modules that a list of vendored packages does not have: then Go builds nothing
/// (modload, `checkVendorConsistency` of Go 1.26).
fn unvendored(go_mod: &str, list: &str) -> Vec<(Require, u32)> {
    let listed = explicitly_vendored(list);
    let required = require_lines(go_mod).into_iter();
    required
        .map(|(path, version, line)| (Require { path, version }, line))
        .filter(|(require, _)| !listed.contains(&(require.path.clone(), require.version.clone())))
        .collect()
}

fn workspace(dir: &str, text: &str, vendor: Option<Vendor>) -> Workspace {
    let parsed = parse_go_work(text);
    let vendored = is_vendored(parsed.go.as_deref(), vendor, Vendor::Workspace);
    Workspace {
        dir: dir.to_owned(),
        go: parsed.go,
        toolchain: parsed.toolchain,
        vendored,
        uses: inside(dir, &parsed.uses),
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
        assert_eq!(index.irregular, ["go.sum", "x.go"]);
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
