//! What assembly and C files, and C code in Go files, name besides themselves.
//!
//! In: text. Out: the files and directories that it includes, as written. Macros
//! are not expanded: an include that is one makes the scan widen.

/// One thing that native code names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A file, relative to the directory of the file that names it.
    File(String),
    /// A directory of headers or libraries, relative to the package directory.
    Dir(String),
    /// Something that only a C compiler can tell.
    Unknown,
}

/// The `#include` lines of a text, with their lines from `first`.
pub(crate) fn includes(text: &[u8], first: u32) -> Vec<(Named, u32)> {
    let mut out = Vec::new();
    for (line, text) in lines(text, first) {
        let Some(directive) = text.strip_prefix(b"#").map(<[u8]>::trim_ascii_start) else {
            continue;
        };
        let Some(operand) = directive.strip_prefix(b"include") else {
            continue;
        };
        let operand = operand
            .strip_prefix(b"_next")
            .unwrap_or(operand)
            .trim_ascii_start();
        match operand.first() {
            Some(b'"') => {
                let name = operand[1..]
                    .split(|b| *b == b'"')
                    .next()
                    .unwrap_or_default();
                out.push((
                    Named::File(String::from_utf8_lossy(name).into_owned()),
                    line,
                ));
            }
            // The system's, or a file of an include directory that is taken whole.
            Some(b'<') | None => {}
            Some(_) => out.push((Named::Unknown, line)),
        }
    }
    out
}

/// What `#cgo` lines of a preamble name: directories of headers and files to include.
/// Libraries are for a C linker, which no build here runs.
pub(crate) fn cgo_flags(text: &[u8], first: u32) -> Vec<(Named, u32)> {
    let mut out = Vec::new();
    for (line, text) in lines(text, first) {
        // A preamble of line comments has them in front of every line.
        let text = text.strip_prefix(b"//").unwrap_or(text).trim_ascii();
        let Some(rest) = text.strip_prefix(b"#cgo") else {
            continue;
        };
        let rest = String::from_utf8_lossy(rest);
        let Some((_, flags)) = rest.split_once(':') else {
            continue;
        };
        let mut words = flags.split_whitespace();
        while let Some(word) = words.next() {
            let word = word.trim_matches(['"', '\'']);
            if word == "-include" {
                let file = words.next().and_then(local).map(Named::File);
                out.extend(file.map(|named| (named, line)));
                continue;
            }
            let dir = ["-isystem", "-iquote", "-idirafter", "-I"]
                .iter()
                .find_map(|flag| word.strip_prefix(flag));
            let dir = match dir {
                Some("") => words.next(),
                dir => dir,
            };
            let dir = dir.and_then(local).map(Named::Dir);
            out.extend(dir.map(|named| (named, line)));
        }
    }
    out
}

/// A path of a flag; `None` for those of the system.
fn local(path: &str) -> Option<String> {
    let path = path.trim_matches(['"', '\'']);
    let path = match path.strip_prefix("${SRCDIR}") {
        Some(rest) => rest.trim_start_matches('/'),
        None if path.starts_with('/') => return None,
        None => path,
    };
    Some(if path.is_empty() { "." } else { path }.to_owned())
}

fn lines(text: &[u8], first: u32) -> impl Iterator<Item = (u32, &[u8])> {
    let lines = text.split(|b| *b == b'\n');
    (first..).zip(lines.map(|line| line.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_includes_are_found() {
        let text = b"#include \"a.h\"\n  #  include\t\"../b/c.h\" // x\n#include <stdio.h>\n#include HEADER\n#define include\n";
        assert_eq!(
            includes(text, 1),
            [
                (Named::File("a.h".into()), 1),
                (Named::File("../b/c.h".into()), 2),
                (Named::Unknown, 4),
            ]
        );
    }

    #[test]
    fn flags_of_cgo_are_read() {
        let text = b"// #cgo CFLAGS: -I../inc -I ${SRCDIR}/x -DA=1 -I/usr/include\n#cgo linux LDFLAGS: -L${SRCDIR}/lib -lfoo\n#cgo CFLAGS: -I${SRCDIR} -include pre.h\n#cgo pkg-config: gtk\n";
        let found: Vec<Named> = cgo_flags(text, 1).into_iter().map(|(n, _)| n).collect();
        assert_eq!(
            found,
            [
                Named::Dir("../inc".into()),
                Named::Dir("x".into()),
                Named::Dir(".".into()),
                Named::File("pre.h".into()),
            ]
        );
    }
}
