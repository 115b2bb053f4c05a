//! The SBOM scanner of gofleet's frontend image. BuildKit runs it behind the build, with the
//! image's files mounted, and puts what it writes beside the image as an attestation
//! (moby/buildkit v0.32.2: docs/attestations/sbom-protocol.md).
//!
//! A scanner that looks at files alone would find one program without names in it. So this one
//! brings along what the program was built from, a directory that Dockerfile.frontend fills:
//!
//! - `Cargo.lock`: checksums of the crates;
//! - `rustc`: the compiler's version, in its own words;
//! - `amd64`, `arm64`: `cargo tree` of what is linked, in the form of [`inventory::tree`].

mod document;
mod inventory;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use document::{Document, Program};

/// Where the image's files are.
const SOURCE: &str = "BUILDKIT_SCAN_SOURCE";
/// Where to write.
const DESTINATION: &str = "BUILDKIT_SCAN_DESTINATION";
/// The commit's time: the parameter `SOURCE_DATE_EPOCH` of the attestation.
const EPOCH: &str = "BUILDKIT_SCAN_SOURCE_DATE_EPOCH";

fn main() -> ExitCode {
    let Some(origin) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: gofleet-sbom DIR, as BuildKit's SBOM scanner");
        return ExitCode::FAILURE;
    };
    match scan(&origin, |name| env::var_os(name)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("gofleet-sbom: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn scan(origin: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let named = |name: &str| {
        let value = variable(name).map(PathBuf::from);
        value.ok_or_else(|| format!("{name} is not set; BuildKit sets it for a scanner"))
    };
    let (source, destination) = (named(SOURCE)?, named(DESTINATION)?);
    let path = source.join("gofleet");
    let program = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let architecture = architecture(&program)
        .ok_or_else(|| format!("{} is no program for amd64 or arm64", path.display()))?;
    let text = |name: &str| {
        let path = origin.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let roots = inventory::tree(&text(architecture)?)?;
    let document = Document {
        program: Program {
            bytes: &program,
            architecture,
        },
        compiler: text("rustc")?,
        inventory: roots,
        checksums: inventory::checksums(&text("Cargo.lock")?)?,
        created: created(variable(EPOCH))?,
    };
    // The name of the scanned target, as the protocol wants it.
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let path = destination.join(format!("{name}.spdx.json"));
    fs::write(&path, document.text()).map_err(|error| format!("{}: {error}", path.display()))
}

/// Whom an ELF program is for: `e_machine` (elf(5)), in OCI's words.
fn architecture(program: &[u8]) -> Option<&'static str> {
    let machine = program.strip_prefix(b"\x7fELF")?.get(14..16)?;
    BTreeMap::from([([62, 0], "amd64"), ([183, 0], "arm64")]).remove(&[machine[0], machine[1]])
}

/// The commit's time, or now.
fn created(epoch: Option<OsString>) -> Result<SystemTime, String> {
    let Some(epoch) = epoch else {
        return Ok(SystemTime::now());
    };
    let seconds = epoch.to_string_lossy().parse();
    let seconds = seconds.map_err(|_| format!("{EPOCH}={} is no number", epoch.display()))?;
    Ok(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
