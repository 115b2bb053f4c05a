//! For which platforms to build.
//!
//! `--platform`, then `platforms` of the service, then the daemon's own. For `all` and `binaries`
//! the `platforms` of `defaults` count: every selected service is built for every platform, and
//! one service's own list says nothing about the others.

use super::service::merged;
use super::{Check, Request, Selection};
use crate::diag::{Diagnostic, Rule, Span, Spanned, did_you_mean};
use crate::spec::{Scope, Spec, Text};
use buildkit_llb::Platform;
use std::collections::{BTreeMap, BTreeSet};

/// What Go 1.26 compiles for: `go tool dist list`, by system.
const PORTS: &[(&str, &str)] = &[
    ("aix", "ppc64"),
    ("android", "386 amd64 arm arm64"),
    ("darwin", "amd64 arm64"),
    ("dragonfly", "amd64"),
    ("freebsd", "386 amd64 arm arm64 riscv64"),
    ("illumos", "amd64"),
    ("ios", "amd64 arm64"),
    ("js", "wasm"),
    (
        "linux",
        "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x",
    ),
    ("netbsd", "386 amd64 arm arm64"),
    ("openbsd", "386 amd64 arm arm64 ppc64 riscv64"),
    ("plan9", "386 amd64 arm"),
    ("solaris", "amd64"),
    ("wasip1", "wasm"),
    ("windows", "386 amd64 arm arm64"),
];

/// Most platforms of one build.
const MAX_PLATFORMS: usize = 100;

/// The platforms of a build, in the order asked for, without repeats.
#[derive(Default)]
pub(super) struct Chosen {
    /// Empty only after an error.
    pub(super) platforms: Vec<Platform>,
    /// Whether the client or the spec named them; otherwise it is the daemon's own.
    pub(super) named: bool,
}

/// Chooses the platforms of a build.
pub(super) fn choose(
    spec: &Spec,
    request: &Request,
    selection: Option<&Selection>,
    check: &mut Check<'_>,
) -> Chosen {
    // The lists of all services are checked, those that are not built too.
    let mut own = Vec::new();
    for service in &spec.services {
        let selected =
            matches!(selection, Some(Selection::Service(name)) if *name == service.name.value);
        let settings = merged(&spec.defaults, &service.settings);
        let scope = Scope::global(check.args).with("SERVICE", service.name.value.as_str());
        check.lenient = !selected;
        let list = from_spec(settings.platforms.as_deref(), &scope, check);
        check.lenient = false;
        if selected {
            own = list;
        }
    }
    if matches!(
        selection,
        Some(Selection::All | Selection::Binaries | Selection::Deps)
    ) {
        let scope = Scope::global(check.args).with("SERVICE", "all");
        own = from_spec(spec.defaults.platforms.as_deref(), &scope, check);
    }
    let named = !request.platforms.is_empty() || !own.is_empty();
    let mut chosen: Vec<(Platform, Option<Span>)> = if !request.platforms.is_empty() {
        request
            .platforms
            .iter()
            .map(|p| (p.clone(), None))
            .collect()
    } else if !own.is_empty() {
        own.into_iter().map(|(p, span)| (p, Some(span))).collect()
    } else {
        vec![(request.native.clone(), None)]
    };
    let mut seen = BTreeSet::new();
    chosen.retain(|(p, _)| seen.insert(p.clone()));
    if chosen.len() > MAX_PLATFORMS {
        let message = format!("the build has more than {MAX_PLATFORMS} platforms");
        let mut problem = Diagnostic::new(Rule::TooLarge, message)
            .hint("Go compiles for about fifty pairs of system and processor");
        problem.span = chosen.last().and_then(|(_, span)| *span);
        check.push(problem);
        return Chosen::default();
    }
    for (platform, span) in &chosen {
        let image = matches!(selection, Some(Selection::Service(_) | Selection::All));
        let problem = if image && platform.os != "linux" {
            Some(not_linux(platform))
        } else {
            compilable(platform).err()
        };
        if let Some(mut problem) = problem {
            problem.span = *span;
            check.push(problem);
        }
    }
    Chosen {
        platforms: chosen.into_iter().map(|(p, _)| p).collect(),
        named,
    }
}

/// The valid entries of a `platforms` list, each with its place.
pub(super) fn from_spec(
    list: Option<&[Text]>,
    scope: &Scope<'_>,
    check: &mut Check<'_>,
) -> Vec<(Platform, Span)> {
    let mut platforms = Vec::new();
    for text in list.unwrap_or_default() {
        let Some(value) = check.expand(text, scope) else {
            continue;
        };
        for part in value.split([',', ' ']).filter(|p| !p.is_empty()) {
            let platform = parse(part).map_err(|d| d.at(text.span()));
            if let Some(platform) = check.noted(platform) {
                platforms.push((platform, text.span()));
            }
        }
    }
    platforms
}

/// Reads one platform of the spec.
fn parse(text: &str) -> Result<Platform, Diagnostic> {
    // An architecture alone is taken by the parser as Linux; the spec asks for both.
    let parsed = Platform::parse(text).ok().filter(|_| text.contains('/'));
    let Some(platform) = parsed else {
        let hint = match PORTS
            .iter()
            .find(|(_, archs)| archs.split(' ').any(|a| a == text))
        {
            Some(_) => format!("did you mean `linux/{text}`?"),
            None => "a platform is `linux/amd64` or `linux/arm/v7`".into(),
        };
        let message = format!("`{text}` is no platform");
        return Err(Diagnostic::new(Rule::InvalidPlatform, message).hint(hint));
    };
    compilable(&platform)?;
    Ok(platform)
}

/// Whether Go compiles for the platform.
fn compilable(platform: &Platform) -> Result<(), Diagnostic> {
    let Platform { os, arch, .. } = platform;
    let known = PORTS
        .iter()
        .any(|(o, archs)| o == os && archs.split(' ').any(|a| a == arch));
    if known {
        return Ok(());
    }
    let pair = format!("{os}/{arch}");
    let pairs: Vec<String> = PORTS
        .iter()
        .flat_map(|(o, archs)| archs.split(' ').map(move |a| format!("{o}/{a}")))
        .collect();
    let hint = match did_you_mean(&pair, pairs.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`go tool dist list` shows what Go compiles for".into(),
    };
    Err(Diagnostic::new(
        Rule::InvalidPlatform,
        format!("Go does not compile for `{platform}`"),
    )
    .hint(hint))
}

/// Environment that makes Go compile for a platform (go-build-facts §E2).
#[must_use]
pub fn go_target(platform: &Platform) -> Vec<(&'static str, String)> {
    let mut env = vec![
        ("GOOS", platform.os.clone()),
        ("GOARCH", platform.arch.clone()),
    ];
    let level = |prefix: &str| {
        platform
            .variant
            .strip_prefix(prefix)
            .unwrap_or_default()
            .to_owned()
    };
    match platform.arch.as_str() {
        "amd64" if !platform.variant.is_empty() => env.push(("GOAMD64", platform.variant.clone())),
        "arm64" if !platform.variant.is_empty() => {
            let version = level("v");
            let version = if version.contains('.') {
                version
            } else {
                format!("{version}.0")
            };
            env.push(("GOARM64", format!("v{version}")));
        }
        "arm" => {
            let version = level("v");
            env.push((
                "GOARM",
                if version.is_empty() {
                    "7".to_owned()
                } else {
                    version
                },
            ));
        }
        _ => {}
    }
    env
}

/// Variables of `env` that ask for another processor than the variant of the platform.
///
/// In `GOARM` and `GOARM64` options follow the version behind a comma; they contradict nothing.
pub(super) fn contradictions(
    platform: &Platform,
    env: &BTreeMap<String, Spanned<String>>,
) -> Vec<Diagnostic> {
    if platform.variant.is_empty() {
        return Vec::new();
    }
    let version = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
    let differs = |(name, of_platform): (&str, String)| {
        let own = env.get(name)?;
        (version(&own.value) != of_platform).then(|| {
            Diagnostic::new(
                Rule::Contradiction,
                format!(
                    "`{name}` is `{}`, and the platform `{platform}` means `{of_platform}`",
                    own.value
                ),
            )
            .at(own.span)
            .hint(format!(
                "leave `{name}` out, or build for `{}`",
                meant_by(platform, &version(&own.value))
            ))
        })
    };
    go_target(platform)
        .into_iter()
        .filter_map(differs)
        .collect()
}

/// The platform whose variant is what a variable says: `6` and `v6` are both `linux/arm/v6`.
fn meant_by(platform: &Platform, version: &str) -> String {
    let (os, arch) = (&platform.os, &platform.arch);
    let text = format!("{os}/{arch}/v{}", version.trim_start_matches('v'));
    parse(&text).map_or(format!("{os}/{arch}"), |platform| platform.to_string())
}

fn not_linux(platform: &Platform) -> Diagnostic {
    Diagnostic::new(
        Rule::NotLinux,
        format!("images are for Linux, not for `{platform}`"),
    )
    .hint("`--target binaries -o out` compiles for every system")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms() {
        let check = |text: &str| parse(text).map(|p| p.to_string()).map_err(|d| d.hint);
        assert_eq!(check("linux/amd64"), Ok("linux/amd64".into()));
        assert_eq!(check("linux/aarch64"), Ok("linux/arm64".into()));
        assert_eq!(check("darwin/arm64"), Ok("darwin/arm64".into()));
        let hint = |text: &str| check(text).err().flatten();
        assert_eq!(
            hint("linux/amd46").as_deref(),
            Some("did you mean `linux/amd64`?")
        );
        assert_eq!(
            hint("arm64").as_deref(),
            Some("did you mean `linux/arm64`?")
        );
        assert!(hint("linux").is_some() && hint("a/b/c/d").is_some());
    }
}
