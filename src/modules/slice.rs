//! The manifests of one service, cut to the modules that its build looks into.

use std::collections::{BTreeMap, BTreeSet};

use super::modfile::{ModFile, Module};

/// `go.mod` without the lines of modules that are not needed.
pub(super) fn go_mod(file: &ModFile, needed: &BTreeSet<String>) -> String {
    file.only(|path| needed.contains(path))
}

/// The `go.sum` lines of the needed modules at their versions: two each.
pub(super) fn go_sum(text: &str, file: &ModFile, needed: &BTreeSet<String>) -> String {
    let modules: BTreeSet<Module> = needed
        .iter()
        .filter_map(|path| Some(file.replaced(path, file.requires.get(path)?)))
        .collect();
    sums(text, &modules)
}

/// The `go.sum` lines of modules in a set.
pub(super) fn sums(text: &str, modules: &BTreeSet<Module>) -> String {
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| sum_line(line).is_none_or(|module| modules.contains(&module)))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let mut out = lines.join("\n");
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The module that a line of `go.sum` is about; `None` for lines of another form,
/// which are Go's to complain about.
fn sum_line(line: &str) -> Option<Module> {
    let mut words = line.split_whitespace();
    let path = words.next()?;
    let version = words.next()?;
    words.next()?;
    if words.next().is_some() {
        return None;
    }
    Some(Module {
        path: path.to_owned(),
        version: version
            .strip_suffix("/go.mod")
            .unwrap_or(version)
            .to_owned(),
    })
}

/// Path, version and checksum of a module in a line of `go.sum`; `None` for lines about
/// a `go.mod` alone.
pub(super) fn sum_of(line: &str) -> Option<(&str, &str, &str)> {
    let mut words = line.split_whitespace();
    let found = (words.next()?, words.next()?, words.next()?);
    (!found.1.ends_with("/go.mod")).then_some(found)
}

/// Versions of the needed modules, as a binary names them.
pub(super) fn versions(file: &ModFile, needed: &BTreeSet<String>) -> BTreeMap<String, String> {
    needed
        .iter()
        .filter_map(|path| {
            let version = file.requires.get(path)?;
            let with = file.replaced(path, version);
            let text = match (with.path == *path, with.version.as_str()) {
                (true, version) => version.to_owned(),
                (false, "") => with.path,
                (false, version) => format!("{} {version}", with.path),
            };
            Some((path.clone(), text))
        })
        .collect()
}

/// The versions that a `go.mod` lists for modules, as a binary names them; `None` where
/// versions are chosen over the whole module graph.
#[must_use]
pub fn listed_versions(text: &str, of: &BTreeSet<String>) -> Option<BTreeMap<String, String>> {
    let file = ModFile::parse(text);
    file.is_pruned().then(|| versions(&file, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_sums_are_left_for_go_to_complain_about() {
        let text = "a.org/t v1.0.0\na.org/t v1.0.0 h1:x more\n";
        assert_eq!(sums(text, &BTreeSet::new()), text);
    }

    #[test]
    fn sums_of_needed_modules_are_kept() {
        let file = ModFile::parse(
            "module m\ngo 1.26\nrequire a.org/t v1.0.0\nrequire b.org/u v0.2.0\nrequire c.org/v v1.0.0\n\
             replace b.org/u => b.org/fork v0.3.0\n",
        );
        let text = "a.org/t v1.0.0 h1:x\na.org/t v1.0.0/go.mod h1:y\na.org/t v0.9.0/go.mod h1:z\n\
            b.org/fork v0.3.0 h1:f\nb.org/u v0.2.0 h1:o\nc.org/v v1.0.0 h1:v\n";
        let needed = BTreeSet::from(["a.org/t".to_owned(), "b.org/u".to_owned()]);
        assert_eq!(
            go_sum(text, &file, &needed),
            "a.org/t v1.0.0 h1:x\na.org/t v1.0.0/go.mod h1:y\nb.org/fork v0.3.0 h1:f\n"
        );
        let versions = versions(&file, &needed);
        assert_eq!(versions["a.org/t"], "v1.0.0");
        assert_eq!(versions["b.org/u"], "b.org/fork v0.3.0");
    }
}
