//! What the program was built from, in Cargo's words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Name and version.
pub(crate) type Id = (String, String);

/// Packages, and which asks for which.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) packages: BTreeMap<Id, Package>,
    /// Those that nobody asks for: what is in the image.
    pub(crate) roots: Vec<Id>,
    pub(crate) edges: BTreeSet<(Id, Id)>,
}

/// What a manifest says of its package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) license: String,
    pub(crate) repository: String,
}

/// Reads `cargo tree --prefix depth --format '|{p}|{l}|{r}'`: the depth, the package, its licence
/// and its repository.
pub(crate) fn tree(text: &str) -> Result<Inventory, String> {
    let mut inventory = Inventory::default();
    // From the root to the line before.
    let mut way = Vec::<Id>::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let problem = || {
            format!(
                "line {} of `cargo tree` is not understood: {line}",
                number + 1
            )
        };
        // What was shown before has a mark.
        let line = line.strip_suffix(" (*)").unwrap_or(line);
        let fields: Vec<&str> = line.split('|').collect();
        let [depth, package, license, repository] = fields[..] else {
            return Err(problem());
        };
        let depth: usize = depth.parse().map_err(|_| problem())?;
        // `name v1.2.3`, and where it lies unless that is the registry.
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            return Err(problem());
        };
        let version = version.strip_prefix('v').ok_or_else(problem)?;
        let id = (name.to_owned(), version.to_owned());
        if depth > way.len() {
            return Err(problem());
        }
        way.truncate(depth);
        match way.last() {
            Some(parent) => {
                inventory.edges.insert((parent.clone(), id.clone()));
            }
            None => inventory.roots.push(id.clone()),
        }
        way.push(id.clone());
        inventory.packages.entry(id).or_insert_with(|| Package {
            license: license.to_owned(),
            repository: repository.to_owned(),
        });
    }
    if inventory.roots.is_empty() {
        return Err("`cargo tree` said nothing".to_owned());
    }
    Ok(inventory)
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// SHA-256 of the archives of crates, of a `Cargo.lock`.
pub(crate) fn checksums(lock: &str) -> Result<BTreeMap<Id, String>, String> {
    let lock: Lock = toml::from_str(lock).map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.package.into_iter();
    Ok(packages
        .filter_map(|one| Some(((one.name, one.version), one.checksum?)))
        .collect())
}
