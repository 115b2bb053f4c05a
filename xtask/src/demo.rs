//! `cargo xtask demo`: from nothing to an HTTP answer of `examples/shop`, with
//! the commands that a user would type. Each is printed before it runs.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::engine::Engine;
use crate::image::{self, How, megabytes};
use crate::run::{self, output, shown};
use crate::{http, root};

/// Where the shop's `api` answers, as its compose.yaml publishes it.
const ADDRESS: &str = "127.0.0.1:8080";
const PATH: &str = "/products";
/// Time for the services to answer after `up`.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds the shop through its `# syntax=` line, runs it and shows an answer.
///
/// # Errors
///
/// One of the commands fails, or no service answers; the services' last words are shown.
pub(crate) fn run(how: How) -> Result<()> {
    let engine = Engine::start(None)?;
    image::build(&engine, how)?;
    let docker = || {
        let mut command = engine.docker();
        // Docker's own builder: what it builds, `docker run` finds.
        command
            .current_dir(root().join("examples/shop"))
            .env("BUILDX_BUILDER", "default");
        command
    };

    say("docker buildx build -f fleet.yaml --call bake . | docker buildx bake -f - --load");
    let bake =
        output(docker().args(["buildx", "build", "-f", "fleet.yaml", "--call", "bake", "."]))?;
    fed(
        docker().args(["buildx", "bake", "-f", "-", "--load"]),
        &bake,
    )?;

    println!(
        "\nimages, and the space that each takes in Docker, packed and unpacked layers together:"
    );
    let plan = fed_output(
        docker().args(["buildx", "bake", "-f", "-", "--print"]),
        &bake,
    )?;
    for tag in tags(&plan)? {
        let size = output(docker().args(["image", "inspect", "--format", "{{.Size}}", &tag]))?;
        println!(
            "  {tag:24} {}",
            megabytes(size.parse().context("docker shows no size")?)
        );
    }

    say("docker compose up --detach --no-build");
    let up =
        shown(docker().args(["compose", "up", "--detach", "--no-build"])).and_then(|()| answer());
    if up.is_err() {
        let _ = shown(docker().args(["compose", "logs", "--tail=20"]));
    }
    say("docker compose down");
    shown(docker().args(["compose", "down", "--timeout=5"]))?;
    up
}

/// Waits for the answer of the shop's API and prints it.
fn answer() -> Result<()> {
    say(&format!("curl http://{ADDRESS}{PATH}"));
    let began = Instant::now();
    loop {
        match http::get(ADDRESS, PATH, "*/*") {
            Ok(answer) if answer.status == 200 => {
                println!("{}", String::from_utf8_lossy(&answer.body).trim_end());
                return Ok(());
            }
            other if began.elapsed() > PATIENCE => {
                let why = other.map_or_else(
                    |error| format!("{error:#}"),
                    |answer| answer.status.to_string(),
                );
                bail!(
                    "http://{ADDRESS}{PATH} gives no good answer within {} s: {why}",
                    PATIENCE.as_secs()
                );
            }
            _ => sleep(Duration::from_millis(200)),
        }
    }
}

/// Tags of all targets in the answer of `bake --print`.
fn tags(plan: &str) -> Result<Vec<String>> {
    let plan: Value = serde_json::from_str(plan).context("`bake --print` answered no JSON")?;
    let targets = plan["target"]
        .as_object()
        .context("the bake file has no targets")?;
    let tags = targets
        .values()
        .filter_map(|target| target["tags"].as_array())
        .flatten();
    Ok(tags
        .filter_map(|tag| Some(tag.as_str()?.to_string()))
        .collect())
}

/// Runs `command` with `input`, its output on this terminal.
fn fed(command: &mut Command, input: &str) -> Result<()> {
    let file = input_file(input)?;
    shown(command.stdin(Stdio::from(file)))
}

/// Runs `command` with `input` and returns its standard output.
fn fed_output(command: &mut Command, input: &str) -> Result<String> {
    let out = command
        .stdin(Stdio::from(input_file(input)?))
        .output()
        .with_context(|| format!("cannot start `{}`", run::line(command)))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        bail!(
            "`{}`: {}\n{}",
            run::line(command),
            out.status,
            said.trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// An unnamed pipe with `input` in it.
fn input_file(input: &str) -> Result<std::io::PipeReader> {
    let (reader, mut writer) = std::io::pipe()?;
    let bytes = input.as_bytes().to_vec();
    // On a thread: a pipe holds only so much until somebody reads.
    std::thread::spawn(move || {
        use std::io::Write;
        let _ = writer.write_all(&bytes);
    });
    Ok(reader)
}

fn say(command: &str) {
    println!("\n$ {command}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_of_all_targets_are_found() {
        let plan =
            r#"{"group":{"default":{}},"target":{"api":{"tags":["shop/api:dev"]},"bare":{}}}"#;
        assert_eq!(tags(plan).unwrap(), ["shop/api:dev"]);
        assert!(tags("{}").is_err());
    }

    #[test]
    fn a_command_reads_all_of_its_input() {
        let input = "line\n".repeat(50_000);
        let text = fed_output(&mut Command::new("cat"), &input).unwrap();
        assert_eq!(text, input);
    }
}
