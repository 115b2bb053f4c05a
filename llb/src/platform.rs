//! Platforms: operating system, processor and variant, in their normal form.
//!
//! In: texts such as `linux/arm64/v8`, or the message of the wire. Out: one
//! spelling per platform. Facts of containerd/platforms, `platforms.go` and
//! `database.go`, as vendored by moby/buildkit v0.32.2.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use buildkit_proto::pb;

use crate::Error;

/// A platform in its normal form.
///
/// Aliases are resolved (`x86_64`, `aarch64`, `armhf`, `macos` …), the default
/// variants of amd64 (`v1`) and arm64 (`v8`) are dropped, and `arm` alone means
/// `arm/v7`.
///
/// ```
/// use buildkit_llb::Platform;
///
/// let platform = Platform::parse("linux/arm64/v8")?;
/// assert_eq!(platform.to_string(), "linux/arm64");
/// assert_eq!(Platform::parse("Linux/armhf")?.to_string(), "linux/arm/v7");
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// Operating system, in the words of Go's `GOOS`.
    pub os: String,
    /// Processor, in the words of Go's `GOARCH`.
    pub arch: String,
    /// Variant of the processor, such as `v7`; empty for the default one.
    pub variant: String,
    /// Version of the operating system; only Windows has it.
    pub os_version: String,
    /// Features of the operating system that are needed.
    pub os_features: Vec<String>,
}

impl Platform {
    /// A platform of an operating system, a processor and a variant, which may
    /// be empty.
    pub fn new(os: &str, arch: &str, variant: &str) -> Self {
        let (arch, variant) = normal_arch(arch, variant);
        Platform {
            os: normal_os(os),
            arch,
            variant,
            os_version: String::new(),
            os_features: Vec::new(),
        }
    }

    /// Parses `OS/ARCH`, `OS/ARCH/VARIANT` or a known `ARCH` alone, which means
    /// Linux. The operating system may have a version and features:
    /// `windows(10.0.17763+win32k)/amd64`.
    ///
    /// # Errors
    ///
    /// The text has another form. An operating system alone is refused: its
    /// processor would be that of the machine this runs on.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let error = |reason| Error::Platform {
            text: text.to_owned(),
            reason,
        };
        let parts: Vec<&str> = text.split('/').collect();
        let (os, version, features) = split_os(parts[0]).map_err(error)?;
        if !parts[1..].iter().all(|part| is_word(part)) {
            return Err(error("expected letters, digits, `_`, `.` and `-`"));
        }
        let mut platform = match parts[1..] {
            [] if is_known_arch(&normal_arch(os, "").0) => Platform::new("linux", os, ""),
            [] if is_known_os(&normal_os(os)) => {
                return Err(error("expected a processor after the operating system"));
            }
            [] => return Err(error("unknown operating system or processor")),
            [arch] => Platform::new(os, arch, ""),
            [arch, variant] => Platform::new(os, arch, variant),
            _ => return Err(error("expected OS/ARCH or OS/ARCH/VARIANT")),
        };
        platform.os_version = version;
        platform.os_features = features;
        Ok(platform)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Platform::parse(text)
    }
}

impl From<&Platform> for Platform {
    fn from(platform: &Platform) -> Self {
        platform.clone()
    }
}

impl From<&Platform> for pb::Platform {
    fn from(platform: &Platform) -> Self {
        pb::Platform {
            architecture: platform.arch.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            os_version: platform.os_version.clone(),
            os_features: platform.os_features.clone(),
        }
    }
}

impl From<&pb::Platform> for Platform {
    fn from(platform: &pb::Platform) -> Self {
        Platform {
            os_version: platform.os_version.clone(),
            os_features: platform.os_features.clone(),
            ..Platform::new(&platform.os, &platform.architecture, &platform.variant)
        }
    }
}

/// Writes `OS/ARCH` or `OS/ARCH/VARIANT`, which [`Platform::parse`] reads.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        let mut features: Vec<&String> = self.os_features.iter().collect();
        features.sort();
        features.dedup();
        if !self.os_version.is_empty() || !features.is_empty() {
            write!(f, "({}", escape(&self.os_version))?;
            for feature in features {
                write!(f, "+{}", escape(feature))?;
            }
            f.write_str(")")?;
        }
        for part in [&self.arch, &self.variant] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

/// Splits `os(version+feature+…)`.
fn split_os(text: &str) -> Result<(&str, String, Vec<String>), &'static str> {
    let (os, options) = match text.split_once('(') {
        None => (text, ""),
        Some((os, rest)) => (os, rest.strip_suffix(')').ok_or("expected `)`")?),
    };
    if !is_word(os) {
        return Err("expected letters, digits, `_`, `.` and `-`");
    }
    let mut options = options.split('+').map(unescape);
    let version = options.next().flatten().ok_or("broken `%` escape")?;
    let features = options.map(|feature| match feature {
        None => Err("broken `%` escape"),
        Some(feature) if feature.is_empty() => Err("empty feature"),
        Some(feature) => Ok(feature),
    });
    // A set: order and repetition mean nothing.
    let features = features.collect::<Result<BTreeSet<_>, _>>()?;
    Ok((os, version, features.into_iter().collect()))
}

/// The characters that have a meaning in the text form of a platform.
const ESCAPED: [char; 5] = ['%', '+', '(', ')', '/'];

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match ESCAPED.contains(&c) {
            true => escaped.push_str(&format!("%{:02X}", u32::from(c))),
            false => escaped.push(c),
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        plain.push(byte.is_ascii().then_some(char::from(byte))?);
        plain.push_str(part.get(2..)?);
    }
    Some(plain)
}

fn is_word(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.chars().all(ok)
}

fn normal_os(os: &str) -> String {
    match os.to_ascii_lowercase().as_str() {
        "macos" => "darwin".to_owned(),
        other => other.to_owned(),
    }
}

fn normal_arch(arch: &str, variant: &str) -> (String, String) {
    let (arch, variant) = (arch.to_ascii_lowercase(), variant.to_ascii_lowercase());
    let (arch, variant) = match (arch.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (arch.to_owned(), variant.to_owned())
}

#[rustfmt::skip]
fn is_known_os(os: &str) -> bool {
    matches!(
        os,
        "aix" | "android" | "darwin" | "dragonfly" | "freebsd" | "hurd" | "illumos" | "ios" | "js"
            | "linux" | "nacl" | "netbsd" | "openbsd" | "plan9" | "solaris" | "windows" | "zos"
    )
}

#[rustfmt::skip]
fn is_known_arch(arch: &str) -> bool {
    matches!(
        arch,
        "386" | "amd64" | "amd64p32" | "arm" | "arm64" | "arm64be" | "armbe" | "loong64" | "mips"
            | "mips64" | "mips64le" | "mips64p32" | "mips64p32le" | "mipsle" | "ppc" | "ppc64"
            | "ppc64le" | "riscv" | "riscv64" | "s390" | "s390x" | "sparc" | "sparc64" | "wasm"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let platform = Platform::parse(text).unwrap();
        assert_eq!(platform.to_string(), expect);
        assert_eq!(Platform::parse(expect).unwrap(), platform);
    }

    #[test]
    fn normal_forms() {
        check("linux/amd64", "linux/amd64");
        check("linux/amd64/v1", "linux/amd64");
        check("linux/amd64/v3", "linux/amd64/v3");
        check("linux/x86_64", "linux/amd64");
        check("linux/x86-64/v2", "linux/amd64/v2");
        check("linux/i386", "linux/386");
        check("linux/arm64/v8", "linux/arm64");
        check("linux/arm64/8", "linux/arm64");
        check("linux/aarch64", "linux/arm64");
        check("linux/arm64/v9.0", "linux/arm64/v9");
        check("linux/arm", "linux/arm/v7");
        check("linux/arm/6", "linux/arm/v6");
        check("linux/armhf", "linux/arm/v7");
        check("linux/armel", "linux/arm/v6");
        check("Linux/ARM64", "linux/arm64");
        check("macOS/arm64", "darwin/arm64");
        check("amd64", "linux/amd64");
        check("aarch64", "linux/arm64");
        check("linux/unheard-of", "linux/unheard-of");
    }

    #[test]
    fn version_and_features_of_the_system() {
        check("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64");
        check("windows(10.0+win32k)/amd64", "windows(10.0+win32k)/amd64");
        check("windows(+b+a)/amd64", "windows(+a+b)/amd64");
        check("windows(1%2F2)/amd64", "windows(1%2F2)/amd64");
        let platform = Platform::parse("windows(1%2F2)/amd64").unwrap();
        assert_eq!(platform.os_version, "1/2");
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "/",
            "linux",
            "linux/",
            "/amd64",
            "linux/amd64/v1/x",
            "*",
            "linux/*",
            "li nux/amd64",
            "windows(1/amd64",
            "windows(%zz)/amd64",
            "windows(1++a)/amd64",
            "windows(%ff)/amd64",
            "é",
        ] {
            assert!(Platform::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn wire_form_is_normalised() {
        let wire = pb::Platform {
            os: "linux".into(),
            architecture: "aarch64".into(),
            variant: "v8".into(),
            ..Default::default()
        };
        assert_eq!(Platform::from(&wire), Platform::new("linux", "arm64", ""));
    }
}
