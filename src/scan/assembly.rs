//! What Go's assembler reads besides the files that it is given.
//!
//! It runs in the package directory, and looks for every include there, whichever file has it (see
//! `include`); then where the compiler leaves `go_asm.h`, and in Go's own `pkg/include`. It takes a
//! string behind `#include`, no macro and no `<file>`.
//!
//! The `go` command does not know of includes. Its build cache keys a package by the files of the
//! directory that are sources or headers by their names and constraints. What else is included is
//! not in that key, and a compiled package outlives an edit of it.
//!
//! Facts: Go 1.26, `cmd/asm/internal/lex` and `cmd/go/internal/work`: `asmArgs`, `buildActionID`.
//! docs/dev/go-build-cache.md has all of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sha2::{Digest as _, Sha256};

use super::include::Place;
use super::index::{Link, join, parent};
use super::{gofile, words};
use crate::hex::hex;

/// The extension of what is assembled without cgo.
pub(crate) const SOURCE: &str = ".s";

/// Extensions of headers in the key of a package.
const HEADERS: [&str; 4] = ["h", "hh", "hpp", "hxx"];

/// A file that assembly includes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Included {
    /// Relative to the scanned directory. It may not be there: then it is Go's own, or missing.
    pub(crate) path: String,
    /// Position of the source in the list, and the line in it that leads there.
    pub(crate) source: usize,
    pub(crate) line: u32,
    /// The digest of its content, if it is there and in no key of Go's.
    pub(crate) unhashed: Option<String>,
    /// Links to directories on the way to it.
    pub(crate) links: Vec<String>,
    /// The file, if it is a link.
    pub(crate) link: Option<Link>,
}

/// What the sources of a package directory include, one after the other or not.
///
/// `find` says where an include leads.
pub(crate) fn included(
    dir: &str,
    sources: &[&str],
    find: impl Fn(&str) -> Vec<Place>,
) -> Vec<Included> {
    let mut files = Files {
        find,
        known: BTreeMap::new(),
    };
    let mut out: BTreeMap<String, Included> = BTreeMap::new();
    for (source, name) in sources.iter().enumerate() {
        let Some(first) = files.of(name).first().and_then(|file| file.text.as_ref()) else {
            continue;
        };
        let own = first.constraint.clone();
        let mut pending = VecDeque::from(first.includes.clone());
        let mut seen = BTreeSet::from([join(dir, name)]);
        while let Some((name, line)) = pending.pop_front() {
            for file in files.of(&name) {
                if !seen.insert(file.path.clone()) {
                    continue;
                }
                let mut one = Included {
                    path: file.path.clone(),
                    source,
                    line,
                    unhashed: None,
                    links: file.links.clone(),
                    link: file.link.clone(),
                };
                if let Some(text) = &file.text {
                    // The line of the source leads to all that follows.
                    pending.extend(text.includes.iter().map(|(name, _)| (name.clone(), line)));
                    let hashed = is_keyed(&file.path, dir)
                        && (text.constraint.is_none() || text.constraint == own);
                    one.unhashed = (!hashed).then(|| text.digest.clone());
                }
                add(&mut out, one);
            }
        }
    }
    out.into_values().collect()
}

/// Several sources may include a file, and by several ways.
fn add(all: &mut BTreeMap<String, Included>, one: Included) {
    match all.get_mut(&one.path) {
        Some(known) => {
            if known.unhashed.is_none() {
                known.unhashed = one.unhashed;
            }
            known.links.extend(one.links);
        }
        None => {
            all.insert(one.path.clone(), one);
        }
    }
}

/// Whether a file is in the key of the package in a directory, if its constraint holds.
fn is_keyed(path: &str, dir: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    parent(path) == Some(dir)
        && !name.starts_with(['.', '_'])
        && (HEADERS.contains(&extension) || name.ends_with(SOURCE))
}

/// Files that were looked up, by the name that an include has.
struct Files<F> {
    find: F,
    known: BTreeMap<String, Vec<File>>,
}

struct File {
    path: String,
    links: Vec<String>,
    link: Option<Link>,
    text: Option<Text>,
}

struct Text {
    constraint: Option<String>,
    digest: String,
    includes: Vec<(String, u32)>,
}

impl<F: Fn(&str) -> Vec<Place>> Files<F> {
    fn of(&mut self, name: &str) -> &[File] {
        if !self.known.contains_key(name) {
            let places = (self.find)(name).into_iter();
            let files = places.map(|place| File {
                text: place.text.map(|text| Text {
                    constraint: constraint_of(&place.path, &text),
                    digest: hex(&Sha256::digest(&text)),
                    includes: includes(&text),
                }),
                path: place.path,
                links: place.links,
                link: place.link,
            });
            self.known.insert(name.to_owned(), files.collect());
        }
        self.known.get(name).map_or(&[], Vec::as_slice)
    }
}

fn constraint_of(path: &str, text: &[u8]) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match (words::of_name(name), gofile::build_constraint(text)) {
        (Some(name), Some(text)) => Some(format!("{name} && ({text})")),
        (name, text) => name.or(text),
    }
}

/// The names behind `#include`, with their lines. Those that a condition leaves out are among them.
fn includes(text: &[u8]) -> Vec<(String, u32)> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
    };
    let mut out = Vec::new();
    while let Some(byte) = lexer.next() {
        if byte != b'#' || !lexer.word(b"include") {
            continue;
        }
        let line = lexer.line;
        if lexer.peek() == Some(b'"')
            && let Some((name, length)) = gofile::unquote(&text[lexer.at + 1..])
        {
            lexer.at += 1 + length;
            out.push((String::from_utf8_lossy(&name).into_owned(), line));
        }
    }
    out
}

/// Reads tokens as far as they matter: comments and strings hide what is in them.
struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// The next byte that is in no comment, string or rune.
    fn next(&mut self) -> Option<u8> {
        loop {
            self.skip_blanks();
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'\n' => self.line += 1,
                b'"' | b'\'' => self.skip_quoted(byte),
                _ => return Some(byte),
            }
        }
    }

    /// Takes a word and the blanks around it, if it is next.
    fn word(&mut self, word: &[u8]) -> bool {
        self.skip_blanks();
        let next = self.rest().strip_prefix(word);
        let is_whole = next.is_some_and(|rest| {
            let more = rest.first();
            more.is_none_or(|b| !(b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80))
        });
        if is_whole {
            self.at += word.len();
            self.skip_blanks();
        }
        is_whole
    }

    /// Blanks and comments. A comment may go over lines, and what follows is in its last one.
    fn skip_blanks(&mut self) {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r', ..] => self.at += 1,
                [b'/', b'/', ..] => {
                    let rest = self.rest();
                    self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                }
                [b'/', b'*', rest @ ..] => {
                    let end = rest.windows(2).position(|w| w == b"*/");
                    let length = end.map_or(rest.len(), |end| end + 2);
                    let lines = rest[..length].iter().filter(|b| **b == b'\n').count();
                    self.line += u32::try_from(lines).unwrap_or(0);
                    self.at += 2 + length;
                }
                _ => return,
            }
        }
    }

    /// One that is not closed ends with its line.
    fn skip_quoted(&mut self, quote: u8) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => return,
                b'\\' if self.rest().get(1).is_some_and(|b| *b != b'\n') => self.at += 2,
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::resolve;

    #[test]
    fn includes_are_read_as_the_assembler_reads_them() {
        let text = b"#include \"a.h\"\n/* x */ # /* y\n*/ include \"../in\\x63/b.h\" // z\n\
            // #include \"no.h\"\n/* #include \"no.h\" */\n#include <no.h>\n#include NO\n\
            #define S \"#include \\\"no.h\"\n#includes \"no.h\"\nFOO #include\t\"c.h\"";
        assert_eq!(
            includes(text),
            [
                ("a.h".into(), 1),
                ("../inc/b.h".into(), 3),
                ("c.h".into(), 10)
            ]
        );
    }

    #[test]
    fn broken_text_ends() {
        for text in [
            "#",
            "#include",
            "#include \"",
            "/*",
            "'",
            "\"\\",
            "/",
            "#include \"\\",
        ] {
            assert_eq!(includes(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn what_go_does_not_hash_has_a_digest() {
        let files = BTreeMap::from([
            (
                "asm/a_amd64.s",
                "#include \"textflag.h\"\n#include \"own.h\"\n#include \"own_amd64.h\"\n\
                 #include \"../inc/up.h\"\n#include \"sub/value.h\"\n#include \"data.inc\"\n\
                 #include \"../../out.h\"\n",
            ),
            (
                "asm/b.s",
                "#include \"own_arm64.h\"\n#include \"_hidden.h\"\n#include \"script.s\"\n#include \"own.h\"\n",
            ),
            ("asm/own.h", "#include \"a_amd64.s\"\n"),
            ("asm/own_amd64.h", ""),
            ("asm/own_arm64.h", ""),
            ("asm/_hidden.h", ""),
            ("asm/script.s", "//go:build ignore\n\n"),
            ("asm/data.inc", ""),
            // Relative to the package, not to the header.
            ("asm/sub/value.h", "#include \"../inc/base.h\"\n"),
            ("inc/up.h", "#include \"own.h\"\n"),
            ("inc/base.h", ""),
        ]);
        let find = |name: &str| -> Vec<Place> {
            let path = resolve("asm", name).into_iter();
            path.map(|path| Place {
                text: files.get(&*path).map(|text| text.as_bytes().to_vec()),
                path,
                ..Place::default()
            })
            .collect()
        };
        let found = included("asm", &["a_amd64.s", "b.s"], find);
        let shown: Vec<String> = found
            .iter()
            .map(|i| {
                let unhashed = if i.unhashed.is_some() { "!" } else { "" };
                format!("{} {}:{}{unhashed}", i.path, i.source, i.line)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "asm/_hidden.h 1:2!",
                // Assembled wherever it is; what `b.s` includes of it need not be.
                "asm/a_amd64.s 1:4!",
                "asm/data.inc 0:6!",
                "asm/own.h 0:2",
                "asm/own_amd64.h 0:3!",
                "asm/own_arm64.h 1:1!",
                "asm/script.s 1:3!",
                "asm/sub/value.h 0:5!",
                "asm/textflag.h 0:1",
                "inc/base.h 0:5!",
                "inc/up.h 0:4!",
            ]
        );
    }
}
