//! What the `go` command says with `-x` about what it asks servers for.
//!
//! Source: Go 1.26, `cmd/go/internal/web/http.go`, `modfetch/codehost/codehost.go` and
//! `vcs/vcs.go`. A request is said when it begins, and again when its answer begins; a
//! command of git when it begins, and again when it is over, but for the first look at an
//! address, whose end is not said.

use std::collections::BTreeMap;

use crate::scan::is_inside;

/// Begins what is said of a request.
const GET: &str = "# get ";

/// Requests and commands, from the lines of a trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Begun and not answered, in their order.
    pending: Vec<String>,
    /// Answers that have begun; nobody says when they end.
    answered: Vec<String>,
    /// What was said last of all.
    last: String,
    /// How many lines there were.
    lines: usize,
    /// The address that the repository of a directory has, by the directory.
    addresses: BTreeMap<String, String>,
}

impl Trace {
    /// That of a command, which is all that is waited for until it says more.
    pub(super) fn of(program: &str, args: &[&str]) -> Self {
        let asks = program == "git" && args.iter().any(|arg| arg.contains("://"));
        Self {
            last: if asks {
                format!("{program} {}", args.join(" "))
            } else {
                String::new()
            },
            ..Self::default()
        }
    }

    /// Reads a line; whether it is one of a trace, and nothing for people.
    pub(super) fn read(&mut self, line: &str) -> bool {
        self.lines += 1;
        let line = line.trim_end();
        if let Some(get) = line.strip_prefix(GET) {
            match get.split_once(": ") {
                None => self.begin(get.to_owned()),
                Some((url, _)) => self.end(url, true),
            }
        } else if let Some((_, command)) = line.split_once("s # ").filter(|(time, _)| is_time(time))
        {
            let said = self.command(command);
            self.end(&said, false);
        } else if line.starts_with("cd ") && line.contains("; ") {
            let said = self.command(line);
            self.begin(said);
        } else if line.starts_with("git ") {
            line.clone_into(&mut self.last);
        } else {
            return ["cd ", "# lock ", "mkdir -p ", "WORK="]
                .iter()
                .any(|begin| line.starts_with(begin));
        }
        true
    }

    /// How many lines there were, of a trace or not.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// What is waited for, in the order in which it was asked for: what has no answer, or
    /// else the answers that may not have ended.
    pub(super) fn waiting(&self) -> Vec<String> {
        match (self.pending.is_empty(), self.answered.contains(&self.last)) {
            (false, _) => self.pending.clone(),
            (true, true) => self.answered.clone(),
            (true, false) if self.last.is_empty() => Vec::new(),
            (true, false) => vec![self.last.clone()],
        }
    }

    /// What was answered, in its order.
    pub(super) fn answered(self) -> Vec<String> {
        self.answered
    }

    fn begin(&mut self, what: String) {
        self.last.clone_from(&what);
        self.pending.push(what);
    }

    fn end(&mut self, what: &str, begins_answer: bool) {
        if let Some(at) = self.pending.iter().position(|pending| pending == what) {
            self.pending.remove(at);
        }
        if begins_answer {
            self.answered.push(what.to_owned());
            what.clone_into(&mut self.last);
        }
    }

    /// `cd DIR; COMMAND` without the directory, which is one of the step. An address that
    /// git knows by another name stands behind it.
    fn command(&mut self, line: &str) -> String {
        let Some((dir, command)) = line.strip_prefix("cd ").and_then(|l| l.split_once("; ")) else {
            return line.to_owned();
        };
        if let Some(address) = command.split_whitespace().find(|word| word.contains("://")) {
            self.addresses.insert(dir.to_owned(), address.to_owned());
            return command.to_owned();
        }
        match self.addresses.get(dir) {
            Some(address) => format!("{command} ({address})"),
            None => command.to_owned(),
        }
    }
}

fn is_time(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The module at a version that a request of a module proxy or a checksum database is
/// about, as far as its address says.
pub(super) fn module_in(url: &str) -> Option<(String, String)> {
    let (_, path) = url.split_once("://")?;
    let (module, version) = match path.split_once("/@v/") {
        Some((module, file)) => (module, file.rsplit_once('.').map_or("", |(v, _)| v)),
        None => path.split_once("/lookup/")?.1.split_once('@')?,
    };
    Some((unescaped(module), unescaped(version)))
}

/// Whether an address or a command of git is about a module at a version.
#[must_use]
pub fn is_about(asked: &str, module: &str, version: &str) -> bool {
    match module_in(asked) {
        // The address of the proxy may have a path of its own.
        Some((path, at)) => at == version && is_end(&path, module),
        None => repository_in(asked)
            .is_some_and(|place| is_inside(&module.replacen(".git", "", 1), place)),
    }
}

/// Whether the last elements of a path are these.
fn is_end(path: &str, last: &str) -> bool {
    let rest = path.strip_suffix(last);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Host and path of the repository that is asked, or that is asked for.
fn repository_in(asked: &str) -> Option<&str> {
    let (_, rest) = asked.split_once("://")?;
    let end = rest.find(|c: char| c.is_whitespace() || "?)".contains(c));
    let place = &rest[..end.unwrap_or(rest.len())];
    let place = place.split_once('@').map_or(place, |(_, place)| place);
    Some(place.trim_end_matches(".git"))
}

/// Capital letters, which are written as `!` and the small letter.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => out.extend(chars.next().map(|c| c.to_ascii_uppercase())),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(lines: &[&str]) -> Vec<String> {
        let mut trace = Trace::default();
        for line in lines {
            assert!(trace.read(line), "{line}");
        }
        trace.waiting()
    }

    #[test]
    fn what_has_no_answer_is_waited_for() {
        let lines = [
            "# get https://p.example/a.org/x/@v/v1.0.0.info",
            "# get https://p.example/b.org/y/@v/v1.0.0.info",
            "# get https://p.example/a.org/x/@v/v1.0.0.info: 200 OK (0.012s)",
        ];
        assert_eq!(
            waiting(&lines),
            ["https://p.example/b.org/y/@v/v1.0.0.info"]
        );
    }

    #[test]
    fn an_answer_may_not_have_ended() {
        let lines = [
            "# get https://p.example/a.org/x/@v/v1.0.0.zip",
            "# get https://p.example/a.org/x/@v/v1.0.0.zip: 200 OK (0.012s)",
        ];
        assert_eq!(waiting(&lines), ["https://p.example/a.org/x/@v/v1.0.0.zip"]);
        assert_eq!(waiting(&[]), Vec::<String>::new());
    }

    #[test]
    fn commands_of_git_are_waited_for() {
        assert_eq!(
            waiting(&["cd /go/pkg/mod", "git ls-remote https://g.example/x"]),
            ["git ls-remote https://g.example/x"]
        );
        let lines = [
            "mkdir -p /c/vcs # git3 https://g.example/x",
            "# lock /c/vcs/1.lock",
            "cd /c/vcs/1; git remote add origin -- https://g.example/x",
            "0.002s # cd /c/vcs/1; git remote add origin -- https://g.example/x",
            "cd /c/vcs/1; git fetch -f --depth 1 origin refs/tags/v1.0.0",
        ];
        assert_eq!(
            waiting(&lines),
            ["git fetch -f --depth 1 origin refs/tags/v1.0.0 (https://g.example/x)"]
        );
        let next = "cd /c/vcs/1; git cat-file blob 1:go.mod";
        let ended = [
            "1.5s # cd /c/vcs/1; git fetch -f --depth 1 origin refs/tags/v1.0.0",
            next,
        ];
        let lines: Vec<&str> = lines.into_iter().chain(ended).collect();
        assert_eq!(
            waiting(&lines),
            ["git cat-file blob 1:go.mod (https://g.example/x)"]
        );
    }

    #[test]
    fn what_go_says_to_people_is_no_trace() {
        let mut trace = Trace::default();
        for line in [
            "go: downloading a.org/x v1.0.0",
            "go: a.org/x@v1.0.0: reading https://p.example/: 404 Not Found",
            "\tfatal: could not read Username",
        ] {
            assert!(!trace.read(line), "{line}");
        }
    }

    #[test]
    fn modules_are_read_from_addresses() {
        let named = |url| module_in(url).map(|(module, version)| format!("{module} {version}"));
        assert_eq!(
            named("https://p.example/github.com/!azure/x/@v/v1.0.0-!r!c1.mod").as_deref(),
            Some("p.example/github.com/Azure/x v1.0.0-RC1")
        );
        assert_eq!(
            named("https://p.example/sumdb/sum.example/lookup/a.org/x@v1.0.0").as_deref(),
            Some("a.org/x v1.0.0")
        );
        assert_eq!(named("https://a.org/x?go-get=1"), None);
    }

    #[test]
    fn an_address_is_about_one_version_of_one_module() {
        let asked = "https://p.example/go/a.org/!x/@v/v1.0.0.zip";
        assert!(is_about(asked, "a.org/X", "v1.0.0"));
        assert!(!is_about(asked, "a.org/X", "v1.0.1"));
        assert!(!is_about(asked, "org/X", "v1.0.0"));
    }

    #[test]
    fn a_repository_is_that_of_modules_in_it() {
        for asked in [
            "git ls-remote https://g.example/team/lib",
            "git fetch -f origin refs/tags/v1.0.0 (ssh://git@g.example/team/lib.git)",
            "https://g.example/team/lib?go-get=1",
        ] {
            let is_about = |module| is_about(asked, module, "v1.0.0");
            assert!(is_about("g.example/team/lib"), "{asked}");
            assert!(is_about("g.example/team/lib/v2"), "{asked}");
            assert!(is_about("g.example/team/lib.git"), "{asked}");
            assert!(!is_about("g.example/team/library"), "{asked}");
        }
    }
}
