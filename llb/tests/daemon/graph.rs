//! A graph with every kind of op, whose tree shows what each did.

use std::fs;
use std::time::SystemTime;

use buildkit_llb::*;

use crate::support::{Dir, GitServer, HttpServer, is_older_than};

/// An image that the engine's mirror has, with a shell.
pub(crate) const IMAGE: &str = "golang:1.26";

/// What the graph loads, served on loopback.
pub(crate) struct Sources {
    directory: Dir,
    git: GitServer,
    http: HttpServer,
}

impl Sources {
    pub(crate) fn serve() -> Self {
        let directory = Dir::new();
        let path = directory.path();
        fs::create_dir(path.join("sub")).unwrap();
        for (name, text) in [("a.txt", "a\n"), ("skip.log", "no\n"), ("sub/b", "inner\n")] {
            fs::write(path.join(name), text).unwrap();
        }
        Sources {
            directory,
            git: GitServer::start(),
            http: HttpServer::start("from http\n"),
        }
    }

    /// The directory that is offered to the daemon.
    pub(crate) fn directory(&self) -> &str {
        self.directory.path().to_str().unwrap()
    }
}

/// A graph, and the one inside its build op.
pub(crate) struct Graph {
    pub(crate) output: Output,
    pub(crate) inner: pb::Definition,
    /// The file that the inner graph makes. New in each run: the daemon does not
    /// load the graph of a build op that it finds in its cache.
    pub(crate) nonce: String,
}

pub(crate) fn every_op(sources: &Sources) -> Graph {
    let image = Source::image(IMAGE).build();
    let local = Source::local("src")
        .exclude(["*.log"])
        .shared_key_hint("llb-test")
        .differ(Differ::None)
        .name("[internal] sources")
        .build();
    let git = Source::git(sources.git.url()).reference("main").build();
    let http = Source::http(sources.http.url())
        .filename("download")
        .mode(0o640)
        .build();
    let loaded = FileOp::new()
        .mkdir(Mkdir::new("/from"))
        .copy(Copy::new(&local, "/", "/from/local"))
        .copy(Copy::new(&git, "/", "/from/git"))
        .copy(Copy::new(&http, "/", "/from/http"))
        .build();

    let nonce = format!("{:?}", SystemTime::now());
    let inner = FileOp::new()
        .mkfile(Mkfile::new("/from-build", nonce.as_str()))
        .build()
        .marshal();
    let file = Mkfile::new("/graph", encode_definition(&inner));
    let built = BuildOp::new(&FileOp::new().mkfile(file).build())
        .filename("graph")
        .build();

    let upper = FileOp::on(&image)
        .mkfile(Mkfile::new("/winner", "upper\n"))
        .build();
    let diff = Diff::new(Some(&image), Some(&upper)).build();
    let lower = FileOp::new()
        .mkfile(Mkfile::new("/winner", "lower\n"))
        .build();

    let passed = FileOp::new().mkfile(Mkfile::new("/passed", "on\n")).build();
    let required = lower.clone();
    let has_all = !is_older_than((0, 31));
    let passed = match has_all {
        false => passed,
        true => Passthrough::new("gate", &passed)
            .requires(&required)
            .build(),
    };
    let trees = [
        loaded,
        exec(&image, &local, has_all),
        files(&local, has_all),
        lower,
        diff,
        built,
        passed,
    ];
    Graph {
        output: Merge::new(trees).name("all trees").build(),
        inner,
        nonce,
    }
}

/// A process that writes down what it sees.
fn exec(image: &Output, local: &Output, has_all: bool) -> Output {
    let script = r#"
echo "$1 $2" > /out/exec/args
echo "$VARIABLE" > /out/exec/env
pwd > /out/exec/cwd
cat /selected/b > /out/exec/selected
echo "$(id -u):$(id -g)" > /out/exec/user
hostname > /out/exec/hostname
test -d /cache && test -d /memory && test ! -e /secret && test -z "$SECRET"
touch /scratch/x
exit "$CODE""#;
    let open = |path| FileOp::new().mkdir(Mkdir::new(path).mode(0o777)).build();
    let exec = Exec::new(["sh", "-ec", script, "sh", "one", "two$HOME"]);
    let exec = match has_all {
        true => exec.valid_exit_codes([3]).env("CODE", "3"),
        false => exec.env("CODE", "0"),
    };
    exec.env("VARIABLE", "value")
        .cwd("/work")
        .user("65534:65534")
        .hostname("graph")
        .network(Network::None)
        .extra_host("peer", "127.0.0.9")
        .ulimit("nofile", 1000, 2000)
        .proxy(ProxyEnv {
            no_proxy: "x".into(),
            ..Default::default()
        })
        .secret_env(SecretEnv::new("llb-test-none").name("SECRET").optional())
        .mount(Mount::bind("/", image))
        .mount(Mount::bind("/out", &open("/exec")))
        .mount(Mount::bind("/selected", local).selector("sub").readonly())
        .mount(
            Mount::bind("/scratch", &open("/w"))
                .selector("w")
                .no_output(),
        )
        .mount(Mount::cache("/cache", "gofleet-llb-test").sharing(Sharing::Private))
        .mount(Mount::tmpfs("/memory").size(1 << 20))
        .mount(Mount::secret("/secret", "llb-test-none").optional())
        .name("[exec] look around")
        .build()
        .output("/out")
        .unwrap()
}

/// Every file action that the daemon has.
fn files(local: &Output, has_all: bool) -> Output {
    let copy = Copy::new(local, "/", "/files/copies/");
    let old = FileOp::new()
        .mkdir(Mkdir::new("/files").timestamp(Timestamp::EPOCH))
        .mkdir(
            Mkdir::new("/files/d/e")
                .parents()
                .mode(0o711)
                .timestamp(Timestamp::EPOCH),
        )
        .mkfile(
            Mkfile::new("/files/made", "made\n")
                .mode(0o600)
                .owner(Owner::ids(1, 2))
                .timestamp(Timestamp::from_secs(7)),
        )
        .mkfile(Mkfile::new("/files/gone", ""))
        .copy(
            if has_all { copy.always_replace() } else { copy }
                .contents_only()
                .create_dest_path()
                .include(["*.txt"])
                .exclude(["sub"])
                .mode(0o755)
                .timestamp(Timestamp::EPOCH),
        )
        .rm(Rm::new("/files/go*").allow_wildcard())
        .rm(Rm::new("/files/never").allow_not_found());
    match has_all {
        true => old.symlink(Symlink::new("made", "/files/link")).build(),
        false => old.build(),
    }
}
