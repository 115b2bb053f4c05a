//! `timeline`: a build's progress stream as a chart.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

use lexopt::prelude::*;

use super::{Failure, io_failure, say};
use crate::timeline::{self, Format};

/// `timeline [FILE]`: reads the stream from the file or from standard input.
pub(super) fn timeline(mut parser: lexopt::Parser) -> Result<String, Failure> {
    let mut file: Option<PathBuf> = None;
    let mut output: Option<PathBuf> = None;
    let mut format = Format::default();
    let mut all = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("all") => all = true,
            Long("output") => output = Some(parser.value()?.into()),
            Long("format") => {
                format = match parser.value()?.string()?.as_str() {
                    "svg" => Format::Svg,
                    "html" => Format::Html,
                    "text" => Format::Text,
                    other => {
                        return Err(Failure::Usage(format!(
                            "no format `{other}`: there are svg, html and text"
                        )));
                    }
                }
            }
            Value(path) if file.is_none() => file = Some(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    let stream = match &file {
        Some(path) => fs::read(path).map_err(|error| io_failure("read", path, &error))?,
        None => standard_input()?,
    };
    let drawing = timeline::draw(&stream, format, all).map_err(|none| {
        let place = file.as_ref().map(|path| format!("`{}`", path.display()));
        let place = place.unwrap_or_else(|| "standard input".to_owned());
        let what = match (stream.is_empty(), none.skipped) {
            (true, _) => "is empty".to_owned(),
            (_, 0) => "has no step that started".to_owned(),
            (_, 1) => "has no step that started, and a line that is no progress".to_owned(),
            (_, n) => format!("has no step that started, and {n} lines that are no progress"),
        };
        Failure::Failed(format!(
            "gofleet: {place} {what}\nhint: make it with `docker buildx build --progress rawjson … 2> FILE`"
        ))
    })?;
    if drawing.skipped > 0 {
        let lines = match drawing.skipped {
            1 => "a line that is".to_owned(),
            n => format!("{n} lines that are"),
        };
        say(&format!("gofleet: skipped {lines} no progress"));
    }
    match output {
        None => Ok(drawing.text),
        Some(path) => {
            fs::write(&path, drawing.text).map_err(|error| io_failure("write", &path, &error))?;
            Ok(String::new())
        }
    }
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        return Err(Failure::Usage(
            "timeline needs a progress stream, as a file or from standard input".to_owned(),
        ));
    }
    let mut stream = Vec::new();
    input.read_to_end(&mut stream).map_err(|error| {
        Failure::Failed(format!("gofleet: cannot read standard input: {error}"))
    })?;
    Ok(stream)
}
