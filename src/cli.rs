//! The command-line tool: the same pipeline as the frontend, without a daemon.
//!
//! It also is the program of some steps, and runs from the frontend's image.
//! Standard output belongs to people here; in frontend mode this module is never
//! entered.

mod affected;
mod explain;
mod help;
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
            // `gofleet closure api | head` has read what it wants.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                say(&format!(
                    "gofleet: cannot write to standard output: {error}"
                ));
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        },
        Err(Failure::Usage(message)) => {
            say(&format!("gofleet: {message}; try `gofleet help`"));
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            say(message.trim_end());
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to standard error. Nobody may be reading it any more, which is no
/// reason to end.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
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
    if asks_for_help(&verb, &mut parser)
        && let Some(page) = help::of(&verb)
    {
        return Ok(page);
    }
    match verb.as_str() {
        "help" => match parser.next()? {
            None => Ok(help::all()),
            Some(Value(verb)) => {
                let verb = verb.string()?;
                help::of(&verb).ok_or_else(|| unknown(&verb))
            }
            Some(Short('h') | Long("help")) => Ok(help::all()),
            Some(other) => Err(other.unexpected().into()),
        },
        "version" => alone(parser, format!("gofleet {}\n", env!("CARGO_PKG_VERSION"))),
        "schema" => alone(parser, spec::json_schema()),
        "scan" => steps::scan(parser),
        "modules" => steps::modules(parser),
        "fetch" => steps::fetch(parser),
        "unpack" => steps::unpack(parser),
        "compile" => steps::compile(parser),
        "share" => steps::share(parser),
        "check" => {
            let (local, _) = local(parser, false)?;
            let warnings = local.check().map_err(failed)?;
            if !warnings.is_empty() {
                say(warnings.trim_end_matches('\n'));
            }
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
        other => Err(unknown(other)),
    }
}

/// Whether the words behind a verb ask what it does. Those of steps may hold anything.
fn asks_for_help(verb: &str, parser: &mut lexopt::Parser) -> bool {
    let is_help = |word: &OsString| word == "--help" || word == "-h";
    let Ok(words) = parser.raw_args() else {
        return false;
    };
    let mut words = words.as_slice().iter().take_while(|word| *word != "--");
    match help::STEPS.contains(&verb) {
        true => words.next().is_some_and(is_help),
        false => words.any(is_help),
    }
}

/// The answer of a verb that takes nothing.
fn alone(mut parser: lexopt::Parser, answer: String) -> Result<String, Failure> {
    match parser.next()? {
        None => Ok(answer),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn unknown(verb: &str) -> Failure {
    Failure::Usage(format!("unknown command `{verb}`"))
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
