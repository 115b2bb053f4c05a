//! Variables of `env`: what the Go toolchain reads while compiling.
//!
//! A list of what is allowed: a variable that names a program, a plugin or a directory would let
//! a spec run something in a step whose caches other repositories share
//! (`docs/dev/threat-model.md`). The values are words without white space, too.
//!
//! Compose users expect `environment` here, so everything else is an error that says where it
//! belongs. Facts: `go help environment` of Go 1.26; the runtime package's documentation for the
//! variables that running programs read.

use super::{credentials, settings};
use crate::diag::{Diagnostic, Rule, Span, did_you_mean};
use crate::fetch;

/// What may be set.
const TOOLCHAIN: [&str; 14] = [
    "CGO_ENABLED",
    "GO386",
    "GOAMD64",
    "GOARM",
    "GOARM64",
    "GOMIPS",
    "GOMIPS64",
    "GOPPC64",
    "GORISCV64",
    "GOWASM",
    "GOEXPERIMENT",
    "GOFIPS140",
    "GO_EXTLINK_ENABLED",
    "GO19CONCURRENTCOMPILATION",
];

/// What names programs of the C toolchain, and what they are told. A trailing `*` takes any
/// ending.
const C_TOOLCHAIN: [&str; 18] = [
    "CGO_CFLAGS*",
    "CGO_CPPFLAGS*",
    "CGO_CXXFLAGS*",
    "CGO_FFLAGS*",
    "CGO_LDFLAGS*",
    "CC",
    "CXX",
    "AR",
    "FC",
    "LD",
    "AS",
    "NM",
    "RANLIB",
    "STRIP",
    "GCCGO",
    "GCCGOTOOLDIR",
    "PKG_CONFIG*",
    "SWIG*",
];

/// What gofleet sets itself, and what to write instead.
const OWNED: [(&str, &str); 17] = [
    (
        "GOOS",
        "write `platforms: [linux/amd64]`, or build with `--platform`",
    ),
    (
        "GOARCH",
        "write `platforms: [linux/arm64]`, or build with `--platform`",
    ),
    ("GOTOOLCHAIN", "write `go: \"1.26\"` at the top level"),
    ("GOVERSION", "write `go: \"1.26\"` at the top level"),
    (
        "GOROOT",
        "write `go: IMAGE` at the top level for another toolchain",
    ),
    ("GOPATH", "leave it out"),
    ("GOBIN", "leave it out"),
    ("GOCACHE", "leave it out"),
    ("GOCACHEPROG", "leave it out"),
    ("GOMODCACHE", "leave it out"),
    ("GOTMPDIR", "leave it out"),
    ("GOENV", "leave it out"),
    ("GOTELEMETRY", "leave it out"),
    ("GO111MODULE", "leave it out"),
    ("GOWORK", "leave it out; `go.work` is found in the context"),
    ("GOMOD", "leave it out; `go.mod` is found in the context"),
    ("GOEXE", "leave it out"),
];

/// What running Go programs read.
const RUNTIME: [&str; 8] = [
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOTRACEBACK",
    "GORACE",
    "GOCOVERDIR",
    "GOROOT_FINAL",
];

/// Whether `env` takes a name.
pub(super) fn is_known(name: &str) -> bool {
    TOOLCHAIN.contains(&name)
}

fn is_of_c(name: &str) -> bool {
    C_TOOLCHAIN
        .iter()
        .any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *known,
        })
}

/// What to write instead of a variable that gofleet sets itself.
pub(super) fn owned(name: &str) -> Option<&'static str> {
    let found = OWNED.iter().find(|(owned, _)| *owned == name);
    found.map(|(_, instead)| *instead)
}

/// Checks the name of a variable of `env`; `value` is what is known of its value.
pub(super) fn variable(name: &str, value: &str, span: Span) -> Result<(), Diagnostic> {
    if is_known(name) {
        return Ok(());
    }
    let error = |message: String, hint: String| {
        Err(Diagnostic::new(Rule::ForeignEnv, message)
            .at(span)
            .hint(hint))
    };
    let setting = fetch::SETTINGS.contains(&name);
    if credentials::is_token(name) || setting && credentials::in_setting(name, value) {
        let what = format!("`{name}` of `env`");
        return Err(credentials::in_spec(&what, name, span));
    }
    if setting {
        return error(
            format!("`{name}` is for fetching modules and enters no build step"),
            "write it in `modules` at the top level".into(),
        );
    }
    if let Some((message, hint)) = settings::not_taken(name, value) {
        return error(message, hint);
    }
    if let Some(instead) = owned(name) {
        return error(format!("`{name}` is set by gofleet"), instead.to_owned());
    }
    if is_of_c(name) {
        return error(
            format!("`{name}` is for C programs, and this version builds without cgo"),
            "leave it out: no program that a spec names is run".to_owned(),
        );
    }
    if RUNTIME.contains(&name) {
        return error(
            format!("`{name}` is read by the running program, and `env` is for compiling"),
            "did you mean `environment`?".into(),
        );
    }
    let known = TOOLCHAIN.iter().copied();
    // Only what looks like a toolchain variable is likely a misspelled one.
    let looks = ["GO", "CGO", "PKG_"]
        .iter()
        .any(|p| name.to_uppercase().starts_with(p));
    let hint = match did_you_mean(name, known).filter(|_| looks) {
        Some(near) => format!("did you mean `{near}`? or `environment`, for the running program?"),
        None => "did you mean `environment`?".into(),
    };
    error(format!("`{name}` is no variable of the Go toolchain"), hint)
}

/// Checks the value of a variable of `env`, after expansion.
///
/// Images are made for static binaries so far: a program with cgo would end on
/// scratch with "no such file or directory".
pub(super) fn value(name: &str, value: &str, span: Span) -> Result<(), Diagnostic> {
    if name == "CGO_ENABLED" && value != "0" {
        let message = format!("`CGO_ENABLED` is `{value}`, and this version builds without cgo");
        return Err(Diagnostic::new(Rule::NoCgo, message)
            .at(span)
            .hint("leave it out: services are built with `CGO_ENABLED=0`"));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || ".,_-+".contains(c);
    if !value.chars().all(is_word) {
        let message = format!("`{name}` cannot be `{value}`");
        return Err(Diagnostic::new(Rule::ForeignEnv, message)
            .at(span)
            .hint("its values are letters, digits, dots, commas and dashes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let hint = |name: &str| {
            variable(name, "x", Span::at(1, 1))
                .err()
                .and_then(|d| d.hint)
        };
        for name in ["CGO_ENABLED", "GOAMD64", "GOEXPERIMENT", "GOFIPS140"] {
            assert_eq!(hint(name), None, "{name}");
        }
        for name in ["CC", "AR", "CGO_CFLAGS_ALLOW", "PKG_CONFIG_PATH", "SWIG"] {
            assert!(
                hint(name).is_some_and(|h| h.contains("no program")),
                "{name}"
            );
        }
        for name in [
            "PATH",
            "LD_PRELOAD",
            "TMPDIR",
            "HOME",
            "GOFLAGS",
            "GOROOT",
            "GOTOOLDIR",
            "GOENV",
            "GOCACHEPROG",
            "GOTMPDIR",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_GLOBAL",
            "go_flags",
        ] {
            assert!(hint(name).is_some(), "{name}");
        }
        let environment = Some("did you mean `environment`?");
        for name in [
            "PORT",
            "DATABASE_URL",
            "GOMEMLIMIT",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ] {
            assert_eq!(hint(name).as_deref(), environment, "{name}");
        }
        assert_eq!(
            hint("GOPROXY").as_deref(),
            Some("write it in `modules` at the top level")
        );
        assert!(hint("GOARCH").is_some_and(|h| h.contains("platforms")));
        assert!(hint("GOAMD46").is_some_and(|h| h.contains("`GOAMD64`")));
    }
}
