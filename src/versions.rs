//! Versions of modules and of Go, as far as one is compared with another.
//!
//! Facts: <https://semver.org> §11 with Go's `v` in front; Go's own versions as
//! `go help toolchain` and the package `internal/gover` of Go 1.26 have them.

use std::cmp::Ordering;

/// Compares versions of modules, such as `v1.2.3-rc.1`. What is no version is less than
/// any version; build metadata counts for nothing.
pub(crate) fn modules(a: &str, b: &str) -> Ordering {
    Module::parse(a).cmp(&Module::parse(b))
}

/// A module's version in the order of its fields.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Module<'a> {
    numbers: [Option<u64>; 3],
    /// A release is more than what came before it.
    is_release: bool,
    before: Vec<Part<'a>>,
}

/// Numbers are less than words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Module<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v')?.split('+').next()?;
        let (release, before) = match text.split_once('-') {
            Some((release, before)) => (release, Some(before)),
            None => (text, None),
        };
        let mut numbers = release.split('.').map(|n| n.parse().ok());
        let numbers = [(); 3].map(|()| numbers.next().flatten());
        numbers[0]?;
        let part = |part: &'a str| match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(part),
        };
        Some(Self {
            numbers,
            is_release: before.is_none(),
            before: before
                .into_iter()
                .flat_map(|b| b.split('.'))
                .map(part)
                .collect(),
        })
    }
}

/// A version of Go, such as `1.26`, `1.26.3` or `1.27rc1`, in the order that Go has: since
/// Go 1.21 a version without a patch is the language, and less than its release candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Go<'a> {
    major: u32,
    minor: u32,
    patch: Option<u32>,
    /// `rc` or `beta`, and its number.
    before: (&'a str, u32),
}

impl<'a> Go<'a> {
    /// Reads a version; `None` if it is none.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (major, rest) = number(text)?;
        let mut out = Self {
            major,
            minor: 0,
            patch: Some(0),
            before: ("", 0),
        };
        if rest.is_empty() {
            return Some(out);
        }
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        out.minor = minor;
        out.patch = ((major, minor) < (1, 21)).then_some(0);
        if let Some(rest) = rest.strip_prefix('.') {
            let (patch, rest) = number(rest)?;
            out.patch = Some(patch);
            return rest.is_empty().then_some(out);
        }
        if !rest.is_empty() {
            let at = rest.find(|c: char| !c.is_ascii_alphabetic())?;
            let (kind, rest) = rest.split_at(at);
            let (number, rest) = number(rest)?;
            out.patch = None;
            out.before = (kind, number);
            return (rest.is_empty() && !kind.is_empty()).then_some(out);
        }
        Some(out)
    }

    /// The version of a toolchain's name without `go` in front: `1.26.8-custom` is 1.26.8.
    pub(crate) fn of_toolchain(name: &'a str) -> Option<Self> {
        Self::parse(name.split(['-', ' ', '\t']).next()?)
    }

    /// Whether it is a release, or a candidate of one, at or after `1.MINOR`.
    pub(crate) fn is_at_least(self, minor: u32) -> bool {
        (self.major, self.minor) >= (1, minor)
    }
}

/// A number without leading zeros, and what follows.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_modules_are_in_order() {
        let order = [
            "",
            "v0.0.0-20240101000000-abcdefabcdef",
            "v0.0.0",
            "v1.0.0-1",
            "v1.0.0-2.x",
            "v1.0.0-10",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0",
            "v1.2.0",
            "v1.10.0",
            "v2.0.0+incompatible",
        ];
        for pair in order.windows(2) {
            assert_eq!(modules(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(modules("v1.0.0+a", "v1.0.0+b"), Ordering::Equal);
    }

    #[test]
    fn versions_of_go_are_in_order() {
        let order = [
            "1.9", "1.20rc1", "1.20", "1.20.1", "1.21", "1.21rc2", "1.21.0", "1.21.13", "1.26",
            "1.26rc1", "1.26.0", "2",
        ];
        for pair in order.windows(2) {
            assert!(Go::parse(pair[0]) < Go::parse(pair[1]), "{pair:?}");
            assert!(Go::parse(pair[0]).is_some(), "{pair:?}");
        }
        for text in [
            "", "go1.2", "1.", "1.2.3rc1", "1.02", "1.2x", "1.2rc", "default",
        ] {
            assert_eq!(Go::parse(text), None, "{text}");
        }
        assert_eq!(Go::of_toolchain("1.26.8-custom"), Go::parse("1.26.8"));
        assert_eq!(Go::parse("1.20"), Go::parse("1.20.0"));
        let at_least = |text| Go::parse(text).is_some_and(|go| go.is_at_least(17));
        assert!(at_least("1.17") && at_least("1.26rc1") && at_least("2.0"));
        assert!(!at_least("1.16") && !at_least("") && !at_least("1.9.7"));
    }
}
