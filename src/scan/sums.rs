//! Required modules that `go.sum` does not know.
//!
//! In: the text of `go.mod` and `go.sum`. Out: [`Unsummed`], in no case an error by itself: Go
//! asks for the sums of those modules alone that a build looks into.

use std::collections::BTreeSet;

use super::gomod::{GoMod, require_lines};
use super::index::{Require, Unsummed};

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
