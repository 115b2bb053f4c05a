//! `gofleet affected` in real Git repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::checkout::{Checkout, Said};

/// Every service of examples/shop.
const ALL: &[&str] = &["api", "catalog", "migrate", "orders", "web", "worker"];

fn shop() -> Checkout {
    let repo = Checkout::copy_of("examples/shop");
    repo.commit();
    repo
}

fn report(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

fn names(report: &Value) -> Vec<String> {
    let services = report["services"].as_array().unwrap();
    let names = services
        .iter()
        .map(|s| s["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// Which services differ from the last commit.
fn affected(repo: &Checkout) -> Vec<String> {
    let said = repo.run(&["affected", "--base", "HEAD"]);
    assert_eq!(said.err, "");
    names(&report(&said))
}

/// What is edited, how, and who sees it.
type Case<'a> = (&'a str, &'a dyn Fn(&Checkout), &'a [&'a str]);

#[test]
fn edits_name_exactly_the_services() {
    let cases: &[Case] = &[
        ("nothing", &|_| {}, &[]),
        (
            "where modules come from",
            &|r| {
                let fetch = "\nmodules: {GOPROXY: off}\nsecrets: [netrc]\nssh: default\n";
                r.append("fleet.yaml", fetch);
            },
            &[],
        ),
        (
            "a leaf",
            &|r| {
                r.append("services/worker/worker.go", "\nvar x = 1\n");
            },
            &["worker"],
        ),
        (
            "a shared package",
            &|r| {
                r.append("internal/store/store.go", "\nvar x = 1\n");
            },
            &["catalog", "migrate", "orders"],
        ),
        (
            "a new file in a package",
            &|r| {
                r.write("services/web/new.go", "package main\n\nvar x = 1\n");
            },
            &["web"],
        ),
        (
            "a deleted file",
            &|r| {
                r.remove("services/api/handlers.go");
            },
            &["api"],
        ),
        (
            "an embedded file",
            &|r| {
                r.append("services/web/static/shop.css", "/* */");
            },
            &["web"],
        ),
        (
            "a new embedded file",
            &|r| {
                r.write("services/web/static/new.txt", "");
            },
            &["web"],
        ),
        (
            "a file of the image",
            &|r| {
                r.append("services/migrate/migrations/0002_orders.sql", "-- x\n");
            },
            &["migrate"],
        ),
        (
            "a new file of the image",
            &|r| {
                r.write("services/migrate/migrations/0004.sql", "");
            },
            &["migrate"],
        ),
        (
            "an executable file of the image",
            &|r| {
                let file = r.file("services/migrate/migrations/0002_orders.sql");
                fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
            },
            &["migrate"],
        ),
        (
            "tests",
            &|r| {
                r.append("internal/money/money_test.go", "\nvar x = 1\n")
                    .write("internal/store/new_test.go", "package store\n")
                    .write("internal/store/testdata/a/x.go", "package a\n");
            },
            &[],
        ),
        (
            "what no build reads",
            &|r| {
                r.append("README.md", "x")
                    .write("docs/how.txt", "x")
                    .write("node_modules/x/index.js", "x")
                    .write("internal/store/README.md", "x")
                    .write("internal/unused/unused.go", "package unused\n");
            },
            &[],
        ),
        (
            "modes and times",
            &|r| {
                for file in ["go.mod", "services/api/main.go"] {
                    let mode = fs::Permissions::from_mode(0o600);
                    fs::set_permissions(r.file(file), mode).unwrap();
                }
                let text = fs::read_to_string(r.file("services/web/main.go")).unwrap();
                r.write("services/web/main.go", &text);
            },
            &[],
        ),
        (
            "a comment in the spec",
            &|r| {
                r.append("fleet.yaml", "\n# comment\n");
            },
            &[],
        ),
        (
            "the spec's words about one service",
            &|r| {
                let spec = fs::read_to_string(r.file("fleet.yaml")).unwrap();
                let spec = spec.replace(
                    "  worker: ./services/worker\n",
                    "  worker:\n    main: ./services/worker\n    command: --fast\n",
                );
                r.write("fleet.yaml", &spec);
            },
            &["worker"],
        ),
        (
            "the defaults",
            &|r| {
                let spec = fs::read_to_string(r.file("fleet.yaml")).unwrap();
                r.write(
                    "fleet.yaml",
                    &spec.replace("defaults:\n", "defaults:\n  user: \"7\"\n"),
                );
            },
            ALL,
        ),
        (
            "the toolchain",
            &|r| {
                r.append("fleet.yaml", "go: \"1.25\"\n");
            },
            ALL,
        ),
        (
            "a main package without a service",
            &|r| {
                r.write("services/extra/main.go", "package main\n\nfunc main() {}\n");
            },
            &[],
        ),
        (
            "a new service",
            &|r| {
                r.write("services/extra/main.go", "package main\n\nfunc main() {}\n");
                r.append("fleet.yaml", "  extra: ./services/extra\n");
            },
            &["extra"],
        ),
        (
            "a file that is hidden now",
            &|r| {
                r.write(".dockerignore", "**/shop.css\n");
            },
            &["web"],
        ),
        (
            "a file for another system",
            &|r| {
                r.write(
                    "internal/store/store_windows.go",
                    "package store\n\nvar x = 1\n",
                )
                .write("services/web/pages_js.go", "package main\n")
                .write(
                    "services/web/tag.go",
                    "//go:build darwin || arm64\n\npackage main\n",
                )
                .write("services/web/gen.go", "//go:build ignore\n\npackage main\n");
            },
            &[],
        ),
    ];
    for (edit, act, expected) in cases {
        let repo = shop();
        act(&repo);
        assert_eq!(affected(&repo), *expected, "{edit}");
    }
}

#[test]
fn an_image_of_the_whole_context_holds_the_spec_only_if_a_rule_says_so() {
    let repo = Checkout::new();
    let spec = "services:\n  api:\n    main: ./cmd/api\n    files:\n      /src: .\n";
    repo.write("fleet.yaml", spec)
        .write("go.mod", "module m\n\ngo 1.26\n")
        .write("cmd/api/main.go", "package main\n\nfunc main() {}\n");
    repo.commit();
    repo.append("fleet.yaml", "# comment\n");
    assert_eq!(affected(&repo), [""; 0]);
    let remote = ["affected", "--base", "HEAD", "--no-ignore"];
    assert_eq!(names(&report(&repo.run(&remote))), ["api"]);
    repo.write(".dockerignore", "!fleet.yaml\n");
    assert_eq!(affected(&repo), ["api"]);
}

#[test]
fn discovered_services_come_and_go() {
    let repo = shop();
    repo.write("fleet.yaml", "discover: [./services/...]\n");
    repo.commit();
    repo.write("services/extra/main.go", "package main\n\nfunc main() {}\n");
    fs::remove_dir_all(repo.file("services/worker")).unwrap();
    let report = report(&repo.run(&["affected", "--base", "HEAD"]));
    assert_eq!(
        report,
        json!({
            "services": [{"name": "extra", "main": "./services/extra", "reasons": [{"kind": "new"}]}],
            "removed": ["worker"],
            "any": true,
        })
    );
}

#[test]
fn a_reason_names_the_file_and_its_chain() {
    let repo = shop();
    repo.append("services/web/static/shop.css", "/* */");
    let found = report(&repo.run(&["affected", "--base", "HEAD"]));
    assert_eq!(
        found["services"][0]["reasons"],
        json!([{
            "kind": "file",
            "path": "services/web/static/shop.css",
            "change": "modified",
            "chain": ["services/web/pages.go:17 embeds static"],
        }])
    );
    let text = repo
        .run(&["affected", "--base", "HEAD", "--format", "text"])
        .out;
    assert_eq!(
        text,
        "web\n    services/web/static/shop.css was modified\n        \
         services/web/pages.go:17 embeds static\n"
    );
}

#[test]
fn github_gets_lines_for_its_output() {
    let repo = shop();
    let github = || {
        repo.run(&["affected", "--base", "HEAD", "--format", "github"])
            .out
    };
    assert_eq!(github(), "matrix={\"service\":[]}\nany=false\n");
    repo.append("internal/store/store.go", "\nvar x = 1\n");
    assert_eq!(
        github(),
        "matrix={\"service\":[\"catalog\",\"migrate\",\"orders\"]}\nany=true\n"
    );
}

#[test]
fn the_base_of_a_branch_is_where_it_began() {
    let repo = shop();
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    repo.append("services/worker/worker.go", "\nvar x = 1\n");
    repo.commit();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.append("services/api/main.go", "\nvar x = 1\n");
    repo.commit();
    repo.git(&["checkout", "--quiet", "feature"]);
    let of = |args: &[&str]| names(&report(&repo.run(args)));
    assert_eq!(of(&["affected", "--base", "main"]), ["worker"]);
    assert_eq!(
        of(&["affected", "--base", "feature", "--head", "main"]),
        ["api"]
    );
    // The work tree counts, with what Git does not know yet, unless a head is given.
    repo.write("services/web/new.go", "package main\n");
    assert_eq!(of(&["affected", "--base", "main"]), ["web", "worker"]);
    let head = ["affected", "--base", "main", "--head", "HEAD"];
    assert_eq!(of(&head), ["worker"]);
}

#[test]
fn a_base_that_was_not_there_is_everything() {
    let repo = shop();
    let zero = "0".repeat(40);
    let report = report(&repo.run(&["affected", "--base", &zero]));
    assert_eq!(names(&report), ALL);
}

#[test]
fn a_directory_is_a_base_without_git() {
    let old = Checkout::copy_of("examples/shop");
    let new = Checkout::copy_of("examples/shop");
    new.append("services/worker/worker.go", "\nvar x = 1\n");
    let base = old.path().to_str().unwrap();
    let said = new.run_with(
        ".",
        &["affected", "--base", base],
        &[("PATH", "/nonexistent")],
    );
    assert_eq!(names(&report(&said)), ["worker"]);
    let said = new.run_with(
        ".",
        &["affected", "--base", "main"],
        &[("PATH", "/nonexistent")],
    );
    assert_eq!(
        said.err,
        "gofleet: `git` is not installed; `--base DIR` compares with a directory and works without\n"
    );
    // A spec that is given from elsewhere is compared with the one in the base.
    let spec = Checkout::new();
    spec.write(
        "fleet.yaml",
        &fs::read_to_string(new.file("fleet.yaml")).unwrap(),
    );
    let file = spec.file("fleet.yaml");
    let said = new.run(&["affected", "--base", base, "-f", file.to_str().unwrap()]);
    assert_eq!(names(&report(&said)), ["worker"]);
}

#[test]
fn the_context_may_be_a_part_of_the_repository_and_of_a_worktree() {
    let repo = Checkout::new();
    let shop = Checkout::copy_of("examples/shop");
    fs::rename(shop.path(), repo.file("shop")).unwrap();
    fs::create_dir(shop.path()).unwrap();
    repo.write("other/fleet.yaml", "services: {}\n");
    repo.write(
        "deploy/fleet.yaml",
        "services:\n  worker: ./services/worker\n",
    );
    repo.commit();
    // Not beside the repository, where other runs of this test have theirs.
    let elsewhere = tempfile::tempdir().unwrap();
    let side = elsewhere.path().join("side");
    let to = side.to_str().unwrap();
    repo.git(&["worktree", "add", "--quiet", "-b", "side", to]);
    repo.append("shop/services/worker/worker.go", "\nvar x = 1\n");
    let said = repo.run_with("shop", &["affected", "--base", "main"], &[]);
    assert_eq!(names(&report(&said)), ["worker"]);
    let said = repo.run(&[
        "affected",
        "--base",
        "main",
        "--context",
        "shop",
        "-f",
        "shop/fleet.yaml",
    ]);
    assert_eq!(names(&report(&said)), ["worker"]);
    // A spec beside the context has its history, too.
    let beside = [
        "affected",
        "--base",
        "main",
        "--context",
        "shop",
        "-f",
        "deploy/fleet.yaml",
    ];
    assert_eq!(names(&report(&repo.run(&beside))), ["worker"]);
    repo.write(
        "deploy/fleet.yaml",
        "services:\n  worker:\n    main: ./services/worker\n    user: \"7\"\n",
    );
    let found = report(&repo.run(&beside));
    assert_eq!(
        found["services"][0]["reasons"][1],
        json!({"kind": "spec", "fields": ["user"]})
    );
    let context = side.join("shop");
    let spec = context.join("fleet.yaml");
    let said = repo.run(&[
        "affected",
        "--base",
        "main",
        "--context",
        context.to_str().unwrap(),
        "-f",
        spec.to_str().unwrap(),
    ]);
    assert_eq!(names(&report(&said)), [""; 0]);
}

#[test]
fn neither_the_index_nor_the_work_tree_is_touched() {
    let repo = shop();
    repo.append("services/worker/worker.go", "\nvar x = 1\n");
    repo.git(&["add", "services/worker/worker.go"]);
    repo.append("services/api/main.go", "\nvar x = 1\n");
    repo.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n");
    repo.write(".git/hooks/post-index-change", "#!/bin/sh\ntouch hooked\n");
    for hook in ["post-checkout", "post-index-change"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(repo.file(&format!(".git/hooks/{hook}")), mode).unwrap();
    }
    let index = fs::read(repo.file(".git/index")).unwrap();
    let env = [
        ("GIT_INDEX_FILE", "/nonexistent"),
        ("GIT_DIR", "/nonexistent"),
    ];
    let said = repo.run_with(".", &["affected", "--base", "HEAD", "--head", "HEAD"], &env);
    assert_eq!(names(&report(&said)), [""; 0]);
    assert_eq!(affected(&repo), ["api", "worker"]);
    assert_eq!(fs::read(repo.file(".git/index")).unwrap(), index);
    let status = repo.git(&["status", "--porcelain"]);
    assert_eq!(
        status,
        "M services/api/main.go\nM  services/worker/worker.go"
    );
}

#[test]
fn large_files_are_compared_without_fetching_them() {
    let repo = shop();
    repo.write(".gitattributes", "*.bin filter=lfs -text\n");
    let text = "hello world\n";
    let oid = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447";
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n",
        text.len()
    );
    repo.write("services/web/static/big.bin", &pointer);
    repo.git(&["config", "filter.lfs.smudge", "false"]);
    repo.git(&["config", "filter.lfs.required", "true"]);
    repo.git(&["config", "filter.lfs.clean", "cat"]);
    repo.commit();
    assert_eq!(affected(&repo), [""; 0]);
    repo.write("services/web/static/big.bin", text);
    assert_eq!(affected(&repo), [""; 0]);
    repo.write("services/web/static/big.bin", "hello there\n");
    assert_eq!(affected(&repo), ["web"]);
}

/// Two services of one module, each with a requirement, and a module cache.
fn with_modules() -> (Checkout, Checkout) {
    let cache = Checkout::new();
    for (module, text) in [
        ("a.org/t@v1.0.0", "package t\n\nimport _ \"b.org/u\"\n"),
        ("a.org/t@v1.1.0", "package t\n\nimport _ \"b.org/u\"\n"),
        ("b.org/u@v0.2.0", "package u\n"),
        ("b.org/u@v0.3.0", "package u\n"),
        ("c.org/v@v1.0.0", "package v\n"),
    ] {
        cache.write(&format!("{module}/x.go"), text);
        let (path, _) = module.split_once('@').unwrap();
        cache.write(
            &format!("{module}/go.mod"),
            &format!("module {path}\n\ngo 1.26\n"),
        );
    }
    let repo = Checkout::new();
    let main =
        |import: &str| format!("package main\n\nimport _ \"{import}\"\n\nfunc main() {{}}\n");
    repo.write("fleet.yaml", "discover: [./...]\n")
        .write("cmd/api/main.go", &main("example.com/shop/internal/db"))
        .write("cmd/worker/main.go", &main("c.org/v"))
        .write("internal/db/db.go", "package db\n\nimport _ \"a.org/t\"\n")
        .write(
            "go.mod",
            "module example.com/shop\n\ngo 1.26\n\nrequire (\n\ta.org/t v1.0.0\n\tc.org/v v1.0.0\n)\n\n\
             require b.org/u v0.2.0 // indirect\n",
        )
        .write(
            "go.sum",
            "a.org/t v1.0.0 h1:a\na.org/t v1.0.0/go.mod h1:b\nb.org/u v0.2.0 h1:c\nc.org/v v1.0.0 h1:d\n",
        );
    repo.commit();
    (repo, cache)
}

#[test]
fn another_version_of_a_module_affects_the_services_that_contain_it() {
    let (repo, cache) = with_modules();
    let path = cache.path().to_str().unwrap();
    let run = |cache: &str| {
        report(&repo.run_with(
            ".",
            &["affected", "--base", "HEAD"],
            &[("GOMODCACHE", cache)],
        ))
    };
    let go_mod = fs::read_to_string(repo.file("go.mod")).unwrap();
    let edit = |from: &str, to: &str| {
        assert!(go_mod.contains(from));
        repo.write("go.mod", &go_mod.replace(from, to));
    };

    edit("b.org/u v0.2.0", "b.org/u v0.3.0");
    let found = run(path);
    assert_eq!(names(&found), ["api"]);
    assert_eq!(
        found["services"][0]["reasons"],
        json!([{"kind": "module", "path": "b.org/u", "from": "v0.2.0", "to": "v0.3.0"}])
    );
    edit("a.org/t v1.0.0", "a.org/t v1.1.0");
    let found = run(path);
    assert_eq!(
        found["services"][0]["reasons"],
        json!([{
            "kind": "module", "path": "a.org/t", "from": "v1.0.0", "to": "v1.1.0",
            "via": "internal/db",
        }])
    );
    assert_eq!(names(&found), ["api"]);
    // The module cache may hold one of the two alone.
    fs::remove_dir_all(cache.file("a.org/t@v1.0.0")).unwrap();
    assert_eq!(names(&run(path)), ["api"]);
    // Without any of it, nobody can tell.
    assert_eq!(names(&run("/nonexistent")), ["api", "worker"]);

    cache.write("a.org/t@v1.0.0/x.go", "package t\n\nimport _ \"b.org/u\"\n");
    edit("c.org/v v1.0.0\n)", "c.org/v v1.0.0\n\td.org/w v1.0.0\n)");
    repo.append("go.sum", "d.org/w v1.0.0 h1:x\n");
    assert_eq!(names(&run(path)), [""; 0]);
    edit("go 1.26\n", "go 1.26\n\ngodebug panicnil=1\n");
    assert_eq!(names(&run(path)), ["api", "worker"]);
    edit("go 1.26\n", "go 1.27\n");
    let found = run(path);
    assert_eq!(
        found["services"][1]["reasons"][1],
        json!({"kind": "toolchain", "from": "1.26", "to": "1.27"})
    );
    repo.write("go.mod", &go_mod);
    let sums = fs::read_to_string(repo.file("go.sum")).unwrap();
    repo.write("go.sum", &sums.replace("h1:d", "h1:e"));
    assert_eq!(names(&run(path)), ["worker"]);
}

#[test]
fn a_vendored_module_affects_the_services_that_contain_it() {
    let (repo, _) = with_modules();
    let list = "# a.org/t v1.0.0\n## explicit; go 1.26\na.org/t\n# b.org/u v0.2.0\n## go 1.26\nb.org/u\n\
                # c.org/v v1.0.0\n## explicit; go 1.26\nc.org/v\n";
    repo.write("vendor/modules.txt", list)
        .write("vendor/a.org/t/x.go", "package t\n\nimport _ \"b.org/u\"\n")
        .write("vendor/b.org/u/x.go", "package u\n")
        .write("vendor/c.org/v/x.go", "package v\n");
    repo.commit();
    let go_mod = fs::read_to_string(repo.file("go.mod")).unwrap();
    repo.write(
        "go.mod",
        &go_mod.replace("b.org/u v0.2.0", "b.org/u v0.3.0"),
    );
    repo.write("vendor/modules.txt", &list.replace("u v0.2.0", "u v0.3.0"));
    assert_eq!(affected(&repo), ["api"]);
}

#[test]
fn a_base_that_cannot_be_built_affects_everything() {
    let repo = shop();
    let spec = fs::read_to_string(repo.file("fleet.yaml")).unwrap();
    repo.write("fleet.yaml", "services: [\n");
    repo.commit();
    repo.write("fleet.yaml", &spec);
    let said = repo.run(&["affected", "--base", "HEAD"]);
    assert_eq!(names(&report(&said)), ALL);
    assert!(said.err.contains("the base cannot be read"), "{}", said.err);
    repo.remove("fleet.yaml");
    repo.commit();
    repo.write("fleet.yaml", &spec);
    let said = repo.run(&["affected", "--base", "HEAD"]);
    assert_eq!(names(&report(&said)), ALL);
    assert_eq!(
        said.err,
        "warning: the base has no `fleet.yaml`: all services are new\n"
    );
}

#[test]
fn errors_say_what_to_do() {
    let repo = shop();
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.append("README.md", "x");
    repo.commit();
    let fails = |repo: &Checkout, base: &str| {
        let said = repo.run(&["affected", "--base", base]);
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        said.err
    };
    assert_eq!(
        fails(&repo, "origin/main"),
        "gofleet: no revision `origin/main` in this repository; \
         if it is on a remote, fetch it first: `git fetch`\n"
    );
    repo.git(&["branch", "services"]);
    assert_eq!(
        fails(&repo, "services"),
        "gofleet: `services` is a directory and a revision: write `./services` for the directory, \
         or the whole name of the revision, such as `refs/heads/services`\n"
    );
    assert_eq!(
        repo.run(&["affected", "--base", "refs/heads/services"])
            .code,
        0
    );

    let shallow = Checkout::new();
    let url = format!("file://{}", repo.path().display());
    shallow.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    assert_eq!(
        fails(&shallow, &first),
        format!(
            "gofleet: no revision `{first}` in this repository; this is a shallow clone, \
             so fetch the history: `fetch-depth: 0` for actions/checkout, \
             or `git fetch --unshallow`\n"
        )
    );
    shallow.git(&["fetch", "--quiet", "--depth", "1", "origin", &first]);
    // Both commits are there, and what they come from is not.
    let said = shallow.run(&["affected", "--base", &first]);
    assert_eq!(names(&report(&said)), [""; 0]);
    assert!(
        said.err.starts_with("warning: this is a shallow clone"),
        "{}",
        said.err
    );
    shallow.append("services/worker/worker.go", "\nvar x = 1\n");
    let said = shallow.run(&["affected", "--base", &first]);
    assert_eq!(names(&report(&said)), ["worker"]);

    let bare = Checkout::copy_of("examples/shop");
    let err = fails(&bare, "main");
    assert!(err.contains("not a git repository"), "{err}");

    let said = repo.run(&["affected"]);
    assert_eq!(said.code, 2);
    let said = repo.run(&["affected", "--base", "HEAD", "--format", "yaml"]);
    assert_eq!(said.code, 2);
}

/// A `go` that notes what it is asked, and knows nothing.
struct NotedGo {
    dir: tempfile::TempDir,
}

impl NotedGo {
    fn new() -> Self {
        let dir = tempfile::TempDir::new().unwrap();
        let (go, log) = (dir.path().join("go"), dir.path().join("log"));
        let script = format!("#!/bin/sh\necho \"$*\" >> {}\nexit 1\n", log.display());
        fs::write(&go, script).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    /// What it was asked while the tool ran.
    fn asked(&self, repo: &Checkout, args: &[&str]) -> (Said, Vec<String>) {
        let log = self.dir.path().join("log");
        fs::write(&log, "").unwrap();
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.dir.path().display());
        let said = repo.run_with(".", args, &[("PATH", &path)]);
        let asked = fs::read_to_string(&log).unwrap();
        (said, asked.lines().map(str::to_owned).collect())
    }
}

/// `go list` takes longer than all else, and there are repositories with a hundred services.
#[test]
fn go_is_asked_once_a_root_and_side_and_not_where_manifests_are_the_same() {
    let repo = Checkout::new();
    let mut spec = "services:\n".to_owned();
    for name in ["a", "b", "c"] {
        spec += &format!("  {name}: ./{name}\n");
        repo.write(
            &format!("{name}/go.mod"),
            &format!("module x.example/{name}\n\ngo 1.26\n\nrequire m.example/lib v1.0.0\n"),
        )
        .write(
            &format!("{name}/go.sum"),
            "m.example/lib v1.0.0 h1:0\nm.example/lib v1.0.0/go.mod h1:1\n",
        )
        .write(
            &format!("{name}/main.go"),
            "package main\n\nimport _ \"m.example/lib\"\n\nfunc main() {}\n",
        );
    }
    repo.write("go.work", "go 1.26\n\nuse (\n\t./a\n\t./b\n\t./c\n)\n")
        .write("fleet.yaml", &spec);
    repo.commit();
    let go = NotedGo::new();
    let args = ["affected", "--base", "HEAD"];
    repo.append("b/main.go", "\nvar x = 1\n");
    let (said, asked) = go.asked(&repo, &args);
    assert_eq!(asked, [""; 0]);
    assert_eq!(names(&report(&said)), ["b"]);
    repo.append("c/go.mod", "\nrequire m.example/other v1.0.0\n");
    let (said, asked) = go.asked(&repo, &args);
    assert_eq!(asked, ["mod graph", "mod graph"]);
    assert_eq!(names(&report(&said)), ["a", "b", "c"]);
}

/// What is fetched may import the repository, and says so in its `go.mod` or not at all.
#[test]
fn fetched_modules_that_import_the_repository_count_with_the_same_manifests() {
    for go_mod in [
        "module m.example/lib\n\ngo 1.26\n\nrequire x.example/shop v1.0.0\n",
        "module m.example/lib\n",
    ] {
        let repo = Checkout::new();
        repo.write("fleet.yaml", "services: {api: ./api}\n")
            .write(
                "go.mod",
                "module x.example/shop\n\ngo 1.26\n\nrequire m.example/lib v1.0.0\n",
            )
            .write(
                "go.sum",
                "m.example/lib v1.0.0 h1:0\nm.example/lib v1.0.0/go.mod h1:1\n",
            )
            .write(
                "api/main.go",
                "package main\n\nimport _ \"m.example/lib\"\n\nfunc main() {}\n",
            )
            .write("in/in.go", "package in\n");
        repo.commit();
        let cache = Checkout::new();
        cache
            .write(
                "m.example/lib@v1.0.0/lib.go",
                "package lib\n\nimport _ \"x.example/shop/in\"\n",
            )
            .write("cache/download/m.example/lib/@v/v1.0.0.mod", go_mod);
        repo.append("in/in.go", "\nvar x = 1\n");
        let env = [("GOMODCACHE", cache.path().to_str().unwrap())];
        let said = repo.run_with(".", &["affected", "--base", "HEAD"], &env);
        assert_eq!(names(&report(&said)), ["api"], "{go_mod}");
    }
}

/// Git was told not to look at a file.
#[test]
fn an_edit_that_git_does_not_look_for_is_found() {
    let repo = shop();
    repo.git(&[
        "update-index",
        "--assume-unchanged",
        "services/worker/worker.go",
    ]);
    repo.append("services/worker/worker.go", "\nvar x = 1\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(affected(&repo), ["worker"]);
}
