//! Reader for Go files: constraint, package clause, imports, embed patterns.
//!
//! A Go file names what its build needs in its head, so only the head is read;
//! files that import `embed` are read to the end, because embed lines may stand
//! anywhere. The reader accepts more than Go does: what it finds is a superset, and
//! errors in a file are the compiler's to report.
//!
//! Grammar: `go/build/read.go`, checked with Go 1.26 (go-build-facts §C1, §C3).

use super::constraint;

/// What one Go file says about its build.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct GoFile {
    /// Name in the package clause; empty without one.
    pub(crate) package: String,
    /// The build constraint as an expression.
    pub(crate) constraint: Option<String>,
    /// Import paths with their lines, in order.
    pub(crate) imports: Vec<(String, u32)>,
    /// Embed patterns with their lines.
    pub(crate) embeds: Vec<(String, u32)>,
    /// C code in front of `import "C"`, with the line that it starts on.
    pub(crate) preambles: Vec<(Vec<u8>, u32)>,
}

impl GoFile {
    /// Whether embed lines of the file count: they do if it imports `embed`.
    pub(super) fn may_embed(&self) -> bool {
        self.imports.iter().any(|(path, _)| path == "embed")
    }
}

/// Reads the head of a file from its first bytes. `None` means that the head goes
/// on behind them; with `whole`, the bytes are all there is.
pub(crate) fn head(text: &[u8], whole: bool) -> Option<GoFile> {
    let mut reader = Reader::new(text);
    reader.whole = whole;
    let mut file = GoFile::default();
    let complete = reader.head(&mut file).is_some();
    if !complete && !whole {
        return None;
    }
    file.constraint = build_constraint(text);
    Some(file)
}

/// The embed lines of a whole file.
pub(crate) fn embeds(text: &[u8]) -> Vec<(String, u32)> {
    let mut reader = Reader::new(text);
    let mut out = Vec::new();
    while let Some(byte) = reader.peek() {
        match byte {
            b'/' if reader.rest().starts_with(b"//") => {
                let line = reader.line();
                let comment = reader.line_comment();
                if let Some(args) = embed_args(comment) {
                    out.extend(patterns(args).into_iter().map(|p| (p, line)));
                }
            }
            b'/' if reader.rest().starts_with(b"/*") => reader.block_comment(),
            b'`' => {
                reader.at += 1;
                reader.skip_past(b'`');
            }
            b'"' | b'\'' => reader.skip_quoted(byte),
            _ => reader.at += 1,
        }
    }
    out
}

/// The text behind `//go:embed` and a blank.
fn embed_args(comment: &[u8]) -> Option<&[u8]> {
    let args = comment.strip_prefix(b"//go:embed")?;
    args.first()
        .is_some_and(|b| matches!(b, b' ' | b'\t'))
        .then_some(args)
}

/// Patterns are separated by blanks; quoted ones hold blanks.
fn patterns(args: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = args.trim_ascii();
    while let Some(&first) = rest.first() {
        let mut reader = Reader::new(rest);
        let word = match first {
            b'"' | b'`' => reader.string(),
            _ => {
                let end = rest
                    .iter()
                    .position(u8::is_ascii_whitespace)
                    .unwrap_or(rest.len());
                reader.at = end;
                Some(String::from_utf8_lossy(&rest[..end]).into_owned())
            }
        };
        // A malformed line is the compiler's to report.
        let Some(word) = word else { break };
        out.push(word);
        rest = rest[reader.at..].trim_ascii_start();
    }
    out
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether nothing follows the text: then a word may end with it.
    whole: bool,
    /// Where lines were counted up to, and how many.
    counted: (usize, u32),
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        let start = if text.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self {
            text,
            at: start,
            whole: false,
            counted: (start, 1),
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at.min(self.text.len())..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The line of the current place, from 1.
    fn line(&mut self) -> u32 {
        let (from, line) = self.counted;
        let at = self.at.min(self.text.len());
        let more = self.text[from..at].iter().filter(|b| **b == b'\n').count();
        self.counted = (at, line + u32::try_from(more).unwrap_or(0));
        self.counted.1
    }

    /// Package clause and imports; `None` when the text ends before they do.
    fn head(&mut self, file: &mut GoFile) -> Option<()> {
        self.skip_blanks()?;
        if self.word()? != b"package" {
            return Some(());
        }
        self.skip_blanks()?;
        file.package = String::from_utf8_lossy(self.word()?).into_owned();
        loop {
            let before = self.at;
            self.skip_blanks()?;
            if self.word()? != b"import" {
                return Some(());
            }
            let inside = self.at;
            self.skip_blanks()?;
            if self.peek()? == b'(' {
                self.at += 1;
                self.group(file)?;
            } else {
                self.import(file, before..inside)?;
            }
        }
    }

    fn group(&mut self, file: &mut GoFile) -> Option<()> {
        loop {
            let before = self.at;
            self.skip_blanks()?;
            if self.peek()? == b')' {
                self.at += 1;
                return Some(());
            }
            let start = self.at;
            self.import(file, before..start)?;
            // Something that is no import: skip it, or this would never end.
            if self.at == start {
                self.at += 1;
            }
        }
    }

    /// One import; `before` is where its comments stand.
    fn import(&mut self, file: &mut GoFile, before: std::ops::Range<usize>) -> Option<()> {
        if self.peek()? == b'.' {
            self.at += 1;
        } else {
            self.word()?;
        }
        self.skip_blanks()?;
        let line = self.line();
        let quote = self.peek()?;
        if !matches!(quote, b'"' | b'`') {
            return Some(());
        }
        match self.string() {
            Some(path) => {
                if path == "C" {
                    let start = 1 + count_lines(&self.text[..before.start]);
                    file.preambles.push((self.text[before].to_vec(), start));
                }
                file.imports.push((path, line));
            }
            None if self.may_close(quote) => return None,
            None => {}
        }
        Some(())
    }

    /// Whether a string that is not closed may be closed by what follows the text.
    fn may_close(&self, quote: u8) -> bool {
        !self.whole && (quote == b'`' || !self.rest().contains(&b'\n'))
    }

    /// Blanks, semicolons and comments; `None` at the end of the text.
    fn skip_blanks(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' | b';' | b',' => self.at += 1,
                b'/' if self.rest().starts_with(b"//") => {
                    self.line_comment();
                }
                b'/' if self.rest().starts_with(b"/*") => self.block_comment(),
                // Half of what opens a comment.
                b'/' if self.rest().len() == 1 && !self.whole => return None,
                _ => return Some(()),
            }
        }
    }

    fn line_comment(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn block_comment(&mut self) {
        self.at += 2;
        loop {
            self.skip_past(b'*');
            match self.peek() {
                Some(b'/') => {
                    self.at += 1;
                    return;
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    fn skip_past(&mut self, byte: u8) {
        let rest = self.rest();
        self.at += rest
            .iter()
            .position(|b| *b == byte)
            .map_or(rest.len(), |i| i + 1);
    }

    /// A quoted string or rune; one that is not closed ends with its line.
    fn skip_quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 2,
                b'\n' => return,
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return;
                    }
                }
            }
        }
    }

    /// An identifier, possibly empty; `None` when the text ends with it.
    fn word(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|&b| !(b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80))
            .or(self.whole.then_some(rest.len()))?;
        self.at += end;
        Some(&rest[..end])
    }

    /// A string literal, decoded; `None` when it is not closed.
    fn string(&mut self) -> Option<String> {
        let start = self.at + 1;
        match self.peek()? {
            b'`' => {
                let end = start + self.text[start..].iter().position(|b| *b == b'`')?;
                self.at = end + 1;
                let raw: Vec<u8> = self.text[start..end]
                    .iter()
                    .copied()
                    .filter(|b| *b != b'\r')
                    .collect();
                Some(String::from_utf8_lossy(&raw).into_owned())
            }
            _ => {
                let (bytes, length) = unquote(&self.text[start..])?;
                self.at = start + length;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

/// Decodes up to a closing quote: the bytes, and how many were read.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'"' => return Some((out, at + 1)),
            b'\n' => return None,
            b'\\' => {
                let escape = *text.get(at + 1).filter(|b| **b != b'\n')?;
                at += 2;
                let (digits, radix) = match escape {
                    b'x' => (2, 16),
                    b'u' => (4, 16),
                    b'U' => (8, 16),
                    b'0'..=b'7' => {
                        at -= 1;
                        (3, 8)
                    }
                    other => {
                        out.push(match other {
                            b'a' => 7,
                            b'b' => 8,
                            b'f' => 12,
                            b'n' => b'\n',
                            b'r' => b'\r',
                            b't' => b'\t',
                            b'v' => 11,
                            plain => plain,
                        });
                        continue;
                    }
                };
                let code = std::str::from_utf8(text.get(at..at + digits)?).ok()?;
                let code = u32::from_str_radix(code, radix).ok()?;
                at += digits;
                match escape {
                    b'u' | b'U' => {
                        let c = char::from_u32(code)?;
                        out.extend(c.encode_utf8(&mut [0; 4]).bytes());
                    }
                    _ => out.push(u8::try_from(code).ok()?),
                }
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(text.iter().filter(|b| **b == b'\n').count()).unwrap_or(0)
}

/// The constraint of a file: its `//go:build` line, or else its `// +build` lines.
///
/// The former counts in the comments at the top of the file; the latter only in
/// the lines of `//` there that are followed by a blank line. A file with two
/// `//go:build` lines is an error of the compiler's, and unconstrained here.
pub(super) fn build_constraint(text: &[u8]) -> Option<String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut modern: Vec<String> = Vec::new();
    // The old lines that a blank line follows, and those that wait for one.
    let (mut old, mut waiting): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut only_line_comments = true;
    let mut in_block = false;
    for line in text.split(|b| *b == b'\n') {
        let mut line = line.trim_ascii();
        if line.is_empty() {
            if only_line_comments {
                old.append(&mut waiting);
            }
            continue;
        }
        only_line_comments &= line.starts_with(b"//");
        if !in_block && let Some(expression) = modern_line(line) {
            modern.push(expression);
        }
        if only_line_comments && let Some(expression) = old_line(line) {
            waiting.push(expression);
        }
        while !line.is_empty() {
            if in_block {
                let Some(end) = line.windows(2).position(|w| w == b"*/") else {
                    break;
                };
                in_block = false;
                line = line[end + 2..].trim_ascii();
            } else if line.starts_with(b"//") {
                break;
            } else if let Some(rest) = line.strip_prefix(b"/*") {
                in_block = true;
                line = rest;
            } else {
                return chosen(modern, old);
            }
        }
    }
    chosen(modern, old)
}

fn chosen(mut modern: Vec<String>, old: Vec<String>) -> Option<String> {
    match modern.len() {
        0 if old.is_empty() => None,
        0 => Some(
            old.iter()
                .map(|line| format!("({line})"))
                .collect::<Vec<_>>()
                .join(" && "),
        ),
        1 => modern.pop(),
        _ => None,
    }
}

fn modern_line(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"//go:build")?;
    let first = rest.first()?;
    first
        .is_ascii_whitespace()
        .then(|| String::from_utf8_lossy(rest).trim().to_owned())
}

fn old_line(line: &[u8]) -> Option<String> {
    let rest = line
        .strip_prefix(b"//")?
        .trim_ascii_start()
        .strip_prefix(b"+build")?;
    let first = rest.first()?;
    first
        .is_ascii_whitespace()
        .then(|| constraint::from_plus_build(&String::from_utf8_lossy(rest)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> GoFile {
        head(text.as_bytes(), true).unwrap()
    }

    fn imports(text: &str) -> Vec<String> {
        read(text)
            .imports
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    }

    #[test]
    fn finds_the_package_clause() {
        let package = |text: &str| read(text).package;
        assert_eq!(package("package main\n"), "main");
        assert_eq!(
            package("\u{feff}// hi\n\n/* a\nb */ package\tmain // x\n"),
            "main"
        );
        assert_eq!(package("package /* odd */ main\n"), "main");
        assert_eq!(package("package grün\n"), "grün");
        assert_eq!(package("package main"), "main");
        assert_eq!(package("/* never closed"), "");
        assert_eq!(package(""), "");
        assert_eq!(package("func main() {}\n"), "");
    }

    #[test]
    fn finds_imports_in_every_form() {
        assert_eq!(
            imports("package a\nimport\"fmt\";import(\"b\";`c`)\n"),
            ["fmt", "b", "c"]
        );
        assert_eq!(
            imports(
                "package a // import \"not\"\n\nimport (\n\t// \"no\"\n\tx \"d/e\" // f\n\t. \"g\"\n\t_ /* h */ \"i\"\n)\n\nimport j \"k\"\nvar x = \"l\"\n"
            ),
            ["d/e", "g", "i", "k"]
        );
        assert_eq!(
            imports("package a\nimport ()\nimport \"\\x61\\u0062\\143\"\n"),
            ["abc"]
        );
        assert_eq!(imports("package a\r\nimport (\r\n\t\"b\"\r\n)\r\n"), ["b"]);
        assert_eq!(imports("package a\nfunc f() {}\nimport \"b\"\n"), [""; 0]);
        assert_eq!(imports("package a\nimport ( ] \"b\" )\n"), ["b"]);
    }

    #[test]
    fn lines_are_counted() {
        let file = read("// c\npackage a\n\nimport (\n\t\"b\"\n\n\t\"c\"\n)\n");
        assert_eq!(file.imports, [("b".into(), 5), ("c".into(), 7)]);
    }

    #[test]
    fn a_head_that_goes_on_asks_for_more() {
        for text in [
            "package a\nimport (\n\t\"b\"\n)\n/",
            "package a\nimport \"b/c\"\nimport x `d`\n/",
            "// c\npackage a // d\n// e\nimport \"C\" // f\n/* g */ import \"\\x61\"\n",
            "\u{feff}//go:build b\n\n/**/package/* * */a;import`b`;import(\"c\")//",
        ] {
            for end in 0..text.len() {
                assert_eq!(head(&text.as_bytes()[..end], false), None, "{text} {end}");
            }
        }
        assert!(head(b"package a\nvar x int", false).is_some());
    }

    #[test]
    fn embed_lines_are_found_in_comments_alone() {
        let text = "package a\nimport _ \"embed\"\n\n//go:embed a.txt  \"sp ace\" `raw`\nvar x string\n\
            // go:embed no\n//go:embedno\nvar y = `\n//go:embed no\n`\n/*\n//go:embed no\n*/\n\
            var z = \"//go:embed no\" //go:embed d/*.html\nvar q = '\"' //go:embed all:e\n";
        let found = embeds(text.as_bytes());
        let patterns: Vec<&str> = found.iter().map(|(p, _)| p.as_str()).collect();
        assert_eq!(patterns, ["a.txt", "sp ace", "raw", "d/*.html", "all:e"]);
        assert_eq!(found[0].1, 4);
        assert!(read(text).may_embed());
    }

    #[test]
    fn constraints_are_read_as_go_reads_them() {
        let constraint = |text: &str| read(text).constraint;
        assert_eq!(
            constraint("//go:build ignore\n\npackage a\n").as_deref(),
            Some("ignore")
        );
        assert_eq!(
            constraint("/* x */\n  //go:build a && b\npackage a\n").as_deref(),
            Some("a && b")
        );
        assert_eq!(constraint("/*\n//go:build ignore\n*/\npackage a\n"), None);
        assert_eq!(constraint("// go:build ignore\npackage a\n"), None);
        assert_eq!(constraint("package a\n//go:build ignore\n"), None);
        assert_eq!(
            constraint("// +build a,b c\n// +build !d\n\npackage a\n").as_deref(),
            Some("((a && b) || (c)) && ((!d))")
        );
        // Without a blank line behind it, it documents the package.
        assert_eq!(constraint("// +build ignore\npackage a\n"), None);
        assert_eq!(constraint("/* c */\n// +build ignore\n\npackage a\n"), None);
        assert_eq!(
            constraint("//go:build a\n// +build b\n\npackage a\n").as_deref(),
            Some("a")
        );
    }

    #[test]
    fn c_code_in_front_of_an_import_is_kept() {
        let file = read("package a\n\n/*\n#include \"x.h\"\n*/\nimport \"C\"\n");
        assert_eq!(file.preambles.len(), 1);
        let (text, line) = &file.preambles[0];
        assert!(String::from_utf8_lossy(text).contains("x.h"));
        assert_eq!(*line, 1);
    }
}
