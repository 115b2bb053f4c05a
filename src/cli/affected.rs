//! `affected`: the services whose image an edit may change.

use std::fs;
use std::path::PathBuf;

use lexopt::ValueExt as _;

use super::{Failure, Word, io_failure, options, say};
use crate::affected::{self, Report, Sides};

/// Runs the verb.
pub(super) fn affected(mut parser: lexopt::Parser) -> Result<String, Failure> {
    let mut base = None;
    let mut head = None;
    let mut base_file = None;
    let mut output: Option<PathBuf> = None;
    let mut ignore = true;
    let mut format: fn(&Report) -> String = affected::json;
    let mut local = options(&mut parser, |word, parser| {
        let Word::Option(name) = word else {
            return Ok(false);
        };
        match name.as_str() {
            "base" => base = Some(parser.value()?.string()?),
            "head" => head = Some(parser.value()?.string()?),
            "base-file" => base_file = Some(parser.value()?.into()),
            "output" => output = Some(parser.value()?.into()),
            // A remote context has no ignore file.
            "no-ignore" => ignore = false,
            "format" => {
                format = match parser.value()?.string()?.as_str() {
                    "json" => affected::json,
                    "github" => affected::github,
                    "text" => affected::text,
                    other => {
                        return Err(Failure::Usage(format!(
                            "no format `{other}`: there are json, github and text"
                        )));
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    local.ignore = ignore;
    let base = base.ok_or_else(|| {
        Failure::Usage(
            "affected needs `--base`: a revision such as `origin/main`, or a directory".to_owned(),
        )
    })?;
    let sides = Sides {
        base,
        head,
        base_file,
    };
    let mut warn = |text: &str| say(&format!("warning: {text}"));
    let report = affected::compare(&local, &sides, &mut warn)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let text = format(&report);
    match output {
        None => Ok(text),
        Some(file) => {
            fs::write(&file, text).map_err(|error| io_failure("write", &file, &error))?;
            Ok(String::new())
        }
    }
}
