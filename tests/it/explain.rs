//! `gofleet closure` and `gofleet why`.

use crate::support::checkout::Checkout;

/// Two services, a shared package, an embedded file, a tag, a hidden file.
fn repo() -> Checkout {
    let repo = Checkout::new();
    repo.write(
        "fleet.yaml",
        "services:\n  api:\n    main: ./cmd/api\n    build_tags: [extra]\n    files:\n      /etc/app: ./conf\n  worker: ./cmd/worker\n",
    )
    .write("go.mod", "module example.com/shop\n\ngo 1.26\n")
    .write("conf/app.toml", "")
    .write(
        "cmd/api/main.go",
        "package main\n\nimport (\n\t_ \"example.com/shop/internal/db\"\n)\n\nfunc main() {}\n",
    )
    .write(
        "cmd/api/extra.go",
        "//go:build extra\n\npackage main\n\nimport _ \"example.com/shop/internal/extra\"\n",
    )
    .write("cmd/api/main_test.go", "package main\n")
    .write("cmd/worker/main.go", "package main\n\nimport _ \"example.com/shop/internal/queue\"\n\nfunc main() {}\n")
    .write("internal/extra/extra.go", "package extra\n")
    .write("internal/queue/queue.go", "package queue\n")
    .write(
        "internal/db/db.go",
        "package db\n\nimport _ \"embed\"\n\n//go:embed schema\nvar schema embed.FS\n",
    )
    .write("internal/db/schema/1.sql", "")
    .write("internal/db/schema/2.sql", "");
    repo
}

#[test]
fn a_closure_is_listed_with_tags_and_embedded_files() {
    let said = repo().run(&["closure", "api"]);
    assert_eq!(
        said.out,
        "cmd/api/extra.go\ncmd/api/main.go\ngo.mod\ninternal/db/db.go\n\
         internal/db/schema/1.sql\ninternal/db/schema/2.sql\ninternal/extra/extra.go\n"
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[test]
fn the_spec_and_the_context_may_be_elsewhere() {
    let repo = repo();
    repo.write("deploy/fleet.yaml", "discover: [./cmd/...]\n");
    let said = repo.run_with(
        "deploy",
        &["closure", "worker", "--context", "..", "-f", "fleet.yaml"],
        &[],
    );
    assert_eq!(
        said.out,
        "cmd/worker/main.go\ngo.mod\ninternal/queue/queue.go\n"
    );
}

#[test]
fn a_file_is_explained_by_its_import_chain() {
    let repo = repo();
    let why = |file: &str| {
        let said = repo.run(&["why", "api", file]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{file}");
        said.out
    };
    assert_eq!(
        why("./internal/db/schema/2.sql"),
        "cmd/api/main.go:4 imports example.com/shop/internal/db\n\
         internal/db/db.go:5 embeds schema\n"
    );
    assert_eq!(
        why("internal/extra/extra.go"),
        "cmd/api/extra.go:5 imports example.com/shop/internal/extra\n"
    );
    let absolute = repo.file("cmd/api/main.go").canonicalize().unwrap();
    assert_eq!(
        why(absolute.to_str().unwrap()),
        "cmd/api/main.go is in the main package `./cmd/api`\n"
    );
    assert_eq!(
        why("conf/app.toml"),
        "fleet.yaml:6 copies conf to /etc/app\n"
    );
    assert_eq!(
        why("internal/db"),
        "cmd/api/main.go:4 imports example.com/shop/internal/db\n"
    );
}

#[test]
fn a_file_outside_of_the_closure_is_explained_too() {
    let repo = repo();
    repo.write(".dockerignore", "# big\n\n**/2.sql\n");
    for (file, why) in [
        ("cmd/api/main_test.go", "test files are in no build"),
        (
            "internal/queue/queue.go",
            "no import leads to `internal/queue`; `worker` can read it",
        ),
        (
            "internal/db/schema/2.sql",
            ".dockerignore:3 hides it with `**/2.sql`",
        ),
        ("internal/db/gone.go", "there is no such file"),
        ("../x.go", "it is outside of the context"),
        (
            "fleet.yaml",
            "it is no source file, and no `//go:embed` names it",
        ),
    ] {
        let said = repo.run(&["why", "api", file]);
        let expected = format!("gofleet: `{file}` is not in the closure of `api`: {why}\n");
        assert_eq!((said.code, said.out.as_str(), said.err), (1, "", expected));
    }
}

#[test]
fn what_an_ignore_file_hides_is_not_listed_and_warned_about() {
    let repo = repo();
    repo.write(".dockerignore", "internal/extra\n");
    let said = repo.run(&["closure", "api"]);
    assert!(!said.out.contains("extra/"), "{}", said.out);
    assert_eq!(
        said.err,
        "warning: .dockerignore:1: `internal/extra` hides `internal/extra`, \
         which cmd/api/extra.go:5 imports\n"
    );
    // The spec's own ignore file wins.
    repo.write("fleet.yaml.dockerignore", "# nothing\n");
    let said = repo.run(&["closure", "api"]);
    assert!(said.out.contains("internal/extra/extra.go"), "{}", said.out);
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let repo = repo();
    let said = repo.run(&["closure", "wroker"]);
    assert_eq!(
        said.err,
        "gofleet: no service `wroker`: did you mean `worker`?\n"
    );
    assert_eq!(said.code, 1);
    let said = repo.run(&["closure", "all"]);
    assert_eq!(
        said.err,
        "gofleet: no service `all`: the spec has api, worker\n"
    );
    let said = repo.run(&["why", "api"]);
    assert_eq!(said.code, 2);
    repo.append("fleet.yaml", "  old: ./cmd/wrker\n");
    let said = repo.run(&["closure", "old"]);
    assert_eq!(
        said.err,
        "gofleet: the directory `./cmd/wrker` of `old` is no main package; \
         did you mean `./cmd/worker`?\n"
    );
}

/// A closure that lacks what a link should lead to is another one than a build has.
#[test]
fn a_link_of_the_build_that_leads_nowhere_is_an_error() {
    for link in ["go.work", "api/b.go"] {
        let repo = Checkout::new();
        repo.write("fleet.yaml", "services: {api: ./api}\n")
            .write("go.mod", "module x.example/m\n\ngo 1.26\n")
            .write("api/main.go", "package main\n\nfunc main() {}\n");
        std::os::unix::fs::symlink("gone", repo.file(link)).unwrap();
        for args in [&["closure", "api"][..], &["why", "api", "go.mod"]] {
            let said = repo.run(args);
            assert_eq!((said.code, said.out.as_str()), (1, ""), "{args:?}");
            let message = format!("error[BrokenLink]: `{link}` is a link to ");
            assert!(said.err.starts_with(&message), "{}", said.err);
        }
    }
}
