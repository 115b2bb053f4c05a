//! What files put into an image do to what is below them: the same as `COPY` of a Dockerfile.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use tar::EntryType;

use crate::support::build::{buildx, docker_build, push};
use crate::support::engine::engine;
use crate::support::oci::Image;
use crate::support::repo::Repo;

/// By path: kind, mode, user and group of what an image shows there.
type Tree = BTreeMap<String, (EntryType, u32, u64, u64)>;

fn tree(image: &Image) -> Tree {
    image
        .entries()
        .filter(|entry| !entry.path.is_empty())
        .map(|e| (e.path.clone(), (e.kind, e.mode & 0o7777, e.uid, e.gid)))
        .collect()
}

/// What an image has otherwise than the expected one, without its program.
fn differences(found: &Image, expected: &Image) -> Vec<String> {
    let (found, expected) = (tree(found), tree(expected));
    let mut out = Vec::new();
    for path in found.keys().chain(expected.keys()) {
        let (a, b) = (found.get(path), expected.get(path));
        let of_program = "usr/local/bin/app".starts_with(path.as_str());
        if a != b && !(of_program && (b.is_none() || path == "usr/local/bin/app")) {
            out.push(format!("{path}: {a:?}, COPY: {b:?}"));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Builds `fleet.yaml` and `Dockerfile.ref`, with a merge op and without.
fn is_like_copy(repo: &Repo) {
    let expected = buildx(repo).spec("Dockerfile.ref").image();
    let built = buildx(repo).image();
    let differ = differences(built.image(), expected.image());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    for layer in &built.image().layers {
        let ours = layer.entries.iter().any(|e| e.path.ends_with("seed.txt"));
        let times = layer.entries.iter().map(|e| e.mtime);
        assert!(!ours || times.max() == Some(0), "a time of the build");
    }
    let copied = docker_build(repo).image();
    let differ = differences(copied.image(), expected.image());
    assert!(differ.is_empty(), "without merge:\n{}", differ.join("\n"));
}

/// A base image made of a Dockerfile's lines; its name.
fn base(lines: &str) -> String {
    let repo = Repo::new();
    let tag = format!("{}/e2e/ground:{}", engine().registry, repo.nonce);
    repo.write("Dockerfile", lines);
    push(&repo, &tag);
    tag
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn directories_of_a_base_keep_owner_and_mode() {
    let base = base(
        "FROM debian:bookworm\n\
         RUN mkdir -m 2775 /srv/team && chgrp 50 /srv/team && mkdir -m 1777 /scratch && \
         mkdir -p -m 700 /home/nonroot && chown 65532:65532 /home/nonroot\n",
    );
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("seed.txt", "seed\n")
        .write("tree/seed.txt", "seed\n")
        .write("tree/more/seed.txt", "seed\n")
        .spec(&format!(
            "services:\n  app:\n    main: ./cmd/app\n    base: {base}\n    files:\n      \
             /tmp/seed.txt: ./seed.txt\n      /home/nonroot/.config/seed.txt: ./seed.txt\n      \
             /srv/team: ./tree\n      /scratch/new/a: ./tree\n      /etc/app/seed.txt: ./seed.txt\n"
        ))
        .write(
            "Dockerfile.ref",
            &format!(
                "FROM {base}\nCOPY seed.txt /tmp/seed.txt\n\
                 COPY seed.txt /home/nonroot/.config/seed.txt\nCOPY tree /srv/team\n\
                 COPY tree /scratch/new/a\nCOPY seed.txt /etc/app/seed.txt\n"
            ),
        );
    is_like_copy(&repo);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn links_of_a_base_are_followed_and_stay() {
    let base = base(
        "FROM debian:bookworm\n\
         RUN mkdir -p /var/lib/site/conf && ln -s ../../lib/site /var/run/site && \
         ln -s /var/lib/site /site && ln -s /nowhere/yet /dangling && \
         cp -a /usr/local /var/usrlocal && rm -r /usr/local && ln -s ../var/usrlocal /usr/local\n",
    );
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("seed.txt", "seed\n")
        .write("tree/seed.txt", "seed\n")
        .spec(&format!(
            "services:\n  app:\n    main: ./cmd/app\n    base: {base}\n    files:\n      \
             /lib/app/seed.txt: ./seed.txt\n      /var/run/app/seed.txt: ./seed.txt\n      \
             /site: ./tree\n      /var/run/site/conf/seed.txt: ./seed.txt\n      \
             /etc/os-release: ./seed.txt\n      /dangling/seed.txt: ./seed.txt\n"
        ))
        .write(
            "Dockerfile.ref",
            &format!(
                "FROM {base}\nCOPY seed.txt /lib/app/seed.txt\n\
                 COPY seed.txt /var/run/app/seed.txt\nCOPY tree /site\n\
                 COPY seed.txt /var/run/site/conf/seed.txt\nCOPY seed.txt /etc/os-release\n\
                 COPY seed.txt /dangling/seed.txt\nCOPY seed.txt /usr/local/bin/app\n\
                 RUN chmod 755 /usr/local/bin/app\n"
            ),
        );
    is_like_copy(&repo);
    let built = buildx(&repo).image();
    let image = built.image();
    assert!(
        image
            .entry("var/usrlocal/bin/app")
            .data
            .starts_with(b"\x7fELF")
    );
    assert_eq!(tree(image)["usr/local"].0, EntryType::Symlink);
}

/// `COPY` gives directories inside of the copied one the mode of the source, and fails at links.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn directories_inside_of_a_copied_one_stay_too() {
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("root/tmp/seed.txt", "seed\n")
        .write("root/run/seed.txt", "seed\n")
        .write("root/lib/seed.txt", "seed\n")
        .write("root/[new]/seed.txt", "seed\n")
        .spec(
            "services:\n  app:\n    main: ./cmd/app\n    base: debian:bookworm\n    files:\n      \
             /var: ./root\n",
        );
    let built = buildx(&repo).image();
    let plain = buildx(&repo).spec("Dockerfile.ref");
    repo.write("Dockerfile.ref", "FROM debian:bookworm\n");
    let (found, below) = (tree(built.image()), tree(plain.image().image()));
    for path in ["var", "var/tmp", "var/run", "var/lib", "run"] {
        assert_eq!(found.get(path), below.get(path), "{path}");
    }
    for path in ["var/tmp", "run", "var/lib", "var/[new]"] {
        assert!(found.contains_key(&format!("{path}/seed.txt")), "{path}");
    }
}

/// One entry goes into what another one has put there, in the order of their lines.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_entry_inside_of_another_is_like_a_second_copy() {
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("tree/sub/one.txt", "one\n")
        .write("tree/shared.txt", "of the first\n")
        .write("other/two.txt", "two\n")
        .write("other/shared.txt", "of the second\n")
        .write("run.sh", "#!/bin/sh\n")
        .spec(
            "services:\n  app:\n    main: ./cmd/app\n    base: debian:bookworm\n    files:\n      \
             /srv/a: ./tree\n      /srv/a/sub: ./other\n      /srv/a/new/deep: ./other\n      \
             /srv/a/sub/run.sh: ./run.sh\n      /srv/b/c: ./other\n      /srv/b: ./tree\n      \
             /srv/a/by-link/seed: ./other\n",
        )
        .write(
            "Dockerfile.ref",
            "FROM debian:bookworm\nCOPY tree /srv/a\nCOPY other /srv/a/sub\n\
             COPY other /srv/a/new/deep\nCOPY run.sh /srv/a/sub/run.sh\nCOPY other /srv/b/c\n\
             COPY tree /srv/b\nCOPY other /srv/a/by-link/seed\n",
        );
    symlink("sub", repo.file("tree/by-link")).unwrap();
    is_like_copy(&repo);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_cannot_be_put_there_is_an_error_at_its_line() {
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("seed.txt", "seed\n")
        .write("tree/seed.txt", "seed\n")
        .spec(
            "services:\n  app:\n    main: ./cmd/app\n    base: debian:bookworm\n    \
             working_dir: /etc/group\n    files:\n      /tmp: ./seed.txt\n      \
             /etc/passwd: ./tree\n      /etc/passwd/x: ./seed.txt\n",
        );
    buildx(&repo).fails().says([
        "fleet.yaml:6",
        "`/etc/group` is no directory",
        "fleet.yaml:8",
        "write `/tmp/seed.txt`",
        "fleet.yaml:9",
        "`/etc/passwd` is no directory",
        "fleet.yaml:10",
    ]);
    repo.spec("services:\n  app:\n    main: ./cmd/app\n    files: {/home/nonroot: ./seed.txt}\n");
    buildx(&repo)
        .fails()
        .says(["fleet.yaml:5", "write `/home/nonroot/seed.txt`"]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn directories_of_the_scratch_root_keep_owner_and_mode() {
    let repo = Repo::new();
    repo.program("cmd/app")
        .write("seed.txt", "seed\n")
        .write("home/seed.txt", "seed\n")
        .write("home/.cache/seed.txt", "seed\n")
        .spec(
            "services:\n  app:\n    main: ./cmd/app\n    files:\n      /tmp/seed.txt: ./seed.txt\n      \
             /home/nonroot: ./home\n      /etc/app/seed.txt: ./seed.txt\n",
        );
    for built in [buildx(&repo).image(), docker_build(&repo).image()] {
        let tree = tree(built.image());
        let dir = |path: &str| {
            let (kind, mode, uid, gid) = tree[path];
            assert_eq!(kind, EntryType::Directory, "{path}");
            (mode, uid, gid)
        };
        assert_eq!(dir("tmp"), (0o1777, 0, 0));
        assert_eq!(dir("home/nonroot"), (0o700, 65532, 65532));
        assert_eq!(dir("home/nonroot/.cache"), (0o755, 0, 0), "as COPY does");
        assert_eq!(dir("etc"), (0o755, 0, 0));
        assert!(tree.contains_key("home/nonroot/seed.txt") && tree.contains_key("tmp/seed.txt"));
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_working_directory_belongs_to_the_user_that_runs_there() {
    let repo = Repo::new();
    repo.program("cmd/app").write("seed.txt", "seed\n");
    fs::create_dir(repo.file("empty")).unwrap();
    let check =
        |fields: &str, image: &str, user: &str, dirs: &[&str], expected: (u32, u64, u64)| {
            repo.spec(&format!(
                "services:\n  app:\n    main: ./cmd/app\n    {}\n",
                fields.replace("; ", "\n    ")
            ));
            repo.write(
                "Dockerfile.ref",
                &format!(
                    "FROM {image}\nUSER {user}\nWORKDIR /{}\n",
                    dirs[dirs.len() - 1]
                ),
            );
            let expected_image = buildx(&repo).spec("Dockerfile.ref").image();
            let built = buildx(&repo).image();
            let (ours, theirs) = (tree(built.image()), tree(expected_image.image()));
            for dir in dirs {
                let (_, mode, uid, gid) = ours[*dir];
                assert_eq!((mode, uid, gid), expected, "{fields}: {dir}");
                assert_eq!(ours[*dir], theirs[*dir], "{fields}: {dir}");
            }
        };
    let user = (0o755, 65532, 65532);
    let fixed = "gofleet/static:latest";
    check("working_dir: /data", fixed, "65532:65532", &["data"], user);
    check(
        "working_dir: /srv/app/data",
        fixed,
        "65532:65532",
        &["srv", "srv/app", "srv/app/data"],
        user,
    );
    check(
        "working_dir: /data; files: {/data: ./empty}",
        fixed,
        "65532:65532",
        &["data"],
        user,
    );
    check(
        "working_dir: /data; files: {/data/seed.txt: ./seed.txt}",
        fixed,
        "65532:65532",
        &["data"],
        user,
    );
    check(
        "working_dir: /data; user: 1000:50",
        fixed,
        "1000:50",
        &["data"],
        (0o755, 1000, 50),
    );
    let debian = "debian:bookworm";
    check(
        "working_dir: /data; base: debian:bookworm; user: www-data",
        debian,
        "www-data",
        &["data"],
        (0o755, 33, 33),
    );
    check(
        "working_dir: /var/run/app; base: debian:bookworm",
        debian,
        "65532:65532",
        &["run/app"],
        user,
    );
    check(
        "working_dir: /tmp; base: debian:bookworm",
        debian,
        "65532:65532",
        &["tmp"],
        (0o1777, 0, 0),
    );
}
