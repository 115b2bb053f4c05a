//! What can go wrong in lowering.

use std::fmt;

use crate::diag::Diagnostic;

/// Why a plan has no graph.
#[derive(Debug, Clone)]
pub enum LowerError {
    /// The spec does not fit the sources; all such problems at once.
    Spec(Vec<Diagnostic>),
    /// A builder image without files, such as a named context `scratch`.
    EmptyBuilder(String),
    /// A bug of ours: nobody looked where files go.
    UnknownPlaces,
    /// A bug of ours: the graph is not complete.
    Graph(buildkit_llb::Error),
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(diagnostics) => {
                let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
                f.write_str(&messages.join("; "))
            }
            Self::EmptyBuilder(reference) => {
                write!(
                    f,
                    "builder image `{reference}` is empty: there is no Go in it"
                )
            }
            Self::UnknownPlaces => f.write_str("the base image was not looked into"),
            Self::Graph(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LowerError {}

impl From<Vec<Diagnostic>> for LowerError {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Spec(diagnostics)
    }
}

impl From<buildkit_llb::Error> for LowerError {
    fn from(error: buildkit_llb::Error) -> Self {
        Self::Graph(error)
    }
}
