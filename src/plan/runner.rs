//! What the builder is like that a build runs on: `cache` and `parallel`.
//!
//! These are facts of a runner and not of a repository, so build args win over the spec. No
//! image depends on them.

use super::{Check, Request};
use crate::diag::{Diagnostic, Rule, did_you_mean};
use crate::spec::{Scope, Spec, Text};

/// Build arg for `cache`.
pub(super) const CACHE: &str = "GOFLEET_CACHE";

/// Build arg for `parallel`.
pub(super) const PARALLEL: &str = "GOFLEET_PARALLEL";

const MODES: [&str; 2] = ["mount", "layer"];

/// Most builds side by side: each waits in a container of its own.
const MAX_PARALLEL: u32 = 64;

/// What the builder is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Runner {
    /// Where modules and compiled dependencies come from.
    pub cache: CacheMode,
    /// How many builds of a repository run side by side; `None` leaves it to the builder's size.
    pub parallel: Option<u32>,
}

/// Where modules and compiled dependencies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheMode {
    /// Cache mounts, which a builder that stays keeps.
    #[default]
    Mount,
    /// Layers, which a cache export carries to a builder that starts empty.
    Layer,
}

/// Expands and checks what the spec and the build args say.
pub(super) fn runner(spec: &Spec, request: &Request, check: &mut Check<'_>) -> Runner {
    Runner {
        cache: value(CACHE, "cache", spec.cache.as_ref(), request, check, cache)
            .unwrap_or_default(),
        parallel: value(
            PARALLEL,
            "parallel",
            spec.parallel.as_ref(),
            request,
            check,
            parallel,
        ),
    }
}

/// The build arg, or else the field; both are checked.
fn value<T>(
    arg: &str,
    field: &str,
    text: Option<&Text>,
    request: &Request,
    check: &mut Check<'_>,
    read: impl Fn(&str, &str) -> Result<T, Diagnostic>,
) -> Option<T> {
    let written = text.and_then(|text| {
        let value = check.expand(text, &Scope::global(check.args))?;
        let found = read(&format!("`{field}`"), &value).map_err(|d| d.at(text.span()));
        check.noted(found)
    });
    // An empty build arg is what CI files pass for a variable that is not set.
    let given = request.build_args.get(arg).filter(|v| !v.is_empty());
    match given {
        Some(given) => check.noted(read(&format!("build arg `{arg}`"), given)),
        None => written,
    }
}

fn cache(what: &str, value: &str) -> Result<CacheMode, Diagnostic> {
    match value {
        "mount" => Ok(CacheMode::Mount),
        "layer" => Ok(CacheMode::Layer),
        other => {
            let message = format!("{what} is `{other}`, which is no way of caching");
            Err(Diagnostic::new(Rule::InvalidCache, message).hint(
                match did_you_mean(other, MODES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`mount` for a builder that stays, `layer` for one that starts empty"
                        .to_owned(),
                },
            ))
        }
    }
}

fn parallel(what: &str, value: &str) -> Result<u32, Diagnostic> {
    match value.parse() {
        Ok(n) if (1..=MAX_PARALLEL).contains(&n) => Ok(n),
        _ => {
            let message =
                format!("{what} is `{value}`, and takes a number from 1 to {MAX_PARALLEL}");
            let hint =
                "leave it out: the default fits the processors and the memory of the builder";
            Err(Diagnostic::new(Rule::InvalidParallel, message).hint(hint))
        }
    }
}
