//! What is wrong with a repository.

use std::fmt;

use crate::draft::Main;

/// What is wrong, as far as two findings can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Panic,
    /// Something waits, as for a named pipe.
    Waits,
    /// The closure lacks files that `go list` names.
    Missed,
    /// `go build` builds, and the closure does not.
    ClosureFails,
    /// The other way round.
    OnlyTheClosureBuilds,
    /// Both build, and the programs differ.
    Differs,
    /// A file was edited, and the program stays.
    Stale,
    /// `go build` builds, and `gofleet check` or the spec's reader objects.
    Refused,
    /// A file that nobody needs is in the closure.
    Wide,
    /// Another Go compiles than the manifests ask for.
    Toolchain,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    /// Whether it takes an edit to see it.
    pub(crate) edited: bool,
    /// The service, if it is about one.
    pub(crate) main: Option<String>,
    pub(crate) text: String,
}

impl Finding {
    pub(crate) fn of(self, main: &Main) -> Self {
        Self {
            main: Some(main.name.clone()),
            ..self
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: ", self.kind)?;
        if let Some(main) = &self.main {
            write!(f, "{main}: ")?;
        }
        f.write_str(self.text.trim_end())
    }
}

pub(crate) fn finding<T>(kind: Kind, text: impl Into<String>) -> Result<T, Finding> {
    Err(Finding {
        kind,
        edited: false,
        main: None,
        text: text.into(),
    })
}
