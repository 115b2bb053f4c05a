//! Directories made to break a scan: each has a clear outcome, nothing outside of the
//! scanned directory is read, and nothing hangs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use gofleet::closure::files;
use gofleet::scan::{Index, Link, scan};
use gofleet::survey::survey;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};

const MAIN: &str = "package main\nimport _ \"m/lib\"\nfunc main() {}\n";

fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("go.mod", "module m\ngo 1.26\n"),
        ("main.go", MAIN),
        ("lib/lib.go", "package lib\n"),
    ] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn files_of_main(root: &Path) -> Vec<String> {
    let found = survey(root, &[(".".to_owned(), Vec::new())]).unwrap();
    let files = files(root, &found.closures["."], &found.index);
    files.into_keys().collect()
}

fn notes(index: &Index) -> Vec<&str> {
    index.notes.iter().map(|note| note.path.as_str()).collect()
}

#[test]
fn links_in_circles_and_out_of_the_directory() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.go"), "package secret\n").unwrap();
    let root = repository();
    let at = |name: &str| root.path().join(name);
    symlink(".", at("self")).unwrap();
    symlink("../lib", at("lib/up")).unwrap();
    symlink("b", at("a")).unwrap();
    symlink("a", at("b")).unwrap();
    symlink("b.go", at("a.go")).unwrap();
    symlink("a.go", at("b.go")).unwrap();
    symlink(outside.path(), at("out")).unwrap();
    symlink(outside.path().join("secret.go"), at("secret.go")).unwrap();
    symlink("../../../../../../../../etc", at("lib/etc")).unwrap();
    fs::write(
        at("main.go"),
        "package main\nimport (\n_ \"embed\"\n_ \"m/lib\"\n_ \"m/out\"\n_ \"m/self/lib\"\n)\n\
         //go:embed out out/* out/secret.go lib/etc/passwd lib/etc/* self/go.mod\nvar x string\n",
    )
    .unwrap();
    let index = scan(root.path(), &[]).unwrap();
    let nowhere = |link: &&Link| link.directory().is_none() && link.file().is_none();
    let out = index.links.iter().filter(nowhere);
    let out: Vec<&str> = out.map(|link| link.path.as_str()).collect();
    assert_eq!(
        out,
        ["a", "a.go", "b", "b.go", "lib/etc", "out", "secret.go"]
    );
    assert_eq!(
        files_of_main(root.path()),
        // There is a `go.mod` in `self`, so it is no directory of the module.
        ["go.mod", "lib/lib.go", "main.go"]
    );
}

#[test]
fn names_with_odd_bytes() {
    let root = repository();
    let lib = root.path().join("lib");
    for name in [
        &b"new\nline.go"[..],
        b"star*.go",
        b"[x].go",
        b"back\\slash.go",
        b"quo\"te'.go",
        b"\xff\xfe.go",
        b" .go",
        b"-rf.go",
        "\u{202e}og.txt.go".as_bytes(),
    ] {
        fs::write(lib.join(OsStr::from_bytes(name)), "package lib\n").unwrap();
    }
    fs::create_dir(lib.join(OsStr::from_bytes(b"\xff"))).unwrap();
    fs::create_dir(lib.join("a\nb")).unwrap();
    fs::write(lib.join("a\nb/x.go"), "package x\n").unwrap();
    let files = files_of_main(root.path());
    for name in [
        "new\nline",
        "star*",
        "[x]",
        "back\\slash",
        "quo\"te'",
        " ",
        "-rf",
    ] {
        let path = format!("lib/{name}.go");
        assert!(files.contains(&path), "{path} is not in {files:?}");
    }
    let index = scan(root.path(), &[]).unwrap();
    assert!(index.directory("lib/a\nb").is_some());
    let json = serde_json::to_string(&index).unwrap();
    assert_eq!(serde_json::from_str::<Index>(&json).unwrap(), index);
}

#[test]
fn lines_of_a_mebibyte() {
    let root = repository();
    let long = "x".repeat(1 << 20);
    let text = format!(
        "// {long}\n/* {long} */ package main\n// {long}\nimport _ \"m/lib\" // {long}\nvar s = `{long}`\n"
    );
    fs::write(root.path().join("main.go"), text).unwrap();
    fs::write(
        root.path().join("lib/a.s"),
        format!("// {long}\n#include \"{long}\"\n"),
    )
    .unwrap();
    assert!(files_of_main(root.path()).contains(&"lib/lib.go".to_owned()));
}

#[test]
fn ten_thousand_directories_deep() {
    const DEPTH: usize = 10_000;
    let root = repository();
    // No path names what is that deep; the kernel takes 4096 bytes.
    let mut dir = rustix::fs::open(root.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..DEPTH {
        rustix::fs::mkdirat(&dir, "d", Mode::RWXU).unwrap();
        dir = rustix::fs::openat(&dir, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    drop(dir);
    let index = scan(root.path(), &[]).unwrap();
    assert_eq!(index.mains, ["."]);
    assert_eq!(index.notes.len(), 1, "one note about what is too deep");
    assert!(index.notes[0].text.contains("cannot be read"));
    assert_eq!(
        files_of_main(root.path()),
        ["go.mod", "lib/lib.go", "main.go"]
    );
    remove_deep(root.path(), DEPTH);
}

/// `remove_dir_all` would need as many open directories.
fn remove_deep(root: &Path, depth: usize) {
    let spare = rustix::fs::open(root, OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..depth {
        // The one below takes the place of the one above.
        let has_below = rustix::fs::renameat(&spare, "d/d", &spare, "e").is_ok();
        rustix::fs::unlinkat(&spare, "d", AtFlags::REMOVEDIR).unwrap();
        if has_below {
            rustix::fs::renameat(&spare, "e", &spare, "d").unwrap();
        }
    }
}

#[test]
fn pipes_and_devices_are_no_files() {
    let root = repository();
    for name in ["pipe.go", "lib/go.mod", "lib/pipe.s", "lib/default.pgo"] {
        let path = root.path().join(name);
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }
    symlink("pipe.go", root.path().join("link.go")).unwrap();
    symlink("/dev/zero", root.path().join("zero.go")).unwrap();
    // Only root may make a device.
    let device = rustix::fs::makedev(1, 5);
    let path = root.path().join("device.go");
    let _ = rustix::fs::mknodat(CWD, path, FileType::CharacterDevice, Mode::RWXU, device);
    let index = scan(root.path(), &[]).unwrap();
    let links_too = ["link.go", "main.go", "zero.go"];
    assert_eq!(index.directory(".").unwrap().files, links_too);
    assert_eq!(index.directory("lib").unwrap().files, ["lib.go"]);
    assert_eq!(index.modules.len(), 1);
    assert_eq!(
        files_of_main(root.path()),
        ["go.mod", "lib/lib.go", "main.go"]
    );
}

#[test]
fn what_may_not_be_read_is_noted() {
    let root = repository();
    fs::write(root.path().join("lib/no.go"), "package lib\n").unwrap();
    fs::create_dir(root.path().join("lib/no")).unwrap();
    let forbid = |name: &str, mode: u32| {
        fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid("lib/no.go", 0o000);
    forbid("lib/no", 0o000);
    let index = scan(root.path(), &[]).unwrap();
    // Root may read everything.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(notes(&index), ["lib/no", "lib/no.go"]);
    }
    // The build needs it, and says what is wrong with it.
    assert!(files_of_main(root.path()).contains(&"lib/no.go".to_owned()));
    forbid("lib/no", 0o755);
}

#[test]
fn a_directory_with_the_name_of_a_file() {
    let root = repository();
    for name in ["x.go", "go.work", "lib/x.s", "lib/go.sum"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    let index = scan(root.path(), &[]).unwrap();
    assert!(index.workspaces.is_empty() && index.notes.is_empty());
    assert_eq!(
        files_of_main(root.path()),
        ["go.mod", "lib/lib.go", "main.go"]
    );
}
