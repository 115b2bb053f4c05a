//! Flags of `ldflags`: what the Go linker, and the C linker behind it, may be told.
//!
//! In: the words as the linker gets them, after expansion. Out: nothing, or what is wrong with
//! each. A list of what is allowed: a flag that names a program, a plugin or a file would let
//! a spec run or write something in a step whose caches other repositories share
//! (`docs/dev/threat-model.md`).
//!
//! Facts: `go tool link -h` of Go 1.26, and the package `flag`: `-x v`, `-x=v` and `--x=v` are the
//! same, and a switch takes its value behind `=` alone. `cmd/internal/objabi/flag.go`: a word with
//! `@` in front is a file with more words.

use super::external_linker;
use crate::diag::{Diagnostic, Rule, Span, did_you_mean};

/// What a flag takes.
enum Takes {
    /// Nothing, or `=true` and `=false`.
    Switch,
    /// Text that enters the binary, or a number.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A path that enters the binary. The C linker gets it behind `-Wl,`, where a comma begins
    /// another option: `-r=x,-plugin,./p.so` would run a plugin (Go 1.26,
    /// `cmd/link/internal/ld/lib.go`, `hostlink`).
    Path,
    /// Words for the C linker.
    ExternalFlags,
}

use Takes::{ExternalFlags, OneOf, Path, Switch, Text};

/// What may be said, by the name without dashes.
const ALLOWED: [(&str, Takes); 37] = [
    ("B", Text),
    ("D", Text),
    ("E", Text),
    ("H", Text),
    // The dynamic linker of programs that have one: a text in the binary.
    ("I", Path),
    ("R", Text),
    ("T", Text),
    ("X", Text),
    ("a", Switch),
    ("aslr", Switch),
    ("bindnow", Switch),
    ("buildid", Text),
    ("buildmode", OneOf(&["exe", "pie"])),
    ("c", Switch),
    ("checklinkname", Switch),
    ("compressdwarf", Switch),
    ("d", Switch),
    ("debugnosplit", Switch),
    ("debugtextsize", Text),
    ("debugtramp", Text),
    ("dumpdep", Switch),
    ("e", Switch),
    ("extldflags", ExternalFlags),
    ("f", Switch),
    ("funcalign", Text),
    ("g", Switch),
    ("h", Switch),
    ("k", Text),
    ("libgcc", OneOf(&["none"])),
    ("linkmode", OneOf(&["internal", "external", "auto"])),
    ("n", Switch),
    // A search path of programs: a text in the binary.
    ("r", Path),
    ("randlayout", Text),
    ("s", Switch),
    ("strictdups", Text),
    ("v", Switch),
    ("w", Switch),
];

const PROGRAM: &str = "it names a program, and no value of a spec is run";
const WRITES: &str = "it names a file to write, and a step writes nothing but its binary";
const READS: &str = "it names files that the go command chooses";
const NO_CGO: &str = "services are built without cgo";
const NEVER: &str = "it changes nothing of the binary";

/// What may not, and why; each flag of the linker is in one of the two lists.
const REFUSED: [(&str, Takes, &str); 21] = [
    ("L", Text, READS),
    ("V", Switch, NEVER),
    ("asan", Switch, NO_CGO),
    ("benchmark", Text, NEVER),
    ("benchmarkprofile", Text, WRITES),
    ("capturehostobjs", Text, WRITES),
    ("cpuprofile", Text, WRITES),
    ("extar", Text, PROGRAM),
    ("extld", Text, PROGRAM),
    ("fipso", Text, WRITES),
    ("importcfg", Text, READS),
    ("installsuffix", Text, READS),
    ("linkshared", Switch, READS),
    ("memprofile", Text, WRITES),
    ("memprofilerate", Text, NEVER),
    ("msan", Switch, NO_CGO),
    ("o", Text, "the binary is called as its service"),
    ("pluginpath", Text, "services are programs"),
    ("pruneweakmap", Switch, "the go command decides it"),
    ("race", Switch, NO_CGO),
    ("tmpdir", Text, WRITES),
];

/// Checks the words of the linker, and says everything that is wrong with them.
pub(super) fn check(words: &[(String, Span)]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut words = words.iter();
    while let Some((word, span)) = words.next() {
        if let Err((message, hint)) = flag(word, || words.next().map(|(next, _)| next.as_str())) {
            problems.push(
                Diagnostic::new(Rule::RefusedFlag, message)
                    .at(*span)
                    .hint(hint),
            );
        }
    }
    problems
}

/// What is wrong, and what to do.
type Refusal = (String, String);

/// Checks a flag; `next` takes the word behind it.
fn flag<'a>(word: &str, next: impl FnOnce() -> Option<&'a str>) -> Result<(), Refusal> {
    let dashed = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
    let Some(flag) = dashed.filter(|flag| !flag.is_empty() && !flag.starts_with('-')) else {
        return Err(if word.starts_with('@') {
            from_file(word)
        } else {
            let message = format!("`{word}` is no flag of the linker");
            let hint = "flags begin with `-`; a value with blanks stands in quotes";
            (message, hint.to_owned())
        });
    };
    let (name, given) = match flag.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (flag, None),
    };
    let Some((_, takes)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return Err(match REFUSED.iter().find(|(known, ..)| *known == name) {
            None => unknown(name),
            Some((_, takes, why)) => {
                if given.is_none() && !matches!(takes, Switch) {
                    next();
                }
                let message = format!("the linker's flag `-{name}` is not taken: {why}");
                (message, "leave it out".to_owned())
            }
        });
    };
    if matches!(takes, Switch) {
        return Ok(());
    }
    let value = match given {
        Some(value) => value,
        None => match next() {
            Some(value) if value.starts_with('@') => return Err(from_file(value)),
            Some(value) => value,
            None => {
                let message = format!("the linker's flag `-{name}` lacks its value");
                return Err((message, format!("write `-{name}=VALUE`")));
            }
        },
    };
    match takes {
        Switch | Text => Ok(()),
        OneOf(choices) if choices.contains(&value) => Ok(()),
        OneOf(choices) => {
            let choices: Vec<String> = choices.iter().map(|c| format!("`{c}`")).collect();
            let message = format!("`-{name}` is not `{value}` here");
            Err((message, format!("it may be {}", choices.join(", "))))
        }
        Path if value.contains(',') || value.starts_with(['-', '@']) => {
            let message = format!("`{value}` of `-{name}` is no path");
            Err((
                message,
                "it begins with no dash, and has no comma".to_owned(),
            ))
        }
        Path => Ok(()),
        ExternalFlags => external_linker::check(value),
    }
}

fn unknown(name: &str) -> Refusal {
    let known = ALLOWED.iter().map(|(name, _)| *name);
    let hint = match did_you_mean(name, known) {
        Some(near) => format!("did you mean `-{near}`?"),
        None => "`go tool link -h` lists its flags".to_owned(),
    };
    (format!("the linker has no flag `-{name}`"), hint)
}

fn from_file(word: &str) -> Refusal {
    let message = format!("`{word}` stands for flags in a file, and the spec names all of them");
    (message, "write the flags into `ldflags`".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;
    use crate::spec::split_go_flags;
    use crate::testing::refused_flags::REFUSED_FLAGS;

    fn problems(flags: &str) -> Vec<String> {
        let words = split_go_flags(flags).unwrap();
        let words: Vec<_> = words.into_iter().map(|w| (w, Span::at(1, 1))).collect();
        check(&words).into_iter().map(|d| d.message).collect()
    }

    #[test]
    fn what_specs_write_stays() {
        for flags in [
            "-s -w",
            "--s --w=false",
            "-X main.version=1.2 -X=main.commit=abc",
            "-X 'main.built=1 May 2026' \"-X=main.by=o'neill\"",
            "-X main.mail=me@example.com -X=main.at=@x",
            "-extldflags '-static'",
            "-extldflags=-static",
            "-linkmode external -extldflags \"-static -lm -Wl,-z,relro,-z,now\"",
            "-linkmode=internal -buildid= -compressdwarf=false -checklinkname=0",
            "-H windowsgui",
            "-B gobuildid -d -bindnow -buildmode=pie",
            "-I /lib64/ld-linux-x86-64.so.2 -r=/usr/lib:/opt/lib",
        ] {
            assert_eq!(problems(flags), [""; 0], "{flags}");
        }
    }

    #[test]
    fn what_names_a_program_or_a_file_is_refused() {
        for flags in REFUSED_FLAGS {
            assert_eq!(problems(flags).len(), 1, "{flags}: {:?}", problems(flags));
        }
        assert_eq!(problems("-s -extld=a -w -extar b -o=c").len(), 3);
    }

    /// A new version of Go may have a flag that nobody has thought about.
    #[test]
    fn every_flag_of_the_linker_is_in_one_list() {
        let said = Command::new("go").args(["tool", "link", "-h"]).output();
        let said = said.unwrap_or_else(|error| panic!("this test needs `go` on PATH: {error}"));
        let text = String::from_utf8(said.stderr).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("  -"));
        let flags: BTreeSet<&str> = lines
            .map(|line| line.split_whitespace().next().unwrap())
            .collect();
        assert!(flags.len() > 40, "{text}");
        let allowed = ALLOWED.iter().map(|(name, _)| *name);
        let known: BTreeSet<&str> = allowed
            .chain(REFUSED.iter().map(|(name, ..)| *name))
            .collect();
        assert_eq!(known.len(), ALLOWED.len() + REFUSED.len(), "in both lists");
        let unknown: Vec<_> = flags.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "neither allowed nor refused: {unknown:?}"
        );
    }
}
