//! The command-line tool: the same pipeline as the frontend, without a daemon.
//!
//! It also is the program of some steps, and runs from the frontend's image.
//! Standard output belongs to people here; in frontend mode this module is never
//! entered.

mod affected;
mod explain;
mod steps;
mod timeline;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::local::{Local, Problem};
use crate::options::DEFAULT_FILENAME;
use crate::spec;

const HELP: &str = "\
gofleet builds images of Go services with BuildKit.

BuildKit runs it for a file that starts with `# syntax=gofleet/gofleet:1`:

    docker buildx build -f fleet.yaml --target SERVICE .

On the command line it works without a daemon:

    gofleet check             say what is wrong with the spec
    gofleet bake              print a bake file that builds all services
    gofleet graph [TARGET]    print the build graph as text
    gofleet closure SERVICE   print the files that the build of a service can read
    gofleet why SERVICE FILE  print what brings a file into the build of a service
    gofleet affected --base REV|DIR
                              print the services whose image an edit may change
    gofleet timeline [FILE]   draw what `docker buildx build --progress rawjson` wrote
                              to standard error, from FILE or standard input
    gofleet schema            print the JSON schema of the spec
    gofleet scan DIR FILE     write the index of the sources in DIR to FILE
    gofleet version           print the version

Options of check, bake, graph, closure, why and affected:

    -f, --file SPEC           the spec [fleet.yaml]
        --context DIR         the directory that paths are relative to [.]
        --platform LIST       platforms, comma-separated
        --build-arg NAME=VALUE

Options of affected:

        --base REV|DIR        what to compare with: the merge base of REV and the
                              head, or a directory
        --head REV            compare REV instead of the working tree
        --format json|github|text
        --base-file SPEC      the spec of a base that is a directory
        --output FILE         write to FILE instead of standard output

Options of timeline:

        --format svg|html|text
        --all                 a row for every step, however small
        --output FILE         write to FILE instead of standard output
";

/// Why a command ended without doing its work.
enum Failure {
    /// The words on the command line are wrong.
    Usage(String),
    /// Something else; the text is complete.
    Failed(String),
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Runs the command line `args`, program name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match command(lexopt::Parser::from_iter(args)) {
        Ok(text) => match io::stdout().lock().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("gofleet: cannot write to standard output: {error}");
                ExitCode::FAILURE
            }
        },
        Err(Failure::Usage(message)) => {
            eprintln!("gofleet: {message}; try `gofleet help`");
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; its answer is the text for standard output.
fn command(mut parser: lexopt::Parser) -> Result<String, Failure> {
    let verb = match parser.next()? {
        Some(Value(verb)) => verb.to_string_lossy().into_owned(),
        Some(Short('h') | Long("help")) => "help".to_owned(),
        Some(Short('V') | Long("version")) => "version".to_owned(),
        Some(other) => return Err(other.unexpected().into()),
        None => return Err(Failure::Usage("no command given".to_owned())),
    };
    match verb.as_str() {
        "help" => Ok(HELP.to_owned()),
        "version" => Ok(format!("gofleet {}\n", env!("CARGO_PKG_VERSION"))),
        "schema" => Ok(spec::json_schema()),
        "scan" => steps::scan(parser),
        "modules" => steps::modules(parser),
        "fetch" => steps::fetch(parser),
        "unpack" => steps::unpack(parser),
        "share" => steps::share(parser),
        "check" => {
            let (local, _) = local(parser, false)?;
            let warnings = local.check().map_err(failed)?;
            eprint!("{warnings}");
            Ok(String::new())
        }
        "bake" => {
            let (local, _) = local(parser, false)?;
            local.bake().map_err(failed)
        }
        "closure" => explain::closure(parser),
        "why" => explain::why(parser),
        "affected" => affected::affected(parser),
        "timeline" => timeline::timeline(parser),
        "graph" => {
            let (local, target) = local(parser, true)?;
            local.graph(target).map_err(failed)
        }
        other => Err(Failure::Usage(format!("unknown command `{other}`"))),
    }
}

fn failed(problem: Problem) -> Failure {
    Failure::Failed(problem.to_string())
}

fn io_failure(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!(
        "gofleet: cannot {verb} `{}`: {error}",
        path.display()
    ))
}

/// Reads the options that all local verbs share, and at most one target.
fn local(
    mut parser: lexopt::Parser,
    takes_target: bool,
) -> Result<(Local, Option<String>), Failure> {
    let mut target = None;
    let local = options(&mut parser, |word, _| match word {
        Word::Value(name) if takes_target && target.is_none() => {
            target = Some(name.clone());
            Ok(true)
        }
        _ => Ok(false),
    })?;
    Ok((local, target))
}

/// An argument that not all verbs know.
enum Word {
    /// The name of a long option.
    Option(String),
    /// A word without a dash.
    Value(String),
}

/// Reads the options that all local verbs share; `own` reads those of one verb, and
/// says whether it knows a word.
fn options(
    parser: &mut lexopt::Parser,
    mut own: impl FnMut(&Word, &mut lexopt::Parser) -> Result<bool, Failure>,
) -> Result<Local, Failure> {
    let mut local = Local::new(DEFAULT_FILENAME.into(), ".".into());
    while let Some(arg) = parser.next()? {
        let word = match arg {
            Short('f') | Long("file") => {
                local.file = parser.value()?.into();
                continue;
            }
            Long("context") => {
                local.context = parser.value()?.into();
                continue;
            }
            Long("platform") => {
                local.option("platform", parser.value()?.string()?);
                continue;
            }
            Long("build-arg") => {
                let text = parser.value()?.string()?;
                let (name, value) = text
                    .split_once('=')
                    .ok_or_else(|| Failure::Usage(format!("`--build-arg {text}` has no `=`")))?;
                local.option(&format!("build-arg:{name}"), value.to_owned());
                continue;
            }
            Long(name) => Word::Option(name.to_owned()),
            Value(value) => Word::Value(value.string()?),
            other => return Err(other.unexpected().into()),
        };
        if !own(&word, parser)? {
            return Err(Failure::Usage(match word {
                Word::Option(name) => format!("invalid option '--{name}'"),
                Word::Value(value) => format!("unexpected argument {value:?}"),
            }));
        }
    }
    Ok(local)
}
