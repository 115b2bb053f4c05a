//! The real program against a fake daemon: how it starts, answers and ends.
//!
//! Each story ends with the right exit status and without a stray byte on
//! standard output. What a build asks the daemon for is in `frontend_stories`.

use std::time::{Duration, Instant};

use buildkit_proto::errdefs::{self, Detail};
use buildkit_proto::prost_types::Any;
use buildkit_proto::rpc;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::fake_gateway::{Answer, FakeGateway, GATEWAY_CAPS, LLB_CAPS, Script, pong};
use crate::support::process::{Ended, Frontend, Streams, assert_http2, run_with_input};

const SPEC: &str = "services:\n  api: ./cmd/api\n  worker: ./cmd/worker\n";

/// Runs one request and checks what every one must keep to.
async fn run(script: Script, options: &[(&str, &str)]) -> (FakeGateway, Ended) {
    let fake = FakeGateway::new(script);
    let ended = Frontend::start(&fake, Streams::Pipes, options).wait().await;
    assert_http2(&ended.wire, false);
    fake.assert_no_complaints();
    (fake, ended)
}

fn targets(fake: &FakeGateway) -> String {
    let result = fake.returned_result();
    String::from_utf8(result.metadata["result.txt"].clone()).expect("text")
}

#[tokio::test]
async fn a_request_is_answered_and_ends_with_success() {
    let script = Script::default().spec("fleet.yaml", SPEC);
    let (fake, ended) = run(script, &[("requestid", "frontend.targets")]).await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert!(targets(&fake).contains("worker"), "{}", targets(&fake));
}

#[tokio::test]
async fn a_socket_serves_as_well_as_pipes() {
    let fake = FakeGateway::new(Script::default().spec("fleet.yaml", SPEC));
    let options = [("requestid", "frontend.targets")];
    let ended = Frontend::start(&fake, Streams::Socket, &options)
        .wait()
        .await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_http2(&ended.wire, false);
    assert!(targets(&fake).contains("worker"));
}

#[tokio::test]
async fn spec_errors_come_with_their_lines() {
    let text = "services:\n  api:\n    mian: .\n  web: 7\n";
    let (fake, ended) = run(Script::default().spec("fleet.yaml", text), &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    let error = fake.returned_error();
    assert_eq!(error.code, 2);
    assert!(
        error.message.contains(" --> fleet.yaml:3:5"),
        "{}",
        error.message
    );
    let sources = errdefs::Source::all(&error);
    assert!(sources.len() >= 2, "{}", error.message);
    for source in sources {
        assert_eq!(source.info.expect("the file").data, text.as_bytes());
    }
}

#[tokio::test]
async fn malformed_options_are_all_named() {
    let options = [("platform", "plan9"), ("ulimit", "x")];
    let (fake, ended) = run(Script::default(), &options).await;
    assert_eq!(ended.status.code(), Some(1));
    let message = fake.returned_error().message;
    assert!(
        message.contains("`--platform`") && message.contains("`--ulimit`"),
        "{message}"
    );
    assert!(fake.solves().is_empty());
}

#[tokio::test]
async fn an_unknown_subrequest_is_refused_by_name() {
    let (fake, ended) = run(Script::default(), &[("requestid", "frontend.foo")]).await;
    assert_eq!(ended.status.code(), Some(1));
    let details = errdefs::Subrequest::all(&fake.returned_error());
    assert_eq!(details[0].name, "frontend.foo");
}

#[tokio::test]
async fn an_unknown_frontend_capability_is_refused_by_name() {
    let options = [(
        "frontend.caps",
        "moby.buildkit.frontend.inputs,moby.new+forward",
    )];
    let (fake, ended) = run(Script::default(), &options).await;
    assert_eq!(ended.status.code(), Some(1));
    let error = fake.returned_error();
    assert_eq!(error.code, 12);
    assert_eq!(errdefs::FrontendCap::all(&error)[0].name, "moby.new");
}

#[tokio::test]
async fn a_builder_that_is_too_old_is_told_so_in_one_line() {
    let script = Script {
        pong: pong(
            GATEWAY_CAPS,
            &LLB_CAPS.replace("source.local.followpaths", ""),
        ),
        ..Script::default()
    };
    let (fake, ended) = run(script, &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(
        fake.returned_error().message,
        "this builder (BuildKit v0.32.2) lacks `source.local.followpaths`; \
         gofleet needs BuildKit 0.12 or newer"
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn details_of_a_failed_solve_pass_through_byte_for_byte() {
    let failure = rpc::Status {
        code: 14,
        message: "no access allowed to dir \"dockerfile\"".to_owned(),
        details: vec![
            Any {
                type_url: "github.com/moby/buildkit/errdefs.Vertex+json".to_owned(),
                value: br#"{ "digest" : "sha256:1", "more": [1] }"#.to_vec(),
            },
            Any {
                type_url: "github.com/moby/buildkit/stack.Stack+json".to_owned(),
                value: vec![7; 100_000],
            },
        ],
    };
    let script = Script::default().on(|_| true, Answer::Fail(failure.clone()));
    let (fake, ended) = run(script, &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    let error = fake.returned_error();
    assert_eq!(
        (error.code, &error.details),
        (failure.code, &failure.details)
    );
    assert!(
        error.message.ends_with(&failure.message),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_bridge_that_closes_in_the_middle_ends_the_process() {
    let fake = FakeGateway::new(Script::default().on(|_| true, Answer::HangUp));
    let started = Instant::now();
    let ended = Frontend::start(&fake, Streams::Pipes, &[]).wait().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(
        ended.stderr.contains("connection to the builder is closed"),
        "{}",
        ended.stderr
    );
    assert!(fake.returns().is_empty());
    assert_http2(&ended.wire, true);
}

#[tokio::test]
async fn signals_end_the_process_at_once() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let fake = FakeGateway::new(Script::default().on(|_| true, Answer::Hang));
        let frontend = Frontend::start(&fake, Streams::Pipes, &[]);
        fake.wait_for_hang().await;
        let pid = i32::try_from(frontend.id()).ok().and_then(Pid::from_raw);
        let started = Instant::now();
        kill_process(pid.expect("a process id"), signal).expect("it is running");
        let ended = frontend.wait().await;
        assert_eq!(ended.status.code(), Some(status));
        assert!(started.elapsed() < Duration::from_secs(2));
        assert!(fake.returns().is_empty());
        assert_http2(&ended.wire, true);
    }
}

#[tokio::test]
async fn nothing_else_in_the_process_can_reach_the_wire() {
    let fake = FakeGateway::new(Script::default().on(|_| true, Answer::Hang));
    let frontend = Frontend::start(&fake, Streams::Pipes, &[]);
    fake.wait_for_hang().await;
    let stream = |number: u32| {
        let path = format!("/proc/{}/fd/{number}", frontend.id());
        std::fs::read_link(path).expect("an open file")
    };
    assert_eq!(stream(1), stream(2));
    assert_eq!(stream(0), std::path::Path::new("/dev/null"));
}

#[tokio::test]
async fn streams_that_are_no_daemon_end_the_process() {
    for input in [
        b"".as_slice(),
        b"hello?\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let ended = run_with_input(input).await;
        assert_eq!(ended.status.code(), Some(1), "{input:?}");
        assert!(
            ended.stderr.contains("connection to the builder"),
            "{}",
            ended.stderr
        );
        assert_http2(&ended.wire, true);
    }
}
