//! The project's own commands: `cargo xtask engine | image | demo | test | …`.
//!
//! Progress goes to standard error. Standard output holds only what was asked
//! for: the exports of `engine env`, the sizes of `image`, what `demo` shows.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool: its answers belong on standard output"
)]

mod bench;
mod cgroup;
mod demo;
mod deny;
mod engine;
mod faults;
mod http;
mod image;
mod random;
mod run;
mod shapes;
mod test;
mod truth;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use engine::Engine;
use image::How;

const HELP: &str = "\
cargo xtask COMMAND

  engine [start]        start what builds and runs images here: buildkitd, Docker Engine,
                        an OCI registry on loopback, base images; installs what is missing
  engine env            print the shell lines that select this engine: eval \"$(cargo xtask engine env)\"
  engine stop           end the processes that `engine start` started, and unmount
  engine prune          stop, and make room on the disk: remove the caches, images and volumes of
                        buildkitd and Docker Engine; base images and built programs stay
  engine golang 1.25    make golang:1.25 and -alpine for the registry, from the Go module proxy
        --buildkit V    start, env: also an older buildkitd, for compatibility tests (v0.12.5)

  image                 build Dockerfile.frontend and push it as gofleet/gofleet:1
  image --twice         build it on two daemons of their own with other umasks, folders and clocks, and
                        say what differs: nothing may
  deny                  check licences, sources and versions of all dependencies against deny.toml
  demo                  build examples/shop through its `# syntax=` line, run it, show an answer
  truth [-- NAMES]      compare closures of public repositories with what the go command says
                        (--lists: without builds)
  bench graph           measure graphs of 1, 50 and 1,000 services: time, bytes, memory
  bench scan            measure the scan of 100,000 Go files against a plain read of them
  bench sources         measure builds of fifty services with 5,600 files each, on the engine
  bench transfer        measure what is sent of a context with 2 GiB of junk, on the engine
  bench memory          measure builds of fifty services with heavy links in 4 GiB, on a daemon of its own
        --services N    bench memory: fewer services
  bench compare         build generated monorepos and examples/shop with gofleet, `go build`, two
                        Dockerfiles and ko, on the engine; --services N, --rounds N, --write, …:
                        an unknown option lists all of them
        --frontend IMAGE  bench: another frontend than gofleet/gofleet:1
  random [--steps N] [--seed S]
                        compare closures with clean builds after random edits
  shapes [--minutes N] [--count N] [--seed S] [--no-daemon]
                        compare random small repositories of unusual shape with what the go command
                        builds (10 minutes); a finding names the
                        seed and the features (--only 1,4) that show it; --without NAMES: others
        --seeded        put faults back that were mended once, and look whether they are found
  faults [--rounds N] [--only ROW]
                        kill, stop and fill up every part of builds, on a daemon of its own, and look
                        how they end and whether the next one is right (10 rounds of each row)
        --quick         some of the rows, once: what CI runs
  test [-- ARGS]        run all tests, those that need the engine included; ARGS go to `cargo test`
        --buildkit V    test: only the compatibility tests, on that older buildkitd
        --native        image, demo, test: compile the frontend here with cargo, not optimised and for
                        this platform only, instead of in the Rust image; for work on the frontend
";

fn main() -> ExitCode {
    match command(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line and runs the one command it names.
fn command(mut args: Vec<String>) -> Result<()> {
    let rest = match args.iter().position(|arg| arg == "--") {
        Some(at) => {
            let rest = args.split_off(at + 1);
            args.pop();
            rest
        }
        None => Vec::new(),
    };
    let buildkit = option(&mut args, "--buildkit")?;
    let frontend = option(&mut args, "--frontend")?.unwrap_or("gofleet/gofleet:1".to_string());
    // A comparison takes several numbers of services.
    let services = match args.get(1).map(String::as_str) {
        Some("compare") => None,
        _ => option(&mut args, "--services")?,
    };
    let steps = option(&mut args, "--steps")?;
    let seed = option(&mut args, "--seed")?;
    let shapes = shapes::Options {
        minutes: option(&mut args, "--minutes")?,
        seed: seed.clone(),
        count: option(&mut args, "--count")?,
        only: option(&mut args, "--only")?,
        without: option(&mut args, "--without")?,
        no_daemon: flag(&mut args, "--no-daemon"),
    };
    let faults = faults::Options {
        rounds: match args.get(1).map(String::as_str) {
            Some("compare") => None,
            _ => option(&mut args, "--rounds")?,
        },
        only: shapes.only.clone(),
        quick: flag(&mut args, "--quick"),
    };
    let how = match args.iter().position(|arg| arg == "--native") {
        Some(at) if args[0] != "engine" => {
            args.remove(at);
            How::Native
        }
        _ => How::InBuildKit,
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if !rest.is_empty() && !matches!(words.first(), Some(&("test" | "truth"))) {
        bail!("only `test` and `truth` take arguments after `--`");
    }
    match (words.as_slice(), buildkit.as_deref()) {
        (["engine"] | ["engine", "start"], older) => {
            Engine::start(older)?;
            let again = older.map_or(String::new(), |version| format!(" --buildkit {version}"));
            eprintln!("engine: runs; select it with: eval \"$(cargo xtask engine env{again})\"");
            Ok(())
        }
        (["engine", "env"], older) => {
            print!("{}", Engine::running(older)?.exports());
            Ok(())
        }
        (["engine", "stop"], None) => engine::stop(),
        (["engine", "prune"], None) => engine::prune(),
        (["engine", "golang", version], None) => engine::golang(version),
        (["image", "--twice"], None) => image::twice(),
        (["image"], None) => image::build(&Engine::start(None)?, how),
        (["bench", what @ ("graph" | "scan")], None) => bench::alone(what),
        (["bench", "compare", ..], None) => bench::compare(&args[2..], &frontend),
        (["bench", what], None) => bench::on_engine(what, &frontend, services.as_deref()),
        (["demo"], None) => demo::run(how),
        (["deny"], None) => deny::run(),
        (["faults"], None) => faults::run(&faults, how),
        (["shapes"], None) => shapes::run(&shapes, how),
        (["shapes", "--seeded"], None) => shapes::seeded(),
        (["random"], None) => random::run(steps.as_deref(), seed.as_deref()),
        (["truth"], None) => truth::run(&rest),
        (["test"], older) => test::run(older, how, &rest),
        ([] | ["help" | "--help" | "-h"], None) => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("unknown command `{}`\n\n{HELP}", words.join(" ")),
    }
}

/// Takes a flag out of `args`; whether it was there.
fn flag(args: &mut Vec<String>, name: &str) -> bool {
    let before = args.len();
    args.retain(|arg| arg != name);
    args.len() < before
}

/// Takes `NAME VALUE` or `NAME=VALUE` out of `args`.
fn option(args: &mut Vec<String>, name: &str) -> Result<Option<String>> {
    for at in 0..args.len() {
        if args[at] == name {
            if at + 1 == args.len() {
                bail!("`{name}` needs a value");
            }
            let value = args.remove(at + 1);
            args.remove(at);
            return Ok(Some(value));
        }
        if let Some(value) = args[at]
            .strip_prefix(name)
            .and_then(|v| v.strip_prefix('='))
        {
            let value = value.to_string();
            args.remove(at);
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The root of this work tree.
fn root() -> PathBuf {
    // Cargo sets it at run time too: a target folder shared by two clones must
    // not lead one clone into the other.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or(xtask.clone(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn an_option_is_taken_in_both_forms_and_leaves_the_rest() {
        for line in [
            "engine env --buildkit v0.12.5",
            "engine --buildkit=v0.12.5 env",
        ] {
            let mut args = words(line);
            assert_eq!(
                option(&mut args, "--buildkit").unwrap().as_deref(),
                Some("v0.12.5")
            );
            assert_eq!(args, ["engine", "env"]);
        }
    }

    #[test]
    fn a_bad_command_line_is_refused_with_the_help() {
        assert!(option(&mut words("test --buildkit"), "--buildkit").is_err());
        let error = command(words("engnie")).unwrap_err().to_string();
        assert!(
            error.contains("unknown command `engnie`") && error.contains("cargo xtask COMMAND")
        );
        assert!(command(words("engine env -- x")).is_err());
        assert!(command(words("engine env --native")).is_err());
    }
}
