#![allow(clippy::unwrap_used)]
use super::*;
use crate::fetch::{GoError, Kind, NoGo};
use crate::modules::{Needed, ensure, is_at_hand};
use crate::testing::tree;

fn request(imports: &[&str]) -> Request {
    Request {
        root: ".".into(),
        workspace: false,
        manifests: vec!["go.mod".into(), "go.sum".into(), "lib/go.mod".into()],
        services: vec![ServiceRequest {
            key: "api".into(),
            imports: imports.iter().map(|i| (*i).to_owned()).collect(),
            tags: Vec::new(),
            local: BTreeSet::from(["m/lib".to_owned()]),
        }],
    }
}

const GO_MOD: &str = "module m\ngo 1.26\nrequire (\n\ta.org/x v1.0.0\n\ta.org/x/sub v1.0.0\n\
    \tb.org/Y v1.1.0 // indirect\n\tc.org/unused v1.0.0\n\tm/lib v0.0.0\n)\nreplace m/lib => ./lib\n";

fn fixture() -> (tempfile::TempDir, ModuleCache) {
    let root = tree(&[
        ("src/go.mod", GO_MOD),
        (
            "src/go.sum",
            "a.org/x v1.0.0 h1:1\nb.org/Y v1.1.0 h1:2\nc.org/unused v1.0.0 h1:3\n",
        ),
        ("src/lib/go.mod", "module m/lib\n"),
        (
            "cache/a.org/x@v1.0.0/x.go",
            "package x\nimport (\n_ \"b.org/Y/deep\"\n_ \"fmt\"\n)\n",
        ),
        (
            "cache/a.org/x@v1.0.0/x_test.go",
            "package x\nimport _ \"c.org/unused\"\n",
        ),
        (
            "cache/a.org/x@v1.0.0/gen.go",
            "//go:build ignore\n\npackage x\nimport _ \"c.org/unused\"\n",
        ),
        (
            "cache/a.org/x/sub@v1.0.0/p/p.go",
            "package p\nimport _ \"m/lib/back\"\n",
        ),
        (
            "cache/cache/download/a.org/x/@v/v1.0.0.mod",
            "module a.org/x\n",
        ),
        ("cache/b.org/!y@v1.1.0/deep/d.go", "package deep\n"),
        ("cache/c.org/unused@v1.0.0/u.go", "package unused\n"),
    ]);
    let cache = ModuleCache::new(root.path().join("cache"));
    (root, cache)
}

fn answer(imports: &[&str]) -> ServiceModules {
    let (root, cache) = fixture();
    let mut answer = resolve(&request(imports), &root.path().join("src"), &cache, &NoGo);
    assert!(answer.problems.is_empty());
    answer.services.remove("api").unwrap()
}

#[test]
fn imports_are_followed_through_fetched_modules() {
    let found = answer(&["a.org/x"]);
    assert_eq!(found.whole, None);
    let modules: Vec<_> = found.modules.keys().map(String::as_str).collect();
    assert_eq!(modules, ["a.org/x", "b.org/Y"]);
    assert_eq!(
        found.manifests["go.mod"],
        "module m\ngo 1.26\nrequire a.org/x v1.0.0\nrequire b.org/Y v1.1.0\nrequire m/lib v0.0.0\n\
         replace m/lib => ./lib\n"
    );
    assert_eq!(
        found.manifests["go.sum"],
        "a.org/x v1.0.0 h1:1\nb.org/Y v1.1.0 h1:2\n"
    );
    assert_eq!(found.manifests["lib/go.mod"], "module m/lib\n");
}

#[test]
fn every_module_that_may_hold_a_package_is_kept() {
    let found = answer(&["a.org/x/sub/p"]);
    let modules: Vec<_> = found.modules.keys().map(String::as_str).collect();
    assert_eq!(modules, ["a.org/x", "a.org/x/sub", "m/lib"]);
    // A fetched package imports one of the repository.
    assert_eq!(found.back, BTreeSet::from(["m/lib/back".to_owned()]));
}

#[test]
fn what_is_not_listed_leaves_the_manifests_whole() {
    let found = answer(&["d.org/not/listed"]);
    assert!(found.whole.is_some());
    assert_eq!(found.manifests["go.mod"], GO_MOD);
}

#[test]
fn without_a_graph_a_workspace_is_whole() {
    let (root, cache) = fixture();
    let mut request = request(&["a.org/x"]);
    request.workspace = true;
    let answer = resolve(&request, &root.path().join("src"), &cache, &NoGo);
    assert!(answer.services["api"].whole.is_some());
    let out = tempfile::tempdir().unwrap();
    answer.write(out.path()).unwrap();
    let text = fs::read_to_string(out.path().join("services/api/go.mod")).unwrap();
    assert_eq!(text, GO_MOD);
}

/// A Go command that objects to everything.
struct Objecting;

impl Go for Objecting {
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        assert!(dir.join("go.mod").is_file());
        match args {
            ["mod", "graph"] => return Ok(b"m.org/m a.org/x@v1.0.0\n".to_vec()),
            ["list", "-m", ..] | ["list", _, "-m"] => return Ok(Vec::new()),
            ["list", ..] => {}
            _ => panic!("{args:?}"),
        }
        Ok(b"build constraints exclude all Go files\nhidden-word: missing go.sum entry\n".to_vec())
    }

    fn redact(&self, text: &str) -> String {
        text.replace("hidden-word", "***")
    }
}

#[test]
fn where_go_objects_the_manifests_stay_whole() {
    let (root, cache) = fixture();
    let src = root.path().join("src");
    let answer = resolve(&request(&["a.org/x"]), &src, &cache, &Objecting);
    let whole = answer.services["api"].whole.as_deref().unwrap();
    assert!(whole.ends_with(": ***: missing go.sum entry"), "{whole}");
    assert_eq!(answer.services["api"].manifests["go.mod"], GO_MOD);
    // Whole manifests take the whole module graph.
    let graph = &answer.services["api"].needed.graph;
    let paths: Vec<&str> = graph.iter().map(|module| module.path.as_str()).collect();
    assert_eq!(paths, ["a.org/x"]);
}

/// A Go command that reads no `go.mod` with two lines of one module.
struct Strict;

impl Go for Strict {
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        let text = fs::read_to_string(dir.join("go.mod")).unwrap();
        if args.last() != Some(&"-m") || text.matches("c.org/unused").count() < 2 {
            return Ok(Vec::new());
        }
        Err(GoError::Failed {
            answered: Vec::new(),
            stdout: Vec::new(),
            stderr: "go: updates to go.mod needed".to_owned(),
        })
    }
}

#[test]
fn what_go_says_against_the_whole_is_not_cut_away() {
    let (root, cache) = fixture();
    let src = root.path().join("src");
    let text = format!("{GO_MOD}require c.org/unused v1.1.0\n");
    fs::write(src.join("go.mod"), &text).unwrap();
    let answer = resolve(&request(&["a.org/x"]), &src, &cache, &Strict);
    let found = &answer.services["api"];
    assert!(
        found
            .whole
            .as_deref()
            .unwrap()
            .contains("updates to go.mod needed")
    );
    assert_eq!(found.manifests["go.mod"], text);
}

/// A Go command that reads the whole module graph, as where a module that stands in a
/// directory requires the main module.
struct ReadsGraph;

impl Go for ReadsGraph {
    fn run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        if args == ["mod", "graph"] {
            let edges = "m a.org/x@v1.0.0\na.org/x@v1.0.0 g.org/graph@v1.0.0\nm m/base@v0.0.0\n";
            return Ok(edges.into());
        }
        if args.last() == Some(&"-m") {
            return Ok(Vec::new());
        }
        assert_eq!(args.last(), Some(&"./gofleet_trial"));
        let read = |path: &str| fs::read_to_string(dir.join(path)).unwrap_or_default();
        let main = read("gofleet_trial/trial.go");
        assert!(main.contains("import _ \"a.org/x/sub/p\"\n"));
        assert!(main.contains("import _ \"m/lib/gofleet_trial\"\n"));
        // What a fetched package imports is there.
        assert_eq!(read("lib/back/trial.go"), "package trial\n");
        let complete = ["g.org/graph v1.0.0/go.mod", "base"];
        let found = [read("go.sum"), read("base/go.mod")];
        let missing = complete
            .iter()
            .zip(found)
            .find(|(text, file)| !file.contains(**text));
        match missing {
            None => Ok(Vec::new()),
            Some((text, _)) => Err(GoError::Failed {
                answered: Vec::new(),
                stdout: Vec::new(),
                stderr: format!("missing {text}"),
            }),
        }
    }
}

#[test]
fn where_go_reads_the_graph_a_part_has_its_sums() {
    let (root, cache) = fixture();
    let src = root.path().join("src");
    let more = "require m/base v0.0.0\nreplace m/base => ./base\n";
    fs::write(src.join("go.mod"), format!("{GO_MOD}{more}")).unwrap();
    let sums = "a.org/x v1.0.0 h1:1\na.org/x/sub v1.0.0 h1:4\nc.org/unused v1.0.0 h1:3\n\
                g.org/graph v1.0.0/go.mod h1:5\n";
    fs::write(src.join("go.sum"), sums).unwrap();
    fs::write(
        src.join("lib/go.mod"),
        "module m/lib\nrequire m/base v0.0.0\n",
    )
    .unwrap();
    fs::create_dir(src.join("base")).unwrap();
    fs::write(src.join("base/go.mod"), "module m/base\nrequire m v0.0.0\n").unwrap();
    let mut request = request(&["a.org/x/sub/p"]);
    request.manifests.push("base/go.mod".into());
    let answer = resolve(&request, &src, &cache, &ReadsGraph);
    let found = &answer.services["api"];
    assert_eq!(found.whole, None);
    assert_eq!(
        found.manifests["go.sum"],
        "a.org/x v1.0.0 h1:1\ng.org/graph v1.0.0/go.mod h1:5\n"
    );
    assert!(!found.manifests["go.mod"].contains("c.org/unused"));
    assert!(found.manifests["go.mod"].contains("replace m/base => ./base\n"));
    assert!(found.manifests["base/go.mod"].contains("module m/base"));
    assert_eq!(
        found.needed.manifests,
        ["base/go.mod", "go.mod", "go.sum", "lib/go.mod"]
    );
}

/// A Go command that can fetch nothing.
struct Refused;

impl Go for Refused {
    fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
        if args.first() == Some(&"list") {
            return Ok(Vec::new());
        }
        assert_eq!(args[..3], ["mod", "download", "-json"]);
        let errors: Vec<String> = args[3..]
            .iter()
            .filter_map(|name| name.split_once('@'))
            .map(|(path, version)| {
                format!(r#"{{"Path":"{path}","Version":"{version}","Error":"401 Unauthorized"}}"#)
            })
            .collect();
        Err(GoError::Failed {
            answered: Vec::new(),
            stdout: errors.concat().into_bytes(),
            stderr: String::new(),
        })
    }
}

#[test]
fn what_is_needed_and_cannot_be_had_is_a_problem() {
    let (root, cache) = fixture();
    fs::remove_dir_all(cache.path().join("b.org")).unwrap();
    let src = root.path().join("src");
    let found = resolve(&request(&["a.org/x"]), &src, &cache, &Refused);
    let problem = &found.problems[0];
    assert_eq!(found.problems.len(), 1);
    assert_eq!(
        (problem.module.as_str(), problem.kind),
        ("b.org/Y", Kind::NoLogin)
    );
    assert_eq!((problem.manifest.as_str(), problem.line), ("go.mod", 6));
    assert_eq!(problem.services, ["api"]);
}

#[test]
fn what_nobody_needs_may_fail() {
    let (root, cache) = fixture();
    fs::remove_dir_all(cache.path().join("c.org")).unwrap();
    let src = root.path().join("src");
    let found = resolve(&request(&["a.org/x"]), &src, &cache, &Refused);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.services["api"].whole, None);
}

#[test]
fn a_module_that_is_not_what_go_sum_says_is_a_problem() {
    let (root, cache) = fixture();
    let sums = root.path().join("cache/cache/download/a.org/x/@v");
    fs::create_dir_all(&sums).unwrap();
    fs::write(sums.join("v1.0.0.ziphash"), "h1:other").unwrap();
    let src = root.path().join("src");
    let found = resolve(&request(&["a.org/x"]), &src, &cache, &NoGo);
    assert_eq!(found.problems[0].kind, Kind::ChecksumMismatch);
    assert_eq!(found.problems[0].manifest, "go.sum");
}

#[test]
fn what_the_cache_has_lost_is_asked_for_again() {
    let (root, cache) = fixture();
    let src = root.path().join("src");
    let module = |path: &str| Module {
        path: path.to_owned(),
        version: "v1.0.0".to_owned(),
    };
    let needed = Needed {
        root: ".".to_owned(),
        manifests: vec!["go.mod".to_owned()],
        modules: BTreeSet::from([module("a.org/x")]),
        graph: BTreeSet::new(),
        ..Needed::default()
    };
    // Its directory is there, its `go.mod` in the cache of downloads is not.
    assert!(!is_at_hand(&needed, &cache));
    let problems = ensure(&needed, &src, &cache, &Refused).unwrap();
    assert_eq!(problems[0].module, "a.org/x");
    let sums = root.path().join("cache/cache/download/a.org/x/@v");
    fs::create_dir_all(&sums).unwrap();
    fs::write(sums.join("v1.0.0.mod"), "module a.org/x\n").unwrap();
    fs::write(sums.join("v1.0.0.ziphash"), "h1:1").unwrap();
    assert!(is_at_hand(&needed, &cache));
    assert!(ensure(&needed, &src, &cache, &Refused).unwrap().is_empty());
}
