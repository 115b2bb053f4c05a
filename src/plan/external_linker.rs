//! Values of `-extldflags`: what the C linker may be told.
//!
//! A part of what the go command lets the `#cgo LDFLAGS` of any package say, which is safe by
//! the same reasons: Go 1.26, `cmd/go/internal/work/security.go`, `validLinkerFlags`. Go itself
//! checks none of these.

use crate::spec::split_go_flags;

/// Whole words.
const WORDS: [&str; 18] = [
    "-O",
    "-PIC",
    "-PIE",
    "-fPIC",
    "-fPIE",
    "-fno-PIC",
    "-fno-PIE",
    "-fno-pic",
    "-fno-pie",
    "-fpic",
    "-fpie",
    "-g",
    "-pic",
    "-pie",
    "-pthread",
    "-rdynamic",
    "-s",
    "-v",
];

/// Starts of words that a value follows, which is no option and no file with options.
const WITH_VALUE: [&str; 11] = [
    "-L",
    "-O",
    "-fsanitize=",
    "-g",
    "-l",
    "-mabi=",
    "-march=",
    "-mcpu=",
    "-mfpu=",
    "-mtls-dialect=",
    "-mtune=",
];

/// Arguments behind `-Wl,`.
const LINKER: [&str; 27] = [
    "--allow-multiple-definition",
    "--allow-shlib-undefined",
    "--as-needed",
    "--disable-new-dtags",
    "--enable-new-dtags",
    "--end-group",
    "--export-dynamic",
    "--hash-style=both",
    "--hash-style=gnu",
    "--hash-style=sysv",
    "--no-allow-multiple-definition",
    "--no-allow-shlib-undefined",
    "--no-as-needed",
    "--no-export-dynamic",
    "--no-undefined",
    "--pop-state",
    "--push-state",
    "--start-group",
    "--static",
    "-Bdynamic",
    "-Bstatic",
    "-Bsymbolic-functions",
    "-E",
    "-O1",
    "-O2",
    "-s",
    "-static",
];

/// Values of `-Wl,-z,`.
const Z: [&str; 4] = ["execstack", "noexecstack", "now", "relro"];

/// Checks the words, as the Go linker splits them; an error is what is wrong and what to do.
pub(super) fn check(value: &str) -> Result<(), (String, String)> {
    let Some(words) = split_go_flags(value) else {
        let message = format!("a quote in `-extldflags={value}` is not closed");
        return Err((message, "close it, or leave it out".to_owned()));
    };
    match words.iter().find(|word| !is_allowed(word)) {
        None => Ok(()),
        Some(word) => {
            let message = format!("`{word}` in `-extldflags` is not taken");
            let hint = "it may hold `-static`, libraries such as `-lm`, and what Go allows in `#cgo LDFLAGS`";
            Err((message, hint.to_owned()))
        }
    }
}

fn is_allowed(word: &str) -> bool {
    if let Some(arguments) = word.strip_prefix("-Wl,") {
        return LINKER.contains(&arguments) || is_hardening(arguments);
    }
    let mut values = WITH_VALUE
        .iter()
        .filter_map(|start| word.strip_prefix(start));
    // Not the library `to_library`: a plugin is the next word (macOS).
    WORDS.contains(&word) || is_static(word) || word != "-lto_library" && values.any(is_value)
}

/// `-static`, `--static`, `-static-pie`, `-static-libgcc`.
fn is_static(word: &str) -> bool {
    let rest = word
        .strip_prefix("--static")
        .or_else(|| word.strip_prefix("-static"));
    rest.is_some_and(|rest| {
        rest.bytes()
            .all(|b| b == b'-' || b == b'+' || b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

fn is_value(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['@', '-'])
}

/// `-z,relro,-z,now`.
fn is_hardening(arguments: &str) -> bool {
    let words: Vec<&str> = arguments.split(',').collect();
    words
        .chunks(2)
        .all(|pair| matches!(pair, ["-z", value] if Z.contains(value)))
}
