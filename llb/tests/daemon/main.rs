//! Our digests and the meaning of our ops, on a real daemon.
//!
//! The graph of [`graph`] has every kind of op. `buildctl` solves it, and
//! the daemon's status stream says under which digests: they must be ours. The
//! exported tree says whether each op did what its builder promises.
//!
//! Needs `buildctl` and `git` in `PATH`, and `BUILDKIT_HOST`.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use buildkit_llb::*;

mod graph;
mod support;

#[path = "../../examples/solve.rs"]
#[allow(dead_code, unreachable_pub)]
mod example;

use graph::{Graph, Sources};
use support::{Dir, Solve, is_older_than, solve};

/// The digests, names and inputs of the ops of a definition.
fn vertices(definition: &pb::Definition) -> BTreeMap<String, BTreeSet<String>> {
    let (_terminal, ops) = definition.def.split_last().unwrap();
    let vertex = |bytes: &Vec<u8>| {
        let op = <pb::Op as prost::Message>::decode(bytes.as_slice()).unwrap();
        let inputs = op.inputs.into_iter().map(|input| input.digest);
        (Digest::of(bytes).into(), inputs.collect())
    };
    ops.iter().map(vertex).collect()
}

/// The daemon must report what we computed, op for op and input for input. It may
/// report more: steps of other builds that turned out to be the same.
#[track_caller]
fn assert_same_vertices(solved: &Solve, expect: &BTreeMap<String, BTreeSet<String>>) {
    for (digest, inputs) in expect {
        let reported = solved.vertices.get(digest);
        let known = solved.vertices.keys().collect::<Vec<_>>();
        let reported = reported.unwrap_or_else(|| panic!("no vertex {digest} in {known:#?}"));
        assert_eq!(&reported.inputs, inputs, "{}", reported.name);
    }
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn digests_of_every_kind_of_op_are_those_of_the_daemon() {
    let sources = Sources::serve();
    let graph = graph::every_op(&sources);
    graph.output.check().unwrap();
    let definition = graph.output.marshal();
    let out = Dir::new();
    let solved = solve(&definition, &["src", sources.directory()], Some(&out));
    assert!(solved.success, "{}", solved.log);

    let mut expect = vertices(&definition);
    // The graph inside the build op is loaded like any other.
    expect.extend(vertices(&graph.inner));
    assert_same_vertices(&solved, &expect);
    // Names of ops that other builds do not share: of those, the first one stays.
    for (digest, metadata) in &definition.metadata {
        if let Some(name) = metadata.description.get(CUSTOM_NAME) {
            assert_eq!(&solved.vertices[digest].name, name);
        }
    }
    check_tree(&graph, &out);
}

/// What the ops of [`graph::every_op`] leave behind.
fn check_tree(graph: &Graph, out: &Dir) {
    let path = |path: &str| out.path().join(path);
    let read = |at: &str| fs::read_to_string(path(at)).expect(at);
    let mode = |at: &str| path(at).symlink_metadata().expect(at).permissions().mode() & 0o7777;
    let time = |at: &str| path(at).symlink_metadata().expect(at).mtime();

    // Sources.
    assert_eq!(read("from/local/a.txt"), "a\n");
    assert!(!path("from/local/skip.log").exists());
    assert_eq!(read("from/git/file"), "from git\n");
    assert_eq!(read("from/http/download"), "from http\n");
    assert_eq!(mode("from/http/download"), 0o640);
    // Exec.
    assert_eq!(read("exec/args"), "one two$HOME\n");
    assert_eq!(read("exec/env"), "value\n");
    assert_eq!(read("exec/cwd"), "/work\n");
    assert_eq!(read("exec/selected"), "inner\n");
    assert_eq!(read("exec/user"), "65534:65534\n");
    assert_eq!(read("exec/hostname"), "graph\n");
    // File actions.
    assert_eq!(read("files/made"), "made\n");
    assert_eq!((mode("files/made"), time("files/made")), (0o600, 7));
    assert_eq!((mode("files/d/e"), time("files/d/e")), (0o711, 0));
    assert_eq!(read("files/copies/a.txt"), "a\n");
    assert_eq!(mode("files/copies/a.txt"), 0o755);
    assert_eq!(time("files/copies/a.txt"), 0);
    assert!(!path("files/copies/sub").exists());
    assert!(!path("files/gone").exists());
    if !is_older_than((0, 31)) {
        let link = path("files/link").read_link().unwrap();
        assert_eq!(link.to_str(), Some("made"));
    }
    // Merge, diff, build, passthrough.
    assert_eq!(read("winner"), "upper\n");
    assert!(!path("bin").exists(), "the diff leaves its lower tree out");
    assert_eq!(read("from-build"), graph.nonce);
    assert_eq!(read("passed"), "on\n");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_daemon_that_lacks_a_capability_says_so() {
    let image = Source::image(graph::IMAGE)
        .cap("gofleet.no.such.cap")
        .build();
    let solved = solve(&image.marshal(), &[], None);
    assert!(!solved.success);
    assert!(solved.log.contains("gofleet.no.such.cap"), "{}", solved.log);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn a_failed_op_points_into_the_file_it_comes_from() {
    let file = SourceFile::new("fleet.yaml", "first: line\nsecond: line\nthird: line\n");
    let image = Source::image(graph::IMAGE).build();
    let failing = Exec::new(["sh", "-c", "echo to the log; exit 7"])
        .mount(Mount::bind("/", &image))
        .location(&SourceLocation::new(&file, [Range::lines(2, 2)]))
        .build();
    let solved = solve(&failing.root().unwrap().marshal(), &[], None);
    assert!(!solved.success);
    assert!(solved.log.contains("exit code: 7"), "{}", solved.log);
    assert!(solved.log.contains("fleet.yaml:2"), "{}", solved.log);
    assert!(solved.log.contains(">>> second: line"), "{}", solved.log);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn foreign_definitions_keep_their_digests() {
    let image = Source::image(graph::IMAGE).build();
    let other = FileOp::on(&image)
        .mkfile(Mkfile::new("/other", "y"))
        .name("the other's")
        .build();
    let embedded = Foreign::from_definition(&other.marshal()).unwrap();
    let tree = FileOp::on(&embedded).mkfile(Mkfile::new("/f", "x")).build();
    let definition = tree.marshal();
    let solved = solve(&definition, &[], None);
    assert!(solved.success, "{}", solved.log);
    assert_same_vertices(&solved, &vertices(&definition));
    let name = &solved.vertices[other.digest().as_str()].name;
    assert_eq!(name, "the other's");
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn the_example_solves() {
    let definition = example::graph().unwrap().marshal();
    let source = Dir::new();
    fs::write(source.path().join("hello.go"), "package main\n").unwrap();
    let out = Dir::new();
    let source = source.path().to_str().unwrap();
    let solved = solve(&definition, &["src", source], Some(&out));
    assert!(solved.success, "{}", solved.log);
    assert_same_vertices(&solved, &vertices(&definition));
    assert!(out.path().join("src.tar").metadata().unwrap().size() > 0);
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn an_older_daemon_names_the_capability_it_lacks() {
    if !is_older_than((0, 31)) {
        return;
    }
    let image = Source::image(graph::IMAGE).build();
    let new = Passthrough::new("p", &image).build();
    let solved = solve(&new.marshal(), &[], None);
    assert!(!solved.success);
    assert!(solved.log.contains(caps::PASSTHROUGH_OP), "{}", solved.log);
}
