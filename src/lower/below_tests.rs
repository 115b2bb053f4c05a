//! Where files go.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::diag::{Span, Spanned};

const STICKY: DirMeta = DirMeta::of(0o1777, 0, 0);

/// `/lib` → `usr/lib`, `/var/run` → `/run`, `/loop` → itself.
fn debian() -> Below {
    let mut below = Below::default();
    for path in ["/usr", "/usr/lib", "/var", "/run", "/etc"] {
        below.directory(path, DirMeta::PLAIN);
    }
    below.directory("/tmp", STICKY);
    below.insert("/lib", Found::Link("usr/lib".into()));
    below.insert("/var/run", Found::Link("/run".into()));
    below.insert("/loop", Found::Link("loop".into()));
    below.insert("/var/up", Found::Link("../../tmp/./x".into()));
    below.insert("/etc/os", Found::Link("../usr/lib/os".into()));
    below.insert("/usr/lib/os", Found::File);
    below
}

fn settings(files: &[(&str, &str)], dir: Option<&str>) -> ImageSettings {
    let span = Span::at(1, 1);
    ImageSettings {
        working_dir: dir.map(|dir| Spanned::new(dir.to_owned(), span)),
        files: files
            .iter()
            .map(|(dest, source)| FileEntry {
                dest: (*dest).to_owned(),
                source: (*source).to_owned(),
                span,
            })
            .collect(),
        ..ImageSettings::default()
    }
}

fn place(below: &Below, sources: &SourceKinds, files: &[(&str, &str)]) -> Result<Layout, Unplaced> {
    layout(&settings(files, None), &[], (7, 8), below, sources)
}

fn dests(files: &[(&str, &str)]) -> Vec<String> {
    let layout = place(&debian(), &SourceKinds::default(), files).unwrap();
    layout.files.into_iter().map(|file| file.dest).collect()
}

#[test]
fn links_are_followed() {
    assert_eq!(dests(&[("/lib/a/b", "x")]), ["/usr/lib/a/b"]);
    assert_eq!(dests(&[("/var/run/a", "x")]), ["/run/a"]);
    assert_eq!(dests(&[("/etc/os", "x")]), ["/usr/lib/os"]);
    assert_eq!(
        dests(&[("/var/up/a", "x")]),
        ["/tmp/x/a"],
        "the root has no parent"
    );
    assert_eq!(dests(&[("/new/a", "x")]), ["/new/a"]);
    let looped = place(&debian(), &SourceKinds::default(), &[("/loop/a", "x")]);
    assert!(matches!(looped, Err(Unplaced::Problems(_))));
    let below_file = place(&debian(), &SourceKinds::default(), &[("/etc/os/a", "x")]);
    assert!(matches!(below_file, Err(Unplaced::Problems(_))));
}

#[test]
fn directories_on_the_way_are_kept() {
    let layout = place(&debian(), &SourceKinds::default(), &[("/var/up/a", "x")]).unwrap();
    assert_eq!(layout.kept, BTreeMap::from([("/tmp".to_owned(), STICKY)]));
}

#[test]
fn what_is_not_known_is_asked_for_step_by_step() {
    let ask = |below: &Below, sources: &SourceKinds, dest: &str| match place(
        below,
        sources,
        &[(dest, "src")],
    ) {
        Err(Unplaced::Ask(ask)) => (ask.below.into_iter().collect(), ask.sources.len()),
        Ok(_) => (Vec::new(), 0),
        Err(Unplaced::Problems(problems)) => panic!("{problems:?}"),
    };
    let mut below = Below::open();
    let mut sources = SourceKinds {
        open: true,
        ..SourceKinds::default()
    };
    assert_eq!(ask(&below, &sources, "/a/b"), (vec!["/a".to_owned()], 0));
    below.directory("/a", DirMeta::PLAIN);
    assert_eq!(ask(&below, &sources, "/a/b"), (vec!["/a/b".to_owned()], 0));
    below.insert("/a/b", Found::Nothing);
    assert_eq!(
        ask(&below, &sources, "/a/b"),
        (vec![], 0),
        "new things are copied whole"
    );
    assert_eq!(ask(&below, &sources, "/a"), (vec![], 1));
    let names = BTreeMap::from([("b".to_owned(), true), ("c".to_owned(), false)]);
    sources
        .found
        .insert("src".to_owned(), SourceKind::Directory(names));
    assert_eq!(ask(&below, &sources, "/a"), (vec!["/a/c".to_owned()], 0));
}

#[test]
fn directories_inside_of_a_source_meet_those_below() {
    let kind = |names: &[(&str, bool)]| {
        let names = names.iter().map(|(n, dir)| ((*n).to_owned(), *dir));
        SourceKind::Directory(names.collect())
    };
    let sources = SourceKinds {
        found: BTreeMap::from([
            (
                "root".to_owned(),
                kind(&[("run", true), ("new", true), ("f", false)]),
            ),
            ("root/run".to_owned(), kind(&[])),
        ]),
        open: true,
    };
    let found = place(&debian(), &sources, &[("/var", "root")]).unwrap();
    let copies: Vec<_> = found
        .files
        .iter()
        .map(|f| (f.source.as_str(), f.dest.as_str(), f.without.as_slice()))
        .collect();
    let run = ["run".to_owned()];
    assert_eq!(
        copies,
        [("root/run", "/run", &[][..]), ("root", "/var", &run[..])]
    );
}

#[test]
fn the_working_directory_is_the_users() {
    let sources = SourceKinds::default();
    let made = |dir: &str| {
        let settings = settings(&[("/srv/data/x", "x")], Some(dir));
        layout(&settings, &[], (7, 8), &debian(), &sources).unwrap()
    };
    let own = DirMeta::of(0o755, 7, 8);
    let both = BTreeMap::from([("/srv".to_owned(), own), ("/srv/data".to_owned(), own)]);
    let layout = made("/srv/data");
    assert_eq!(layout.working_dir.as_ref(), Some(&both));
    assert_eq!(layout.kept, both, "files in it leave it to its owner");
    assert_eq!(made("/").working_dir, None);
    assert_eq!(made("/tmp").working_dir, None);
    let run = made("/var/run/app").working_dir.unwrap();
    let paths: Vec<_> = run.keys().map(String::as_str).collect();
    assert_eq!(paths, ["/run", "/run/app"]);
}

#[test]
fn binaries_go_where_the_base_has_its_programs() {
    let mut below = debian();
    below.insert("/usr/local", Found::Link("../var/usrlocal".into()));
    let settings = ImageSettings::default();
    let names = ["app".to_owned()];
    let layout = layout(&settings, &names, (0, 0), &below, &SourceKinds::default()).unwrap();
    assert_eq!(layout.binaries[0].0, "/var/usrlocal/bin/app");
}
