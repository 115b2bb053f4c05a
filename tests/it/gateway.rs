//! Stories of one request against a fake daemon, in memory.
//!
//! Each ends with the right status, one answer, and nothing that a daemon would
//! refuse. The same stories with the real program are in `frontend_process`.

mod images;
mod load;

use std::time::{Duration, Instant};

use buildkit_llb::{Describe, FileOp, Mkdir, Output, Platform, Source};
use buildkit_proto::errdefs::{self, Detail};
use buildkit_proto::gateway::result::Result as ResultKind;
use buildkit_proto::prost_types::Any;
use buildkit_proto::rpc;
use gofleet::diag::{Diagnostic, Rule, Span};
use gofleet::gateway::{
    Error, FrontendResult, Gateway, PlatformResult, Request, Solve, Warning, serve,
};

use crate::support::fake_gateway::{
    Answer, Call, FakeGateway, GATEWAY_CAPS, LLB_CAPS, Script, pong,
};

/// A request of a client that gave no options.
fn request() -> Request {
    Request {
        session_id: "session".to_owned(),
        ..Request::default()
    }
}

/// Serves one request of a handler, at most for a few seconds.
async fn run<H>(script: Script, handler: H) -> (FakeGateway, u8)
where
    H: AsyncFnOnce(&Gateway, &Request) -> Result<FrontendResult, Error>,
{
    let fake = FakeGateway::new(script);
    let request = request();
    let served = serve(fake.in_memory(), &request, handler);
    let status = tokio::time::timeout(Duration::from_secs(20), served).await;
    fake.assert_no_complaints();
    (fake, status.expect("the request hangs"))
}

/// A local directory, as the simplest graph.
fn local() -> Output {
    Source::local("dir").session("session").build()
}

async fn one_platform(gateway: &Gateway) -> Result<FrontendResult, Error> {
    let reference = gateway.solve(Solve::new(local().marshal())).await?;
    let result = PlatformResult {
        platform: Platform::parse("linux/amd64").expect("a platform"),
        reference,
        config: Some(b"{}".to_vec()),
        base_config: None,
        epoch: None,
    };
    Ok(FrontendResult::of_platforms(vec![result], false))
}

#[tokio::test]
async fn a_result_is_returned_once() {
    let (fake, status) = run(Script::default(), async |gateway, _| {
        one_platform(gateway).await
    })
    .await;
    assert_eq!(status, 0);
    let result = fake.returned_result();
    assert!(matches!(result.result, Some(ResultKind::Ref(r)) if r.id == "ref0"));
    assert_eq!(result.metadata["containerimage.config"], b"{}");
    let (solve, _) = fake.solves().remove(0);
    assert!(!solve.evaluate && solve.frontend.is_empty());
}

#[tokio::test]
async fn old_daemons_get_results_in_the_old_form() {
    let script = Script {
        pong: pong("solve.base readfile return", LLB_CAPS),
        ..Script::default()
    };
    let (fake, status) = run(script, async |gateway, _| one_platform(gateway).await).await;
    assert_eq!(status, 0);
    let result = fake.returned_result();
    assert!(matches!(result.result, Some(ResultKind::RefDeprecated(id)) if id == "ref0"));
}

#[tokio::test]
async fn an_error_is_returned_and_the_process_fails() {
    let (fake, status) = run(Script::default(), async |_, _| {
        Err(Error::Request("no such target `web`".to_owned()))
    })
    .await;
    assert_eq!(status, 1);
    let error = fake.returned_error();
    assert_eq!(
        (error.code, error.message.as_str()),
        (2, "no such target `web`")
    );
}

#[tokio::test]
async fn a_panic_is_an_error_that_asks_for_a_report() {
    let (fake, status) = run(Script::default(), async |gateway, _| {
        one_platform(gateway).await?;
        panic!("out of tea")
    })
    .await;
    assert_eq!(status, 1);
    let message = fake.returned_error().message;
    assert!(
        message.starts_with("internal error: panic at "),
        "{message}"
    );
    assert!(
        message.contains("gateway.rs:")
            && message.contains("out of tea")
            && message.contains("report"),
        "{message}"
    );
}

#[tokio::test]
async fn a_failed_step_keeps_every_detail() {
    // Larger than a frame, as a whole file in base64 is.
    let big: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[0]).collect();
    let failure = rpc::Status {
        code: 2,
        message: "process \"go build\" did not complete successfully: exit code: 1".to_owned(),
        details: vec![
            Any {
                type_url: "github.com/moby/buildkit/stack.Stack+json".to_owned(),
                value: big,
            },
            Any {
                type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
                value: br#"{"digest":"sha256:1"}"#.to_vec(),
            },
            Any {
                type_url: "type.googleapis.com/of.the.Future".to_owned(),
                value: vec![0, 159, 146, 150],
            },
        ],
    };
    let script = Script::default().on(|_| true, Answer::Fail(failure.clone()));
    let (fake, status) = run(script, async |gateway, _| {
        gateway
            .solve(Solve::new(local().marshal()).evaluate())
            .await?;
        Err(Error::Request("the solve did not fail".to_owned()))
    })
    .await;
    assert_eq!(status, 1);
    assert_eq!(fake.returned_error(), failure);
}

#[tokio::test]
async fn what_a_builder_lacks_is_said_before_it_is_asked() {
    let script = Script {
        pong: pong(GATEWAY_CAPS, &LLB_CAPS.replace("file.base", "")),
        ..Script::default()
    };
    let (fake, status) = run(script, async |gateway, _| {
        let graph = FileOp::new().mkdir(Mkdir::new("/a")).build().marshal();
        gateway.solve(Solve::new(graph)).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 1);
    assert_eq!(
        fake.returned_error().message,
        "this builder lacks `file.base`; gofleet needs BuildKit 0.12 or newer"
    );
    assert!(fake.solves().is_empty());
}

#[tokio::test]
async fn a_bridge_that_closes_ends_the_process_without_an_answer() {
    let script = Script::default().on(|_| true, Answer::HangUp);
    let started = Instant::now();
    let (fake, status) = run(script, async |gateway, _| {
        gateway
            .solve(Solve::new(local().marshal()).evaluate())
            .await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 1);
    assert!(fake.returns().is_empty());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_bridge_that_closes_ends_a_handler_that_is_not_calling() {
    let script = Script::default().on(|_| true, Answer::HangUp);
    let (fake, status) = run(script, async |gateway, _| {
        let solve = gateway.solve(Solve::new(local().marshal()).evaluate());
        let _ = tokio::time::timeout(Duration::from_millis(50), solve).await;
        std::future::pending().await
    })
    .await;
    assert_eq!((status, fake.returns().len()), (1, 0));
}

#[tokio::test]
async fn a_stream_that_is_closed_from_the_start_is_an_error() {
    let (ours, theirs) = tokio::io::duplex(64);
    drop(theirs);
    let handler = async |_: &Gateway, _: &Request| Ok(FrontendResult::default());
    assert_eq!(serve(ours, &request(), handler).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_daemon_is_given_fifteen_seconds() {
    let fake = FakeGateway::new(Script {
        silent: true,
        ..Script::default()
    });
    let handler = async |_: &Gateway, _: &Request| Ok(FrontendResult::default());
    let started = tokio::time::Instant::now();
    assert_eq!(serve(fake.in_memory(), &request(), handler).await, 1);
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn a_daemon_that_refuses_the_first_call_is_quoted() {
    let script = Script {
        refuse_ping: Some("not today"),
        ..Script::default()
    };
    let (fake, status) = run(script, async |_, _| Ok(FrontendResult::default())).await;
    assert_eq!(status, 1);
    assert_eq!(fake.returned_error().message, "not today");
}

#[tokio::test]
async fn a_result_that_is_refused_becomes_an_error() {
    let script = Script {
        refuse_result: Some("invalid result"),
        ..Script::default()
    };
    let (fake, status) = run(script, async |gateway, _| one_platform(gateway).await).await;
    assert_eq!(status, 1);
    assert_eq!(fake.returned_error().message, "invalid result");
}

#[tokio::test]
async fn files_above_the_message_limit_are_read_in_pages() {
    let size = 20_000_000u32;
    let data: Vec<u8> = (0..size).map(|i| i.to_le_bytes()[1]).collect();
    let tree = [
        ("big".to_owned(), data.clone()),
        ("empty".to_owned(), Vec::new()),
    ];
    let script = Script::default().on(|_| true, Answer::Tree(tree.into()));
    let (fake, status) = run(script, async |gateway, _| {
        let tree = gateway.solve(Solve::new(local().marshal())).await?;
        assert!(gateway.read_file(&tree, "big").await? == data);
        assert!(gateway.read_file(&tree, "empty").await?.is_empty());
        let missing = gateway.read_file(&tree, "none").await;
        assert!(missing.is_err_and(|error| error.is_not_found()));
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 0);
    let reads = fake.calls().into_iter();
    let reads = reads.filter(|c| matches!(c, Call::ReadFile(r) if r.file_path == "big"));
    assert_eq!(reads.count(), 5);
}

#[tokio::test]
async fn directories_are_listed_and_files_described() {
    let script = Script::default().on(|_| true, Answer::files(&[("a", "12"), ("d/b", "")]));
    let (fake, status) = run(script, async |gateway, _| {
        let tree = gateway.solve(Solve::new(local().marshal())).await?;
        let entries = gateway.read_dir(&tree, "/", "a*").await?;
        assert_eq!((entries[0].path.as_str(), entries[0].size), ("a", 2));
        assert_eq!(gateway.stat_file(&tree, "a").await?.size, 2);
        let missing = gateway.stat_file(&tree, "x").await;
        assert!(missing.is_err_and(|error| error.is_not_found()));
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 0);
    let asked = fake.calls().into_iter();
    let asked = asked.filter(|c| matches!(c, Call::ReadDir(r) if r.include_pattern == "a*"));
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let script = Script::default()
        .on(|g| g.is_source("local://hangs"), Answer::Hang)
        .on(|_| true, Answer::files(&[("a", "text")]));
    let (_, status) = run(script, async |gateway, _| {
        let hangs = Solve::new(Source::local("hangs").build().marshal()).evaluate();
        let reads = async {
            let tree = gateway.solve(Solve::new(local().marshal())).await?;
            gateway.read_file(&tree, "a").await
        };
        tokio::select! {
            _ = gateway.solve(hangs) => Err(Error::Request("it does not hang".to_owned())),
            text = reads => text.map(|_| FrontendResult::default()),
        }
    })
    .await;
    assert_eq!(status, 0);
}

#[tokio::test]
async fn evaluation_falls_back_to_a_look_at_the_tree() {
    let caps = "solve.base readfile statfile return proto.refarray";
    let script = Script {
        pong: pong(caps, LLB_CAPS),
        ..Script::default()
    };
    let (fake, status) = run(script, async |gateway, _| {
        let tree = gateway
            .solve(Solve::new(local().marshal()).evaluate())
            .await?;
        gateway.evaluate(&tree).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 0);
    assert!(!fake.solves()[0].0.evaluate);
    let looks = fake.calls().into_iter();
    let looks = looks.filter(|c| matches!(c, Call::StatFile(s) if s.path == "."));
    assert_eq!(looks.count(), 2);
}

#[tokio::test]
async fn graphs_above_the_message_limit_are_refused_with_advice() {
    let (fake, status) = run(Script::default(), async |gateway, _| {
        let mut graph = local().marshal();
        graph.def[0] = vec![0; 17 << 20];
        gateway.solve(Solve::new(graph)).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(status, 1);
    let message = fake.returned_error().message;
    assert!(
        message.starts_with("the build graph has 17.0 MiB and this builder takes 16 MiB"),
        "{message}"
    );
}

#[tokio::test]
async fn spec_errors_and_warnings_point_at_the_file() {
    let (fake, status) = run(
        Script::default().spec("fleet.yaml", "services: {}\n# x\n"),
        {
            async |gateway, request| {
                let options = gofleet::options::Options::from_map(&request.options)
                    .map_err(Error::Options)?;
                let loader = gofleet::gateway::Loader::new(gateway, request, &options);
                let spec = loader.spec().await?;
                let file = spec.source_info();
                let warning = Diagnostic::new(Rule::UnusedArg, "build arg `X` is used nowhere")
                    .at(Span::at(1, 1))
                    .hint("remove it");
                let warning = Warning::from_diagnostic(&warning, &file);
                gateway.warn(&spec.vertex, warning).await?;
                let error = Diagnostic::new(Rule::NoServices, "no services").at(Span::at(1, 1));
                Err(Error::Spec(gofleet::gateway::SpecError {
                    file,
                    diagnostics: vec![error.clone(), error.clone(), error.at(Span::at(2, 1))],
                }))
            }
        },
    )
    .await;
    assert_eq!(status, 1);
    let error = fake.returned_error();
    assert!(
        error.message.starts_with("3 problems in fleet.yaml\n\n"),
        "{}",
        error.message
    );
    let sources = errdefs::Source::all(&error);
    assert_eq!((sources.len(), error.details.len()), (2, 2));
    let info = sources[0].info.clone().expect("the file");
    assert_eq!(info.data, b"services: {}\n# x\n");
    assert!(info.definition.is_some());
    let warned = fake.calls().into_iter().find_map(|call| match call {
        Call::Warn(request) => Some(request),
        _ => None,
    });
    let warned = warned.expect("a warning");
    assert_eq!(
        warned.short,
        b"UnusedArg: build arg `X` is used nowhere (line 1)"
    );
    assert_eq!(warned.level, 1);
    assert_eq!(warned.ranges.len(), 1);
    assert_eq!(warned.detail, [b"remove it"]);
}

#[tokio::test]
async fn names_of_steps_travel_with_the_graph() {
    let (fake, _) = run(Script::default(), async |gateway, _| {
        let named = Source::local("dir").name("[api] sources").build();
        gateway.solve(Solve::new(named.marshal())).await?;
        Ok(FrontendResult::default())
    })
    .await;
    assert_eq!(fake.solves()[0].1.name(), "[api] sources");
}
