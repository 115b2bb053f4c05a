//! Build constraints: which files can be part of a build at all.
//!
//! A closure serves every usual platform, so tags of platforms, releases and the like
//! may hold or not. Systems that nobody asked for do not hold. All other tags hold
//! only if the spec names them: a file under `//go:build ignore` is a script, and
//! what it imports is in no build.
//!
//! Grammar: `go/build/constraint`, checked with Go 1.26 (go-build-facts §C2).

use super::words::{
    NO_ARCH, NO_UNIX, SCRIPT, UNIX, UNUSUAL, UNUSUAL_ARCH, USUAL, USUAL_ARCH, known,
};

pub(crate) use super::words::of_name;

/// Deepest nesting of parentheses and negations that is read; beyond it a
/// constraint may hold.
const MAX_DEPTH: usize = 100;

/// What is known of an expression before the platform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
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

/// What may hold in the builds that are asked about.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// Tags that somebody made up and that hold; `None` if any of them may, but
    /// that of scripts.
    pub(crate) tags: Option<&'a [String]>,
    /// See [`open_words`](super::open_words).
    pub(crate) open: &'a [String],
}

impl Setting<'_> {
    /// Whether a file under this constraint can be part of a build, on some platform.
    /// What cannot be read may hold.
    #[must_use]
    pub(crate) fn may_hold(self, expression: &str) -> bool {
        evaluate(expression, self) != Some(Truth::No)
    }

    fn truth(self, tag: &str) -> Truth {
        if self.tags.is_some_and(|tags| tags.iter().any(|t| t == tag)) {
            return Truth::Yes;
        }
        known(tag, self.open).unwrap_or(match self.tags {
            None if tag != SCRIPT => Truth::Open,
            _ => Truth::No,
        })
    }
}

/// Whether a file under this constraint can be part of a build with these custom
/// tags, on a usual platform. What cannot be read may hold.
#[must_use]
pub(crate) fn may_hold(expression: &str, tags: &[String]) -> bool {
    let setting = Setting {
        tags: Some(tags),
        open: &[],
    };
    setting.may_hold(expression)
}

/// The same for one platform. Words that are no system and no processor may hold as
/// for all platforms.
#[must_use]
pub(crate) fn may_hold_on(expression: &str, tags: &[String], os: &str, arch: &str) -> bool {
    on_platform(expression, tags, os, arch) != Some(Truth::No)
}

/// Whether a file under this constraint is part of every build with these custom tags on
/// one platform, whatever the release of Go and with cgo or without.
#[must_use]
pub(crate) fn holds_on(expression: &str, tags: &[String], os: &str, arch: &str) -> bool {
    on_platform(expression, tags, os, arch) == Some(Truth::Yes)
}

fn on_platform(expression: &str, tags: &[String], os: &str, arch: &str) -> Option<Truth> {
    let decided = |word: &str| {
        let relative = matches!(
            (word, os),
            ("linux", "android") | ("darwin", "ios") | ("solaris", "illumos")
        );
        let is_system = USUAL.contains(&word) || UNUSUAL.contains(&word);
        let lists: [&[&str]; 3] = [&USUAL_ARCH, &UNUSUAL_ARCH, &NO_ARCH];
        let is_processor = lists.iter().any(|list| list.contains(&word));
        if tags.iter().any(|tag| tag == word) {
            None
        } else if word == UNIX {
            Some(!NO_UNIX.contains(&os))
        } else if is_system {
            Some(word == os || relative)
        } else {
            is_processor.then_some(word == arch)
        }
    };
    // Two tags that hold and do not hold stand for what is decided.
    let mut rewritten = String::new();
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        let end = match rest.find(is_between) {
            Some(0) => c.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        let (word, after) = rest.split_at(end);
        rewritten.push_str(match decided(word) {
            Some(true) => HOLDS,
            Some(false) => HOLDS_NOT,
            None => word,
        });
        rest = after;
    }
    let mut tags = tags.to_vec();
    tags.push(HOLDS.to_owned());
    let setting = Setting {
        tags: Some(&tags),
        open: &[],
    };
    evaluate(&rewritten, setting)
}

const HOLDS: &str = "gofleet.yes";
const HOLDS_NOT: &str = "gofleet.no";

/// Whether the constraint depends on a tag that somebody made up.
#[must_use]
pub(crate) fn has_custom_tag(expression: &str) -> bool {
    words(expression).any(|word| known(word, &[]).is_none())
}

/// Whether the constraint may hold whatever is asked for.
#[must_use]
pub(super) fn says_nothing(expression: &str) -> bool {
    words(expression).all(|word| known(word, &[]) == Some(Truth::Open))
}

fn words(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(is_between).filter(|word| !word.is_empty())
}

/// Whether a character stands between words.
fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, '!' | '(' | ')' | '&' | '|')
}

fn evaluate(expression: &str, setting: Setting<'_>) -> Option<Truth> {
    let mut parser = Parser {
        rest: expression,
        setting,
        depth: 0,
    };
    let truth = parser.or()?;
    parser.skip();
    parser.rest.is_empty().then_some(truth)
}

struct Parser<'a> {
    rest: &'a str,
    setting: Setting<'a>,
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
        Some(self.setting.truth(tag))
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
    use super::super::words::open_words;
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
    fn systems_that_nobody_asks_for_are_off() {
        assert!(!holds("freebsd || openbsd", &[]));
        assert!(!holds("js && wasm", &[]) && !holds("linux && sparc64", &[]));
        assert!(!holds("linux && mips64.hardfloat", &[]) && holds("amd64.v3", &[]));
        assert!(holds("!freebsd", &[]) && holds("linux || solaris", &[]));
        assert!(!holds("!go1.13", &[]) && !holds("go1.14 && !go1.16", &[]));
        assert!(holds("go1.21 && !go1.27", &[]));
        let open = open_words(["linux", "freebsd", "illumos", "arm64", "mips"], ["x"]);
        assert_eq!(open, ["freebsd", "illumos", "mips", "solaris"]);
        let asked = Setting {
            tags: Some(&[]),
            open: &open,
        };
        assert!(asked.may_hold("freebsd && amd64") && !asked.may_hold("plan9"));
        assert_eq!(open_words(["windows"], ["ignore"]), ["ignore"]);
    }

    #[test]
    fn with_any_tag_scripts_alone_are_off() {
        let any = Setting {
            tags: None,
            open: &[],
        };
        assert!(any.may_hold("special") && any.may_hold("!special"));
        assert!(!any.may_hold("ignore") && !any.may_hold("special && ignore"));
        assert!(any.may_hold("ignore || special"));
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

    #[test]
    fn one_platform_decides() {
        let tags = ["extra".to_owned()];
        for (expression, os, arch, holds) in [
            ("linux", "linux", "amd64", true),
            ("windows", "linux", "amd64", false),
            ("!windows", "linux", "amd64", true),
            ("linux && arm64", "linux", "amd64", false),
            ("(windows || arm64) && extra", "linux", "arm64", true),
            ("(windows||arm64)&&other", "linux", "arm64", false),
            ("linux", "android", "arm64", true),
            ("android", "linux", "arm64", false),
            ("unix && !cgo", "linux", "arm", true),
            ("!linux && !extra", "linux", "arm", false),
            ("é &&", "linux", "arm", true),
        ] {
            let found = may_hold_on(expression, &tags, os, arch);
            assert_eq!(found, holds, "{expression} on {os}/{arch}");
        }
    }
}
