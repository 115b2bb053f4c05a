//! What a client sends, without an ignore file.
//!
//! The same at full size, with 2 GiB of junk: `cargo xtask bench transfer`.

use std::fs::{self, File};

use crate::support::build::buildx;
use crate::support::repo::Repo;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Assets of the two services.
const PAGE: u64 = 300 * KIB;
const FONT: u64 = 900 * KIB;

/// Two services with embedded files, Go code that neither reads, and junk.
fn repo() -> (Repo, u64) {
    let repo = Repo::new();
    repo.spec("services:\n  web: ./cmd/web\n  print: ./cmd/print\n");
    let mut wanted = PAGE + FONT;
    let mut go = |path: &str, text: &str| {
        repo.write(path, text);
        if !path.ends_with("_test.go") {
            wanted += u64::try_from(text.len()).unwrap();
        }
    };
    let padding = format!("// {}\n", repo.nonce).repeat(400);
    for n in 0..60 {
        go(&format!("lib/p{n}/p.go"), &format!("package p\n{padding}"));
        go(
            &format!("lib/p{n}/p_test.go"),
            &format!("package p\n{padding}"),
        );
    }
    for (name, file, bytes) in [("web", "page.html", PAGE), ("print", "font.ttf", FONT)] {
        let main = format!(
            "package main\n\nimport _ \"embed\"\n\n//go:embed {file}\nvar asset string\n\n\
             func main() {{ println(len(asset), \"{}\") }}\n",
            repo.nonce
        );
        go(&format!("cmd/{name}/main.go"), &main);
        sparse(&repo, &format!("cmd/{name}/{file}"), bytes);
    }
    sparse(&repo, "media/film.mp4", 100 * MIB);
    sparse(&repo, ".git/objects/pack/pack-1.pack", 60 * MIB);
    sparse(&repo, "web/node_modules/bundle/bundle.js", 40 * MIB);
    // Some packages bring Go code along.
    repo.write(
        "web/node_modules/bundle/tool/tool.go",
        &format!("package tool\n{padding}"),
    );
    (repo, wanted)
}

/// A file that takes no room here, and would be sent whole.
fn sparse(repo: &Repo, path: &str, bytes: u64) {
    let file = repo.file(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    File::create(file).unwrap().set_len(bytes).unwrap();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn junk_stays_where_it_is() {
    let (repo, wanted) = repo();
    let progress = buildx(&repo).target("binaries").progress();
    let sent = progress.sent("");
    assert!(sent >= wanted, "{sent} bytes sent, {wanted} wanted");
    assert!(
        sent * 10 <= wanted * 12,
        "{sent} bytes sent, {wanted} wanted"
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_target_takes_its_own_files_only() {
    let (repo, _) = repo();
    for (target, own) in [("web", PAGE), ("print", FONT)] {
        let sent = buildx(&repo).target(target).progress().sent("other files");
        assert!(
            (own..own + 16 * KIB).contains(&sent),
            "{target}: {sent} bytes sent for {own}"
        );
    }
}
