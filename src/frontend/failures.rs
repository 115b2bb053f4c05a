//! All failures of a build at once.
//!
//! The daemon ends a graph at its first failure, and what it was building beside it. So when
//! a graph of several build steps has failed, each step is asked for by itself: those that
//! are done are done, and no failure ends another step. A build without failures is one
//! graph and costs nothing for this.

use futures_util::StreamExt as _;
use futures_util::stream;

use super::solve_output;
use crate::gateway::error::RpcError;
use crate::gateway::failures::Failures;
use crate::gateway::{Error, Gateway};
use crate::lower::Build;
use crate::options::Options;

/// How many graphs are asked for at once. The daemon's own limits decide what runs.
const AT_ONCE: usize = 256;

/// gRPC's code of what was ended from elsewhere.
const CANCELLED: i32 = 1;

/// A build step, and what came of it.
pub(super) struct Outcome {
    pub(super) build: Build,
    pub(super) result: Result<(), Error>,
}

/// Builds each step by itself.
pub(super) async fn outcomes(
    gateway: &Gateway,
    options: &Options,
    builds: Vec<Build>,
) -> Vec<Outcome> {
    let asked = stream::iter(builds).map(async |build| {
        let mut result = self::build(gateway, options, &build.output).await;
        if matches!(&result, Err(Error::Rpc(error)) if is_cancelled(error)) {
            // It may have been on its way to its end when it was asked for.
            result = self::build(gateway, options, &build.output).await;
        }
        Outcome { build, result }
    });
    asked.buffered(AT_ONCE).collect().await
}

/// Says which steps have failed and which have not. `file` is the name of the spec.
///
/// # Errors
///
/// All failures, if there is more to say about them than the daemon says by itself.
pub(super) fn of(file: &str, outcomes: &[Outcome]) -> Result<(), Error> {
    let mut failures = Failures::default();
    for Outcome { build, result } in outcomes {
        match result {
            Ok(()) => failures.add_built(&build.label),
            // The client has ended the build.
            Err(Error::Rpc(error)) if is_cancelled(error) => return Ok(()),
            Err(Error::Rpc(error)) => {
                let place = format!("{file}:{}", build.span.start.line);
                failures.add(&place, &build.label, error.clone());
            }
            Err(other) => return Err(other.clone()),
        }
    }
    match failures.say_more() {
        true => Err(Error::Builds(failures)),
        false => Ok(()),
    }
}

async fn build(
    gateway: &Gateway,
    options: &Options,
    output: &buildkit_llb::Output,
) -> Result<(), Error> {
    let reference = solve_output(gateway, options, output).await?;
    gateway.evaluate(&reference).await
}

fn is_cancelled(error: &RpcError) -> bool {
    error.status.code == CANCELLED || error.status.message.ends_with("context canceled")
}
