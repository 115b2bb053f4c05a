//! Builds of a main package: in the whole repository, and in a directory that
//! holds its closure alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::prepare::{copy_files, go};

/// How the two builds compare.
pub(crate) enum Outcome {
    /// The same bytes.
    Same,
    /// Neither builds.
    NeitherBuilds,
    /// Something is wrong with the closure.
    Differs(String),
}

/// Builds `main` twice. `base` is where the `go` command runs; `manifests` are asked
/// for when all modules have been fetched.
pub(crate) fn compare<'a>(
    root: &Path,
    base: &str,
    main: &str,
    files: impl IntoIterator<Item = &'a String>,
    manifests: impl FnOnce() -> Result<BTreeMap<String, String>>,
    scratch: &Path,
) -> Result<Outcome> {
    let whole = build(root, base, main, &scratch.join("whole.bin"))?;
    let alone = scratch.join("closure");
    let _ = fs::remove_dir_all(&alone);
    copy_files(root, files, &alone)?;
    // A main package alone in its directory, with a root that is there in any case.
    fs::create_dir_all(alone.join(base))?;
    for (path, text) in manifests()? {
        let path = alone.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(path, text)?;
    }
    let part = build(&alone, base, main, &scratch.join("part.bin"))?;
    fs::remove_dir_all(&alone)?;
    Ok(match (whole, part) {
        (Ok(a), Ok(b)) if a == b => Outcome::Same,
        (Ok(_), Ok(_)) => Outcome::Differs("the binaries differ".to_owned()),
        (Err(_), Err(_)) => Outcome::NeitherBuilds,
        (Ok(_), Err(error)) => Outcome::Differs(format!("the closure does not build: {error}")),
        (Err(error), Ok(_)) => Outcome::Differs(format!("only the closure builds: {error}")),
    })
}

/// The binary, or what the compiler says.
fn build(
    root: &Path,
    base: &str,
    main: &str,
    to: &Path,
) -> Result<std::result::Result<Vec<u8>, String>> {
    let _ = fs::remove_file(to);
    let package = crate::exact::from(base, main);
    let mut command = go(
        &root.join(base),
        &["build", "-trimpath", "-buildvcs=false", "-o"],
    );
    command.arg(to).arg(package).env("CGO_ENABLED", "0");
    let out = command.output()?;
    if out.status.success() {
        let bytes = fs::read(to)?;
        fs::remove_file(to)?;
        return Ok(Ok(bytes));
    }
    let text = String::from_utf8_lossy(&out.stderr);
    Ok(Err(text.lines().take(6).collect::<Vec<_>>().join("\n")))
}
