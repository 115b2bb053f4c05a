#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

const TREE: &str = "\
0|gofleet v0.1.0 (/src)|Apache-2.0|https://forge.example/gofleet
1|old v1.0.0+x|MIT/Apache-2.0|
2|deep_er v2.1.0|MIT|https://forge.example/deep
1|deep_er v2.1.0|MIT|https://forge.example/deep (*)

0|rootfs v0.1.0 (/src/rootfs)|Apache-2.0|
";
const LOCK: &str = "\
version = 4

[[package]]
name = \"deep_er\"
version = \"2.1.0\"
source = \"registry+https://registry.example\"
checksum = \"abcd\"

[[package]]
name = \"gofleet\"
version = \"0.1.0\"
dependencies = [\"deep_er\"]
";

/// A folder that is removed with its value.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a scan of a program with this `e_machine` writes.
fn scanned(name: &str, machine: u8) -> Result<Value, String> {
    let dir = Folder(env::temp_dir().join(format!("gofleet-sbom-{name}-{}", std::process::id())));
    for folder in ["origin", "core/sbom", "out"] {
        fs::create_dir_all(dir.0.join(folder)).unwrap();
    }
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(18, 0);
    program.extend([machine, 0, 1]);
    fs::write(dir.0.join("core/sbom/gofleet"), program).unwrap();
    for (file, text) in [
        ("Cargo.lock", LOCK),
        ("rustc", "rustc 1.95.0 (0123 2026-04-14)\n"),
        ("amd64", TREE),
        ("arm64", TREE),
    ] {
        fs::write(dir.0.join("origin").join(file), text).unwrap();
    }
    scan(&dir.0.join("origin"), |variable| match variable {
        SOURCE => Some(dir.0.join("core/sbom").into()),
        DESTINATION => Some(dir.0.join("out").into()),
        EPOCH => Some("86400".into()),
        _ => None,
    })?;
    let written = fs::read(dir.0.join("out/sbom.spdx.json")).unwrap();
    let statement: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(statement["predicateType"], "https://spdx.dev/Document");
    Ok(statement["predicate"].clone())
}

#[test]
fn packages_have_what_their_manifest_and_the_lock_file_say() {
    let document = scanned("packages", 62).unwrap();
    assert_eq!(document["name"], "gofleet, linux/amd64");
    assert_eq!(document["creationInfo"]["created"], "1970-01-02T00:00:00Z");
    let package = |name: &str| {
        let packages = document["packages"].as_array().unwrap();
        packages.iter().find(|p| p["name"] == name).unwrap().clone()
    };
    assert_eq!(document["packages"].as_array().unwrap().len(), 5);
    let deep = package("deep_er");
    assert_eq!(deep["SPDXID"], "SPDXRef-Package-deep-er-2.1.0");
    assert_eq!(deep["checksums"][0]["checksumValue"], "abcd");
    assert_eq!(
        deep["externalRefs"][0]["referenceLocator"],
        "pkg:cargo/deep_er@2.1.0"
    );
    let old = package("old");
    assert_eq!(old["licenseDeclared"], "MIT OR Apache-2.0");
    assert_eq!(old["SPDXID"], "SPDXRef-Package-old-1.0.0-x");
    assert!(old.get("checksums").is_none() && old.get("homepage").is_none());
    assert_eq!(package("rust-std")["versionInfo"], "1.95.0");
}

#[test]
fn relations_say_who_asks_for_whom_once() {
    let document = scanned("relations", 183).unwrap();
    let short = |value: &Value| {
        let text = value.as_str().unwrap();
        text.trim_start_matches("SPDXRef-").replace("Package-", "")
    };
    let relations: Vec<String> = document["relationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                short(&one["spdxElementId"]),
                one["relationshipType"].as_str().unwrap(),
                short(&one["relatedSpdxElement"])
            )
        })
        .collect();
    assert_eq!(
        relations,
        [
            "DOCUMENT DESCRIBES gofleet-0.1.0",
            "DOCUMENT DESCRIBES rootfs-0.1.0",
            "gofleet-0.1.0 DEPENDS_ON deep-er-2.1.0",
            "gofleet-0.1.0 DEPENDS_ON old-1.0.0-x",
            "old-1.0.0-x DEPENDS_ON deep-er-2.1.0",
            "gofleet-0.1.0 STATIC_LINK rust-std-1.95.0",
        ]
    );
}

#[test]
fn what_is_no_program_or_no_tree_is_said() {
    let error = scanned("machine", 3).unwrap_err();
    assert!(
        error.ends_with("is no program for amd64 or arm64"),
        "{error}"
    );
    let error = inventory::tree("0|a v1|MIT|\n2|b v1|MIT|\n").unwrap_err();
    assert!(
        error.contains("line 2") && error.contains("2|b v1|MIT|"),
        "{error}"
    );
    assert!(inventory::tree("\n").is_err());
    let error = scan(Path::new("/"), |_| None).unwrap_err();
    assert!(error.contains("BUILDKIT_SCAN_SOURCE is not set"), "{error}");
}
