//! `gofleet affected` in clones that leave blobs out: what it fetches of them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::checkout::{Checkout, Said};

fn names(said: &Said) -> Vec<String> {
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let services = report["services"].as_array().unwrap();
    let names = services
        .iter()
        .map(|s| s["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// A repository that gives a clone what it asks for, and no more.
fn partial(repo: &Checkout, filter: &str) -> Checkout {
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let url = format!("file://{}", repo.path().display());
    let clone = Checkout::new();
    clone.git(&["clone", "--quiet", "--filter", filter, &url, "."]);
    clone
}

fn missing(clone: &Checkout) -> BTreeSet<String> {
    let objects = clone.git(&["rev-list", "--objects", "--all", "--missing=print"]);
    let lines = objects.lines().filter(|line| line.starts_with('?'));
    lines.map(|line| line[1..].to_owned()).collect()
}

/// The blob of a file before the last commit.
fn before(repo: &Checkout, path: &str) -> String {
    repo.git(&["rev-parse", &format!("HEAD~1:{path}")])
}

#[test]
fn only_blobs_that_differ_and_are_read_are_fetched() {
    let repo = Checkout::copy_of("examples/shop");
    for text in ["1", "2", "3"] {
        repo.append("README.md", text)
            .append("services/worker/demo.mp4", text);
        repo.commit();
    }
    repo.append("README.md", "4")
        .append("services/worker/demo.mp4", "4")
        .append("services/worker/worker.go", "\nvar x = 1\n");
    repo.commit();
    for filter in ["blob:none", "tree:0"] {
        let clone = partial(&repo, filter);
        let absent = missing(&clone);
        let said = clone.run(&["affected", "--base", "HEAD~1"]);
        assert_eq!(names(&said), ["worker"]);
        if filter == "blob:none" {
            let now = missing(&clone);
            let fetched: Vec<&String> = absent.difference(&now).collect();
            assert_eq!(fetched, [&before(&repo, "services/worker/worker.go")]);
        }
    }
}

/// Services of a repository whose files have all kinds of ways into programs and images.
fn ways() -> Checkout {
    let repo = Checkout::new();
    let embeds = "package main\n\nimport _ \"embed\"\n\n//go:embed data.bin\nvar data string\n\nfunc main() {}\n";
    repo.write(
        "fleet.yaml",
        "services:\n  asm: ./asm\n  embeds: ./embeds\n  linked: ./linked\n  \
         copies: {main: ./copies, files: {/assets: ./assets}}\n",
    )
    .write("go.mod", "module x.example/m\n\ngo 1.26\n")
    .write("asm/main.go", "package main\n\nfunc main() {}\n")
    .write("asm/x_amd64.s", "#include \"../inc/a.inc\"\n")
    .write("inc/a.inc", "#include \"../deep/b.h\"\n")
    .write("deep/b.h", "#define B 1\n")
    .write("embeds/main.go", embeds)
    .write("embeds/data.bin", "1")
    .write("copies/main.go", "package main\n\nfunc main() {}\n")
    .write("assets/a.txt", "1")
    .write("linked/text.tmpl", "package main\n\nfunc main() {}\n");
    std::os::unix::fs::symlink("text.tmpl", repo.file("linked/main.go")).unwrap();
    repo
}

#[test]
fn what_is_not_fetched_hides_no_service() {
    let edits: [(&str, &str, &str); 5] = [
        ("deep/b.h", "#define B 2\n", "asm"),
        ("inc/a.inc", "// x\n#include \"../deep/b.h\"\n", "asm"),
        ("embeds/data.bin", "2", "embeds"),
        ("assets/a.txt", "2", "copies"),
        (
            "linked/text.tmpl",
            "package main\n\nfunc main() { println() }\n",
            "linked",
        ),
    ];
    for (path, text, service) in edits {
        let repo = ways();
        repo.commit();
        repo.write(path, text);
        repo.commit();
        // Both revisions lack what the work tree has: it is another one.
        repo.write("deep/b.h", "#define B 3\n")
            .write("inc/a.inc", "// gone\n")
            .write("embeds/data.bin", "3")
            .write("assets/a.txt", "3")
            .write("linked/text.tmpl", "package main\n");
        repo.commit();
        let clone = partial(&repo, "blob:none");
        let said = clone.run(&["affected", "--base", "HEAD~2", "--head", "HEAD~1"]);
        assert_eq!(names(&said), [service], "{path}");
    }
}

/// What the work tree holds again is no difference, whatever the index says of it.
#[test]
fn a_file_that_is_as_it_was_is_no_edit() {
    let repo = ways();
    repo.commit();
    repo.write("embeds/data.bin", "2")
        .write("assets/a.txt", "2");
    repo.commit();
    let clone = partial(&repo, "blob:none");
    clone.write("embeds/data.bin", "1");
    let said = clone.run(&["affected", "--base", "HEAD~1"]);
    assert_eq!(names(&said), ["copies"]);
}
