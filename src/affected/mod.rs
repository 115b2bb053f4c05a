//! Which services an edit affects: those whose image may differ between two states.
//!
//! In: two [`Fleet`]s, the base and the head. Out: a [`Report`] with the services and
//! the reasons for each. Contents are compared; modes and times are not, because no
//! build reads them (the executable bit of `files:` is in images, and counts).
//!
//! It never leaves out a service whose image a rebuild would change. It may name one
//! too many: for an edit of a comment in Go code, for instance.
//!
//! # Files
//!
//! - `git`: a repository and its revisions;
//! - `checkout`: revisions as directories;
//! - `blobs`: what a clone lacks of them;
//! - `sides`: which two states are compared;
//! - `compare`: two states of one service;
//! - `content`: two files, two trees of files;
//! - `manifests`: what of `go.mod` and `go.sum` differs for a service, `manifest_changes`;
//! - `settings`: what the spec says about a service, without places;
//! - `platform`: files that are for other platforms than those of the service;
//! - `output`: the report as JSON, as text, for GitHub Actions.

mod blobs;
mod checkout;
mod compare;
mod content;
mod git;
mod manifests;
mod output;
mod platform;
mod settings;
mod sides;

use serde::{Deserialize, Serialize};

use crate::fleet::Fleet;

pub use git::{Git, GitError};
pub use output::{github, json, text};
pub use sides::{Error, Sides, compare};

/// The affected services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Services whose image may differ, by name.
    pub services: Vec<Affected>,
    /// Services of the base that the head does not have.
    pub removed: Vec<String>,
    /// Whether any service is affected.
    pub any: bool,
}

/// One affected service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Its name.
    pub name: String,
    /// Its main package.
    pub main: String,
    /// Why, the most telling first.
    pub reasons: Vec<Reason>,
    /// How many reasons more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

/// Why the image of a service may differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Reason {
    /// The base has no such service.
    New,
    /// The base cannot be compared.
    Unknown {
        /// Why not.
        text: String,
    },
    /// The spec says something else about it.
    Spec {
        /// Which fields.
        fields: Vec<String>,
    },
    /// Another Go compiles it, or another version of the language.
    Toolchain {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// A module that it may contain has another version.
    Module {
        /// Module path.
        path: String,
        /// Before; absent for a new one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Now; absent when it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// The package of the repository that imports it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<String>,
    },
    /// A manifest that its build reads differs.
    Manifest {
        /// Path.
        path: String,
        /// How.
        change: Change,
    },
    /// A file that its build reads or its image holds differs.
    File {
        /// Path.
        path: String,
        /// How.
        change: Change,
        /// What brings the file in, first step first.
        chain: Vec<String>,
    },
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It has other content.
    Modified,
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// It was there and is read now.
    Entered,
    /// It is still there and is read no more.
    Left,
}

/// Compares two states. Without a base everything is new.
#[must_use]
pub fn report(base: Option<&Fleet>, head: &Fleet) -> Report {
    let differences = base.map(|base| compare::Differences::new(base, head));
    let mut report = Report::default();
    for (name, member) in &head.services {
        let mut reasons = match &differences {
            Some(differences) => differences.of(name),
            None => vec![Reason::New],
        };
        if reasons.is_empty() {
            continue;
        }
        let more = reasons.len().saturating_sub(MAX_REASONS);
        reasons.truncate(MAX_REASONS);
        report.services.push(Affected {
            name: name.clone(),
            main: main_of(member),
            reasons,
            more,
        });
    }
    if let Some(base) = base {
        let gone = |name: &&String| !head.services.contains_key(*name);
        report.removed = base.services.keys().filter(gone).cloned().collect();
    }
    report.any = !report.services.is_empty();
    report
}

/// The report when nothing is known of the base: every service may differ.
#[must_use]
pub fn all(head: &Fleet, why: &str) -> Report {
    let mut report = report(None, head);
    for service in &mut report.services {
        service.reasons = vec![Reason::Unknown {
            text: why.to_owned(),
        }];
    }
    report
}

/// Reasons shown per service: a rename of a package has hundreds.
const MAX_REASONS: usize = 20;

fn main_of(member: &crate::fleet::Member) -> String {
    match member.service().map(|s| s.main.value.as_str()) {
        Some(".") | None => ".".to_owned(),
        Some(dir) => format!("./{dir}"),
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}
