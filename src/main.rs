//! BuildKit starts this program without arguments, in a session; people give it
//! a command.

use std::process::ExitCode;

use gofleet::{cli, frontend, gateway};

fn main() -> ExitCode {
    let started_by_buildkit = std::env::var_os("BUILDKIT_SESSION_ID").is_some();
    if std::env::args_os().len() == 1 && started_by_buildkit {
        gateway::run(frontend::handle)
    } else {
        cli::run(std::env::args_os())
    }
}
