//! Values with a grammar of their own: versions, image references, users, ports, names.

use super::GoSetting;
use crate::diag::{Diagnostic, Rule, Span, Spanned};
use crate::versions::Go;
use buildkit_llb::ImageRef;

/// The oldest Go that has all flags of build steps: `-buildvcs` is its.
pub(crate) const OLDEST_GO: &str = "1.18";

/// Largest number of ports that one range may have.
const MAX_RANGE: u16 = 1000;

/// The value of `go`: a version, or the reference of a builder image.
pub(super) fn go(text: &str, span: Span) -> Result<GoSetting, Diagnostic> {
    let error = |message: String, hint: String| {
        Err(Diagnostic::new(Rule::InvalidGo, message)
            .at(span)
            .hint(hint))
    };
    let spanned = |value: &str| Spanned::new(value.to_owned(), span);
    if is_version(text) {
        if Go::parse(text) < Go::parse(OLDEST_GO) {
            return error(
                format!("build steps run with Go {OLDEST_GO} or later, not with `{text}`"),
                format!(
                    "write `go: \"{OLDEST_GO}\"` or a later version: `go.mod` says which version \
                     of the language is compiled"
                ),
            );
        }
        return Ok(GoSetting::Version(spanned(text)));
    }
    let message = format!("`{text}` is neither a Go version nor a builder image");
    let prefixed = text.strip_prefix("go").or(text.strip_prefix('v'));
    if let Some(version) = prefixed.filter(|v| is_version(v)) {
        return error(message, format!("write `go: \"{version}\"`"));
    }
    // `1.26-alpine` is a tag: the version with more after it.
    if text.split_once('-').is_some_and(|(v, _)| is_version(v)) {
        return error(message, format!("did you mean `golang:{text}`?"));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['/', ':', '@']) {
        let hint = "a version is `1.26` or `1.26.3`; quote it: `go: \"1.26\"`";
        return error(message, hint.into());
    }
    match ImageRef::parse(text) {
        // A word without tag or digest is hardly a builder image: `latest`, `stable`.
        Ok(_) if text.contains(['/', ':', '@']) || text == "golang" => {
            Ok(GoSetting::Image(spanned(text)))
        }
        _ => error(
            message,
            "write a version such as `1.26`, or an image such as `golang:1.26-bookworm`".into(),
        ),
    }
}

/// `1.26`, `1.26.3`, `1.27rc1`.
fn is_version(text: &str) -> bool {
    let number = |s: &str| !s.is_empty() && s.len() <= 4 && s.chars().all(|c| c.is_ascii_digit());
    let Some((major, rest)) = text.split_once('.') else {
        return false;
    };
    let (minor, patch) = match rest.split_once('.') {
        Some((minor, patch)) => (minor, Some(patch)),
        None => (rest, None),
    };
    let candidate = |s: &str| {
        ["rc", "beta"]
            .iter()
            .find_map(|word| s.split_once(word))
            .is_some_and(|(minor, n)| number(minor) && number(n))
    };
    match patch {
        Some(patch) => number(major) && number(minor) && number(patch),
        None => number(major) && (number(minor) || candidate(minor)),
    }
}

/// The value of `base`; `None` for `scratch`.
pub(super) fn base(text: &str, span: Span) -> Result<Option<String>, Diagnostic> {
    if text == "scratch" {
        return Ok(None);
    }
    reference(text, "base", span)?;
    Ok(Some(text.to_owned()))
}

/// The value of `image`: a name to push to, so without digest.
pub(super) fn image_name(text: &str, span: Span) -> Result<(), Diagnostic> {
    let image = reference(text, "image", span)?;
    if image.digest.is_some() {
        return Err(Diagnostic::new(
            Rule::InvalidImage,
            format!("`{text}` has a digest, and an image that is not built yet has none"),
        )
        .at(span)
        .hint("write a name and a tag"));
    }
    Ok(())
}

fn reference(text: &str, field: &str, span: Span) -> Result<ImageRef, Diagnostic> {
    let error = ImageRef::parse(text);
    error.map_err(|_| {
        let lower = text.to_lowercase();
        let hint = if text.is_empty() {
            "write an image reference; is a build arg empty?".to_owned()
        } else if let Some((_, rest)) = text.split_once("://") {
            format!("write it without the scheme: `{rest}`")
        } else if text.starts_with('/') || text.ends_with(['/', ':']) || text.contains("//") {
            "a part of the reference is empty; is a build arg empty?".to_owned()
        } else if lower != text && ImageRef::parse(&lower).is_ok() {
            format!("the path is in lower case: `{lower}`")
        } else {
            "a reference is `registry.example.com/path:tag`".to_owned()
        };
        Diagnostic::new(
            Rule::InvalidImage,
            format!("`{text}` of `{field}` is no image reference"),
        )
        .at(span)
        .hint(hint)
    })
}

/// One entry of `attest`, as `--attest` takes it.
pub(super) fn attest(text: &str, span: Span) -> Result<String, Diagnostic> {
    let parts: Vec<(&str, &str)> = text
        .split(',')
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .collect();
    let fits = parts
        .iter()
        .all(|(k, v)| !k.trim().is_empty() && !v.is_empty())
        && parts.iter().any(|(k, _)| *k == "type")
        && !text.contains(char::is_control);
    if fits {
        return Ok(text.to_owned());
    }
    let hint = match text.split(',').next() {
        Some("provenance" | "sbom") => format!("write `type={text}`"),
        _ => "write `type=provenance,mode=max` or `type=sbom`".into(),
    };
    Err(
        Diagnostic::new(Rule::InvalidAttest, format!("`{text}` is no attestation"))
            .at(span)
            .hint(hint),
    )
}

/// The value of `user`.
pub(super) fn user(text: &str, span: Span) -> Result<String, Diagnostic> {
    let (name, group) = match text.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (text, None),
    };
    let word = |s: &str| {
        let mut chars = s.chars();
        let first = chars
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        first
            && s.len() <= 32
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    // Larger numbers than the kernel's are names of nobody.
    let id = |s: &str| !is_number(s) || s.parse::<u32>().is_ok_and(|n| n < u32::MAX && decimal(s));
    let fits = |s: &str| word(s) && id(s);
    if fits(name) && group.is_none_or(fits) {
        return Ok(text.to_owned());
    }
    let number = [Some(name), group]
        .into_iter()
        .flatten()
        .find_map(other_notation);
    Err(
        Diagnostic::new(Rule::InvalidUser, format!("`{text}` is no user"))
            .at(span)
            .hint(match number {
                Some(number) => format!("write the number in decimal digits: `{number}`"),
                None => "write numbers, `65532:65532`, or a name that the image knows".into(),
            }),
    )
}

/// Whether a word is a number in any notation of YAML, of old ones too. User names that begin
/// with a digit exist; none of them looks like this.
fn is_number(word: &str) -> bool {
    let Some(first) = word.chars().next().filter(char::is_ascii_digit) else {
        return false;
    };
    let rest = word.to_ascii_lowercase();
    let prefixed = first == '0'
        && ["0x", "0o", "0b"].iter().any(|prefix| {
            let digits = rest.strip_prefix(prefix);
            digits.is_some_and(|d| d.chars().all(|c| c.is_ascii_hexdigit() || c == '_'))
        });
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '_' | '.');
    let (mantissa, exponent) = rest.split_once('e').unwrap_or((&rest, "0"));
    prefixed || mantissa.chars().all(decimal) && exponent.chars().all(|c| c.is_ascii_digit())
}

/// Whether digits are written without leading zeros, which YAML 1.1 reads as octal.
fn decimal(digits: &str) -> bool {
    digits == "0" || !digits.starts_with('0')
}

/// The value of a number that is not written in decimal digits, when there is no doubt about it.
fn other_notation(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase().replace('_', "");
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (prefix, radix) in radix {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return u32::from_str_radix(digits, radix).ok();
        }
    }
    let number = lower.parse().ok()?;
    (lower != word && decimal(&lower)).then_some(number)
}

/// One entry of `expose`: a port or a range, each with its protocol.
pub(super) fn ports(text: &str, span: Span) -> Result<Vec<(u16, &'static str)>, Diagnostic> {
    let error = |hint: &str| {
        let message = format!("`{text}` is no port");
        Err(Diagnostic::new(Rule::InvalidPort, message)
            .at(span)
            .hint(hint))
    };
    if text.contains(':') {
        return error(
            "the port of the host is chosen when the container starts; write the second number",
        );
    }
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol {
        "tcp" => "tcp",
        "udp" => "udp",
        "sctp" => "sctp",
        _ => return error("a port is `8080`, `8080/udp` or `8000-8010`"),
    };
    let port = |s: &str| {
        let digits = !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
        s.parse::<u16>().ok().filter(|n| digits && *n > 0)
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (Some(first), Some(last)) = (port(first), port(last)) else {
        return error(
            "a port is a number from 1 to 65535, as in `8080`, `8080/udp` or `8000-8010`",
        );
    };
    if first > last {
        return error("a range starts with its smaller number");
    }
    if last - first >= MAX_RANGE {
        return error("a range has at most 1000 ports");
    }
    Ok((first..=last).map(|n| (n, protocol)).collect())
}

/// One build tag.
pub(super) fn build_tag(text: &str, span: Span) -> Result<String, Diagnostic> {
    if text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
    {
        return Ok(text.to_owned());
    }
    let hint = if text.starts_with('!') {
        "leave it out: a tag that is not listed is not set"
    } else if text.starts_with('-') {
        "write the tags alone, without `-tags`"
    } else if text.contains([':', '/']) {
        "an image name belongs in `image`"
    } else {
        "a tag has letters, digits, `_` and `.`"
    };
    Err(
        Diagnostic::new(Rule::InvalidBuildTag, format!("`{text}` is no build tag"))
            .at(span)
            .hint(hint),
    )
}

/// The name of a variable or label.
pub(super) fn name(text: &str, field: &str, span: Span) -> Result<(), Diagnostic> {
    let problem = if text.contains('=') {
        "holds `=`"
    } else if text.contains(char::is_whitespace) {
        "holds white space"
    } else if text.contains(char::is_control) {
        "holds a control character"
    } else if text.is_empty() {
        ""
    } else {
        return Ok(());
    };
    let message = match text {
        "" => format!("an empty name in `{field}`"),
        _ => format!("the name `{}` in `{field}` {problem}", text.escape_debug()),
    };
    Err(Diagnostic::new(Rule::InvalidVariable, message)
        .at(span)
        .hint("write `NAME: value`, or a list of `NAME=value` without white space around `=`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Span {
        Span::at(1, 1)
    }

    #[test]
    fn go_settings() {
        for text in ["1.26", "1.26.3", "1.27rc1", "1.27beta2", "2.0"] {
            assert!(
                matches!(go(text, at()), Ok(GoSetting::Version(_))),
                "{text}"
            );
        }
        for text in [
            "golang:1.26",
            "golang",
            "localhost:5000/go@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert!(matches!(go(text, at()), Ok(GoSetting::Image(_))), "{text}");
        }
        let hint = |text: &str| go(text, at()).err().and_then(|d| d.hint);
        assert!(hint("1.17").is_some_and(|hint| hint.contains("\"1.18\"")));
        assert_eq!(hint("go1.26").as_deref(), Some("write `go: \"1.26\"`"));
        assert_eq!(
            hint("1.26-alpine").as_deref(),
            Some("did you mean `golang:1.26-alpine`?")
        );
        for text in ["", "1", "latest", "1.26.3.4", "1.", "Golang:1.26", "a b"] {
            assert!(hint(text).is_some(), "{text}");
        }
    }

    #[test]
    fn images() {
        assert_eq!(base("scratch", at()), Ok(None));
        assert_eq!(base("alpine:3", at()), Ok(Some("alpine:3".into())));
        let hint = |text: &str| image_name(text, at()).err().and_then(|d| d.hint);
        assert_eq!(hint("registry.example.com/a/b:1"), None);
        assert_eq!(
            hint("example.com/Shop/api").as_deref(),
            Some("the path is in lower case: `example.com/shop/api`")
        );
        assert_eq!(
            hint("https://example.com/a").as_deref(),
            Some("write it without the scheme: `example.com/a`")
        );
        for text in ["", "/api", "api:", "a b", "a//b"] {
            assert!(hint(text).is_some(), "{text}");
        }
    }

    #[test]
    fn users() {
        for text in [
            "0",
            "65532:65532",
            "nobody",
            "app:app",
            "1000:staff",
            "_apt",
            "389ds",
            "2fauth",
        ] {
            assert_eq!(user(text, at()).as_deref(), Ok(text));
        }
        for text in [
            "",
            ":",
            "a:",
            ":1",
            "a:b:c",
            "-1",
            "a b",
            "99999999999",
            "root;id",
            "0x3e8",
            "0o1750",
            "0b11",
            "1_000",
            "1e3",
            "1000.0",
            "01000",
            "00",
            "1000:0x32",
        ] {
            assert!(user(text, at()).is_err(), "{text}");
        }
        let hint = |text: &str| {
            user(text, at())
                .err()
                .and_then(|d| d.hint)
                .unwrap_or_default()
        };
        assert!(hint("0x3e8").ends_with("`1000`") && hint("0o1750").ends_with("`1000`"));
        assert!(hint("1_000").ends_with("`1000`") && hint("app:0x32").ends_with("`50`"));
        assert!(!hint("01000").contains("decimal"), "octal to some");
    }

    #[test]
    fn exposed() {
        assert_eq!(ports("8080", at()), Ok(vec![(8080, "tcp")]));
        assert_eq!(ports("1-2/udp", at()), Ok(vec![(1, "udp"), (2, "udp")]));
        for text in [
            "", "0", "65536", "80/", "80/http", "8080:80", "2-1", "1-65535", "+1", "1-2-3",
        ] {
            assert!(ports(text, at()).is_err(), "{text}");
        }
    }

    #[test]
    fn build_tags() {
        assert!(build_tag("go1.26", at()).is_ok() && build_tag("net_go", at()).is_ok());
        for text in ["!cgo", "-tags", "api:latest", "a+b"] {
            assert!(build_tag(text, at()).is_err(), "{text}");
        }
    }
}
