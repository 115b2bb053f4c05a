//! Dependencies in layers: a builder that starts empty gets them from a cache export.

mod roots;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::private::{PRIVATE, PROXIES, build};
use crate::support::build::{Build, build_on, buildctl_dockerfile, buildx};
use crate::support::daemon::Daemon;
use crate::support::engine::heavy;
use crate::support::private::{Module, PROXY, Private, private};
use crate::support::repo::Repo;
use crate::support::usage::prune_cache_mounts;

/// Packages of the module that services import.
const PACKAGES: usize = 12;

/// Publishes a module of many packages that its root imports.
fn many(private: &Private, path: &str, version: &str) -> Module {
    let mut files = vec![("tests/data.txt".to_owned(), "not for builds".to_owned())];
    let mut all = "package lib\n\nimport (\n".to_owned();
    for i in 0..PACKAGES {
        let text = format!("package p{i}\n\n// N is a number.\nvar N = {i}\n");
        files.push((format!("p{i}/p.go"), text));
        files.push((format!("p{i}/p_test.go"), format!("package p{i}\n")));
        all += &format!("\t_ \"{path}/p{i}\"\n");
    }
    all += ")\n\n// Hello greets.\nfunc Hello() string { return \"hello\" }\n";
    files.push(("lib.go".to_owned(), all));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(n, t)| (n.as_str(), t.as_str()))
        .collect();
    private.publish(path, version, &files)
}

/// Two services that share a package of the repository, which imports all packages of a
/// private module; and the path of that module.
fn repo(private: &Private) -> (Repo, String) {
    let path = private.path(PROXY, "many");
    let module = many(private, &path, "v1.0.0");
    let repo = private.repo(&[&module]);
    let own = repo.module();
    repo.write(
        "greet/greet.go",
        &format!(
            "package greet\n\nimport \"{path}\"\n\nfunc Text() string {{ return lib.Hello() }}\n"
        ),
    );
    for service in ["api", "mail"] {
        let text = format!("{service} {}", repo.nonce);
        repo.write(
            &format!("cmd/{service}/main.go"),
            &format!("package main\n\nimport \"{own}/greet\"\n\nfunc main() {{ println(greet.Text(), \"{text}\") }}\n"),
        );
    }
    repo.spec("services:\n  api: ./cmd/api\n  mail: ./cmd/mail\n");
    (repo, path)
}

fn in_layers(build: Build) -> Build {
    build.build_arg("GOFLEET_CACHE", "layer")
}

/// With caches that no other test has.
fn with_own_mounts(build: Build, repo: &Repo) -> Build {
    build.build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
}

/// Files below a directory, relative to it.
fn files_of(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            // Packed modules hold a link to themselves.
            if entry.file_type().unwrap().is_dir() {
                walk(&path, root, out);
            } else {
                out.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut out = Vec::new();
    walk(dir, dir, &mut out);
    out
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_fresh_builder_compiles_the_code_of_the_repository_alone() {
    let _heavy = heavy();
    let private = private();
    let (repo, module) = repo(private);
    let netrc = private.netrc_file(&[PROXY]);

    // The first job of a workflow: `deps` for all, exported.
    let (cache, deps) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = format!("type=local,dest={},mode=max", cache.path().display());
    // As secrets, settings are in no key.
    let with_login = |build: Build| {
        let build = build.reaching(private).secret_file("ca", private.ca());
        let build = build.secret_file("netrc", &netrc);
        build
            .secret("GOPRIVATE", PRIVATE)
            .secret("GOPROXY", PROXIES)
    };
    in_layers(with_login(buildctl_dockerfile(&repo)))
        .target("deps")
        .args(["--export-cache", &export])
        .files(deps.path());
    let files = files_of(deps.path());
    let has = |part: &str| files.iter().any(|file| format!("{file}\n").contains(part));
    assert!(has("/p0/p.go") && has("ziphash"), "{files:?}");
    assert!(!has("_test.go") && !has("data.txt") && !has(".zip\n"));
    let compiled = files.iter().filter(|file| file.ends_with("-a")).count();
    let by_mount = with_login(buildx(&repo)).target("api").image();

    // The second one, on another machine, with neither a login nor a proxy.
    let daemon = Daemon::start();
    let import = format!("type=local,src={}", cache.path().display());
    let before = private.requests(&module).len();
    let on = |target: &str| {
        // Names of hosts are in keys, so they are the same.
        let build = build_on(&daemon, &repo).reaching(private).target(target);
        let build = build.secret("GOPROXY", "off");
        in_layers(build).args(["--import-cache", &import]).image()
    };
    let built = on("api");
    assert_eq!(built.image().digest, by_mount.image().digest);
    repo.edit("greet/greet.go", "return lib", "return \"dear \" + lib");
    let edited = on("mail");
    for (built, service) in [(&built, "api"), (&edited, "mail")] {
        let steps = built.progress.executed();
        let mut names = [
            format!("[internal] compile shared packages of {service}"),
            format!("[internal] unpack dependencies of {service}"),
            format!("[{service}] go build ./cmd/{service}"),
        ];
        names.sort();
        let own = steps.iter().filter(|step| !step.contains("scan sources"));
        assert_eq!(own.collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    }
    assert_eq!(
        private.requests(&module).len(),
        before,
        "modules were asked for"
    );
    // All that the layer has compiled is in the build cache in front of the first build step.
    let said = &built.progress.step("unpack dependencies of api").logs;
    assert!(compiled > PACKAGES);
    let copied = said.split(" and ").nth(1).unwrap_or_default();
    let copied: usize = copied
        .split(' ')
        .next()
        .unwrap_or_default()
        .parse()
        .unwrap();
    assert!(copied > compiled, "{said}");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_way_of_caching_is_in_no_build_steps_key() {
    let private = private();
    let netrc = private.netrc_file(&[PROXY]);
    for layers_first in [false, true] {
        let (repo, _) = repo(private);
        let with = |layers: bool| {
            let build = build(private, &repo).secret_file("netrc", &netrc);
            let build = if layers { in_layers(build) } else { build };
            build.image()
        };
        let first = with(layers_first);
        let second = with(!layers_first);
        let steps = second.progress.go_steps();
        assert!(
            !steps.iter().any(|step| step.contains("go build")),
            "{steps:?}"
        );
        assert_eq!(first.image().digest, second.image().digest);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_a_builder_lost_of_its_mounts_comes_from_the_layers() {
    let private = private();
    let (repo, module) = repo(private);
    let netrc = private.netrc_file(&[PROXY]);
    let with = |secret: bool| {
        let build = build(private, &repo);
        let build = if secret {
            build.secret_file("netrc", &netrc)
        } else {
            build
        };
        in_layers(build).progress()
    };
    with(true);
    prune_cache_mounts(&repo.nonce);
    repo.edit("cmd/api/main.go", "println(", "println(1, ");
    let before = private.requests(&module).len();
    let steps = with(false);
    assert_eq!(
        steps.go_steps(),
        ["[api] go build ./cmd/api"],
        "{}",
        steps.list()
    );
    assert_eq!(private.requests(&module).len(), before);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_number_of_builds_side_by_side_is_in_no_key() {
    let repo = Repo::new();
    repo.write(
        "main.go",
        &format!(
            "package main\n\nfunc main() {{ println(\"{}\") }}\n",
            repo.nonce
        ),
    );
    repo.spec("parallel: 1\nservices: {api: .}\n");
    let first = buildx(&repo).image();
    let second = buildx(&repo).build_arg("GOFLEET_PARALLEL", "7").image();
    assert_eq!(second.progress.go_steps(), [""; 0]);
    assert_eq!(first.image().digest, second.image().digest);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn where_nothing_is_fetched_the_standard_library_comes_in_a_layer() {
    let repo = Repo::new();
    repo.write(
        "main.go",
        &format!("package main\n\nimport \"net/http\"\n\nfunc main() {{ println(http.MethodGet, \"{}\") }}\n", repo.nonce),
    );
    repo.spec("cache: layer\nservices: {api: .}\n");
    let build = || with_own_mounts(buildx(&repo), &repo);
    let text = build().tool("plain", None).ok().stderr;
    assert!(text.contains("copied 0 files of modules and "), "{text}");
    let mount = build().build_arg("GOFLEET_CACHE", "mount").progress();
    assert_eq!(mount.go_steps(), [""; 0]);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn vendored_packages_are_compiled_into_the_layer() {
    let repo = Repo::new();
    let (nonce, own) = (repo.nonce.clone(), repo.module());
    // Nobody else's test has a package of this name in its cache.
    let dep = format!("example.org/{nonce}/dep");
    let main = format!("package main\n\nimport \"{dep}\"\n\nfunc main() {{ println(dep.Name) }}\n");
    repo.write(
        "go.mod",
        &format!("module {own}\n\ngo 1.26\n\nrequire {dep} v1.0.0\n"),
    )
    .write(
        "vendor/modules.txt",
        &format!("# {dep} v1.0.0\n## explicit; go 1.26\n{dep}\n"),
    )
    .write(
        &format!("vendor/{dep}/dep.go"),
        "package dep\n\nconst Name = \"vendored\"\n",
    )
    .write("cmd/api/main.go", &main)
    .write("cmd/mail/main.go", &main);
    repo.spec("services:\n  api: ./cmd/api\n  mail: ./cmd/mail\n");

    let deps = TempDir::new().unwrap();
    let build = in_layers(buildx(&repo));
    build.target("deps").files(deps.path());
    let compiled = files_of(deps.path()).into_iter().filter(|file| {
        let bytes = fs::read(deps.path().join(file)).unwrap();
        bytes.windows(dep.len()).any(|w| w == dep.as_bytes())
    });
    assert!(compiled.count() > 0);

    // An edit compiles nothing of it again, and another version does.
    repo.edit("cmd/api/main.go", "println(", "println(1, ");
    let steps = |progress: crate::support::progress::Progress| {
        let steps = progress.executed();
        steps
            .iter()
            .any(|step| step.contains("packages of modules"))
    };
    let built = || in_layers(buildx(&repo)).target("api").progress();
    assert!(!steps(built()));
    repo.edit(&format!("vendor/{dep}/dep.go"), "vendored", "another");
    assert!(steps(built()));
}
