//! One pattern of an ignore file, as a matcher.
//!
//! | text | matches |
//! |---|---|
//! | `*` `?` | any characters, one character; no slash |
//! | `[a-z]` `[^a-z]` | one character of a set, or not of it (then a slash too) |
//! | `\x` | `x` itself |
//! | `**/` `**` | any number of directories |
//! | `**` at the end | everything |
//!
//! Upstream makes regular expressions of patterns, and some characters keep the
//! meaning that they have there: `|`, `^`, `{2}`, `\d`, `[[:alpha:]]`, and `*` or
//! `?` in a set. Nobody means that, so such patterns match nothing here, which
//! costs no more than a message.

/// A pattern that the daemon takes.
#[derive(Clone, Debug)]
pub(super) enum Glob {
    /// This path.
    Exact(String),
    /// Paths that start so: a trailing `**`.
    Prefix(String),
    /// Paths that end so, also in the middle of a name: a leading `**`.
    Suffix(String),
    /// Everything else.
    Tokens(Vec<Token>),
}

/// What one character of a path is compared with, or how far to go on.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    AnyName,
    /// `[a-z]`
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `**/` is two tokens: this one, which may leave out the next,
    MaybeDirectories,
    /// and this one, which takes everything up to a slash.
    Directories,
    /// `**` at the end.
    Rest,
}

const SPECIAL: [char; 5] = ['*', '?', '[', ']', '\\'];

impl Glob {
    /// Compiles a clean pattern without its mark. `None` if it is malformed, or
    /// says what only a regular expression can mean.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let is_plain = |text: &str| !text.contains(SPECIAL);
        if pattern.is_empty() {
            return None;
        }
        if is_plain(pattern) {
            return Some(Self::Exact(pattern.to_owned()));
        }
        if let Some(suffix) = pattern.strip_prefix("**").filter(|s| is_plain(s)) {
            return Some(Self::Suffix(suffix.to_owned()));
        }
        if let Some(prefix) = pattern.strip_suffix("**").filter(|p| is_plain(p)) {
            return Some(Self::Prefix(prefix.to_owned()));
        }
        tokens(pattern).map(Self::Tokens)
    }

    /// Whether the path or a directory above it matches.
    pub(super) fn covers(&self, path: &str) -> bool {
        if let Self::Tokens(tokens) = self {
            return covers(tokens, path);
        }
        path.match_indices('/')
            .map(|(end, _)| &path[..end])
            .chain([path])
            .any(|part| self.is_match(part))
    }

    fn is_match(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(text) => path.starts_with(text),
            Self::Suffix(text) => path.ends_with(text) || text.strip_prefix('/') == Some(path),
            Self::Tokens(_) => false,
        }
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let token = match c {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_none() {
                    Token::Rest
                } else {
                    tokens.push(Token::MaybeDirectories);
                    Token::Directories
                }
            }
            '*' => Token::AnyName,
            '?' => Token::AnyChar,
            '[' => set(&mut rest)?,
            '\\' => Token::Char(escaped(&mut rest)?),
            '|' | '^' => return None,
            '{' if rest.peek().is_some_and(char::is_ascii_digit) => return None,
            c => Token::Char(c),
        };
        tokens.push(token);
    }
    Some(tokens)
}

/// Why a daemon ends a build that has a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is nothing behind `!`.
    Mark,
    /// A set is not closed, empty, or upside down.
    Set,
    /// A backslash takes nothing literally.
    Backslash,
}

/// Whether the daemon refuses a clean pattern without its mark: because `filepath.Match` finds it
/// malformed, or else the regular expression that is made of it is.
///
/// Facts of Go's `path/filepath/match.go` and `regexp/syntax/parse.go`. What is overlooked here is
/// refused later, in the daemon's own words.
pub(super) fn refused(pattern: &str) -> Option<Refused> {
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let problem = match c {
            '\\' => literal(&mut rest).err(),
            '[' => whole_set(&mut rest).err(),
            _ => None,
        };
        if problem.is_some() {
            return problem;
        }
    }
    None
}

/// What is behind `[`, as the daemon reads it.
fn whole_set(rest: &mut Chars) -> Result<(), Refused> {
    let member = |rest: &mut Chars| match rest.next() {
        None | Some('-' | ']') => Err(Refused::Set),
        Some('\\') => literal(rest),
        Some(c) => Ok(c),
    };
    rest.next_if_eq(&'^');
    let mut is_empty = true;
    while is_empty || rest.next_if_eq(&']').is_none() {
        let low = member(rest)?;
        if rest.next_if_eq(&'-').is_some() && member(rest)? < low {
            return Err(Refused::Set);
        }
        is_empty = false;
    }
    Ok(())
}

/// What is behind a backslash, unless a regular expression has no meaning for it.
fn literal(rest: &mut Chars) -> Result<char, Refused> {
    match rest.next() {
        Some(c) if c.is_ascii_digit() || "abdfnprstvwxzABDEPQSW".contains(c) => Ok(c),
        Some(c) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err(Refused::Backslash),
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What is behind `[`.
fn set(rest: &mut Chars) -> Option<Token> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
        let low = member(rest)?;
        let high = match rest.next_if_eq(&'-') {
            Some(_) => member(rest)?,
            None => low,
        };
        if low > high {
            return None;
        }
        ranges.push((low, high));
    }
    Some(Token::Set { negated, ranges })
}

fn member(rest: &mut Chars) -> Option<char> {
    match rest.next()? {
        '-' | ']' | '*' | '?' => None,
        '[' if rest.peek() == Some(&':') => None,
        '\\' => escaped(rest),
        c => Some(c),
    }
}

/// What is behind a backslash: letters and digits would be classes.
fn escaped(rest: &mut Chars) -> Option<char> {
    rest.next()
        .filter(|c| c.is_ascii() && !c.is_ascii_alphanumeric())
}

/// Follows all ways through the tokens at once, so that no pattern is slow.
/// State `i` means that the tokens before `i` are done.
fn covers(tokens: &[Token], path: &str) -> bool {
    let mut states = vec![false; tokens.len() + 1];
    states[0] = true;
    go_on(tokens, &mut states);
    for c in path.chars() {
        if c == '/' && states[tokens.len()] {
            return true;
        }
        states = after(tokens, &states, c);
    }
    states[tokens.len()]
}

/// Adds the states that need no character.
fn go_on(tokens: &[Token], states: &mut [bool]) {
    for (i, token) in tokens.iter().enumerate() {
        if !states[i] {
            continue;
        }
        match token {
            Token::AnyName | Token::Rest => states[i + 1] = true,
            Token::MaybeDirectories => {
                states[i + 1] = true;
                // Directories follow, always.
                states[i + 2] = true;
            }
            _ => {}
        }
    }
}

fn after(tokens: &[Token], states: &[bool], c: char) -> Vec<bool> {
    let mut next = vec![false; states.len()];
    for (i, token) in tokens.iter().enumerate() {
        if !states[i] {
            continue;
        }
        match token {
            Token::Char(one) => next[i + 1] |= *one == c,
            Token::AnyChar => next[i + 1] |= c != '/',
            Token::AnyName => next[i] |= c != '/',
            Token::Set { negated, ranges } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                next[i + 1] |= within != *negated;
            }
            Token::MaybeDirectories => {}
            Token::Directories => {
                next[i] |= c != '\n';
                next[i + 1] |= c == '/';
            }
            Token::Rest => next[i] |= c != '\n',
        }
    }
    go_on(tokens, &mut next);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, covered: &[&str], others: &[&str]) {
        let glob = Glob::parse(pattern);
        let covers = |path: &str| glob.as_ref().is_some_and(|glob| glob.covers(path));
        for path in covered {
            assert!(covers(path), "`{pattern}` covers `{path}`");
        }
        for path in others {
            assert!(!covers(path), "`{pattern}` does not cover `{path}`");
        }
    }

    #[test]
    fn names_and_the_directories_above_them() {
        check(
            "a/b",
            &["a/b", "a/b/c", "a/b/c/d"],
            &["a", "b", "x/a/b", "a/bc"],
        );
        check("a.b", &["a.b", "a.b/c"], &["axb"]);
        check("a|b{2}", &["a|b{2}"], &["a", "abb"]);
    }

    #[test]
    fn stars_stay_in_their_directory() {
        check("*", &["a", "a/b/c", ".hidden"], &[]);
        check("*.go", &["x.go", ".go", "x.go/y"], &["a/x.go", "x.gox"]);
        check("*/x", &["a/x", "a/x/y"], &["x", "a/b/x"]);
        check("a?c", &["abc", "aéc", "a\nc"], &["ac", "a/c", "abbc"]);
        check("a*c*e", &["ace", "abcde", "acce"], &["ac/e", "abc"]);
    }

    #[test]
    fn two_stars_cross_directories() {
        check("**", &["a", "a/b"], &[]);
        check("a/**", &["a/b", "a/b/c"], &["a", "b/a"]);
        check("a**", &["a", "ab", "ab/c", "a/b"], &["ba"]);
        check("**/x", &["x", "a/x", "a/b/x", "a/x/b"], &["ax", "xa"]);
        check("**x", &["x", "ax", "a/bx"], &["xa"]);
        check("**/*.go", &["x.go", "a/b/x.go"], &["x.c"]);
        check(
            "a/**/b",
            &["a/b", "a/x/b", "a/x/y/b/z"],
            &["a", "ab", "x/a/b"],
        );
        check(
            "**/a/**",
            &["a/b", "x/a/b", "x/y/a/b/c"],
            &["a", "x/a", "xa/b"],
        );
        check("a**b", &["ab", "ax/b", "a/x/b"], &["axb"]);
        check("**/*", &["a", "a/b"], &[]);
    }

    #[test]
    fn sets_and_escapes() {
        check("[a-cx]", &["b", "x", "b/y"], &["d", "ab"]);
        check("a[^b]c", &["axc", "a/c"], &["abc", "ac"]);
        check("[!a]", &["!", "a"], &["b"]);
        check(r"[\]\-]", &["]", "-"], &["\\"]);
        check("x]", &["x]"], &["x"]);
        check(r"\*\[\\", &[r"*[\"], &["x[x", r"\*\[\\"]);
    }

    #[test]
    fn what_only_a_regular_expression_means_matches_nothing() {
        for pattern in ["a*|b", "^a*", "a{2}*", r"\d", r"\é", "[[:alpha:]]", "[*]"] {
            assert!(Glob::parse(pattern).is_none(), "{pattern}");
        }
        check("*.{md,txt}", &["a.{md,txt}"], &["a.md"]);
    }

    #[test]
    fn no_pattern_is_slow() {
        let pattern = "*a".repeat(200);
        let path = "a".repeat(20_000);
        check(&pattern, &[&path], &[&format!("{path}b")]);
    }
}
