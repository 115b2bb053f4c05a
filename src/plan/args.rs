//! Build args that the spec does not use.

use super::{Request, runner, settings};
use crate::diag::{Diagnostic, Rule, did_you_mean};
use crate::fetch;
use crate::spec::{PREDEFINED, Spec};

/// Names with a meaning outside of the spec, beside the settings of fetching. Prefixes end
/// with `_`.
///
/// Facts: contract §5.3.
const KNOWN: [&str; 10] = [
    "BUILDKIT_",
    "BUILDX_",
    runner::CACHE,
    runner::PARALLEL,
    "SOURCE_DATE_EPOCH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

/// A warning for each build arg of the request that nothing uses.
pub(super) fn unused(spec: &Spec, request: &Request) -> Vec<Diagnostic> {
    let used = spec.args();
    let mut warnings = Vec::new();
    for (name, value) in &request.build_args {
        if is_known(name) || used.iter().any(|u| u.name == *name) {
            continue;
        }
        let mut warning = Diagnostic::new(
            Rule::UnusedArg,
            format!("build arg `{name}` is not used by the spec"),
        );
        warning.hint = if PREDEFINED.contains(&name.as_str()) {
            Some(format!("`{name}` is set by gofleet and cannot be given"))
        } else if let Some((_, hint)) = settings::not_taken(name, value) {
            Some(hint)
        } else {
            let own = [runner::CACHE, runner::PARALLEL];
            did_you_mean(name, used.iter().map(|u| u.name.as_str()).chain(own))
                .map(|near| format!("did you mean `{near}`?"))
        };
        warnings.push(warning);
    }
    warnings
}

fn is_known(name: &str) -> bool {
    fetch::SETTINGS.contains(&name)
        || KNOWN.iter().any(|known| {
            if known.ends_with('_') {
                name.starts_with(known)
            } else {
                // The proxy settings come in both cases.
                name == *known || (known.ends_with("_PROXY") && name.eq_ignore_ascii_case(known))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn known_names() {
        for name in [
            "BUILDKIT_SYNTAX",
            "http_proxy",
            "SOURCE_DATE_EPOCH",
            "GOPROXY",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in [
            "VERSION",
            "source_date_epoch",
            "BUILDKIT",
            "goproxy",
            "GOFLAGS",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
