//! Reader for `go.mod` and `go.work`: the lines that decide which modules, which
//! toolchain and which directories a build has.
//!
//! In: the text of one file. Out: [`GoMod`] or [`GoWork`]. The reader is
//! tolerant: a line that it does not know, or that is wrong, is skipped, because
//! the `go` command reports such errors better than anybody else.
//!
//! Grammar: <https://go.dev/ref/mod#go-mod-file-grammar>, checked with Go 1.26.

/// What a `go.mod` says, as far as a build graph needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GoMod {
    /// The module path; empty when the file has no `module` line.
    pub(crate) module: String,
    /// The `go` line, such as `1.26` or `1.26.3`.
    pub(crate) go: Option<String>,
    /// The `toolchain` line without its `go` prefix; `default` and names with a
    /// custom suffix are kept as they are.
    pub(crate) toolchain: Option<String>,
    /// The modules that it requires: path and version.
    pub(crate) requires: Vec<(String, String)>,
    /// `replace` lines.
    pub(crate) replaces: Vec<Replacement>,
    /// The versions that are never chosen: path and version.
    pub(crate) excludes: Vec<(String, String)>,
    /// Directories of `ignore` lines, as written.
    pub(crate) ignores: Vec<String>,
}

/// What a `go.work` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GoWork {
    /// The `go` line.
    pub(crate) go: Option<String>,
    /// The `toolchain` line without its `go` prefix.
    pub(crate) toolchain: Option<String>,
    /// Directories of `use` lines, as written.
    pub(crate) uses: Vec<String>,
    /// `replace` lines.
    pub(crate) replaces: Vec<Replacement>,
}

/// A `replace` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replacement {
    /// The module that is replaced.
    pub(crate) path: String,
    /// The version that is; empty for all.
    pub(crate) version: String,
    /// What stands for it, as written: a directory, or the path of another module.
    pub(crate) with: String,
    /// The version of that module; empty for a directory.
    pub(crate) with_version: String,
    /// The line, from 1.
    pub(crate) line: u32,
}

impl Replacement {
    /// Whether what stands for a module is a directory: then it is written as one, and has
    /// no version behind it.
    pub(crate) fn is_directory(&self) -> bool {
        let with = self.with.as_str();
        matches!(with, "." | "..")
            || ["./", "../", "/"]
                .iter()
                .any(|start| with.starts_with(start))
    }
}

/// Reads a `go.mod`.
#[must_use]
pub(crate) fn parse_go_mod(text: &str) -> GoMod {
    let mut out = GoMod::default();
    for_each_line(text, |line, verb, args| match (verb, args) {
        ("module", [path, ..]) if out.module.is_empty() => out.module.clone_from(path),
        ("go", [version, ..]) => out.go = Some(version.clone()),
        ("toolchain", [name, ..]) => out.toolchain = Some(toolchain_version(name)),
        ("require", [path, version, ..]) => out.requires.push((path.clone(), version.clone())),
        ("ignore", [dir, ..]) => out.ignores.push(dir.clone()),
        ("exclude", [path, version, ..]) => out.excludes.push((path.clone(), version.clone())),
        ("replace", _) => out.replaces.extend(replacement(args, line)),
        _ => {}
    });
    out
}

/// Reads a `go.work`.
#[must_use]
pub(crate) fn parse_go_work(text: &str) -> GoWork {
    let mut out = GoWork::default();
    for_each_line(text, |line, verb, args| match (verb, args) {
        ("go", [version, ..]) => out.go = Some(version.clone()),
        ("toolchain", [name, ..]) => out.toolchain = Some(toolchain_version(name)),
        ("use", [dir, ..]) => out.uses.push(dir.clone()),
        ("replace", _) => out.replaces.extend(replacement(args, line)),
        _ => {}
    });
    out
}

fn toolchain_version(name: &str) -> String {
    name.strip_prefix("go").unwrap_or(name).to_owned()
}

/// `old [version] => target [version]`.
fn replacement(args: &[String], line: u32) -> Option<Replacement> {
    let arrow = args.iter().position(|a| a == "=>")?;
    let (old, new) = (&args[..arrow], &args[arrow + 1..]);
    Some(Replacement {
        path: old.first()?.clone(),
        version: old.get(1).cloned().unwrap_or_default(),
        with: new.first()?.clone(),
        with_version: new.get(1).cloned().unwrap_or_default(),
        line,
    })
}

/// The line, from 1, of the first directive with a verb; 1 if there is none.
pub(crate) fn line_of(text: &str, verb: &str) -> u32 {
    let is_it = |line: &str| tokens(line).first().is_some_and(|word| word == verb);
    let at = text.lines().position(is_it).unwrap_or(0);
    u32::try_from(at).map_or(1, |at| at + 1)
}

/// The directories of `use` lines of a `go.work`, as written, with their lines.
#[must_use]
pub(crate) fn use_lines(text: &str) -> Vec<(String, u32)> {
    let mut out = Vec::new();
    for_each_line(text, |number, verb, args| {
        if let ("use", [dir, ..]) = (verb, args) {
            out.push((dir.clone(), number));
        }
    });
    out
}

/// The `require` lines of a `go.mod`: path, version, line.
#[must_use]
pub(crate) fn require_lines(text: &str) -> Vec<(String, String, u32)> {
    let mut out = Vec::new();
    for_each_line(text, |number, verb, args| {
        if let ("require", [path, version, ..]) = (verb, args) {
            out.push((path.clone(), version.clone(), number));
        }
    });
    out
}

/// All directives of a file, verb first, those in blocks included.
pub(crate) fn directives(text: &str) -> Vec<(String, Vec<String>)> {
    let mut out = Vec::new();
    for_each_line(text, |_, verb, args| {
        out.push((verb.to_owned(), args.to_vec()))
    });
    out
}

/// Calls `visit(line, verb, arguments)` for each directive, those in blocks included.
fn for_each_line(text: &str, mut visit: impl FnMut(u32, &str, &[String])) {
    let mut block: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let mut tokens = tokens(line);
        if tokens.is_empty() {
            continue;
        }
        if let Some(verb) = &block {
            if tokens[0] == ")" {
                block = None;
            } else {
                visit(number, verb, &tokens);
            }
            continue;
        }
        let verb = tokens.remove(0);
        match tokens.first().map(String::as_str) {
            Some("(") => block = Some(verb),
            _ => visit(number, &verb, &tokens),
        }
    }
}

/// Splits one line into words: blanks separate, `//` starts a comment, quotes
/// (`"` with escapes, `` ` `` without) hold a word together, parentheses stand alone.
fn tokens(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with("//") {
        let (word, after) = match rest.as_bytes()[0] {
            quote @ (b'"' | b'`') => quoted(rest, quote),
            b'(' | b')' => (rest[..1].to_owned(), &rest[1..]),
            _ => {
                let end = rest
                    .char_indices()
                    .find(|&(i, c)| {
                        c.is_whitespace() || matches!(c, '(' | ')') || rest[i..].starts_with("//")
                    })
                    .map_or(rest.len(), |(i, _)| i);
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        out.push(word);
        rest = after.trim_start();
    }
    out
}

/// Reads a quoted word; an unclosed one ends with the line.
fn quoted(text: &str, quote: u8) -> (String, &str) {
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        if c == char::from(quote) {
            return (word, &text[i + 1..]);
        }
        if c == '\\' && quote == b'"' {
            if let Some((_, escaped)) = chars.next() {
                word.push(escaped);
            }
        } else {
            word.push(c);
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_blocks() {
        let text = "module example.com/shop // the shop\n\ngo 1.26.3\ntoolchain go1.26.8\n\
            require (\n\tgithub.com/a/b v1.2.3 // indirect\n)\n\
            replace (\n\tx.org/y => ./y\n\tx.org/z v1.0.0 => x.org/fork v1.0.1\n)\n\
            replace \"q.org/quoted\" => \"../side by side\"\n";
        let got = parse_go_mod(text);
        assert_eq!(got.module, "example.com/shop");
        assert_eq!(got.go.as_deref(), Some("1.26.3"));
        assert_eq!(got.toolchain.as_deref(), Some("1.26.8"));
        assert_eq!(
            got.requires,
            [("github.com/a/b".to_owned(), "v1.2.3".to_owned())]
        );
        assert_eq!(line_of(text, "toolchain"), 4);
        assert_eq!(line_of(text, "godebug"), 1);
        let replaces: Vec<_> = got
            .replaces
            .iter()
            .map(|r| (&*r.path, &*r.version, &*r.with, r.is_directory()))
            .collect();
        assert_eq!(
            replaces,
            [
                ("x.org/y", "", "./y", true),
                ("x.org/z", "v1.0.0", "x.org/fork", false),
                ("q.org/quoted", "", "../side by side", true)
            ]
        );
    }

    #[test]
    fn reads_a_workspace() {
        let got = parse_go_work("go 1.25\nuse ./api\nuse (\n ./lib // shared\n .\n)\n");
        assert_eq!(got.go.as_deref(), Some("1.25"));
        assert_eq!(got.uses, ["./api", "./lib", "."]);
    }

    #[test]
    fn survives_anything() {
        for text in [
            "",
            "module",
            "go (",
            ")",
            "module \"",
            "require (\n",
            "\u{feff}module x",
            "use `",
        ] {
            let _ = parse_go_mod(text);
            let _ = parse_go_work(text);
        }
    }
}
