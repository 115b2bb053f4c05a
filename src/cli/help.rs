//! What the tool says about itself: one page for all verbs, and one for each.

use std::fmt::Write as _;

/// How a page starts.
const HEAD: &str = "\
gofleet builds images of Go services with BuildKit.

BuildKit runs it for a file that starts with `# syntax=gofleet/gofleet:1`:

    docker buildx build -f fleet.yaml --target SERVICE .

On the command line it works without a daemon:

";

/// A verb, for people.
struct Verb {
    name: &'static str,
    /// What follows the name.
    words: &'static str,
    /// What it does, in lines.
    does: &'static [&'static str],
    /// Its options, in groups.
    options: &'static [Group],
}

/// Options that verbs have in common.
#[derive(PartialEq)]
struct Group {
    /// What has them.
    of: &'static str,
    lines: &'static str,
}

const SPEC: Group = Group {
    of: "check, bake, graph, closure, why and affected",
    lines: "    \
    -f, --file SPEC           the spec [fleet.yaml]
        --context DIR         the directory that paths are relative to [.]
        --platform LIST       platforms, comma-separated
        --build-arg NAME=VALUE
",
};

const AFFECTED: Group = Group {
    of: "affected",
    lines: "        \
        --base REV|DIR        what to compare with: the merge base of REV and the
                              head, or a directory
        --head REV            compare REV instead of the working tree
        --format json|github|text
        --base-file SPEC      the spec of a base that is a directory
        --no-ignore           compare also what ignore files hide
        --output FILE         write to FILE instead of standard output
",
};

const TIMELINE: Group = Group {
    of: "timeline",
    lines: "        \
        --format svg|html|text
        --all                 a row for every step, however small
        --output FILE         write to FILE instead of standard output
",
};

const VERBS: [Verb; 10] = [
    Verb {
        name: "check",
        words: "",
        does: &["say what is wrong with the spec"],
        options: &[SPEC],
    },
    Verb {
        name: "bake",
        words: "",
        does: &["print a bake file that builds all services"],
        options: &[SPEC],
    },
    Verb {
        name: "graph",
        words: "[TARGET]",
        does: &["print the build graph as text"],
        options: &[SPEC],
    },
    Verb {
        name: "closure",
        words: "SERVICE",
        does: &["print the files that the build of a service can read"],
        options: &[SPEC],
    },
    Verb {
        name: "why",
        words: "SERVICE FILE",
        does: &["print what brings a file into the build of a service"],
        options: &[SPEC],
    },
    Verb {
        name: "affected",
        words: "--base REV|DIR",
        does: &["print the services whose image an edit may change"],
        options: &[SPEC, AFFECTED],
    },
    Verb {
        name: "timeline",
        words: "[FILE]",
        does: &[
            "draw what `docker buildx build --progress rawjson` wrote",
            "to standard error, from FILE or standard input",
        ],
        options: &[TIMELINE],
    },
    Verb {
        name: "schema",
        words: "",
        does: &["print the JSON schema of the spec"],
        options: &[],
    },
    Verb {
        name: "scan",
        words: "DIR FILE",
        does: &["write the index of the sources in DIR to FILE"],
        options: &[],
    },
    Verb {
        name: "version",
        words: "",
        does: &["print the version"],
        options: &[],
    },
];

/// Verbs that steps of a build run, and no person.
pub(super) const STEPS: [&str; 5] = ["modules", "fetch", "unpack", "compile", "share"];

/// The page for all verbs.
pub(super) fn all() -> String {
    let mut out = HEAD.to_owned();
    let mut groups: Vec<&Group> = Vec::new();
    for verb in &VERBS {
        let usage = format!("gofleet {} {}", verb.name, verb.words);
        let usage = usage.trim_end();
        let mut lines = verb.does.iter();
        // What does not fit beside the description stands above it.
        let wide = usage.len() > USAGE;
        let first = if wide {
            ""
        } else {
            lines.next().copied().unwrap_or_default()
        };
        let _ = writeln!(out, "{}", format!("    {usage:USAGE$}{first}").trim_end());
        for line in lines {
            let _ = writeln!(out, "    {:USAGE$}{line}", "");
        }
        for group in verb.options {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    for group in groups {
        let _ = write!(out, "\nOptions of {}:\n\n{}", group.of, group.lines);
    }
    out.push_str("\n`gofleet VERB --help` shows one of them.\n");
    out
}

/// Width of a verb with its words.
const USAGE: usize = 26;

/// The page of one verb; `None` for what is none.
pub(super) fn of(name: &str) -> Option<String> {
    if STEPS.contains(&name) {
        return Some(format!(
            "gofleet {name} …\n\nA step of builds runs it; it is of no use on the command line.\n"
        ));
    }
    let verb = VERBS.iter().find(|verb| verb.name == name)?;
    let usage = format!("gofleet {} {}", verb.name, verb.words);
    let mut out = format!(
        "{}\n\n{}.\n",
        usage.trim_end(),
        capital(&verb.does.join(" "))
    );
    if !verb.options.is_empty() {
        out.push_str("\nOptions:\n\n");
    }
    out.extend(verb.options.iter().map(|group| group.lines));
    Some(out)
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_all_has_each_verb_and_each_option_once() {
        let page = all();
        for verb in &VERBS {
            let line = format!("    gofleet {}", verb.name);
            assert_eq!(page.matches(&line).count(), 1, "{page}");
        }
        assert_eq!(page.matches("--build-arg").count(), 1, "{page}");
        assert!(page.lines().all(|line| line.len() < 90), "{page}");
    }
}
