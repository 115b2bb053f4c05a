//! Image references, in the full form that the daemon needs.
//!
//! In: what people write, such as `alpine`. Out: `docker.io/library/alpine:latest`.
//! Facts of distribution/reference, `normalize.go` and `regexp.go`, as vendored
//! by moby/buildkit v0.32.2.

use std::fmt;
use std::str::FromStr;

use crate::Error;

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";

/// An image reference in its full form.
///
/// ```
/// use buildkit_llb::ImageRef;
///
/// let image = ImageRef::parse("golang:1.26")?;
/// assert_eq!(image.to_string(), "docker.io/library/golang:1.26");
/// assert_eq!(image.familiar(), "golang:1.26");
/// assert_eq!(ImageRef::parse("localhost:5000/a")?.to_string(), "localhost:5000/a:latest");
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Host and port of the registry.
    pub domain: String,
    /// Name of the repository in the registry.
    pub path: String,
    /// Tag; `latest` if the text has neither a tag nor a digest.
    pub tag: Option<String>,
    /// Digest, such as `sha256:…`.
    pub digest: Option<String>,
}

impl ImageRef {
    /// Parses a reference as Docker's tools do.
    ///
    /// # Errors
    ///
    /// The text is not a reference.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let error = |reason| Error::ImageRef {
            text: text.to_owned(),
            reason,
        };
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(error("expected a name before a digest"));
        }
        let (domain, rest) = split_domain(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let path = match domain == DEFAULT_DOMAIN && !path.contains('/') {
            true => format!("{OFFICIAL}{path}"),
            false => path.to_owned(),
        };
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(error("the repository has upper-case letters"));
        }
        if !is_domain(domain) {
            return Err(error("the registry is not a host name"));
        }
        if !path.split('/').all(is_path_component) {
            return Err(error("the repository has characters it cannot have"));
        }
        if !tag.is_none_or(is_tag) {
            return Err(error("the tag has characters it cannot have"));
        }
        if !digest.is_none_or(is_digest) {
            return Err(error("expected a digest such as `sha256:…` after `@`"));
        }
        if domain.len() + 1 + path.len() > 255 {
            return Err(error("the name is longer than 255 characters"));
        }
        let default = || digest.is_none().then_some("latest");
        Ok(ImageRef {
            domain: domain.to_owned(),
            path,
            tag: tag.or_else(default).map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The short form: without Docker Hub's domain and `library/`.
    pub fn familiar(&self) -> String {
        let official = |path: &&str| !path.contains('/');
        let name = match self.domain == DEFAULT_DOMAIN {
            true => self
                .path
                .strip_prefix(OFFICIAL)
                .filter(official)
                .unwrap_or(&self.path)
                .to_owned(),
            false => format!("{}/{}", self.domain, self.path),
        };
        name + &self.suffix()
    }

    fn suffix(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        tag.chain(digest).collect()
    }
}

impl FromStr for ImageRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        ImageRef::parse(text)
    }
}

/// Writes the full form.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

/// The first component is a registry if it looks like a host.
fn split_domain(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((LEGACY_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, text),
    }
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address.
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let ok = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
                if address.is_empty() || !address.bytes().all(ok) {
                    return false;
                }
                (None, port)
            }
            None => return false,
        },
        None => match text.find(':') {
            Some(colon) => (Some(&text[..colon]), &text[colon..]),
            None => (Some(text), ""),
        },
    };
    let label = |label: &str| {
        let ok = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(ok)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    host.is_none_or(|host| host.split('.').all(label))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(digits))
}

/// Runs of lower-case letters and digits, separated by `.`, `_`, `__` or any
/// number of `-`.
fn is_path_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_are_words =
        bytes.first().copied().is_some_and(word) && bytes.last().copied().is_some_and(word);
    let separators = text.split(|c: char| c.is_ascii() && word(c as u8));
    let ok = |separator: &str| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
    };
    ends_are_words && separators.into_iter().all(ok)
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let ok = |byte: u8| word(byte) || matches!(byte, b'.' | b'-');
    text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(ok)
}

/// The digests that registries use; the wider grammar of the reference format
/// has no other member in use.
fn is_digest(text: &str) -> bool {
    let hex = |hex: &str, length| hex.len() == length && hex.bytes().all(is_lower_hex);
    match text.split_once(':') {
        Some(("sha256", digits)) => hex(digits, 64),
        Some(("sha384", digits)) => hex(digits, 96),
        Some(("sha512", digits)) => hex(digits, 128),
        _ => false,
    }
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[track_caller]
    fn check(text: &str, full: &str, familiar: &str) {
        let image = ImageRef::parse(text).unwrap();
        assert_eq!(image.to_string(), full);
        assert_eq!(image.familiar(), familiar);
        assert_eq!(ImageRef::parse(full).unwrap(), image);
    }

    #[test]
    fn full_and_familiar_forms() {
        check("alpine", "docker.io/library/alpine:latest", "alpine:latest");
        check("alpine:3", "docker.io/library/alpine:3", "alpine:3");
        check(
            "docker.io/alpine:3",
            "docker.io/library/alpine:3",
            "alpine:3",
        );
        check("index.docker.io/a/b:3", "docker.io/a/b:3", "a/b:3");
        check("a/b", "docker.io/a/b:latest", "a/b:latest");
        check("ghcr.io/a/b/c:x", "ghcr.io/a/b/c:x", "ghcr.io/a/b/c:x");
        check("localhost/a", "localhost/a:latest", "localhost/a:latest");
        check("host:1/a:b", "host:1/a:b", "host:1/a:b");
        check("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest");
        check("Host/a", "Host/a:latest", "Host/a:latest");
        check(
            "x/a__b.c-d/e---f",
            "docker.io/x/a__b.c-d/e---f:latest",
            "x/a__b.c-d/e---f:latest",
        );
        check(
            "library/a/b",
            "docker.io/library/a/b:latest",
            "library/a/b:latest",
        );
    }

    #[test]
    fn digests_replace_the_default_tag() {
        let full = format!("docker.io/library/a@{DIGEST}");
        check(&format!("a@{DIGEST}"), &full, &format!("a@{DIGEST}"));
        let full = format!("docker.io/library/a:1@{DIGEST}");
        check(&format!("a:1@{DIGEST}"), &full, &format!("a:1@{DIGEST}"));
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "A",
            "a/B",
            "a:",
            "a:-",
            "a@",
            "a@sha256:00",
            "a//b",
            "/a",
            "a/",
            "a b",
            "-a",
            "a-",
            "a___b",
            "a..b",
            "a._b",
            "host:x/a",
            "-h.io/a",
            "[::1/a",
            "[x]:1/a",
            "é",
            "a:é",
            "http://a/b",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(ImageRef::parse(text).is_err(), "{text}");
        }
        assert!(ImageRef::parse(&"a/".repeat(200)).is_err());
        assert!(ImageRef::parse(&"a".repeat(300)).is_err());
    }
}
