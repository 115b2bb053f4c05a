//! Build args: those that a target uses, and those that nothing uses.

use super::service::merged;
use super::{Request, Selection, runner, settings};
use crate::diag::{Diagnostic, Rule, did_you_mean};
use crate::fetch;
use crate::spec::{ArgUse, ArgUses, Attest, PREDEFINED, ServiceEntry, Settings, Spec, Text};

/// The build args that builds of a target use, by name.
pub fn of_target(spec: &Spec, target: &Selection) -> Vec<ArgUse> {
    let mut uses = ArgUses::default();
    match target {
        Selection::Service(name) => {
            let service = spec.services.iter().find(|s| s.name.value == *name);
            uses = service.map(|s| of_service(spec, s)).unwrap_or_default();
        }
        Selection::All | Selection::Binaries | Selection::Deps => {
            of_every_build(spec, &mut |text| uses.add(text));
            for service in &spec.services {
                service.main.iter().for_each(|main| uses.add(main));
                let settings = merged(&spec.defaults, &service.settings);
                let compiling = Settings {
                    build_tags: settings.build_tags,
                    ldflags: settings.ldflags,
                    env: settings.env,
                    ..Settings::default()
                };
                compiling.each_text(&mut |text| uses.add(text));
            }
            let mut own = Settings {
                image: None,
                ..spec.defaults.clone()
            };
            if *target != Selection::All {
                own = Settings {
                    platforms: own.platforms,
                    ..Settings::default()
                };
            }
            own.each_text(&mut |text| uses.add(text));
        }
    }
    uses.0.into_values().collect()
}

/// The build args that a service's build uses: not those of its image's name.
pub(super) fn of_service(spec: &Spec, service: &ServiceEntry) -> ArgUses {
    let mut uses = ArgUses::default();
    of_every_build(spec, &mut |text| uses.add(text));
    service.main.iter().for_each(|main| uses.add(main));
    let settings = Settings {
        image: None,
        ..merged(&spec.defaults, &service.settings)
    };
    settings.each_text(&mut |text| uses.add(text));
    uses
}

/// The texts that every build of a spec reads.
fn of_every_build<'s>(spec: &'s Spec, visit: &mut impl FnMut(&'s Text)) {
    let top = spec.go.iter().chain(&spec.default_target);
    let top = top.chain(&spec.cache).chain(&spec.parallel);
    top.chain(spec.modules.values().map(|v| &v.value))
        .for_each(&mut *visit);
    // A build does not use them, and wants them to have a value.
    if let Some(Attest::Entries(entries)) = &spec.attest {
        entries.iter().for_each(&mut *visit);
    }
    // Each build discovers anew, and has to find what was found here.
    if !spec.discover.is_empty() {
        let mains = spec.services.iter().filter_map(|s| s.main.as_ref());
        let texts = spec.discover.iter().chain(&spec.exclude).chain(mains);
        texts.for_each(visit);
    }
}

/// Names with a meaning outside of the spec, beside the settings of fetching. Prefixes end
/// with `_`. BuildKit has more of its own, which do nothing here.
///
/// Facts: contract §5.3.
const KNOWN: [&str; 18] = [
    "BUILDKIT_ATTEST_",
    "BUILDKIT_BUILD_NAME",
    "BUILDKIT_CACHE_MOUNT_NS",
    "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
    "BUILDKIT_DOCKERFILE_CHECK",
    "BUILDKIT_INLINE_CACHE",
    "BUILDKIT_MULTI_PLATFORM",
    "BUILDKIT_SANDBOX_HOSTNAME",
    "BUILDKIT_SYNTAX",
    runner::CACHE,
    runner::PARALLEL,
    fetch::TIMEOUT,
    "SOURCE_DATE_EPOCH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

/// What to say of BuildKit's other names.
const NOTHING: &str = "it does nothing in builds of gofleet";

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
            let own = [runner::CACHE, runner::PARALLEL, fetch::TIMEOUT];
            let known = KNOWN.into_iter().filter(|_| name.starts_with("BUILDKIT_"));
            let names = used.iter().map(|u| u.name.as_str());
            did_you_mean(name, names.chain(own).chain(known))
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| name.starts_with("BUILDKIT_").then(|| NOTHING.to_owned()))
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
            "BUILDKIT_ATTEST_SBOM",
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
            "BUILDKIT_SBOM_SCAN_STAGE",
            "BUILDKIT_PROGRESS",
            "goproxy",
            "GOFLAGS",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
