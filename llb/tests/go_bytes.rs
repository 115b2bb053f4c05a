//! Our bytes against those of BuildKit's own Go client.
//!
//! Every case builds a graph that `golden/go/main.go` builds too, under the same
//! name. Op bytes must be equal, op by op; capabilities too, but for the few that
//! this crate declares beyond the Go client.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use buildkit_llb::*;

const GOLDEN: &str = include_str!("golden/go-v0.32.2.txt");

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A definition of the Go client.
#[derive(Default)]
struct Case {
    ops: Vec<Vec<u8>>,
    caps: Vec<BTreeSet<String>>,
    definition: Option<Vec<u8>>,
}

fn golden() -> BTreeMap<&'static str, Case> {
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    let mut name = "";
    for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let case = cases.entry(name).or_default();
        match key {
            "case" => name = value,
            "op" => case.ops.push(unhex(value)),
            "caps" => {
                let caps = value.split_whitespace().map(str::to_owned);
                case.caps.push(caps.collect());
            }
            "definition" => case.definition = Some(unhex(value)),
            other => panic!("unknown line `{other}`"),
        }
    }
    cases.remove("");
    cases
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

/// The graphs, and the capabilities that they declare beyond the Go client.
fn cases() -> Vec<(&'static str, Output, &'static [&'static str])> {
    let amd64 = || Platform::new("linux", "amd64", "");
    let arm = || Platform::new("linux", "arm", "v7");
    let image = Source::image("golang:1.26").platform(amd64()).build();
    let local = Source::local("context").session("s1").build();
    let blob = format!("alpine@{DIGEST}");
    let a = FileOp::new().mkfile(Mkfile::new("/a", "a")).build();
    let b = FileOp::on(&image).mkfile(Mkfile::new("/b", "b")).build();
    let root = || Mount::bind("/", &image);
    let forwarded = Passthrough::new("p", &a).requires(&b).forward(&image);

    vec![
        (
            "image",
            Source::image("golang:1.26")
                .platform(arm())
                .resolve_mode(ResolveMode::Pull)
                .record_type(RecordType::Internal)
                .layer_limit(2)
                .checksum(DIGEST)
                .worker_filter("a==b")
                .worker_filter("c")
                .build(),
            &[],
        ),
        (
            "image-local",
            Source::image(format!("ghcr.io/a/b:c@{DIGEST}"))
                .platform(amd64())
                .resolve_mode(ResolveMode::Local)
                .build(),
            &[],
        ),
        (
            "oci-layout",
            Source::oci_layout(format!("base@{DIGEST}"))
                .platform(amd64())
                .store("s1", "base")
                .layer_limit(3)
                .build(),
            &[],
        ),
        (
            "image-blob",
            Source::image_blob(&blob)
                .filename("f")
                .mode(0o640)
                .owner(1, 2)
                .build(),
            &[],
        ),
        (
            "oci-layout-blob",
            Source::oci_layout_blob(&blob).store("s1", "st").build(),
            &[],
        ),
        (
            "local",
            Source::local("context")
                .session("s1")
                .include(["go.mod", "**/*.go", "<a&b>\"\\\x01"])
                .exclude([".git"])
                .follow_paths(["a", "b/*"])
                .shared_key_hint("h")
                .differ(Differ::None)
                .build(),
            &[],
        ),
        (
            "local-metadata",
            Source::local("context")
                .session("s1")
                .metadata_only(["x"])
                .differ(Differ::Metadata)
                .include([""; 0])
                .build(),
            &[],
        ),
        (
            "local-unique",
            Source::local("context").unique("").build(),
            &[],
        ),
        (
            "git",
            Source::git("https://u@example.com/a/b.git#v1:sub/dir")
                .keep_git_dir()
                .checksum("abc")
                .skip_submodules()
                .commit_times()
                .fetch_by_commit()
                .build(),
            &["source.git.subdir"],
        ),
        (
            "git-ssh",
            Source::git("git@example.com:a/b.git")
                .known_ssh_hosts("example.com k\n")
                .auth_token_secret("t")
                .auth_header_secret("h")
                .build(),
            &[],
        ),
        (
            "git-bundle",
            Source::git("example.com/a")
                .checksum("abc")
                .bundle(format!("oci-layout+blob://x@{DIGEST}"))
                .bundle_store("s1", "st")
                .checkout_bundle()
                .build(),
            &[],
        ),
        (
            "http",
            Source::http("https://example.com/f")
                .checksum(DIGEST)
                .filename("f")
                .mode(0o755)
                .owner(1, 2)
                .auth_header_secret("h")
                .accept("a/b")
                .user_agent("ua")
                .signature("k", "s")
                .build(),
            &[],
        ),
        (
            "exec",
            Exec::new(["true"])
                .platform(amd64())
                .mount(root())
                .build()
                .root()
                .unwrap(),
            &[],
        ),
        (
            "exec-full",
            exec_full(&image, &local, arm()).output("/z").unwrap(),
            &[
                "exec.meta.cgroup.parent",
                "exec.mount.bind.readwrite-nooutput",
            ],
        ),
        (
            "exec-readonly",
            Exec::new(["x"])
                .platform(amd64())
                .mount(Mount::scratch("/out"))
                .mount(root().readonly())
                .build()
                .output("/out")
                .unwrap(),
            &[],
        ),
        (
            "file-copy",
            FileOp::new()
                .copy(
                    Copy::new(&local, "src/*", "dst/")
                        .mode(0o4755)
                        .owner(Owner::ids(0, 0))
                        .timestamp(Timestamp::EPOCH)
                        .follow_symlinks()
                        .contents_only()
                        .include(["a", "b"])
                        .exclude(["c"])
                        .required_paths(["a"])
                        .unpack()
                        .create_dest_path()
                        .allow_wildcard()
                        .allow_empty_wildcard()
                        .always_replace(),
                )
                .build(),
            &[
                "file.copy.alwaysreplaceexistingdestpaths",
                "file.copy.includeexcludepatterns",
                "file.copy.requiredpaths",
            ],
        ),
        (
            "file-copy-plain",
            FileOp::on(&image)
                .copy(Copy::new(&local, "/", "/."))
                .build(),
            &[],
        ),
        (
            "file-copy-mode",
            FileOp::on(&image)
                .copy(
                    Copy::new(&image, "/a", "/b")
                        .mode_str("u=rwX,go=rX")
                        .owner(Owner::parse("www:0")),
                )
                .build(),
            &["file.symlink.create"],
        ),
        (
            "file-all",
            file_all(&image, &local),
            &["file.rm.wildcard", "file.symlink.create"],
        ),
        (
            "file-scratch-named",
            FileOp::new()
                .mkfile(Mkfile::new("/f", "x").owner(Owner::parse("u")))
                .build(),
            &[],
        ),
        ("merge", Merge::new([&image, &a, &b, &a]).build(), &[]),
        ("diff", Diff::new(Some(&image), Some(&b)).build(), &[]),
        (
            "diff-same",
            Diff::new(Some(&image), Some(&image)).build(),
            &[],
        ),
        (
            "diff-upper-scratch",
            Diff::new(Some(&image), None).build(),
            &[],
        ),
        (
            "build",
            BuildOp::new(&a).filename("a").platform(amd64()).build(),
            &[],
        ),
        (
            "build-plain",
            BuildOp::new(&a).platform(amd64()).build(),
            &[],
        ),
        (
            "passthrough",
            Passthrough::new("id", &a)
                .requires(&b)
                .requires(&image)
                .build(),
            &[],
        ),
        ("passthrough-second", forwarded.build_all().remove(1), &[]),
        ("whole", whole(&local), &[]),
    ]
}

fn exec_full(image: &Output, local: &Output, platform: Platform) -> Exec {
    Exec::new(["go", "build", ""])
        .cwd("src")
        .user("1:2")
        .hostname("h")
        .network(Network::None)
        .security(Security::Insecure)
        .cgroup_parent("cg")
        .env("B", "2")
        .env("A", "1")
        .env("B", "")
        .extra_host("x", "1.2.3.4")
        .ulimit("nofile", 1, -1)
        .proxy(ProxyEnv {
            http_proxy: "h".into(),
            https_proxy: "hs".into(),
            ftp_proxy: "f".into(),
            no_proxy: "n".into(),
            all_proxy: "a".into(),
        })
        .valid_exit_codes([0, 3, -1])
        .device("v/d=x", true)
        .mount(Mount::ssh("", "default").optional())
        .mount(Mount::ssh("/sock", "other").uid(1).gid(2).mode(0o666))
        .mount(Mount::scratch("/z"))
        .mount(Mount::bind("/", image))
        .mount(
            Mount::bind("/ro", local)
                .readonly()
                .selector("sub")
                .content_cache(ContentCache::On),
        )
        .mount(Mount::bind("/b", local))
        .mount(
            Mount::bind("/t", local)
                .no_output()
                .content_cache(ContentCache::Off),
        )
        .mount(Mount::cache("/cache", "id").sharing(Sharing::Locked))
        .mount(
            Mount::cache("/cache2", "id2")
                .sharing(Sharing::Private)
                .input(image)
                .selector("s")
                .readonly(),
        )
        .mount(Mount::tmpfs("/tmp").size(64))
        .mount(Mount::tmpfs("/tmp2"))
        .mount(
            Mount::secret("/run/secrets/netrc", "netrc")
                .optional()
                .uid(1)
                .gid(2)
                .mode(0o440),
        )
        .mount(Mount::secret("/a-secret", "x"))
        .secret_env(SecretEnv::new("tok").name("TOKEN").optional())
        .secret_env(SecretEnv::new("tok2"))
        .platform(platform)
        .build()
}

fn file_all(image: &Output, local: &Output) -> Output {
    let time = Timestamp(1_000_000_005);
    FileOp::on(image)
        .mkdir(Mkdir::new("/d"))
        .mkdir(
            Mkdir::new("d/e")
                .mode(0o4700)
                .parents()
                .owner(Owner::parse("root"))
                .timestamp(Timestamp::EPOCH),
        )
        .mkfile(
            Mkfile::new("/d/f", "data\0")
                .mode(0o600)
                .owner(Owner::parse("u:g"))
                .timestamp(time),
        )
        .mkfile(Mkfile::new("/empty", "").mode(0))
        .symlink(
            Symlink::new("../x", "/l")
                .owner(Owner::ids(7, 8))
                .timestamp(time),
        )
        .symlink(Symlink::new("a", "b"))
        .copy(Copy::new(local, "/x", "/y"))
        .copy(Copy::new(image, "/x", "/z"))
        .rm(Rm::new("/d/f"))
        .rm(Rm::new("/d/*").allow_not_found().allow_wildcard())
        .build()
}

/// Metadata of every kind, locations in two files, and a shared op.
fn whole(local: &Output) -> Output {
    let range = |first, last| Range {
        start: Position {
            line: first,
            character: 0,
        },
        end: Position {
            line: last,
            character: 4,
        },
    };
    let spec = SourceFile::new("fleet.yaml", "a: b\n")
        .language("YAML")
        .loaded_by(local);
    let other = SourceFile::new("other", "x");
    let at = |file, first, last| SourceLocation::new(file, [range(first, last)]);
    let platform = || Platform::new("linux", "amd64", "");
    let base = Source::image("alpine")
        .platform(platform())
        .name("[base] alpine")
        .location(&at(&spec, 1, 1))
        .build();
    let one = Exec::new(["one"])
        .platform(platform())
        .mount(Mount::bind("/", &base))
        .ignore_cache()
        .progress_group("g", "group", true)
        .location(&at(&spec, 2, 3))
        .location(&at(&other, 1, 1))
        .export_cache(false)
        .build();
    let two = Exec::new(["two"])
        .platform(platform())
        .mount(Mount::bind("/", &base))
        .export_cache(true)
        .description("k", "")
        .description("", "v")
        .linux_resources(LinuxResources {
            memory: 1,
            memory_swap: -1,
            cpu_shares: 2,
            cpu_period: 3,
            cpu_quota: -4,
            cpuset_cpus: "0".into(),
            cpuset_mems: "1".into(),
        })
        .build();
    Merge::new([one.root().unwrap(), two.root().unwrap(), base])
        .name("all")
        .build()
}

#[test]
fn ops_and_caps_are_those_of_the_go_client() {
    let mut golden = golden();
    for (name, output, extra) in cases() {
        let case = golden.remove(name).expect(name);
        let definition = output.marshal();
        output.check().expect(name);
        for (number, (ours, theirs)) in definition.def.iter().zip(&case.ops).enumerate() {
            assert_eq!(
                ours,
                theirs,
                "{name}: op {number}\n{}",
                text::render(&definition)
            );
        }
        assert_eq!(definition.def.len(), case.ops.len(), "{name}");

        let caps = |op: &Vec<u8>| {
            let metadata = &definition.metadata[Digest::of(op).as_str()];
            metadata.caps.keys().cloned().collect::<BTreeSet<_>>()
        };
        let ours: BTreeSet<String> = definition.def.iter().flat_map(caps).collect();
        let theirs: BTreeSet<String> = case.caps.into_iter().flatten().collect();
        let beyond: Vec<&String> = ours.difference(&theirs).collect();
        assert_eq!(beyond, extra, "{name}: declared beyond the Go client");
        assert!(
            theirs.is_subset(&ours),
            "{name}: {theirs:?} beyond {ours:?}"
        );
        assert_eq!(caps_of(&definition), ours, "{name}");
    }
    assert!(golden.is_empty(), "not built here: {:?}", golden.keys());
}

#[test]
fn definition_with_all_metadata_is_that_of_the_go_client() {
    let local = Source::local("context").session("s1").build();
    let ours = whole(&local).marshal();
    let bytes = golden().remove("whole").unwrap().definition.unwrap();
    let mut theirs = <pb::Definition as prost::Message>::decode(bytes.as_slice()).unwrap();
    assert!(encode_definition(&theirs) == bytes);

    // The Go client lists ops without locations too.
    drop_empty_locations(&mut theirs);
    assert_eq!(text::render(&ours), text::render(&theirs));
    assert_eq!(ours, theirs);
}

fn drop_empty_locations(definition: &mut pb::Definition) {
    if let Some(source) = &mut definition.source {
        source
            .locations
            .retain(|_, of_op| !of_op.locations.is_empty());
        for info in &mut source.infos {
            info.definition.iter_mut().for_each(drop_empty_locations);
        }
    }
}

#[test]
fn every_op_of_the_go_client_is_encoded_as_it_was_decoded() {
    for (name, case) in golden() {
        for op in &case.ops {
            let decoded = <pb::Op as prost::Message>::decode(op.as_slice()).unwrap();
            assert_eq!(&encode_op(&decoded), op, "{name}");
        }
    }
}

#[test]
fn marshal_gives_the_same_bytes_twice() {
    let encode = |(name, output, _): (_, Output, _)| (name, encode_definition(&output.marshal()));
    let first: Vec<_> = cases().into_iter().map(encode).collect();
    let second: Vec<_> = cases().into_iter().map(encode).collect();
    assert_eq!(first, second);
}
