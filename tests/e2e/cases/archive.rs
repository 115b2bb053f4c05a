//! A case's text → its script and its files: Go's txtar format, with links, empty
//! directories and pipes as further kinds of entries.

/// A case as it is written.
pub(super) struct Archive<'a> {
    /// What stands in front of the first entry.
    pub(super) script: &'a str,
    pub(super) entries: Vec<Entry<'a>>,
}

/// One file, by its path below the repository. Blanks around the path belong to it when it
/// is written in quotes.
pub(super) struct Entry<'a> {
    pub(super) path: &'a str,
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    /// `-- PATH --`, with the lines up to the next entry.
    File(&'a str),
    /// `-- PATH -> TARGET --`.
    Link(&'a str),
    /// `-- PATH/ --`.
    Directory,
    /// `-- PATH | --`.
    Pipe,
}

impl<'a> Archive<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let mut headers = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let end = at + line.len();
            if let Some(header) = header(line) {
                headers.push((header, at, end));
            }
            at = end;
        }
        let script = &text[..headers.first().map_or(text.len(), |(_, start, _)| *start)];
        let ends = headers.iter().skip(1).map(|(_, start, _)| *start);
        let entries = headers
            .iter()
            .zip(ends.chain([text.len()]))
            .map(|((header, _, start), end)| entry(header, &text[*start..end]))
            .collect();
        Self { script, entries }
    }
}

/// What stands between the dashes of `-- … --`.
fn header(line: &str) -> Option<&str> {
    line.trim_end()
        .strip_prefix("-- ")?
        .strip_suffix(" --")
        .map(str::trim)
}

fn entry<'a>(header: &'a str, text: &'a str) -> Entry<'a> {
    let (path, kind) = if let Some((path, target)) = header.split_once(" -> ") {
        (path, Kind::Link(unquoted(target)))
    } else if let Some(path) = header.strip_suffix(" |") {
        (path, Kind::Pipe)
    } else if let Some(path) = header.strip_suffix('/') {
        (path, Kind::Directory)
    } else {
        (header, Kind::File(text))
    };
    Entry {
        path: unquoted(path),
        kind,
    }
}

fn unquoted(word: &str) -> &str {
    word.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(word)
}

#[test]
fn an_archive_has_entries_of_every_kind() {
    let text = "# why\nbuild\n-- a.txt --\none\n-- b -> ../a.txt --\n-- d/ --\n\
                -- p | --\n-- \"end \" --\n";
    let archive = Archive::parse(text);
    assert_eq!(archive.script, "# why\nbuild\n");
    let paths: Vec<&str> = archive.entries.iter().map(|e| e.path).collect();
    assert_eq!(paths, ["a.txt", "b", "d", "p", "end "]);
    assert!(matches!(archive.entries[0].kind, Kind::File("one\n")));
    assert!(matches!(archive.entries[1].kind, Kind::Link("../a.txt")));
    assert!(matches!(archive.entries[2].kind, Kind::Directory));
    assert!(matches!(archive.entries[3].kind, Kind::Pipe));
}
