//! Which Go compiles, where the spec leaves that to the manifests.

use std::path::Path;

use crate::draft::Main;
use crate::finding::{Finding, Kind, finding};
use crate::go::Go;

/// The release from which on Go itself looks for another one.
const FIRST: &str = "1.21.0";

/// The image of a graph serves what the `go` command would select.
pub(crate) fn check(go: &Go, whole: &Path, main: &Main, graph: &str) -> Result<(), Finding> {
    let Some(selected) = go.selected(whole, main) else {
        return Ok(());
    };
    let images = graph.split("/golang:").skip(1);
    for image in images {
        let end = |c: char| !c.is_ascii_alphanumeric() && c != '.';
        let version = image.split(end).next().unwrap_or_default();
        if !serves(version, &selected) {
            let text = format!("golang:{version}, where go{selected} is asked for");
            return finding(Kind::Toolchain, text);
        }
    }
    Ok(())
}

/// Whether an image's release is the one that is asked for: exactly, or the newest patch of it.
fn serves(image: &str, selected: &str) -> bool {
    if selected == FIRST {
        // That or any older one.
        return ["1.18", "1.19", "1.20", "1.21", FIRST].contains(&image);
    }
    let patch = |version: &str| version.split('.').nth(2).is_some();
    image == selected || !patch(image) && selected.starts_with(&format!("{image}."))
}
