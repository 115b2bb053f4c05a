//! Required modules that `go.sum` does not know.
//!
//! In: the texts of manifests. Out: [`Unsummed`]. In a module that is no error by itself: Go asks for
//! the sums of those modules alone that a build looks into. In a workspace it is one: every build
//! reads the `go.mod` of all that its modules require, and a sum that it has to add to `go.work.sum`
//! ends it where that cannot be written (modload, `readModGraph` and `commitRequirements` of Go 1.26).

use std::collections::BTreeSet;

use super::gomod::{GoMod, Replacement, parse_go_mod, parse_go_work, require_lines};
use super::index::{Index, Require, Unsummed, Workspace, join};

/// Modules that a `go.mod` requires, that come from elsewhere, and whose sums are missing.
pub(super) fn unsummed(text: &str, parsed: &GoMod, sums: &str) -> Vec<Unsummed> {
    let known: BTreeSet<(&str, &str)> = sums.lines().filter_map(module).collect();
    let mut out = Vec::new();
    for (path, version, line) in require_lines(text) {
        let of = |wanted: &str| {
            let mut lines = parsed.replaces.iter();
            lines.find(|r| r.path == path && r.version == wanted)
        };
        let module = match of(&version).or_else(|| of("")) {
            Some(replace) if replace.is_directory() => continue,
            Some(replace) => (replace.with.as_str(), replace.with_version.as_str()),
            None => (path.as_str(), version.as_str()),
        };
        let is_known = |version: &str| known.contains(&(module.0, version));
        let lacks_zip = !is_known(module.1);
        if lacks_zip || !is_known(&format!("{}/go.mod", module.1)) {
            out.push(Unsummed {
                module: Require {
                    path: module.0.to_owned(),
                    version: module.1.to_owned(),
                },
                path,
                line,
                is_go_mod: !lacks_zip,
            });
        }
    }
    out
}

/// Finds the requirements in workspaces of whose `go.mod` no sum is known.
pub(super) fn compare_workspaces(index: &mut Index, read: impl Fn(&str) -> String) {
    let mut workspaces = std::mem::take(&mut index.workspaces);
    for workspace in workspaces.iter_mut().filter(|w| !w.vendored) {
        workspace.unsummed = in_workspace(workspace, index, &read).unwrap_or_default();
    }
    index.workspaces = workspaces;
}

/// `None` where a member is not there: that is said by itself.
fn in_workspace(
    workspace: &Workspace,
    index: &Index,
    read: impl Fn(&str) -> String,
) -> Option<Vec<(String, Unsummed)>> {
    let text = |dir: &str, name: &str| {
        let path = join(dir, name);
        let text = match index.manifests.contains(&path) {
            true => read(&path),
            false => String::new(),
        };
        (path, text)
    };
    let dirs = workspace.uses.iter().map(|dir| index.place(dir).path);
    let dirs: BTreeSet<String> = dirs.collect();
    if dirs.iter().any(|dir| index.module_at(dir).is_none()) {
        return None;
    }
    let work = parse_go_work(&text(&workspace.dir, "go.work").1);
    let mut sums = text(&workspace.dir, "go.work.sum").1;
    for dir in &dirs {
        sums.push('\n');
        sums += &text(dir, "go.sum").1;
    }
    let known: BTreeSet<(&str, &str)> = sums.lines().filter_map(module).collect();
    let files: Vec<(String, String)> = dirs.iter().map(|dir| text(dir, "go.mod")).collect();
    let mains: Vec<GoMod> = files.iter().map(|(_, text)| parse_go_mod(text)).collect();
    let is_excluded = |path: &str| {
        let mut excluded = mains.iter().flat_map(|main| &main.excludes);
        excluded.any(|(excluded, _)| excluded == path)
    };
    let mut out = Vec::new();
    for (file, text) in &files {
        for (path, version, line) in require_lines(text) {
            if mains.iter().any(|main| main.module == path) || is_excluded(&path) {
                continue;
            }
            let replaces = (work.replaces.as_slice(), mains.as_slice());
            let Some(module) = chosen(&path, &version, replaces) else {
                continue;
            };
            let sum = format!("{}/go.mod", module.version);
            if !known.contains(&(module.path.as_str(), sum.as_str())) {
                let unsummed = Unsummed {
                    path,
                    module,
                    line,
                    is_go_mod: true,
                };
                out.push((file.clone(), unsummed));
            }
        }
    }
    Some(out)
}

/// What stands for a required module in a workspace; `None` for a directory, and where members
/// replace it by different things.
fn chosen(path: &str, version: &str, (work, mains): (&[Replacement], &[GoMod])) -> Option<Require> {
    let of = |lines: &'_ [Replacement]| -> Option<Replacement> {
        let of = |wanted: &str| {
            let mut lines = lines.iter();
            lines.find(|r| r.path == path && r.version == wanted)
        };
        of(version).or_else(|| of("")).cloned()
    };
    let replaces: Vec<Replacement> = match of(work) {
        Some(line) => vec![line],
        None => mains.iter().filter_map(|main| of(&main.replaces)).collect(),
    };
    let with = |line: &Replacement| (line.with.clone(), line.with_version.clone());
    let withs: BTreeSet<(String, String)> = replaces.iter().map(with).collect();
    if withs.len() > 1 || replaces.iter().any(Replacement::is_directory) {
        return None;
    }
    let (path, version) = match withs.into_iter().next() {
        Some(with) => with,
        None => (path.to_owned(), version.to_owned()),
    };
    Some(Require { path, version })
}

/// What a line of `go.sum` is about.
fn module(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let found = (words.next()?, words.next()?);
    words.next().map(|_| found)
}

#[cfg(test)]
mod tests {
    use super::super::gomod::parse_go_mod;
    use super::*;

    #[test]
    fn modules_from_elsewhere_need_both_sums() {
        let text = "module m\nrequire (\na.org/x v1.0.0\nb.org/y v1.0.0\nc.org/z v1.0.0\n\
                    d.org/w v1.0.0\ne.org/v v1.0.0\n)\nreplace d.org/w => ./w\n\
                    replace e.org/v v1.0.0 => f.org/v v1.2.0\n";
        let sums = "a.org/x v1.0.0 h1:1\na.org/x v1.0.0/go.mod h1:2\n\
                    b.org/y v1.0.0/go.mod h1:3\nc.org/z v1.0.0 h1:4\ne.org/v v1.0.0 h1:5\n";
        let found = unsummed(text, &parse_go_mod(text), sums);
        let found: Vec<String> = found
            .into_iter()
            .map(|u| format!("{} {} {} {}", u.line, u.path, u.module.version, u.is_go_mod))
            .collect();
        assert_eq!(
            found,
            [
                "4 b.org/y v1.0.0 false",
                "5 c.org/z v1.0.0 true",
                "7 e.org/v v1.2.0 false"
            ]
        );
    }
}
