//! The examples' images have the digests that are written down in `digests.txt`.
//!
//! A difference is no fault as such. But whoever updates gofleet then has other images,
//! so it happens on purpose, and CHANGELOG.md says so. With `UPDATE=1` in the environment
//! the file is written anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::build::buildx;
use crate::support::elf::go_version;
use crate::support::engine::{heavy, in_repository};
use crate::support::oci::{Image, Layer};
use crate::support::repo::Repo;

const FILE: &str = "tests/e2e/digests.txt";
const AGAIN: &str = "UPDATE=1 cargo xtask test -- --test e2e digests";

/// What is written down.
#[derive(Debug, Default, PartialEq)]
struct Digests {
    /// The Go that the images were made with: another one makes other binaries.
    go: String,
    /// By example, service and platform.
    images: BTreeMap<String, Record>,
}

/// One image. The configuration names the layers by their content, and the manifest by
/// their compressed bytes.
#[derive(Debug, Default, PartialEq)]
struct Record {
    manifest: String,
    config: String,
    /// Digest of the content, and a file that is in it.
    layers: Vec<(String, String)>,
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_examples_have_the_recorded_digests() {
    let _heavy = heavy();
    let found = build_all();
    let path = in_repository(FILE);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, found.text()).unwrap();
        return;
    }
    let recorded = Digests::parse(&fs::read_to_string(path).unwrap_or_default());
    if let Some(message) = differences(&recorded, &found) {
        panic!("{message}");
    }
}

/// Builds every service of every example, for both platforms.
fn build_all() -> Digests {
    let mut digests = Digests::default();
    for entry in fs::read_dir(in_repository("examples")).unwrap() {
        let example = entry.unwrap().file_name().into_string().unwrap();
        let repo = Repo::copy_of(&format!("examples/{example}"));
        for service in services(&repo) {
            let built = buildx(&repo)
                .target(&service)
                .platform("linux/amd64,linux/arm64")
                .fetching()
                .image();
            for image in &built.images {
                let binary = &image.entry(&format!("usr/local/bin/{service}")).data;
                digests.go = go_version(binary).unwrap().to_owned();
                let name = format!("{example} {service} {}", image.platform);
                digests.images.insert(name, Record::of(image));
            }
        }
    }
    digests
}

/// The services of an example: its targets that are images of one main package.
fn services(repo: &Repo) -> Vec<String> {
    let call = buildx(repo).args(["--call", "targets,format=json"]);
    let said: Value = serde_json::from_slice(&call.tool("plain", None).ok().stdout).unwrap();
    let targets = said["targets"].as_array().unwrap().iter();
    let text = |target: &Value, name: &str| target[name].as_str().unwrap_or_default().to_owned();
    targets
        .filter(|target| text(target, "description").starts_with("image of ./"))
        .map(|target| text(target, "name"))
        .collect()
}

impl Record {
    fn of(image: &Image) -> Self {
        let ids = image.diff_ids().as_array().unwrap().iter();
        let layer = |(id, layer): (&Value, &Layer)| {
            let file = layer.entries.iter().find(|entry| entry.kind.is_file());
            let path = file.map_or("no file", |entry| entry.path.as_str());
            (id.as_str().unwrap().to_owned(), path.to_owned())
        };
        Self {
            manifest: image.digest.clone(),
            config: image.manifest["config"]["digest"]
                .as_str()
                .unwrap()
                .to_owned(),
            layers: ids.zip(&image.layers).map(layer).collect(),
        }
    }
}

impl Digests {
    fn text(&self) -> String {
        let mut text = format!(
            "# Digests of the examples' images without attestations, and what they are made of.\n\
             # Written by: {AGAIN}\n# If an image differs, CHANGELOG.md says `Rebuilds: images` (or `all`).\n\
             go {}\n",
            self.go
        );
        for (name, record) in &self.images {
            let Record {
                manifest, config, ..
            } = record;
            let _ = write!(text, "\n{name}\n  manifest {manifest}\n  config {config}\n");
            for (id, path) in &record.layers {
                let _ = writeln!(text, "  layer {id} {path}");
            }
        }
        text
    }

    fn parse(text: &str) -> Self {
        let mut digests = Self::default();
        let mut current = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match (words.as_slice(), &current) {
                (["go", version], _) => digests.go = (*version).to_owned(),
                ([], _) => current = None,
                (_, None) => current = Some(line.to_owned()),
                ([what, digest, rest @ ..], Some(name)) => {
                    let record = digests.images.entry(name.clone()).or_default();
                    match *what {
                        "manifest" => record.manifest = (*digest).to_owned(),
                        "config" => record.config = (*digest).to_owned(),
                        _ => record.layers.push(((*digest).to_owned(), rest.join(" "))),
                    }
                }
                _ => panic!("{FILE}: unknown line `{line}`"),
            }
        }
        digests
    }
}

/// What is not as it was, for people; `None` when everything is.
fn differences(recorded: &Digests, found: &Digests) -> Option<String> {
    if recorded.go != found.go {
        return Some(format!(
            "{FILE} was recorded with `{}`, and the builder image has `{}`: another Go makes other \
             binaries, so nothing was compared\nhint: run the tests on the engine of this \
             repository (`cargo xtask test`); if its Go was updated, record anew: {AGAIN}",
            recorded.go, found.go
        ));
    }
    let mut text = String::new();
    for (name, record) in &recorded.images {
        match found.images.get(name) {
            None => {
                let _ = writeln!(text, "{name}: recorded, and not among the examples");
            }
            Some(now) if now != record => {
                let _ = writeln!(text, "{name}: {}", difference(record, now));
            }
            Some(_) => {}
        }
    }
    for name in found.images.keys() {
        if !recorded.images.contains_key(name) {
            let _ = writeln!(text, "{name}: not recorded");
        }
    }
    (!text.is_empty()).then(|| {
        format!(
            "images differ from {FILE}:\n{text}hint: if an image is meant to change, record anew \
             with `{AGAIN}`, and have CHANGELOG.md say `Rebuilds: images` (or `all`)"
        )
    })
}

fn difference(recorded: &Record, found: &Record) -> String {
    let mut parts = Vec::new();
    if recorded.layers.len() != found.layers.len() {
        let (before, now) = (recorded.layers.len(), found.layers.len());
        parts.push(format!("it has {now} layers, not {before}"));
    }
    let pairs = recorded.layers.iter().zip(&found.layers).enumerate();
    for (at, ((before, _), (now, path))) in pairs.filter(|(_, (before, now))| before != now) {
        let number = at + 1;
        parts.push(format!(
            "layer {number}, with {path}, was {before} and is {now}"
        ));
    }
    if parts.is_empty() && recorded.config != found.config {
        let (before, now) = (&recorded.config, &found.config);
        parts.push(format!(
            "its configuration was {before} and is {now}; its layers are the same"
        ));
    }
    if parts.is_empty() {
        // BuildKit compresses, and with another version perhaps in another way.
        parts.push(
            "its content is the same, and its compression is not: the daemon is another one"
                .to_owned(),
        );
    }
    parts.join("; ")
}

/// One image that is recorded, and the same with a change.
fn changed(change: impl FnOnce(&mut Digests, &mut Record)) -> Option<String> {
    let layer = |id: &str, path: &str| (id.to_owned(), path.to_owned());
    let record = || Record {
        manifest: "sha256:m".to_owned(),
        config: "sha256:c".to_owned(),
        layers: vec![layer("sha256:1", "etc/ca"), layer("sha256:2", "bin/api")],
    };
    let digests = |record| Digests {
        go: "go1.26.8".to_owned(),
        images: BTreeMap::from([("hello api linux/amd64".to_owned(), record)]),
    };
    let recorded = digests(record());
    assert_eq!(Digests::parse(&recorded.text()), recorded);
    let (mut found, mut new) = (digests(record()), record());
    change(&mut found, &mut new);
    for record in found.images.values_mut() {
        *record = Record {
            manifest: new.manifest.clone(),
            config: new.config.clone(),
            layers: new.layers.clone(),
        };
    }
    differences(&recorded, &found)
}

#[test]
fn a_difference_is_said_with_its_image_and_its_part() {
    assert_eq!(changed(|_, _| {}), None);
    let says = |message: Option<String>, part: &str| {
        let message = message.unwrap();
        assert!(message.contains(part), "{message}");
    };
    says(
        changed(|_, record| {
            record.layers[1].0 = "sha256:3".to_owned();
            record.config = "sha256:d".to_owned();
        }),
        "hello api linux/amd64: layer 2, with bin/api, was sha256:2 and is sha256:3\n",
    );
    says(
        changed(|_, record| record.config = "sha256:d".to_owned()),
        "its configuration was sha256:c and is sha256:d",
    );
    says(
        changed(|_, record| record.manifest = "sha256:n".to_owned()),
        "its compression is not",
    );
    says(
        changed(|found, _| found.images.clear()),
        "not among the examples",
    );
    says(
        changed(|found, _| found.go = "go1.27".to_owned()),
        "the builder image has `go1.27`",
    );
    says(changed(|_, record| record.manifest.clear()), "UPDATE=1");
}
