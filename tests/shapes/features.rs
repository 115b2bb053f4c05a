//! What repositories are made of: a list of features, drawn from a seed. Each one adds
//! something, whatever else there is, so that any of them can be left out again.

mod apply;
mod assembly;
mod drawn;
mod embed;
mod late;
mod local;
mod more;
mod pipe;

use crate::draft::{Draft, Move, Vendor};

pub(crate) use drawn::features;

/// One thing that a repository has. `main` is the service that needs it.
#[derive(Clone, Debug)]
pub(crate) enum Feature {
    /// The services' module is not in the context's root.
    Below,
    /// A directory that may stand for module `example.com/a` or `…/b`, and the lines
    /// that say so.
    Local {
        module: &'static str,
        dir: &'static str,
        ways: Vec<Way>,
        main: usize,
    },
    /// `a` and `b` require and replace each other.
    Mutual {
        main: usize,
    },
    /// The version of a local module that the services' module requires.
    Version {
        module: &'static str,
        version: &'static str,
    },
    /// A package of a module that is fetched, imported by a service or by module `a`.
    Fetched {
        path: &'static str,
        version: &'static str,
        package: &'static str,
        by_a: bool,
        main: usize,
    },
    /// A module stands for another one.
    Fork {
        work: bool,
        versioned: bool,
    },
    Vendor(Vendor),
    /// Lines of `go.mod` that change nothing, or little.
    Lines(&'static str),
    /// The `go` line of the services' module.
    GoLine(&'static str),
    /// A manifest is a link.
    LinkedManifest {
        file: &'static str,
        to: &'static str,
        hops: usize,
    },
    /// A directory with a manifest of its own that somebody needs, or `vendor`, is a link.
    LinkedModule {
        dir: &'static str,
        hops: usize,
    },
    /// A source file is a link.
    LinkedSource {
        to: &'static str,
        hops: usize,
        main: usize,
    },
    /// The directory of a package is a link.
    LinkedDir {
        to: &'static str,
        hops: usize,
        sub: bool,
        main: usize,
    },
    LinkedMain {
        main: usize,
        hops: usize,
    },
    /// A link that nobody needs.
    UselessLink {
        path: &'static str,
        target: &'static str,
    },
    /// A named pipe that nobody needs.
    UselessPipe(&'static str),
    /// A named pipe in the place of what a service needs.
    NeededPipe {
        at: &'static str,
        main: usize,
    },
    /// A variable that a service is compiled with, and what is only there with it: the service,
    /// or a package.
    Env {
        name: &'static str,
        value: &'static str,
        constraint: &'static str,
        whole: bool,
        main: usize,
    },
    /// A package in a directory that `./...` passes over.
    Hidden {
        dir: &'static str,
        main: usize,
    },
    /// Files that nobody needs and that are broken.
    Junk {
        path: &'static str,
        text: &'static str,
    },
    /// A file with a constraint, which imports a package of its own.
    Tagged {
        constraint: &'static str,
        main: usize,
    },
    /// The service sets a tag, and the package is only there with it.
    MainUnderTag {
        main: usize,
        else_library: bool,
    },
    /// A file for a platform, which imports a package of its own.
    Suffix {
        suffix: &'static str,
        main: usize,
    },
    Embed {
        patterns: &'static str,
        main: usize,
    },
    /// Assembly that includes a header, which may include another one.
    Assembly {
        header: &'static str,
        behind: Option<&'static str>,
        linked: bool,
        main: usize,
    },
    /// A package with a directory of an odd name.
    OddDir {
        dir: &'static str,
        main: usize,
    },
    /// A source file of an odd name.
    OddFile {
        file: &'static str,
        main: usize,
    },
    OddMain {
        dir: &'static str,
        main: usize,
    },
    Ignored(&'static str),
    Profile {
        linked: bool,
        main: usize,
    },
    /// A source file written in an unusual way, which imports a package of its own.
    Odd {
        text: &'static str,
        main: usize,
    },
    /// A module in the middle of another one.
    Nested,
    Discover,
    /// A package that assembly is in and whose include leads through links to directories.
    LinkedInclude {
        way: Include,
        main: usize,
    },
    /// The service's file is for some builds only.
    MainUnder {
        constraint: &'static str,
        main: usize,
    },
    /// The spec or the ignore file is a link.
    LinkedSettings {
        file: &'static str,
        hops: usize,
    },
    /// Which Go compiles is for manifests to say: lines of `go.mod` and `go.work`.
    GoOfManifests {
        go: &'static str,
        toolchain: &'static str,
        work: &'static str,
    },
    /// `main` as the spec has it.
    Written(&'static str),
}

/// How an include leads to a header behind a link.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Include {
    /// `dir/x.h`, where `dir` is a link.
    Through,
    /// `dir/../x.h`, above what the link leads to.
    Above,
    /// `../x.h`, beside the directory that the package is in.
    BesideReal,
    /// `../x.h`, beside a link to that directory.
    BesideLink,
}

/// How manifests say that a directory stands for a module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Use,
    WorkReplace(&'static str),
    Replace(&'static str),
    /// In the `go.mod` of the other local module.
    OtherReplace(&'static str),
}

/// A draft with these features, in their order. Numbers that are printed depend on the
/// place in the whole list, so leaving some out changes no others.
pub(crate) fn draft<'a>(features: impl IntoIterator<Item = &'a (usize, Feature)>) -> Draft {
    let features: Vec<&(usize, Feature)> = features.into_iter().collect();
    let below = features.iter().any(|(_, f)| matches!(f, Feature::Below));
    let mut draft = Draft::new(if below { "backend" } else { "." });
    for (at, feature) in &features {
        apply::apply(feature, *at, &mut draft);
    }
    // Only now is known where modules are.
    for (at, feature) in &features {
        late::late(feature, *at, &mut draft);
    }
    draft
}

fn moved(draft: &mut Draft, path: String, to: String, hops: usize) {
    let n = draft.moves.len();
    let between = (1..hops)
        .map(|hop| draft.at(&format!("hops/{n}-{hop}")))
        .collect();
    draft.moves.push(Move { path, to, between });
}

/// A path of a feature's own: two of one kind do not meet.
fn with(path: &str, at: usize) -> String {
    match path.split_once('/') {
        Some((first, rest)) => format!("{first}/{at}/{rest}"),
        None => format!("{path}{at}"),
    }
}

/// `path` from a directory, without `..`.
fn normal(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| *part != ".").collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
