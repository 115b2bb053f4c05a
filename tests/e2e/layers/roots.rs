//! Module roots whose requirements agree in part: what is equal is compiled once.

use std::collections::{BTreeMap, BTreeSet};

use super::{PACKAGES, many};
use crate::private::build;
use crate::support::build::buildx;
use crate::support::oci::{Entry, Image};
use crate::support::private::{Module, PROXY, Private, private};
use crate::support::progress::Progress;
use crate::support::repo::Repo;
use crate::support::usage::prune_cache_mounts;

/// A module root in a directory of its own, with one service that imports these modules.
fn root(repo: &Repo, dir: &str, modules: &[&Module]) {
    let own = format!("{}/{dir}", repo.module());
    let files = ["go.mod", "go.sum", "main.go"].map(|name| format!("{dir}/{name}"));
    repo.requiring_at(&own, files.each_ref().map(String::as_str), modules, "");
}

/// Runs builds of a repository, all with the login and cache mounts of its own.
struct Builds<'a> {
    private: &'a Private,
    repo: &'a Repo,
}

impl Builds<'_> {
    fn of(&self, target: &str, cache: &str) -> (Progress, Image) {
        let netrc = self.private.netrc_file(&[PROXY]);
        let build = build(self.private, self.repo).secret_file("netrc", &netrc);
        let build = build.target(target).build_arg("GOFLEET_CACHE", cache);
        let mut built = build.image();
        (built.progress, built.images.remove(0))
    }

    /// The digest of an image is the same with and without layers.
    fn agree(&self, target: &str) {
        let (_, mount) = self.of(target, "mount");
        let (_, layer) = self.of(target, "layer");
        assert_eq!(mount.digest, layer.digest, "{target}");
    }
}

/// The roots whose packages were compiled.
fn compiled(progress: &Progress) -> Vec<&str> {
    let steps = progress.executed().into_iter();
    let steps = steps.filter_map(|step| step.strip_suffix("] compile packages of modules"));
    steps
        .map(|step| step.trim_start_matches("[deps "))
        .collect()
}

/// What the step of a root says.
fn said<'a>(progress: &'a Progress, dir: &str) -> &'a str {
    let step = format!("[deps {dir}] compile packages of modules");
    progress.step(&step).logs.trim()
}

/// The same in numbers.
fn counts(now: usize, before: usize) -> String {
    format!("compiled {now} packages, and took {before} that were compiled before")
}

/// How often each package of a module was compiled, over all layers: Go notes the time beside the
/// name of the file with the package.
fn times(image: &Image, module: &str) -> Vec<usize> {
    let entries = || image.layers.iter().flat_map(|layer| &layer.entries);
    let has = |entry: &Entry| {
        let mut parts = entry.data.windows(module.len());
        parts.any(|part| part == module.as_bytes())
    };
    let outputs = entries().filter(|entry| entry.path.ends_with("-d") && has(entry));
    let outputs = outputs.filter_map(|entry| entry.path.rsplit('/').next()?.strip_suffix("-d"));
    let outputs: BTreeSet<&str> = outputs.collect();
    let mut times: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for entry in entries().filter(|entry| entry.path.ends_with("-a")) {
        let text = String::from_utf8_lossy(&entry.data).into_owned();
        if text
            .split(' ')
            .nth(2)
            .is_some_and(|output| outputs.contains(output))
        {
            times.entry(&entry.path).or_default().insert(text);
        }
    }
    times.into_values().map(|times| times.len()).collect()
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_is_equal_in_several_roots_is_compiled_once() {
    let private = private();
    let path = private.path(PROXY, "many");
    let [first, second] = ["v1.0.0", "v1.1.0"].map(|version| many(private, &path, version));
    let other = private.module(&private.path(PROXY, "other"), "v1.0.0");
    let repo = Repo::empty();
    root(&repo, "a", &[&first]);
    root(&repo, "b", &[&first, &other]);
    root(&repo, "c", &[&second, &other]);
    repo.spec("services:\n  a: ./a\n  b: ./b\n  c: ./c\n");
    let builds = Builds {
        private,
        repo: &repo,
    };

    let (progress, image) = builds.of("deps", "layer");
    assert_eq!(compiled(&progress), ["a", "b", "c"]);
    // Another version of a module has other packages, whatever is in them.
    assert_eq!(times(&image, &path), [1; 2 * (PACKAGES + 1)]);
    assert_eq!(times(&image, &other.path), [1]);
    for service in ["a", "b", "c"] {
        builds.agree(service);
    }

    // Another root's edit is no reason to make a layer again, and what is new is compiled.
    let newer = private.module(&other.path, "v1.1.0");
    root(&repo, "b", &[&first, &newer]);
    let (progress, _) = builds.of("deps", "layer");
    assert_eq!(compiled(&progress), ["b"]);
    assert_eq!(said(&progress, "b"), counts(1, PACKAGES + 1));
    builds.agree("b");

    // What one root's layer brings to a builder is there for the others.
    prune_cache_mounts(&repo.nonce);
    repo.edit(
        "b/main.go",
        "func main() {\n",
        "func main() {\n\tprintln(1)\n",
    );
    builds.of("b", "layer");
    root(&repo, "a", &[&first, &newer]);
    let (progress, _) = builds.of("deps", "layer");
    assert_eq!(compiled(&progress), ["a"]);
    assert_eq!(said(&progress, "a"), counts(0, PACKAGES + 2));
}

/// Build tags make other packages of some sources, and of most the same.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_build_tags_leave_equal_is_compiled_once() {
    let repo = Repo::new();
    let (nonce, own) = (repo.nonce.clone(), repo.module());
    let dep = |name: &str| format!("example.org/{nonce}/{name}");
    let (plain, tagged) = (dep("plain"), dep("tagged"));
    let mut manifest = format!("module {own}\n\ngo 1.26\n");
    let mut list = String::new();
    for path in [&plain, &tagged] {
        manifest += &format!("\nrequire {path} v1.0.0\n");
        list += &format!("# {path} v1.0.0\n## explicit; go 1.26\n{path}\n");
        repo.write(
            &format!("vendor/{path}/dep.go"),
            "package dep\n\nvar A = 1\n",
        );
    }
    let on = "//go:build on\n\npackage dep\n\nvar B = 2\n";
    repo.write(&format!("vendor/{tagged}/on.go"), on)
        .write("go.mod", &manifest)
        .write("vendor/modules.txt", &list);
    let main = format!(
        "package main\n\nimport (\n\ta \"{plain}\"\n\tb \"{tagged}\"\n)\n\n\
         func main() {{ println(a.A, b.A) }}\n"
    );
    repo.write("api/main.go", &main)
        .write("mail/main.go", &main);
    repo.spec("services:\n  api: ./api\n  mail: {main: ./mail, build_tags: [on]}\n");

    let build = buildx(&repo)
        .target("deps")
        .build_arg("GOFLEET_CACHE", "layer");
    let built = build.image();
    assert_eq!(times(built.image(), &plain), [1]);
    assert_eq!(times(built.image(), &tagged), [1, 1]);
}
