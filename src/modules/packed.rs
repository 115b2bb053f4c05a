//! A [`Request`] in JSON: each import path once, and for each service their numbers.
//!
//! The request is part of the graph of every target, and asks for all services of the
//! spec, of which most import the same packages. What most services import has the
//! lowest numbers, so that a service is a few ranges: `0-41,57`.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::request::{Request, ServiceRequest};

#[derive(Serialize, Deserialize)]
struct Packed {
    root: String,
    workspace: bool,
    manifests: Vec<String>,
    imports: Vec<String>,
    local: Vec<String>,
    services: Vec<PackedService>,
}

#[derive(Serialize, Deserialize)]
struct PackedService {
    key: String,
    imports: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    local: String,
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let imports = Table::new(self.services.iter().map(|service| &service.imports));
        let local = Table::new(self.services.iter().map(|service| &service.local));
        let service = |service: &ServiceRequest| PackedService {
            key: service.key.clone(),
            imports: imports.ranges(&service.imports),
            tags: service.tags.clone(),
            local: local.ranges(&service.local),
        };
        Packed {
            root: self.root.clone(),
            workspace: self.workspace,
            manifests: self.manifests.clone(),
            services: self.services.iter().map(service).collect(),
            imports: imports.names(),
            local: local.names(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let packed = Packed::deserialize(deserializer)?;
        let service = |service: PackedService| {
            Some(ServiceRequest {
                imports: names(&service.imports, &packed.imports)?,
                local: names(&service.local, &packed.local)?,
                key: service.key,
                tags: service.tags,
            })
        };
        let services = packed.services.into_iter().map(service);
        Ok(Self {
            services: services
                .collect::<Option<_>>()
                .ok_or_else(|| Error::custom("a number without a name"))?,
            root: packed.root,
            workspace: packed.workspace,
            manifests: packed.manifests,
        })
    }
}

/// Names and their numbers.
struct Table<'a>(BTreeMap<&'a str, usize>);

impl<'a> Table<'a> {
    fn new(sets: impl Iterator<Item = &'a BTreeSet<String>>) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in sets.flatten() {
            *counts.entry(name).or_default() += 1;
        }
        let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
        // Stable: names of equal counts stay in their order.
        names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let numbered = names.into_iter().enumerate();
        Self(numbered.map(|(number, (name, _))| (name, number)).collect())
    }

    fn names(self) -> Vec<String> {
        let mut names: Vec<(&str, usize)> = self.0.into_iter().collect();
        names.sort_by_key(|(_, number)| *number);
        names.into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    fn ranges(&self, names: &BTreeSet<String>) -> String {
        let mut numbers: Vec<usize> = names
            .iter()
            .filter_map(|name| self.0.get(name.as_str()).copied())
            .collect();
        numbers.sort_unstable();
        let runs = numbers.chunk_by(|a, b| a + 1 == *b);
        let texts: Vec<String> = runs
            .map(|run| match run {
                [first, .., last] => format!("{first}-{last}"),
                [one] => one.to_string(),
                [] => String::new(),
            })
            .collect();
        texts.join(",")
    }
}

/// The names of a table that ranges stand for; `None` if they are none.
fn names(ranges: &str, table: &[String]) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for range in ranges.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        out.extend(table.get(first..last.checked_add(1)?)?.iter().cloned());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn service(key: &str, imports: &[&str], tags: &[&str], local: &[&str]) -> ServiceRequest {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        ServiceRequest {
            key: key.to_owned(),
            imports: owned(imports),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            local: owned(local),
        }
    }

    fn request(services: Vec<ServiceRequest>) -> Request {
        Request {
            root: "app".to_owned(),
            workspace: true,
            manifests: vec!["app/go.mod".to_owned()],
            services,
        }
    }

    #[test]
    fn what_all_import_is_one_range() {
        let json = serde_json::to_string(&request(vec![
            service("a", &["x.org/own", "x.org/a", "x.org/b"], &[], &["m"]),
            service("b", &["x.org/a", "x.org/b", "x.org/z"], &["t"], &["m"]),
        ]))
        .unwrap();
        assert_eq!(
            json,
            r#"{"root":"app","workspace":true,"manifests":["app/go.mod"],"#.to_owned()
                + r#""imports":["x.org/a","x.org/b","x.org/own","x.org/z"],"local":["m"],"#
                + r#""services":[{"key":"a","imports":"0-2","local":"0"},"#
                + r#"{"key":"b","imports":"0-1,3","tags":["t"],"local":"0"}]}"#
        );
    }

    #[test]
    fn requests_come_back() {
        for services in [
            vec![],
            vec![service("a", &[], &[], &[])],
            vec![
                service("a", &["1", "2", "3"], &["x", "y"], &["m", "n"]),
                service("b", &["1", "3"], &[], &["n"]),
                service("c", &["3", "4"], &[], &[]),
            ],
        ] {
            let request = request(services);
            let json = serde_json::to_vec(&request).unwrap();
            assert_eq!(serde_json::from_slice::<Request>(&json).unwrap(), request);
        }
    }

    #[test]
    fn numbers_without_names_are_refused() {
        for ranges in ["1", "0-1", "x", "0-18446744073709551615", "0-"] {
            let json = format!(
                r#"{{"root":".","workspace":false,"manifests":[],"imports":["a"],"local":[],
                    "services":[{{"key":"a","imports":"{ranges}"}}]}}"#
            );
            assert!(serde_json::from_str::<Request>(&json).is_err(), "{ranges}");
        }
    }
}
