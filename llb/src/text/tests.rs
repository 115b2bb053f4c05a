//! The text of every kind of op, and of definitions that are not sound.
//!
//! `UPDATE_GOLDEN=1 cargo test -p buildkit-llb` writes `every_op.txt` anew.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::*;

/// Every op with every field that is not covered by the few words of a default.
fn every_op() -> Output {
    let spec = SourceFile::new("fleet.yaml", "a: b\n").language("YAML");
    let at = |line| SourceLocation::new(&spec, [Range::lines(line, line + 1)]);
    let image = Source::image("golang:1.26")
        .platform(Platform::parse("linux/arm").unwrap())
        .resolve_mode(ResolveMode::Pull)
        .worker_filter("a b")
        .name("[build] golang")
        .description("com.example.note", "")
        .progress_group("g", "the group", true)
        .ignore_cache()
        .export_cache(false)
        .location(&at(1))
        .build();
    let local = Source::local("context").include(["*.go", "\"\n"]).build();
    let exec = Exec::new(["go", "build", "", "a b"])
        .env("A", "1 2")
        .cwd("/src")
        .user("1:2")
        .hostname("h")
        .cgroup_parent("cg")
        .network(Network::None)
        .security(Security::Insecure)
        .proxy(ProxyEnv {
            http_proxy: "http://p".into(),
            ..Default::default()
        })
        .extra_host("x", "1.2.3.4")
        .ulimit("nofile", 1, -1)
        .valid_exit_codes([0, 3])
        .secret_env(SecretEnv::new("id").name("NAME").optional())
        .device("v/d=x", true)
        .linux_resources(LinuxResources {
            memory: 64,
            cpuset_cpus: "0-1".into(),
            ..Default::default()
        })
        .mount(Mount::bind("/", &image).readonly())
        .mount(
            Mount::bind("/src", &local)
                .selector("sub")
                .content_cache(ContentCache::Off),
        )
        .mount(Mount::bind("/tmp-copy", &local).no_output())
        .mount(Mount::scratch("/out"))
        .mount(
            Mount::cache("/c", "id")
                .sharing(Sharing::Locked)
                .input(&local),
        )
        .mount(Mount::tmpfs("/tmp").size(64))
        .mount(Mount::secret("/s", "netrc").optional().uid(1))
        .mount(Mount::ssh("/agent", "default"))
        .location(&at(2))
        .build();
    let file = FileOp::on(&image)
        .copy(
            Copy::new(&exec.output("/src").unwrap(), "/a*", "/b/")
                .mode(0o755)
                .owner(Owner::parse("www:0"))
                .timestamp(0)
                .include(["x"])
                .exclude(["y z"])
                .required_paths(["x"])
                .follow_symlinks()
                .contents_only()
                .create_dest_path()
                .allow_wildcard()
                .allow_empty_wildcard()
                .unpack()
                .always_replace(),
        )
        .mkfile(Mkfile::new("/text", "two\nlines"))
        .mkfile(Mkfile::new("/bytes", [0xff]).mode(0o600))
        .mkdir(Mkdir::new("/d").parents())
        .symlink(Symlink::new("../a", "/l").timestamp(5))
        .rm(Rm::new("/x*").allow_not_found().allow_wildcard())
        .build();
    let diff = Diff::new(Some(&image), None).build();
    let merge = Merge::new([&file, &diff, &file]).build();
    let build = BuildOp::new(&merge).filename("graph").build();
    let passthrough = Passthrough::new("the id", &merge).requires(&build);
    passthrough
        .forward(&exec.output("/out").unwrap())
        .build_all()
        .remove(1)
}

#[test]
fn every_kind_of_op() {
    let text = render(&every_op().marshal());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/every_op.txt");
        std::fs::write(path, &text).unwrap();
    } else {
        assert_eq!(text, include_str!("every_op.txt"), "\n{text}");
    }
}

#[test]
fn unknown_fields_are_shown_as_bytes() {
    let mut definition = Source::local("x").build().marshal();
    definition.def[0].extend([0xfa, 0x7f, 0x01, 0x2a]);
    let text = render(&definition);
    assert!(
        text.starts_with("%0 source local://x\n   bytes 5a001a0b0a096c6f63616c3a2f2f78fa7f012a\n"),
        "{text}"
    );
    // The metadata and the terminal still speak of the op as it was.
    assert!(text.contains("result missing sha256:"), "{text}");
    assert!(text.contains("metadata without op sha256:"), "{text}");
}

#[test]
fn undecodable_ops_are_shown_as_bytes() {
    let mut definition = Source::local("x").build().marshal();
    definition.def[0] = vec![0xff, 0xff];
    let text = render(&definition);
    assert!(text.starts_with("%0 undecodable\n   error \""), "{text}");
    assert!(text.contains("\n   bytes ffff\n"), "{text}");
}

#[test]
fn numbers_out_of_range_are_shown_as_they_are() {
    let mount = pb::Mount {
        input: 3,
        output: 9,
        mount_type: 77,
        content_cache: 8,
        ..Default::default()
    };
    let exec = pb::ExecOp {
        mounts: vec![mount],
        network: 9,
        security: 8,
        ..Default::default()
    };
    let merge = pb::MergeOp {
        inputs: vec![pb::MergeInput { input: -1 }],
    };
    let op = |op| {
        encode_op(&pb::Op {
            op: Some(op),
            ..Default::default()
        })
    };
    let definition = pb::Definition {
        def: vec![op(pb::op::Op::Exec(exec)), op(pb::op::Op::Merge(merge))],
        ..Default::default()
    };
    assert_eq!(
        render(&definition),
        "\
%0 exec
   no process
   network 9
   security 8
   mount \"\" type 77 from input 3? content-cache 8 output 9
%1 merge
   tree input -1?
result none
"
    );
}

#[test]
fn definitions_in_definitions_end_somewhere() {
    let mut definition = Source::local("x").build().marshal();
    for _ in 0..20 {
        let build = pb::BuildOp {
            def: Some(definition),
            ..Default::default()
        };
        let op = Some(pb::op::Op::Build(build));
        definition = pb::Definition {
            def: vec![encode_op(&pb::Op {
                op,
                ..Default::default()
            })],
            ..Default::default()
        };
    }
    let text = render(&definition);
    assert_eq!(text.matches("definition\n").count(), MAX_DEPTH);
    assert!(text.contains("definition too deep\n"), "{text}");
}

#[test]
fn nothing() {
    assert_eq!(render(&pb::Definition::default()), "result none\n");
}
