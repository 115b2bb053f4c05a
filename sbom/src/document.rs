//! The inventory as SPDX 2.3 in JSON, in the in-toto statement that BuildKit unpacks.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spdx::{Expression, ParseMode};

use crate::inventory::{Id, Inventory, Package};

/// What SPDX says where nobody looked.
const UNKNOWN: &str = "NOASSERTION";
/// Rust's own part of the program, in no lock file.
const STANDARD_LIBRARY: &str = "rust-std";

/// Everything that the document is made of.
pub(crate) struct Document<'a> {
    pub(crate) program: Program<'a>,
    /// `rustc 1.95.0 (59807616e 2026-04-14)`
    pub(crate) compiler: String,
    pub(crate) inventory: Inventory,
    pub(crate) checksums: BTreeMap<Id, String>,
    pub(crate) created: SystemTime,
}

/// The one program of the image.
pub(crate) struct Program<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) architecture: &'static str,
}

impl Document<'_> {
    /// The JSON text. All but the time of creation depends on the program and its origin alone.
    pub(crate) fn text(&self) -> String {
        let program = hex(&Sha256::digest(self.program.bytes));
        let mut packages: Vec<Value> = self
            .inventory
            .packages
            .iter()
            .map(|(id, package)| self.package(id, package))
            .collect();
        packages.push(self.standard_library());
        let mut relations: Vec<Value> = self
            .inventory
            .roots
            .iter()
            .map(|root| relation("SPDXRef-DOCUMENT", "DESCRIBES", &reference(root)))
            .collect();
        for (from, to) in &self.inventory.edges {
            relations.push(relation(&reference(from), "DEPENDS_ON", &reference(to)));
        }
        if let Some(root) = self.inventory.roots.first() {
            let library = reference(&self.library_id());
            relations.push(relation(&reference(root), "STATIC_LINK", &library));
        }
        let predicate = json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": format!("gofleet, linux/{}", self.program.architecture),
            "documentNamespace": format!("{}/sbom/{program}", env!("CARGO_PKG_REPOSITORY")),
            "comment": format!("What is in the frontend image, whose program /gofleet has the SHA-256 {program}."),
            "creationInfo": {
                "created": humantime::format_rfc3339_seconds(self.created).to_string(),
                "creators": [format!("Tool: gofleet-sbom-{}", env!("CARGO_PKG_VERSION"))],
            },
            "packages": packages,
            "relationships": relations,
        });
        // Without a subject: BuildKit names the image (v0.32.2: exporter/attestation/unbundle.go).
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://spdx.dev/Document",
            "subject": [],
            "predicate": predicate,
        });
        format!("{statement:#}\n")
    }

    fn package(&self, id: &Id, package: &Package) -> Value {
        let (name, version) = id;
        let mut value = json!({
            "SPDXID": reference(id),
            "name": name,
            "versionInfo": version,
            "downloadLocation": UNKNOWN,
            "filesAnalyzed": false,
            "licenseConcluded": UNKNOWN,
            "licenseDeclared": licence(&package.license),
            "copyrightText": UNKNOWN,
        });
        if !package.repository.is_empty() {
            value["homepage"] = package.repository.clone().into();
        }
        // What has a checksum came from the registry.
        if let Some(checksum) = self.checksums.get(id) {
            value["checksums"] = json!([{"algorithm": "SHA256", "checksumValue": checksum}]);
            value["externalRefs"] = json!([{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")),
            }]);
        }
        value
    }

    fn library_id(&self) -> Id {
        let version = self.compiler.split(' ').nth(1).unwrap_or_default();
        (STANDARD_LIBRARY.to_owned(), version.to_owned())
    }

    fn standard_library(&self) -> Value {
        let id = self.library_id();
        json!({
            "SPDXID": reference(&id),
            "name": id.0,
            "versionInfo": id.1,
            "downloadLocation": UNKNOWN,
            "filesAnalyzed": false,
            "licenseConcluded": UNKNOWN,
            "licenseDeclared": "MIT OR Apache-2.0",
            "copyrightText": UNKNOWN,
            "comment": format!(
                "Rust's standard library for musl, and the musl that comes with it; compiled by {}",
                self.compiler.trim()
            ),
        })
    }
}

/// An SPDX expression of what a manifest says; older ones separate choices by a slash.
fn licence(text: &str) -> String {
    match Expression::canonicalize(text) {
        Ok(Some(canonical)) => canonical,
        Ok(None) if Expression::parse_mode(text, ParseMode::STRICT).is_ok() => text.to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

/// SPDX's names hold letters, digits, dots and dashes.
fn reference((name, version): &Id) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    format!("SPDXRef-Package-{name}-{version}")
        .chars()
        .map(plain)
        .collect()
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
