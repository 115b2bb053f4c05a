//! `cargo xtask deny`: whether the licences, sources and versions of all dependencies are
//! as `deny.toml` says. That file is cargo-deny's, whose check of advisories needs a
//! database of today; what is checked here needs the crates and nothing else, so CI runs
//! it on machines that reach no more than that.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::root;
use crate::run::output;

/// The part of `deny.toml` that is checked here.
#[derive(Deserialize)]
struct Policy {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    /// Versions that may be there beside another one.
    #[serde(default)]
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    /// `syn@2`: that version, and those that only lengthen it.
    #[serde(rename = "crate")]
    spec: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// The part of `cargo metadata` that is checked here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// `registry+URL`, `git+URL`; nothing for a folder.
    source: Option<String>,
}

/// Checks this workspace.
///
/// # Errors
///
/// A dependency is not as `deny.toml` says; the message has all of them.
pub(crate) fn run() -> Result<()> {
    let policy = fs::read_to_string(root().join("deny.toml")).context("cannot read deny.toml")?;
    let policy: Policy = toml::from_str(&policy).context("deny.toml")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Asks nobody for crates that are there: all of the lock file, for every platform.
    cargo
        .current_dir(root())
        .args(["metadata", "--locked", "--format-version=1"]);
    let metadata: Metadata =
        serde_json::from_str(&output(&mut cargo)?).context("cargo metadata")?;
    let problems = problems(&policy, &metadata);
    if !problems.is_empty() {
        bail!("not as deny.toml says:\n  {}", problems.join("\n  "));
    }
    println!(
        "{} packages: licences, sources and versions are as deny.toml says",
        metadata.packages.len()
    );
    Ok(())
}

/// All that is not as the policy says, one line each.
fn problems(policy: &Policy, metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        problems.extend(licence(package, &policy.licenses.allow));
        problems.extend(source(package, metadata, &policy.sources.allow_registry));
    }
    problems.extend(versions(&metadata.packages, &policy.bans.skip));
    problems
}

fn licence(package: &Package, allow: &[String]) -> Option<String> {
    let Package { name, version, .. } = package;
    let Some(text) = &package.license else {
        return Some(format!("{name} {version} names no licence"));
    };
    // Lax: older manifests separate choices by a slash.
    let Ok(expression) = Expression::parse_mode(text, ParseMode::LAX) else {
        return Some(format!("{name} {version}: `{text}` is no SPDX expression"));
    };
    let allowed =
        expression.evaluate(|wanted| allow.iter().any(|licence| *licence == wanted.to_string()));
    (!allowed).then(|| {
        format!("{name} {version} is under `{text}`, which `licenses.allow` does not cover")
    })
}

fn source(package: &Package, metadata: &Metadata, registries: &[String]) -> Option<String> {
    let Package { name, version, .. } = package;
    match package.source.as_deref() {
        None if metadata.workspace_members.contains(&package.id) => None,
        None => Some(format!(
            "{name} {version} is a folder outside of the workspace"
        )),
        Some(source) => {
            let registry = source.strip_prefix("registry+");
            let allowed = registry.is_some_and(|url| registries.iter().any(|known| known == url));
            (!allowed).then(|| {
                format!(
                    "{name} {version} comes from {source}, which is not in `sources.allow-registry`"
                )
            })
        }
    }
}

/// Packages in two versions that nobody wrote down, and notes about what is in one.
fn versions(packages: &[Package], skip: &[Skip]) -> Vec<String> {
    let mut all = BTreeMap::<&str, Vec<&str>>::new();
    for package in packages {
        all.entry(&package.name).or_default().push(&package.version);
    }
    let mut problems = Vec::new();
    for (name, versions) in &all {
        let others = versions
            .iter()
            .filter(|version| !skip.iter().any(|entry| entry.covers(name, version)));
        if others.count() > 1 {
            problems.push(format!(
                "{name} is there in versions {}; update who asks for the older ones, or list them in `bans.skip`",
                versions.join(" and ")
            ));
        }
    }
    for Skip { spec } in skip {
        let needed = all.iter().any(|(name, versions)| {
            versions.len() > 1 && versions.iter().any(|version| covers(spec, name, version))
        });
        if !needed {
            problems.push(format!(
                "`bans.skip` lists {spec}, which is not there beside another version"
            ));
        }
    }
    problems
}

impl Skip {
    fn covers(&self, name: &str, version: &str) -> bool {
        covers(&self.spec, name, version)
    }
}

/// Whether `syn@2` stands for version 2.0.119 of syn.
fn covers(spec: &str, name: &str, version: &str) -> bool {
    let Some((spec_name, spec_version)) = spec.split_once('@') else {
        return false;
    };
    let rest = version.strip_prefix(spec_version);
    spec_name == name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const REGISTRY: &str = "registry+https://registry.example";

    fn package(name: &str, version: &str, license: &str) -> Package {
        Package {
            id: format!("{name}@{version}"),
            name: name.into(),
            version: version.into(),
            license: Some(license.into()),
            source: Some(REGISTRY.into()),
        }
    }

    fn check(packages: Vec<Package>, skip: &[&str]) -> Vec<String> {
        let policy = Policy {
            licenses: Licenses {
                allow: ["MIT", "Unicode-3.0"].map(String::from).to_vec(),
            },
            bans: Bans {
                skip: skip
                    .iter()
                    .map(|spec| Skip {
                        spec: (*spec).into(),
                    })
                    .collect(),
            },
            sources: Sources {
                allow_registry: vec!["https://registry.example".into()],
            },
        };
        let metadata = Metadata {
            packages,
            workspace_members: vec!["own@1.0.0".into()],
        };
        problems(&policy, &metadata)
    }

    #[test]
    fn one_allowed_choice_is_enough_and_all_that_apply_together_are_needed() {
        for allowed in [
            "MIT",
            "Apache-2.0 OR MIT",
            "GPL-3.0/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert_eq!(
                check(vec![package("a", "1.0.0", allowed)], &[]),
                [""; 0],
                "{allowed}"
            );
        }
        for refused in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT WITH LLVM-exception",
            "as is",
        ] {
            let problems = check(vec![package("a", "1.0.0", refused)], &[]);
            assert!(problems[0].contains(refused), "{refused}: {problems:?}");
        }
        let nameless = Package {
            license: None,
            ..package("a", "1.0.0", "")
        };
        assert_eq!(check(vec![nameless], &[]), ["a 1.0.0 names no licence"]);
    }

    #[test]
    fn what_is_not_from_the_registry_or_the_workspace_is_a_problem() {
        let from = |name: &str, source: Option<&str>| Package {
            source: source.map(String::from),
            ..package(name, "1.0.0", "MIT")
        };
        assert_eq!(check(vec![from("own", None)], &[]), [""; 0]);
        for source in [
            None,
            Some("git+https://forge.example/x#0123"),
            Some("registry+https://other.example"),
        ] {
            let problems = check(vec![from("x", source)], &[]);
            assert_eq!(problems.len(), 1, "{source:?}: {problems:?}");
        }
    }

    #[test]
    fn a_second_version_is_a_problem_until_it_is_listed_and_a_note_about_none_is_one() {
        let two = || {
            vec![
                package("syn", "2.0.1", "MIT"),
                package("syn", "3.0.9", "MIT"),
            ]
        };
        assert!(check(two(), &[])[0].contains("syn is there in versions 2.0.1 and 3.0.9"));
        assert_eq!(check(two(), &["syn@2"]), [""; 0]);
        assert_eq!(check(two(), &["syn@2", "syn@1"]).len(), 1);
        assert_eq!(
            check(vec![package("syn", "2.0.1", "MIT")], &["syn@2"]).len(),
            1
        );
        assert!(!covers("syn@2", "syn", "20.0.0") && !covers("syn@2", "synstructure", "2.0.0"));
    }
}
