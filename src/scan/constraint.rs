//! Build constraints: which files can be part of a build at all.
//!
//! A closure serves every usual platform, so tags of platforms, releases and the like
//! may hold or not. Systems that nobody asked for do not hold. All other tags hold
//! only if the spec names them: a file under `//go:build ignore` is a script, and
//! what it imports is in no build.
//!
//! Grammar: `go/build/constraint`, checked with Go 1.26 (go-build-facts §C2).

/// Deepest nesting of parentheses and negations that is read; beyond it a
/// constraint may hold.
const MAX_DEPTH: usize = 100;

/// Systems that programs are built for every day. Files for others are in a closure
/// only if somebody asks for such a system.
const USUAL: [&str; 3] = ["linux", "windows", "darwin"];

/// The other systems that Go knows of.
const UNUSUAL: [&str; 15] = [
    "aix",
    "android",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "zos",
];

/// Processors that images are built for every day.
const USUAL_ARCH: [&str; 7] = [
    "386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x",
];

/// The other processors that Go compiles for.
const UNUSUAL_ARCH: [&str; 7] = [
    "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "wasm",
];

/// Processors whose names count in file names, and that no release of Go compiles for.
const NO_ARCH: [&str; 10] = [
    "amd64p32",
    "armbe",
    "arm64be",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "s390",
    "sparc",
    "sparc64",
];

/// Other words whose value depends on toolchain or mode.
const MODES: [&str; 7] = ["unix", "cgo", "gc", "race", "msan", "asan", "boringcrypto"];

/// Releases of Go up to this one have their tag in every build. It is older than any
/// toolchain that builds modules as they are today.
const OLDEST_GO: u32 = 16;

/// The tag of scripts: by convention no build sets it.
pub(crate) const SCRIPT: &str = "ignore";

/// Words that may hold besides the usual ones, for builds on these systems and
/// processors with these tags.
#[must_use]
pub fn open_words<'a>(
    platforms: impl IntoIterator<Item = &'a str>,
    tags: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in platforms {
        if !USUAL.contains(&word) && !USUAL_ARCH.contains(&word) {
            out.push(word.to_owned());
        }
        // What holds on a relative holds here as well.
        match word {
            "illumos" => out.push("solaris".to_owned()),
            "ios" => out.push("darwin".to_owned()),
            _ => {}
        }
    }
    out.extend(tags.into_iter().filter(|t| *t == SCRIPT).map(str::to_owned));
    out.sort();
    out.dedup();
    out
}

/// The constraint in a file's name, such as `linux && amd64` for `a_linux_amd64.go`.
#[must_use]
pub(crate) fn of_name(name: &str) -> Option<String> {
    let stem = name.split('.').next().unwrap_or(name);
    let (_, rest) = stem.split_once('_')?;
    let mut parts: Vec<&str> = rest.split('_').collect();
    if parts.last() == Some(&"test") {
        parts.pop();
    }
    let is_os = |part: &str| USUAL.contains(&part) || UNUSUAL.contains(&part);
    let is_arch = |part: &str| {
        USUAL_ARCH.contains(&part) || UNUSUAL_ARCH.contains(&part) || NO_ARCH.contains(&part)
    };
    match parts.as_slice() {
        [.., os, arch] if is_os(os) && is_arch(arch) => Some(format!("{os} && {arch}")),
        [.., last] if is_os(last) || is_arch(last) => Some((*last).to_owned()),
        _ => None,
    }
}

/// What is known of a tag on all platforms together; `None` for a tag that somebody
/// made up.
fn known(tag: &str, open: &[String]) -> Option<Truth> {
    let is = |list: &[&str]| list.contains(&tag);
    if open.iter().any(|word| word == tag) {
        return Some(Truth::Open);
    }
    if is(&USUAL) || is(&USUAL_ARCH) || is(&MODES) || tag.starts_with("goexperiment.") {
        return Some(Truth::Open);
    }
    if is(&UNUSUAL) || is(&UNUSUAL_ARCH) || is(&NO_ARCH) {
        return Some(Truth::No);
    }
    if let Some(minor) = tag.strip_prefix("go1.").and_then(|n| n.parse::<u32>().ok()) {
        let certain = minor <= OLDEST_GO;
        return Some(if certain { Truth::Yes } else { Truth::Open });
    }
    // A feature of a processor, such as `amd64.v3`.
    let (arch, _) = tag.split_once('.')?;
    let is_arch = USUAL_ARCH.contains(&arch) || UNUSUAL_ARCH.contains(&arch);
    is_arch.then(|| known(arch, open)).flatten()
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

/// What may hold in the builds that are asked about.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// Tags that somebody made up and that hold; `None` if any of them may, but
    /// that of scripts.
    pub(crate) tags: Option<&'a [String]>,
    /// See [`open_words`].
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
    may_hold(&rewritten, &tags)
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
    fn names_hold_constraints() {
        for (name, expected) in [
            ("a.go", None),
            ("linux.go", None),
            ("a_linux.go", Some("linux")),
            ("a_linux_amd64.go", Some("linux && amd64")),
            ("a_windows_foo.go", None),
            ("a_linux_foo_amd64.go", Some("amd64")),
            ("x_linux.windows.go", Some("linux")),
            ("a_unix.go", None),
            ("a_sparc64.s", Some("sparc64")),
            ("zos_test.go", None),
            ("a_plan9_test.go", Some("plan9")),
            ("_linux.go", Some("linux")),
        ] {
            assert_eq!(of_name(name).as_deref(), expected, "{name}");
        }
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
