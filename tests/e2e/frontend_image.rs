//! The frontend's own image: the same from wherever it is built. `cargo xtask image --twice`
//! compiles it twice as well; here the stages that compile are replaced, as that command's
//! `--native` does, and what remains of Dockerfile.frontend must hide how they were made.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::support::command::{Tool, docker};
use crate::support::engine::{engine, in_repository};
use crate::support::oci::{self, Image};

/// Builds the image for amd64 out of stages that were made under a umask.
fn built(umask: &str, args: &[&str]) -> Image {
    engine();
    let dir = TempDir::new().unwrap();
    let stage = |name: &str| {
        let path = dir.path().join(umask).join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (binary, rootfs) = (stage("binary"), stage("rootfs"));
    let program = binary.join("gofleet");
    fs::write(&program, "a program\n").unwrap();
    let mode = 0o777 & !u32::from_str_radix(umask, 8).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
    Tool::new("sh")
        .args(["-c", "umask $0 && exec \"$@\"", umask])
        .args([env!("CARGO"), "run", "--quiet", "--locked", "--package"])
        .args(["gofleet-rootfs", "--"])
        .arg(rootfs.join("rootfs"))
        .dir(in_repository(""))
        .ok();
    let archive = dir.path().join("image.tar");
    docker()
        .args(["buildx", "build", "--file=Dockerfile.frontend"])
        // What a build before has put together would hide what this one does.
        .args(["--no-cache", "--platform=linux/amd64"])
        .arg("--build-arg=SOURCE_DATE_EPOCH=0")
        .arg(format!("--build-context=binary={}", binary.display()))
        .arg(format!("--build-context=rootfs={}", rootfs.display()))
        .arg(format!(
            "--output=type=oci,dest={},rewrite-timestamp=true",
            archive.display()
        ))
        .args(args)
        .arg(".")
        .dir(in_repository(""))
        .ok();
    oci::read_one(&archive)
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn neither_the_umask_nor_attestations_change_the_image() {
    let one = built("022", &["--provenance=false"]);
    let other = built("077", &["--provenance=mode=max"]);
    let facts = |image: &Image| -> Vec<String> {
        let line =
            |e: &oci::Entry| format!("{} {:o} {}:{} {}", e.path, e.mode, e.uid, e.gid, e.mtime);
        image.entries().map(line).collect()
    };
    assert_eq!(facts(&one), facts(&other));
    assert_eq!(one.digest, other.digest, "{} {}", one.config, other.config);
    assert_eq!(one.entry("gofleet").mode & 0o7777, 0o755);
    assert_eq!(one.entry("rootfs/tmp/tmp").mode & 0o7777, 0o1777);
}
