//! Which sources the spec, the ignore file and the contexts come from.

use std::collections::BTreeMap;

use buildkit_llb::{FileOp, Mkfile, Output, Platform};
use buildkit_proto::pb;
use gofleet::gateway::{ContextQuery, Error, FrontendResult, Loader, Solve};
use gofleet::options::Options;

use super::run;
use crate::support::fake_gateway::{Answer, FakeGateway, Graph, ImageAnswer, Script};

/// What was loaded: the spec, and the graph of the main context.
struct Loaded {
    fake: FakeGateway,
    file_name: String,
    spec: String,
    /// Name of the ignore file.
    ignore: String,
    context: Graph,
}

fn options(pairs: &[(&str, &str)]) -> Options {
    let pairs = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Options::from_map(&pairs.collect::<BTreeMap<_, _>>()).expect("options")
}

/// Loads spec and context.
async fn load(script: Script, pairs: &[(&str, &str)], query: ContextQuery) -> Loaded {
    let options = options(pairs);
    let mut read = (String::new(), String::new(), String::new());
    let (fake, status) = run(script, async |gateway, request| {
        let loader = Loader::new(gateway, request, &options);
        let spec = loader.spec().await?;
        let text = String::from_utf8_lossy(&spec.bytes).into_owned();
        let ignore = loader.ignore().await?.name().to_owned();
        read = (spec.file_name.clone(), text, ignore);
        let context = loader.context(&query).await?;
        // Loading again gives the same op and asks for nothing.
        assert_eq!(loader.context(&query).await?, context);
        gateway.solve(Solve::new(context.marshal())).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 0, "{:?}", fake.returns());
    let context = fake.solves().pop().expect("the context's solve").1;
    let (file_name, spec, ignore) = read;
    Loaded {
        fake,
        file_name,
        spec,
        ignore,
        context,
    }
}

/// Sources as a build wants them.
fn query() -> ContextQuery {
    ContextQuery {
        include: vec!["**/*.go".to_owned()],
        leave_out: vec![".git".to_owned()],
        hint: "gofleet".to_owned(),
        name: "[internal] load sources".to_owned(),
        ..ContextQuery::default()
    }
}

fn solve_named<'a>(solves: &'a [Graph], name: &str) -> &'a Graph {
    let found = solves.iter().find(|graph| graph.name() == name);
    let names: Vec<_> = solves.iter().map(Graph::name).collect();
    found.unwrap_or_else(|| panic!("no step `{name}` among {names:?}"))
}

fn graphs(loaded: &Loaded) -> Vec<Graph> {
    loaded
        .fake
        .solves()
        .into_iter()
        .map(|(_, graph)| graph)
        .collect()
}

fn attrs(graph: &Graph) -> Vec<(&str, &str)> {
    let attrs = &graph.source().expect("a source").attrs;
    attrs
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect()
}

/// The copy action of a file op that makes a part of a tree.
fn copy(graph: &Graph) -> &pb::FileActionCopy {
    let Some(pb::op::Op::File(file)) = &graph.head.op else {
        panic!("no file op: {:?}", graph.head);
    };
    match &file.actions[0].action {
        Some(pb::file_action::Action::Copy(copy)) => copy,
        other => panic!("no copy: {other:?}"),
    }
}

#[tokio::test]
async fn local_directories_are_loaded_as_the_dockerfile_frontend_does() {
    let script = Script::default()
        .on(
            |g| g.name() == "[internal] load build definition from fleet.yaml",
            Answer::files(&[("fleet.yaml", "services: {}\n")]),
        )
        .on(
            |g| g.name() == "[internal] load .dockerignore",
            Answer::files(&[(".dockerignore", "# x\n*.md\n!README.md\n")]),
        );
    let loaded = load(script, &[], query()).await;
    assert_eq!(loaded.spec, "services: {}\n");
    let graphs = graphs(&loaded);
    let spec = solve_named(&graphs, "[internal] load build definition from fleet.yaml");
    assert!(spec.is_source("local://dockerfile"));
    assert_eq!(
        attrs(spec),
        [
            ("local.differ", "none"),
            (
                "local.followpaths",
                r#"["fleet.yaml","fleet.yaml.dockerignore"]"#
            ),
            ("local.session", "session"),
            ("local.sharedkeyhint", "dockerfile"),
        ]
    );
    let ignore = solve_named(&graphs, "[internal] load .dockerignore");
    assert!(ignore.is_source("local://context"));
    assert_eq!(
        attrs(ignore),
        [
            ("local.differ", "none"),
            ("local.followpaths", r#"[".dockerignore"]"#),
            ("local.session", "session"),
            ("local.sharedkeyhint", "context-.dockerignore"),
        ]
    );
    assert!(loaded.context.is_source("local://context"));
    assert_eq!(
        attrs(&loaded.context),
        [
            ("local.excludepatterns", r#"[".git","*.md","!README.md"]"#),
            ("local.includepattern", r#"["**/*.go"]"#),
            ("local.session", "session"),
            ("local.sharedkeyhint", "context-gofleet"),
        ]
    );
    assert_eq!(loaded.ignore, ".dockerignore");
    assert_eq!(loaded.context.name(), "[internal] load sources");
    assert_eq!(graphs.len(), 3);
}

#[tokio::test]
async fn the_ignore_file_of_the_spec_wins() {
    let script = Script::default().on(
        |g| g.is_source("local://dockerfile"),
        Answer::files(&[("a/f.yaml", "x"), ("a/f.yaml.dockerignore", "own")]),
    );
    let loaded = load(script, &[("filename", "a/f.yaml")], query()).await;
    assert_eq!(
        loaded.context.attr("local.excludepatterns"),
        Some(r#"[".git","own"]"#)
    );
    assert_eq!(loaded.ignore, "a/f.yaml.dockerignore");
    // `.dockerignore` itself is not asked for.
    assert_eq!(graphs(&loaded).len(), 2);
}

#[tokio::test]
async fn forwarded_requests_share_the_transfer_of_the_dockerfile() {
    let script = Script::default().spec("dockerfile", "lower case");
    let loaded = load(script, &[("cmdline", "gofleet/gofleet:1")], query()).await;
    assert_eq!(
        (loaded.file_name.as_str(), loaded.spec.as_str()),
        ("Dockerfile", "lower case")
    );
    assert_eq!(
        graphs(&loaded)[0].attr("local.followpaths"),
        Some(r#"["Dockerfile","Dockerfile.dockerignore","dockerfile"]"#)
    );
}

#[tokio::test]
async fn a_missing_spec_says_how_to_name_it() {
    let options = options(&[]);
    let (fake, status) = run(Script::default(), async |gateway, request| {
        Loader::new(gateway, request, &options).spec().await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 1);
    let message = fake.returned_error().message;
    assert!(
        message.starts_with("cannot read the spec `fleet.yaml` (name it with `-f`"),
        "{message}"
    );
    assert!(message.contains("no such file or directory"), "{message}");
}

#[tokio::test]
async fn sessions_of_single_directories_are_used() {
    let script = Script::default().on(
        |g| g.is_source("local://stdin"),
        Answer::files(&[("fleet.yaml", "from stdin")]),
    );
    let pairs = [
        ("dockerfilekey", "stdin"),
        ("local-sessionid:stdin", "s1"),
        ("local-sessionid:context", "s2"),
    ];
    let loaded = load(script, &pairs, query()).await;
    assert_eq!(loaded.spec, "from stdin");
    let graphs = graphs(&loaded);
    assert_eq!(graphs[0].attr("local.session"), Some("s1"));
    assert_eq!(graphs[0].attr("local.sharedkeyhint"), Some("stdin"));
    assert_eq!(loaded.context.attr("local.session"), Some("s2"));
}

#[tokio::test]
async fn git_contexts_hold_the_spec_and_have_no_ignore_file() {
    let script = Script::default().on(
        |g| {
            g.source()
                .is_some_and(|s| s.identifier.starts_with("git://"))
        },
        Answer::files(&[
            ("fleet.yaml", "git"),
            ("fleet.yaml.dockerignore", "no"),
            (".dockerignore", "no"),
        ]),
    );
    let pairs = [
        ("context", "https://u:secret@h/r.git#v1:sub"),
        ("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "true"),
    ];
    let loaded = load(script, &pairs, query()).await;
    assert_eq!(loaded.spec, "git");
    let graphs = graphs(&loaded);
    assert_eq!(graphs.len(), 2);
    assert!(graphs[0].is_source("git://h/r.git#v1:sub"));
    assert_eq!(graphs[0].attr("git.keepgitdir"), Some("true"));
    assert_eq!(
        graphs[0].attr("git.fullurl"),
        Some("https://u:secret@h/r.git")
    );
    assert_eq!(
        graphs[0].name(),
        "[internal] load git source https://xxxxx@h/r.git#v1:sub"
    );
    let copy = copy(&loaded.context);
    assert_eq!((copy.src.as_str(), copy.dest.as_str()), ("/", "/"));
    assert!(copy.dir_copy_contents);
    assert_eq!(copy.include_patterns, ["**/*.go"]);
    assert_eq!(copy.exclude_patterns, [".git"]);
}

#[tokio::test]
async fn a_git_context_without_patterns_is_used_as_it_is() {
    let script = Script::default().on(|_| true, Answer::files(&[("fleet.yaml", "git")]));
    let loaded = load(script, &[("context", "git@h:r")], ContextQuery::default()).await;
    assert!(loaded.context.is_source("git://h/r"));
}

#[tokio::test]
async fn an_archive_is_unpacked_and_a_sub_directory_is_its_context() {
    let script = Script::default()
        .on(
            |g| g.is_source("http://buildkit-session/x"),
            Answer::Tree([("context".to_owned(), vec![0x1f, 0x8b, 8, 0])].into()),
        )
        .on(|_| true, Answer::files(&[("fleet.yaml", "tar")]));
    let pairs = [
        ("context", "http://buildkit-session/x"),
        ("contextsubdir", "go"),
    ];
    let loaded = load(script, &pairs, query()).await;
    assert_eq!(
        (loaded.file_name.as_str(), loaded.spec.as_str()),
        ("fleet.yaml", "tar")
    );
    let graphs = graphs(&loaded);
    assert_eq!(graphs[0].attr("http.filename"), Some("context"));
    assert!(copy(&graphs[1]).attempt_unpack_docker_compatibility);
    assert_eq!(copy(&loaded.context).src, "/go");
}

#[tokio::test]
async fn a_download_that_is_no_archive_is_the_spec() {
    let script = Script::default().on(|_| true, Answer::files(&[("context", "services: {}\n")]));
    let loaded = load(
        script,
        &[("context", "https://h/fleet.yaml")],
        ContextQuery::default(),
    )
    .await;
    assert_eq!(
        (loaded.file_name.as_str(), loaded.spec.as_str()),
        ("context", "services: {}\n")
    );
}

/// A graph with one file, as an input of the client.
fn input(path: &str, text: &str) -> Output {
    FileOp::new()
        .mkfile(Mkfile::new(path, text.as_bytes()))
        .build()
}

#[tokio::test]
async fn inputs_replace_the_local_directories() {
    let (spec, context) = (input("/fleet.yaml", "input"), input("/go.mod", "module m"));
    let (spec_digest, context_digest) = (spec.digest().to_string(), context.digest().to_string());
    let expected = context_digest.clone();
    let script = Script {
        inputs: [
            ("dockerfile".to_owned(), spec.marshal()),
            ("context".to_owned(), context.marshal()),
        ]
        .into(),
        ..Script::default()
    };
    let script = script.on(
        move |g| g.digest == spec_digest,
        Answer::files(&[("fleet.yaml", "input")]),
    );
    let loaded = load(script, &[], ContextQuery::default()).await;
    assert_eq!(loaded.spec, "input");
    // The input's own op, byte for byte.
    assert_eq!(loaded.context.digest, expected);
}

#[tokio::test]
async fn an_explicit_directory_of_the_spec_wins_over_inputs_and_git() {
    let script = Script {
        inputs: [(
            "dockerfile".to_owned(),
            input("/fleet.yaml", "input").marshal(),
        )]
        .into(),
        ..Script::default()
    };
    let script = script.on(
        |g| g.is_source("local://dockerfile"),
        Answer::files(&[("fleet.yaml", "local")]),
    );
    let loaded = load(script, &[("dockerfilekey", "dockerfile")], query()).await;
    assert_eq!(loaded.spec, "local");
    let script = Script::default().on(
        |g| g.is_source("local://dockerfile"),
        Answer::files(&[("fleet.yaml", "local")]),
    );
    let pairs = [
        ("dockerfilekey", "dockerfile"),
        ("context", "https://h/r.git"),
    ];
    assert_eq!(load(script, &pairs, query()).await.spec, "local");
}

#[tokio::test]
async fn a_broken_input_is_an_error_of_the_request() {
    let script = Script {
        inputs: [("context".to_owned(), pb::Definition::default())].into(),
        ..Script::default()
    };
    let options = options(&[]);
    let (fake, status) = run(script, async |gateway, request| {
        let error = Loader::new(gateway, request, &options).spec().await.err();
        Err(error.unwrap_or_else(|| Error::Request("it loaded".to_owned())))
    })
    .await;
    assert_eq!(status, 1);
    let message = fake.returned_error().message;
    assert!(
        message.starts_with("the client sent an input that is no graph"),
        "{message}"
    );
}

/// What `SOURCE_DATE_EPOCH` stands for.
async fn epoch(script: Script, pairs: &[(&str, &str)]) -> Result<Option<i64>, Error> {
    let options = options(pairs);
    let mut epoch = Ok(None);
    run(script, async |gateway, request| {
        let native = Platform::parse("linux/amd64").expect("a platform");
        let loader = Loader::new(gateway, request, &options);
        epoch = loader.source_date_epoch(&native).await;
        Ok(FrontendResult::default())
    })
    .await;
    epoch
}

#[tokio::test]
async fn the_epoch_is_a_number_or_the_time_of_a_context() {
    const ARG: &str = "build-arg:SOURCE_DATE_EPOCH";
    let script = || Script {
        images: [
            (
                "h/r.git".to_owned(),
                ImageAnswer::Commit("committer C <c> 77 +0000\n".to_owned()),
            ),
            ("h/a.tar".to_owned(), ImageAnswer::Modified(88)),
        ]
        .into(),
        ..Script::default()
    };
    let git = ("context", "https://h/r.git");
    let ask = async |pairs: &[_]| epoch(script(), pairs).await.expect("an epoch");
    assert_eq!(ask(&[]).await, None);
    assert_eq!(ask(&[(ARG, "5"), git]).await, Some(5));
    assert_eq!(ask(&[(ARG, "context"), git]).await, Some(77));
    assert_eq!(ask(&[(ARG, "context")]).await, None);
    let named = ("context:src", "https://h/a.tar");
    assert_eq!(ask(&[(ARG, "src"), named]).await, Some(88));
    let error = epoch(script(), &[(ARG, "Yesterday")])
        .await
        .expect_err("no context");
    assert!(error.to_string().contains("found `Yesterday`"), "{error}");
}
