//! The words of build constraints that Go knows, in lines and in file names.
//!
//! Lists: `internal/syslist` and `go/build` of Go 1.26 (go-build-facts §C2).

use super::constraint::Truth;

/// Systems that programs are built for every day. Files for others are in a closure
/// only if somebody asks for such a system.
pub(super) const USUAL: [&str; 3] = ["linux", "windows", "darwin"];

/// The other systems that Go knows of.
pub(super) const UNUSUAL: [&str; 15] = [
    "aix",
    "android",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "zos",
];

/// Processors that images are built for every day.
pub(super) const USUAL_ARCH: [&str; 7] = [
    "386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x",
];

/// The other processors that Go compiles for.
pub(super) const UNUSUAL_ARCH: [&str; 7] = [
    "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "wasm",
];

/// Processors whose names count in file names, and that no release of Go compiles for.
pub(super) const NO_ARCH: [&str; 10] = [
    "amd64p32",
    "armbe",
    "arm64be",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "s390",
    "sparc",
    "sparc64",
];

/// The word that holds on all systems but these.
pub(super) const UNIX: &str = "unix";
pub(super) const NO_UNIX: [&str; 6] = ["js", "nacl", "plan9", "wasip1", "windows", "zos"];

/// Other words whose value depends on toolchain or mode.
const MODES: [&str; 7] = [UNIX, "cgo", "gc", "race", "msan", "asan", "boringcrypto"];

/// Releases of Go up to this one have their tag in every build. It is older than any
/// toolchain that builds modules as they are today.
const OLDEST_GO: u32 = 16;

/// The tag of scripts: by convention no build sets it.
pub(super) const SCRIPT: &str = "ignore";

/// Words that may hold besides the usual ones, for builds on these systems and
/// processors with these tags.
#[must_use]
pub fn open_words<'a>(
    platforms: impl IntoIterator<Item = &'a str>,
    tags: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in platforms {
        if !USUAL.contains(&word) && !USUAL_ARCH.contains(&word) {
            out.push(word.to_owned());
        }
        // What holds on a relative holds here as well.
        match word {
            "illumos" => out.push("solaris".to_owned()),
            "ios" => out.push("darwin".to_owned()),
            _ => {}
        }
    }
    out.extend(tags.into_iter().filter(|t| *t == SCRIPT).map(str::to_owned));
    out.sort();
    out.dedup();
    out
}

/// The constraint in a file's name, such as `linux && amd64` for `a_linux_amd64.go`.
#[must_use]
pub(crate) fn of_name(name: &str) -> Option<String> {
    let stem = name.split('.').next().unwrap_or(name);
    let (_, rest) = stem.split_once('_')?;
    let mut parts: Vec<&str> = rest.split('_').collect();
    if parts.last() == Some(&"test") {
        parts.pop();
    }
    let is_os = |part: &str| USUAL.contains(&part) || UNUSUAL.contains(&part);
    let is_arch = |part: &str| {
        USUAL_ARCH.contains(&part) || UNUSUAL_ARCH.contains(&part) || NO_ARCH.contains(&part)
    };
    match parts.as_slice() {
        [.., os, arch] if is_os(os) && is_arch(arch) => Some(format!("{os} && {arch}")),
        [.., last] if is_os(last) || is_arch(last) => Some((*last).to_owned()),
        _ => None,
    }
}

/// What is known of a tag on all platforms together; `None` for a tag that somebody
/// made up.
pub(super) fn known(tag: &str, open: &[String]) -> Option<Truth> {
    let is = |list: &[&str]| list.contains(&tag);
    if open.iter().any(|word| word == tag) {
        return Some(Truth::Open);
    }
    if is(&USUAL) || is(&USUAL_ARCH) || is(&MODES) || tag.starts_with("goexperiment.") {
        return Some(Truth::Open);
    }
    if is(&UNUSUAL) || is(&UNUSUAL_ARCH) || is(&NO_ARCH) {
        return Some(Truth::No);
    }
    if let Some(minor) = tag.strip_prefix("go1.").and_then(|n| n.parse::<u32>().ok()) {
        let certain = minor <= OLDEST_GO;
        return Some(if certain { Truth::Yes } else { Truth::Open });
    }
    // A feature of a processor, such as `amd64.v3`.
    let (arch, _) = tag.split_once('.')?;
    let is_arch = USUAL_ARCH.contains(&arch) || UNUSUAL_ARCH.contains(&arch);
    is_arch.then(|| known(arch, open)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_constraints() {
        for (name, expected) in [
            ("a.go", None),
            ("linux.go", None),
            ("a_linux.go", Some("linux")),
            ("a_linux_amd64.go", Some("linux && amd64")),
            ("a_windows_foo.go", None),
            ("a_linux_foo_amd64.go", Some("amd64")),
            ("x_linux.windows.go", Some("linux")),
            ("a_unix.go", None),
            ("a_sparc64.s", Some("sparc64")),
            ("zos_test.go", None),
            ("a_plan9_test.go", Some("plan9")),
            ("_linux.go", Some("linux")),
        ] {
            assert_eq!(of_name(name).as_deref(), expected, "{name}");
        }
    }
}
