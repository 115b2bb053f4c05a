//! What is in an image, and that it runs.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::support::build::{build_on, buildctl_dockerfile, buildx, push};
use crate::support::command::docker;
use crate::support::daemon::Daemon;
use crate::support::elf::{Elf, Machine};
use crate::support::engine::{engine, heavy, needs_docker};
use crate::support::oci::{self, Image};
use crate::support::repo::Repo;

const STRANGE: &str = "tests/fixtures/strange";
const EPOCH: &str = "1970-01-01T00:00:00Z";
const CA_BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// Gives `tlscheck` a server to check: one of an authority that nobody knows, in
/// the same process, since a container of a test has no network.
const TLS_SERVER: &str = "\
package main

import (
\t\"net/http\"
\t\"net/http/httptest\"
\t\"os\"
)

func init() { os.Setenv(\"TLSCHECK_ADDR\", httptest.NewTLSServer(http.NotFoundHandler()).URL) }
";

/// One service with files of its own.
fn repo_with_files() -> Repo {
    let repo = Repo::new();
    repo.program("cmd/api")
        .write("migrations/1.sql", "select 1;\n")
        .write("migrations/more/2.sql", "select 2;\n")
        .write("motd.txt", "hello\n")
        .spec(
            "services:\n  api:\n    main: ./cmd/api\n    files:\n      /srv/migrations: ./migrations\n      \
             /etc/motd: motd.txt\n",
        );
    repo
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_repository_never_seen_before_builds_static_binaries_for_two_platforms() {
    let _heavy = heavy();
    let repo = Repo::copy_of(STRANGE);
    let out = TempDir::new().unwrap();
    let both = "linux/amd64,linux/arm64";
    buildx(&repo)
        .target("binaries")
        .platform(both)
        .fetching()
        .files(out.path());
    for (dir, machine) in [
        ("linux_amd64", Machine::Amd64),
        ("linux_arm64", Machine::Arm64),
    ] {
        for service in ["front", "tlscheck", "thing"] {
            let elf = Elf::read(&fs::read(out.path().join(dir).join(service)).unwrap());
            assert!(!elf.dynamic && !elf.symbols, "{dir}/{service}: {elf:?}");
            assert_eq!(elf.machine, machine, "{dir}/{service}");
        }
    }

    // The same steps as images: one index with one manifest per platform.
    let images = buildx(&repo)
        .target("thing")
        .platform(both)
        .fetching()
        .image();
    assert_eq!(
        images.progress.go_steps(),
        [""; 0],
        "{}",
        images.progress.list()
    );
    assert_eq!(images.top.0, 1);
    assert!(images.top.1.contains("image.index"), "{}", images.top.1);
    assert_eq!(
        oci::platforms(&images.images),
        ["linux/amd64", "linux/arm64"]
    );
    for (image, machine) in images.images.iter().zip([Machine::Amd64, Machine::Arm64]) {
        assert_eq!(
            Elf::read(&image.entry("usr/local/bin/thing").data).machine,
            machine
        );
    }
    // All but the binary is the same for both.
    let [amd64, arm64] = [0, 1].map(|at| images.images[at].diff_ids().as_array().unwrap());
    assert_eq!(amd64[..amd64.len() - 1], arm64[..arm64.len() - 1]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_container_has_roots_zones_a_user_and_a_place_for_temporary_files() {
    needs_docker();
    let _heavy = heavy();
    let repo = Repo::copy_of(STRANGE);
    repo.write("cmd/tlscheck/server.go", TLS_SERVER);
    let name = format!("e2e/tlscheck:{}", repo.nonce);
    let name = name.as_str();
    buildx(&repo)
        .target("tlscheck")
        .fetching()
        .args(["--load", "--tag", name])
        .tool("plain", None)
        .ok();
    let run = docker()
        .args([
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
            "--tmpfs",
            "/tmp:mode=1777",
            name,
        ])
        .ok();
    for line in [
        "uid=65532",
        "gid=65532",
        "user=nonroot",
        "group=nonroot",
        "home=/home/nonroot",
        "zone=2026-07-01T14:00:00+02:00",
        "roots=present",
        "tls=unknown-authority",
    ] {
        assert!(
            run.text().lines().any(|said| said == line),
            "{}",
            run.report(&format!("should say {line}"))
        );
    }
    run.says(["temp=/tmp/"]);
    // The image's own `/tmp` serves as well.
    docker()
        .args(["run", "--rm", "--network", "none", name])
        .ok()
        .says(["temp=/tmp/"]);
    docker().args(["image", "rm", name]).ok();
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn every_entry_has_a_fixed_time_owner_and_mode() {
    // Another umask and other times than any checkout has.
    let repo = repo_with_files();
    let built = buildx(&repo).target("api").image();
    let image = built.image();
    for entry in image.entries() {
        assert_eq!(entry.mtime, 0, "{entry:?}");
        let owner = if entry.path == "home/nonroot" {
            65532
        } else {
            0
        };
        assert_eq!((entry.uid, entry.gid), (owner, owner), "{}", entry.path);
    }
    for (path, mode) in [
        ("usr/local/bin", 0o755),
        ("usr/local/bin/api", 0o755),
        ("tmp", 0o1777),
        ("home/nonroot", 0o700),
        ("etc", 0o755),
        ("etc/passwd", 0o644),
        ("etc/group", 0o644),
        ("etc/services", 0o644),
        (CA_BUNDLE, 0o644),
        ("srv/migrations", 0o755),
        ("srv/migrations/more/2.sql", 0o644),
        ("etc/motd", 0o644),
    ] {
        assert_eq!(
            format!("{:o}", image.entry(path).mode & 0o7777),
            format!("{mode:o}"),
            "{path}"
        );
    }

    assert!(
        image.layers[0].has(CA_BUNDLE),
        "the CA roots are the first layer"
    );
    assert!(
        !image.layers[0].has("etc/passwd"),
        "the CA roots are a layer of their own"
    );
    assert!(image.text(CA_BUNDLE).matches("BEGIN CERTIFICATE").count() > 100);
    assert!(image.layers[1].has("usr/share/zoneinfo/Europe/Berlin"));
    assert!(image.layers[2].has("etc/services") && image.layers[2].has("etc/mime.types"));
    assert!(image.text("etc/services").contains("\nhttps\t443/tcp\n"));
    assert!(
        image
            .text("etc/mime.types")
            .contains("\nfont/woff2\twoff2\n")
    );
    assert!(
        image.layers.last().unwrap().has("usr/local/bin/api"),
        "the binary is the last layer"
    );
    let passwd = image.text("etc/passwd");
    assert!(passwd.contains("nonroot:x:65532:65532:"), "{passwd}");
    assert_eq!(image.text("srv/migrations/1.sql"), "select 1;\n");
    assert_eq!(image.text("etc/motd"), "hello\n");
    let elf = Elf::read(&image.entry("usr/local/bin/api").data);
    assert!(!elf.dynamic && !elf.symbols, "{elf:?}");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_configuration_holds_what_runtimes_need_and_nothing_else() {
    let repo = Repo::new();
    repo.program("cmd/api")
        .spec("services:\n  api: ./cmd/api\n");
    let built = buildx(&repo).image();
    let image = built.image();
    assert_eq!(
        image.config["config"],
        json!({
            "User": "65532:65532",
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/home/nonroot",
            ],
            "Entrypoint": ["/usr/local/bin/api"],
            "WorkingDir": "/",
        })
    );
    assert_eq!(image.config["created"], EPOCH);
    let history = image.config["history"].as_array().unwrap();
    assert_eq!(history.len(), image.layers.len());
    for entry in history {
        assert_eq!(entry["created"], EPOCH, "{entry}");
    }
    assert_eq!(image.manifest.get("annotations"), None);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_spec_and_the_client_decide_about_the_configuration() {
    let repo = Repo::new();
    repo.program("cmd/api").spec(
        "services:\n  api:\n    main: ./cmd/api\n    command: serve --name \"two words\"\n    \
         environment: {LEVEL: \"${LEVEL:-info}\"}\n    expose: [8080, 9090/udp]\n    labels: {team: core}\n    \
         user: app\n    working_dir: /srv\n    tzdata: false\n",
    );
    let built = buildx(&repo)
        .build_arg("LEVEL", "debug")
        .build_arg("SOURCE_DATE_EPOCH", "86400")
        .args(["--label", "commit=abc"])
        .image();
    let image = built.image();
    let setting = |name: &str| image.setting(name).clone();
    assert_eq!(setting("Entrypoint"), json!(["/usr/local/bin/api"]));
    assert_eq!(setting("Cmd"), json!(["serve", "--name", "two words"]));
    assert_eq!(
        setting("ExposedPorts"),
        json!({"8080/tcp": {}, "9090/udp": {}})
    );
    assert_eq!(setting("Labels"), json!({"commit": "abc", "team": "core"}));
    assert_eq!(
        setting("User"),
        "65532:65532",
        "a name is a number for Kubernetes"
    );
    assert_eq!(setting("WorkingDir"), "/srv");
    assert!(setting("Env").to_string().contains("LEVEL=debug"));
    assert_eq!(image.config["created"], "1970-01-02T00:00:00Z");
    assert!(
        image
            .entries()
            .all(|entry| !entry.path.contains("zoneinfo"))
    );
    assert!(image.text("etc/passwd").contains("app:x:65532:65532:"));
}

/// Says who runs, where, and what Go finds in files of the image.
const WHO: &str = r#"package main

import (
	"fmt"
	"mime"
	"net"
	"os"
	"os/user"
)

func main() {
	fmt.Println("ids", os.Getuid(), os.Getgid())
	current, err := user.Current()
	fmt.Println("home", os.Getenv("HOME"), current != nil && current.HomeDir == os.Getenv("HOME"), err)
	home, err := os.Stat(os.Getenv("HOME"))
	fmt.Println("home exists", err == nil && home.IsDir())
	fmt.Println("write", os.WriteFile(os.Getenv("HOME")+"/x", nil, 0o600))
	port, err := net.LookupPort("tcp", "postgresql")
	fmt.Println("port", port, err)
	fmt.Println("type", mime.TypeByExtension(".woff2"), mime.TypeByExtension(".mjs"))
	fmt.Println("args", fmt.Sprintf("%q", os.Args[1:]))
}
"#;

/// Runs a service of a repository in a container; what it says.
fn run(repo: &Repo, service: &str) -> String {
    let name = format!("e2e/who-{service}:{}", repo.nonce);
    buildx(repo)
        .target(service)
        .args(["--load", "--tag", &name])
        .tool("plain", None)
        .ok();
    let said = docker()
        .args(["run", "--rm", "--network", "none", &name])
        .ok();
    docker().args(["image", "rm", &name]).ok();
    said.text()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_user_is_the_same_on_scratch_and_on_a_base() {
    needs_docker();
    let repo = Repo::new();
    repo.write("cmd/who/main.go", WHO);
    let users = [
        ("nobody", "nobody:nogroup", "ids 65534 65534"),
        ("number", "1000", "ids 1000 1000"),
        ("zero", "0", "ids 0 0"),
    ];
    let mut spec =
        String::from("defaults: {command: \"${DEBUG:+--debug} --port 80\"}\nservices:\n");
    for (name, user, _) in users {
        for (place, base) in [("scratch", "scratch"), ("base", "debian:bookworm")] {
            spec += &format!(
                "  {name}-{place}: {{main: ./cmd/who, base: \"{base}\", user: \"{user}\"}}\n"
            );
        }
    }
    repo.spec(&spec);
    for (name, _, ids) in users {
        for place in ["scratch", "base"] {
            let said = run(&repo, &format!("{name}-{place}"));
            let says = |line: &str| {
                assert!(
                    said.lines().any(|l| l == line),
                    "{name}-{place}: {line}\n{said}"
                )
            };
            says(ids);
            says("args [\"--port\" \"80\"]");
            if place == "scratch" {
                says("home exists true");
                says("write <nil>");
                says("port 5432 <nil>");
                says("type font/woff2 text/javascript; charset=utf-8");
                let home = if ids == "ids 0 0" {
                    "/root"
                } else {
                    "/home/nonroot"
                };
                says(&format!("home {home} true <nil>"));
            } else if ids == "ids 0 0" {
                says("home /root true <nil>");
            }
        }
    }
}

/// The tag of a base image that knows the user `app`, with further lines of a Dockerfile.
fn pushed_base(name: &str, lines: &str) -> String {
    let base = Repo::new();
    let tag = format!("{}/e2e/{name}:{}", engine().registry, base.nonce);
    base.write(
        "passwd",
        "root:x:0:0::/root:/bin/sh\napp:x:1001:1002::/app:/bin/sh\n",
    );
    base.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY passwd /etc/passwd\n{lines}"),
    );
    push(&base, &tag);
    tag
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_home_of_a_base_image_does_not_outlast_its_user() {
    let tag = pushed_base("home", "ENV HOME=/root\n");
    let repo = Repo::new();
    repo.program("cmd/api").spec(&format!(
        "defaults: {{base: \"{tag}\"}}\nservices:\n  \
         default: ./cmd/api\n  root: {{main: ./cmd/api, user: 0}}\n  \
         app: {{main: ./cmd/api, user: 1001}}\n  \
         own: {{main: ./cmd/api, user: app, environment: {{HOME: /x}}}}\n"
    ));
    for (service, user, home) in [
        ("default", "65532:65532", None),
        ("root", "0:0", Some("HOME=/root")),
        ("app", "1001:1002", None),
        ("own", "1001:1002", Some("HOME=/x")),
    ] {
        let built = buildx(&repo).target(service).image();
        let env = built.image().setting("Env").clone();
        let env: Vec<&str> = env
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|e| e.as_str())
            .collect();
        let found = env.iter().find(|entry| entry.starts_with("HOME="));
        assert_eq!(found.copied(), home, "{service}");
        assert_eq!(built.image().setting("User"), user, "{service}");
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn binaries_as_an_image_say_their_platform_and_no_time() {
    let repo = Repo::new();
    repo.program("cmd/api")
        .program("cmd/worker")
        .spec("services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let build = || {
        buildx(&repo)
            .target("binaries")
            .args(["--label", "team=core"])
    };
    let list = "linux/amd64,linux/arm64,linux/arm/v7,windows/amd64";
    let built = build().platform(list).image();
    assert_eq!(oci::platforms(&built.images).join(","), list);
    for image in &built.images {
        assert_eq!(image.config["created"], EPOCH);
        assert_eq!(image.setting("Labels")["team"], "core");
        let history = image.config["history"].as_array().unwrap();
        assert_eq!(history.len(), 2);
        for entry in history {
            assert_eq!(entry["created"], EPOCH, "{entry}");
        }
    }
    // One platform gives the same image, whenever it is built.
    let one = build().platform("linux/arm64").image();
    assert_eq!(one.image().config["architecture"], "arm64");
    assert_eq!(one.image().digest, built.images[1].digest);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn all_services_fit_into_one_image() {
    let repo = Repo::new();
    repo.program("cmd/api")
        .program("cmd/worker")
        .spec("defaults:\n  environment: {MODE: all}\nservices:\n  api: ./cmd/api\n  worker: ./cmd/worker\n");
    let built = buildx(&repo).target("all").image();
    let image = built.image();
    assert_eq!(
        built.progress.go_steps(),
        ["[api] go build ./cmd/api", "[worker] go build ./cmd/worker"]
    );
    assert!(
        image.find("usr/local/bin/api").is_some() && image.find("usr/local/bin/worker").is_some()
    );
    assert!(image.setting("Env").to_string().contains("MODE=all"));

    let out = TempDir::new().unwrap();
    buildx(&repo).target("binaries").files(out.path());
    let mut names: Vec<_> = fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["api", "worker"]);
    // The very bytes of the image, not another build of them.
    assert_eq!(
        fs::read(out.path().join("api")).unwrap(),
        image.entry("usr/local/bin/api").data
    );
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_base_image_keeps_what_it_says_and_its_user_becomes_a_number() {
    let lines = "ENV FROM_BASE=yes\nLABEL base=1\nUSER app\nCMD [\"/x\"]\n";
    let tag = pushed_base("base", lines);

    let repo = Repo::new();
    repo.program("cmd/api").spec(&format!(
        "services:\n  api:\n    main: ./cmd/api\n    base: {tag}\n"
    ));
    let built = buildx(&repo).image();
    let image = built.image();
    assert_eq!(image.setting("User"), "1001:1002");
    assert_eq!(image.setting("Labels"), &json!({"base": "1"}));
    assert!(image.setting("Env").to_string().contains("FROM_BASE=yes"));
    assert_eq!(image.setting("Entrypoint"), &json!(["/usr/local/bin/api"]));
    assert!(
        image.setting("Cmd").is_null(),
        "the base's arguments are for its own program"
    );
    assert!(
        image.find(CA_BUNDLE).is_none(),
        "a base image brings its own"
    );
    assert!(image.text("etc/passwd").contains("app:x:1001"));
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn two_daemons_that_share_nothing_make_the_same_image() {
    let _heavy = heavy();
    let repo = repo_with_files();
    let first = buildctl_dockerfile(&repo).target("api").image();

    // What may differ between machines: modes and times of the checkout.
    let checkout = repo_with_other_modes(&repo);
    let daemon = Daemon::start();
    let second = build_on(&daemon, &checkout).target("api").image();
    assert_eq!(
        second.progress.go_steps(),
        ["[api] go build ./cmd/api"],
        "this daemon was empty"
    );
    assert_same_entries(second.image(), first.image());
    assert_eq!(second.image().config, first.image().config);
    assert_eq!(second.image().digest, first.image().digest);
}

/// A copy as a user with another umask would check it out.
fn repo_with_other_modes(repo: &Repo) -> Repo {
    use std::os::unix::fs::PermissionsExt;
    let copy = repo.copy();
    for path in ["motd.txt", "migrations/1.sql", "cmd/api/main.go"] {
        fs::set_permissions(copy.file(path), fs::Permissions::from_mode(0o660)).unwrap();
    }
    fs::set_permissions(copy.file("migrations"), fs::Permissions::from_mode(0o770)).unwrap();
    copy
}

/// Says which entries differ, before digests only say that something does.
fn assert_same_entries(image: &Image, expected: &Image) {
    let lines = |image: &Image| -> BTreeSet<String> {
        let describe = |entry: &oci::Entry| {
            let oci::Entry {
                path,
                kind,
                mode,
                uid,
                gid,
                mtime,
                data,
            } = entry;
            format!(
                "{path} {kind:?} {mode:o} {uid}:{gid} {mtime} {} bytes",
                data.len()
            )
        };
        image.entries().map(describe).collect()
    };
    let (found, expected) = (lines(image), lines(expected));
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(only(&found, &expected), only(&expected, &found));
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_name_in_files_is_no_pattern() {
    let names = [
        "routes/[slug]/p.html",
        "one[1].txt",
        "what?.txt",
        "all*.txt",
        "back\\slash.txt",
        "end ",
        " start",
        "!bang/#hash",
        "^caret.txt",
        "nats.go/$x",
    ];
    let repo = Repo::new();
    repo.program("cmd/api");
    let mut spec = "services:\n  api:\n    main: ./cmd/api\n    files:\n".to_owned();
    for (at, name) in names.iter().enumerate() {
        // What a pattern of that form would take in its place.
        repo.write(name, name)
            .write("routes/s/p.html", "s")
            .write("one1.txt", "1");
        let source = match at {
            0 => "routes/[slug]",
            _ => name,
        };
        let source = source.replace('$', "$$");
        spec += &format!("      /srv/{at}: '{source}'\n");
    }
    std::os::unix::fs::symlink("one[1].txt", repo.file("link[1].txt")).unwrap();
    spec += "      /srv/link: 'link[1].txt'\n";
    repo.spec(&spec);
    let build = buildx(&repo).image();
    let image = &build.images[0];
    assert_eq!(image.entry("srv/0/p.html").data, names[0].as_bytes());
    for (at, name) in names.iter().enumerate().skip(1) {
        let entry = image.entry(&format!("srv/{at}"));
        assert_eq!(entry.data, name.as_bytes(), "{name}");
    }
    assert_eq!(image.entry("srv/link").data, b"one[1].txt");
}
