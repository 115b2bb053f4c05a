//! Build constraints: which files can be part of a build at all.
//!
//! A closure serves every platform, so tags of platforms, releases and the like
//! may hold or not. All other tags hold only if the spec names them: a file under
//! `//go:build ignore` is a script, and what it imports is in no build.
//!
//! Grammar: `go/build/constraint`, checked with Go 1.26 (go-build-facts §C2).

/// Deepest nesting of parentheses and negations that is read; beyond it a
/// constraint may hold.
const MAX_DEPTH: usize = 100;

const OS: [&str; 18] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];

const ARCH: [&str; 28] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
    "unix",
    "cgo",
    "gc",
    "race",
];

/// Whether a tag's value depends on platform, toolchain or mode.
fn is_open(tag: &str) -> bool {
    OS.contains(&tag)
        || ARCH.contains(&tag)
        || matches!(tag, "msan" | "asan" | "boringcrypto")
        || tag.starts_with("goexperiment.")
        || tag
            .strip_prefix("go1.")
            .is_some_and(|n| n.parse::<u32>().is_ok())
        || tag
            .split_once('.')
            .is_some_and(|(arch, _)| ARCH.contains(&arch))
}

/// What is known of an expression before the platform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Open,
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open => Self::Open,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Open,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Whether a file under this constraint can be part of a build with these custom
/// tags, on some platform. What cannot be read may hold.
#[must_use]
pub(crate) fn may_hold(expression: &str, tags: &[String]) -> bool {
    evaluate(expression, tags) != Some(Truth::No)
}

/// Whether the constraint depends on a tag that somebody made up.
#[must_use]
pub(crate) fn has_custom_tag(expression: &str) -> bool {
    words(expression).any(|word| !is_open(word))
}

fn words(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|c: char| c.is_whitespace() || matches!(c, '!' | '(' | ')' | '&' | '|'))
        .filter(|word| !word.is_empty())
}

fn evaluate(expression: &str, tags: &[String]) -> Option<Truth> {
    let mut parser = Parser {
        rest: expression,
        tags,
        depth: 0,
    };
    let truth = parser.or()?;
    parser.skip();
    parser.rest.is_empty().then_some(truth)
}

struct Parser<'a> {
    rest: &'a str,
    tags: &'a [String],
    depth: usize,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Option<Truth> {
        let mut truth = self.and()?;
        while self.eat("||") {
            truth = truth.or(self.and()?);
        }
        Some(truth)
    }

    fn and(&mut self) -> Option<Truth> {
        let mut truth = self.not()?;
        while self.eat("&&") {
            truth = truth.and(self.not()?);
        }
        Some(truth)
    }

    fn not(&mut self) -> Option<Truth> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let truth = if self.eat("!") {
            self.not()?.not()
        } else if self.eat("(") {
            let truth = self.or()?;
            if !self.eat(")") {
                return None;
            }
            truth
        } else {
            self.tag()?
        };
        self.depth -= 1;
        Some(truth)
    }

    fn tag(&mut self) -> Option<Truth> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, '!' | '(' | ')' | '&' | '|'))
            .unwrap_or(self.rest.len());
        let (tag, rest) = self.rest.split_at(end);
        if tag.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(if self.tags.iter().any(|t| t == tag) {
            Truth::Yes
        } else if is_open(tag) {
            Truth::Open
        } else {
            Truth::No
        })
    }
}

/// The `//go:build` form of one line's words after `// +build`: a space means or,
/// a comma means and.
#[must_use]
pub(super) fn from_plus_build(words: &str) -> String {
    let options: Vec<String> = words
        .split_whitespace()
        .map(|option| format!("({})", option.split(',').collect::<Vec<_>>().join(" && ")))
        .collect();
    options.join(" || ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expression: &str, tags: &[&str]) -> bool {
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        may_hold(expression, &tags)
    }

    #[test]
    fn platforms_are_open_and_made_up_tags_are_off() {
        assert!(holds("linux && amd64", &[]));
        assert!(holds("!linux", &[]));
        assert!(!holds("ignore", &[]));
        assert!(!holds("linux && ignore", &[]));
        assert!(holds("linux || ignore", &[]));
        assert!(holds("!appengine", &[]));
        assert!(!holds("(tools || gen) && (linux)", &[]));
        assert!(holds("tools", &["tools"]));
        assert!(!holds("!tools", &["tools"]));
        assert!(holds(
            "go1.18 && goexperiment.jsonv2 && amd64.v3 && cgo",
            &[]
        ));
    }

    #[test]
    fn what_cannot_be_read_may_hold() {
        for expression in [
            "",
            "linux &&",
            "(ignore",
            "ignore)",
            "ignore ignore",
            "&& x",
        ] {
            assert!(holds(expression, &[]), "{expression}");
        }
        let deep = format!("{}ignore{}", "(".repeat(200_000), ")".repeat(200_000));
        assert!(holds(&deep, &[]));
    }

    #[test]
    fn the_old_form() {
        assert_eq!(
            from_plus_build("linux,!cgo darwin"),
            "(linux && !cgo) || (darwin)"
        );
        assert!(has_custom_tag("linux && ignore"));
        assert!(!has_custom_tag("linux && !cgo"));
    }
}
