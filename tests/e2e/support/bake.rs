//! `docker buildx bake` of services, with what fetching modules needs on this machine.

use serde_json::{Value, json};

use super::command::{Tool, docker};
use super::engine::fetch_settings;
use super::repo::Repo;

/// A bake file with a target per service. `args` and `output` are those of every target.
pub(crate) fn file<'a>(
    services: impl IntoIterator<Item = &'a str>,
    args: &Value,
    output: &str,
) -> Value {
    let secrets: Vec<String> = fetch_settings()
        .iter()
        .map(|(name, _)| format!("id={name},env={name}"))
        .collect();
    let target = |name: &str| {
        json!({
            "dockerfile": "fleet.yaml",
            "target": name,
            "args": args,
            "attest": ["type=provenance,disabled=true"],
            "output": [output],
            "secret": secrets,
        })
    };
    let targets: serde_json::Map<String, Value> = services
        .into_iter()
        .map(|name| (name.to_owned(), target(name)))
        .collect();
    let names: Vec<&String> = targets.keys().collect();
    json!({"group": {"default": {"targets": names}}, "target": targets})
}

/// Bakes a file in a repository, with its progress as JSON on standard error.
pub(crate) fn bake(repo: &Repo, file: &Value) -> Tool {
    let tool = docker()
        .args(["buildx", "bake", "--file", "-", "--progress", "rawjson"])
        .dir(repo.path())
        .stdin(file.to_string());
    fetch_settings()
        .iter()
        .fold(tool, |tool, (name, value)| tool.env(name, value))
}
