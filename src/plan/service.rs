//! One service on one platform: its settings joined with `defaults`, expanded and checked.

use super::{
    Build, Check, FileEntry, ImageSettings, PlatformPlan, Request, Selection, Service, linker,
    path, platform, toolchain, value,
};
use crate::diag::{Diagnostic, Rule, Span, Spanned};
use crate::spec::{
    Args, Attest, Scope, ServiceEntry, Settings, Spec, Text, Variables, join_go_flags,
};
use buildkit_llb::Platform;
use std::collections::{BTreeMap, BTreeSet};

/// With so many problems no more are looked for.
const ENOUGH: usize = 1000;
/// Where binaries are in images.
const BINARIES: &str = "/usr/local/bin";

/// Joins a service's settings with those of `defaults`.
///
/// Scalars and lists of the service replace the defaults; mappings are joined key by key, and the
/// service's key wins.
pub(super) fn merged(defaults: &Settings, own: &Settings) -> Settings {
    fn or<T: Clone>(own: &Option<T>, default: &Option<T>) -> Option<T> {
        own.clone().or_else(|| default.clone())
    }
    fn join(own: &Variables, default: &Variables) -> Variables {
        let mut all = default.clone();
        all.extend(own.clone());
        all
    }
    Settings {
        build_tags: or(&own.build_tags, &defaults.build_tags),
        ldflags: or(&own.ldflags, &defaults.ldflags),
        env: join(&own.env, &defaults.env),
        image: or(&own.image, &defaults.image),
        base: or(&own.base, &defaults.base),
        entrypoint: or(&own.entrypoint, &defaults.entrypoint),
        command: or(&own.command, &defaults.command),
        environment: join(&own.environment, &defaults.environment),
        expose: or(&own.expose, &defaults.expose),
        labels: join(&own.labels, &defaults.labels),
        user: or(&own.user, &defaults.user),
        working_dir: or(&own.working_dir, &defaults.working_dir),
        files: join(&own.files, &defaults.files),
        platforms: or(&own.platforms, &defaults.platforms),
        tzdata: own.tzdata.or(defaults.tzdata),
    }
}

/// Everything of one platform, and of whether anybody named it. Without a selection, values are
/// checked and nothing is selected.
pub(super) fn platform_plan(
    spec: &Spec,
    (platform, named): (Platform, bool),
    selection: Option<&Selection>,
    check: &mut Check<'_>,
) -> PlatformPlan {
    let mut services = Vec::new();
    let names: BTreeSet<&str> = spec
        .services
        .iter()
        .map(|e| e.name.value.as_str())
        .collect();
    let places: BTreeMap<&str, usize> = names.into_iter().zip(0..).collect();
    for entry in &spec.services {
        if check.diagnostics.len() > ENOUGH {
            break;
        }
        let name = &entry.name.value;
        let (compiled, imaged) = match selection {
            Some(Selection::Service(wanted)) => (wanted == name, wanted == name),
            Some(Selection::All | Selection::Binaries | Selection::Deps) => (true, false),
            None => (false, false),
        };
        let settings = merged(&spec.defaults, &entry.settings);
        let scope = scope(name, &platform, check);
        check.lenient = !compiled;
        let variant = Some(&platform).filter(|_| named && compiled);
        let parts = build(entry, &settings, &scope, variant, check);
        check.lenient = !imaged;
        let image = image(&settings, &scope, &[name], check);
        check.lenient = false;
        if let (Some((main, build)), true) = (parts, compiled) {
            services.push(Service {
                name: name.clone(),
                span: entry.name.span,
                place: places.get(name.as_str()).copied().unwrap_or_default(),
                main,
                build,
                image,
            });
        }
    }
    let all = (selection == Some(&Selection::All)).then(|| {
        let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
        let scope = scope("all", &platform, check);
        image(&spec.defaults, &scope, &names, check)
    });
    PlatformPlan {
        platform,
        services,
        all,
    }
}

/// Checks each service's image name as far as the build args are known; only bake files use it.
pub(super) fn image_names(spec: &Spec, check: &mut Check<'_>) {
    check.lenient = true;
    for entry in &spec.services {
        let image = entry
            .settings
            .image
            .as_ref()
            .or(spec.defaults.image.as_ref());
        let Some(text) = image else { continue };
        let scope = Scope::global(check.args).with("SERVICE", entry.name.value.as_str());
        if let Some(name) = check.expand(text, &scope) {
            let checked = value::image_name(&name, text.span());
            check.noted(checked);
        }
    }
    check.lenient = false;
}

/// What decides where the image of a service goes and what is pushed beside it: the
/// image name, as far as the build args are known, and the attestations as written.
#[must_use]
pub fn published(spec: &Spec, service: &str, request: &Request) -> Vec<String> {
    let args = Args::new(&request.build_args);
    let scope = Scope::global(&args).with("SERVICE", service);
    let entry = spec.services.iter().find(|s| s.name.value == service);
    let image = entry.and_then(|entry| entry.settings.image.as_ref());
    let image = image.or(spec.defaults.image.as_ref());
    let mut out: Vec<String> = image
        .map(|text| {
            text.expand(&scope)
                .unwrap_or_else(|_| text.raw().to_owned())
        })
        .into_iter()
        .collect();
    match &spec.attest {
        None => {}
        Some(Attest::Flag(flag)) => out.push(flag.to_string()),
        Some(Attest::Entries(entries)) => {
            out.extend(entries.iter().map(|text| text.raw().to_owned()));
        }
    }
    out
}

fn scope<'a>(service: &str, platform: &Platform, check: &Check<'a>) -> Scope<'a> {
    Scope::global(check.args)
        .with("SERVICE", service)
        .with("TARGETPLATFORM", platform.to_string())
        .with("TARGETOS", platform.os.as_str())
        .with("TARGETARCH", platform.arch.as_str())
}

/// The build tags, sorted.
fn tags(settings: &Settings, scope: &Scope<'_>, check: &mut Check<'_>) -> Vec<String> {
    let mut tags = Vec::new();
    for text in settings.build_tags.iter().flatten() {
        let Some(value) = check.expand(text, scope) else {
            continue;
        };
        // As the go command does; a value cannot turn into anything but tags.
        for tag in value
            .split([',', ' ', '\t', '\n'])
            .filter(|t| !t.is_empty())
        {
            let tag = value::build_tag(tag, text.span());
            tags.extend(check.noted(tag));
        }
    }
    tags.sort();
    tags.dedup();
    tags
}

/// The platforms that a service is built for by itself, each with its build tags, as far as they
/// show before the services are known.
pub(super) fn builds(
    name: &str,
    settings: &Settings,
    request: &Request,
    args: &Args<'_>,
) -> Vec<(Platform, Vec<String>)> {
    // What is wrong with the values is said when the service is planned.
    let mut check = Check::new(args);
    let own = Scope::global(args).with("SERVICE", name);
    let list = platform::from_spec(settings.platforms.as_deref(), &own, &mut check);
    let platforms = match (request.platforms.as_slice(), list.as_slice()) {
        ([], []) => vec![request.native.clone()],
        ([], list) => list.iter().map(|(platform, _)| platform.clone()).collect(),
        (asked, _) => asked.to_vec(),
    };
    let with_tags = platforms.into_iter().map(|platform| {
        let scope = scope(name, &platform, &check);
        let tags = tags(settings, &scope, &mut Check::new(args));
        (platform, tags)
    });
    with_tags.collect()
}

fn build(
    entry: &ServiceEntry,
    settings: &Settings,
    scope: &Scope<'_>,
    named_platform: Option<&Platform>,
    check: &mut Check<'_>,
) -> Option<(Spanned<String>, Build)> {
    let main = entry.main.as_ref().and_then(|text| {
        let value = check.expand(text, scope)?;
        let path = check.noted(path::main(&value, text.span()))?;
        Some(Spanned::new(path, text.span()))
    });
    let tags = tags(settings, scope, check);
    let ldflags = settings
        .ldflags
        .as_ref()
        .and_then(|words| ldflags(words, scope, check));
    let mut env = BTreeMap::new();
    for (name, entry) in &settings.env {
        let checked = toolchain::variable(name, entry.value.raw(), entry.span);
        if check.noted(checked).is_none() {
            continue;
        }
        if let Some(value) = check.expand(&entry.value, scope) {
            let checked = toolchain::value(name, &value, entry.value.span());
            check.noted(checked);
            env.insert(name.clone(), Spanned::new(value, entry.value.span()));
        }
    }
    if let Some(platform) = named_platform {
        let problems = platform::contradictions(platform, &env);
        check.diagnostics.extend(problems);
    }
    let env = env.into_iter().map(|(k, v)| (k, v.value)).collect();
    let build = Build { tags, ldflags, env };
    main.map(|main| (main, build))
}

fn ldflags(words: &[Text], scope: &Scope<'_>, check: &mut Check<'_>) -> Option<String> {
    let mut flags = Vec::new();
    for word in words {
        for value in check.expand_words(word, scope)? {
            if value.contains('\'') && value.contains('"') {
                let d = Diagnostic::new(
                    Rule::InvalidFlags,
                    format!("the flag `{value}` holds both kinds of quotes"),
                );
                check.push(
                    d.at(word.span())
                        .hint("the go command can pass on only one kind per word"),
                );
                return None;
            }
            flags.push((value, word.span()));
        }
    }
    let problems = linker::check(&flags);
    if !problems.is_empty() {
        check.diagnostics.extend(problems);
        return None;
    }
    let flags: Vec<String> = flags.into_iter().map(|(flag, _)| flag).collect();
    join_go_flags(&flags).filter(|flags| !flags.is_empty())
}

fn image(
    settings: &Settings,
    scope: &Scope<'_>,
    binaries: &[&str],
    check: &mut Check<'_>,
) -> ImageSettings {
    let base = settings.base.as_ref().and_then(|text| {
        let value = check.expand(text, scope)?;
        let base = check.noted(value::base(&value, text.span()))?;
        base.map(|base| Spanned::new(base, text.span()))
    });
    let user = settings.user.as_ref().and_then(|text| {
        let value = check.expand(text, scope)?;
        let user = check.noted(value::user(&value, text.span()))?;
        Some(Spanned::new(user, text.span()))
    });
    let working_dir = settings.working_dir.as_ref().and_then(|text| {
        let value = check.expand(text, scope)?;
        let dir = check.noted(path::absolute(&value, text.span(), "working_dir"))?;
        Some(Spanned::new(dir, text.span()))
    });
    ImageSettings {
        base,
        entrypoint: words(settings.entrypoint.as_deref(), scope, check),
        command: words(settings.command.as_deref(), scope, check),
        environment: variables(&settings.environment, "environment", scope, check),
        expose: ports(settings, scope, check),
        labels: variables(&settings.labels, "labels", scope, check),
        user,
        working_dir,
        tzdata: settings.tzdata.unwrap_or(true),
        files: files(&settings.files, scope, binaries, check),
    }
}

fn words(words: Option<&[Text]>, scope: &Scope<'_>, check: &mut Check<'_>) -> Option<Vec<String>> {
    let expanded = words?.iter().filter_map(|w| check.expand_words(w, scope));
    Some(expanded.flatten().collect())
}

fn variables(
    variables: &Variables,
    field: &str,
    scope: &Scope<'_>,
    check: &mut Check<'_>,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, entry) in variables {
        let checked = value::name(name, field, entry.span);
        if check.noted(checked).is_none() {
            continue;
        }
        if let Some(value) = check.expand(&entry.value, scope) {
            found.insert(name.clone(), value);
        }
    }
    found
}

/// Most ports of one image.
const MAX_PORTS: usize = 1000;

fn ports(settings: &Settings, scope: &Scope<'_>, check: &mut Check<'_>) -> Vec<String> {
    let mut ports = Vec::new();
    for text in settings.expose.iter().flatten() {
        if let Some(value) = check.expand(text, scope) {
            let range = value::ports(&value, text.span());
            ports.extend(check.noted(range).into_iter().flatten());
        }
        if ports.len() > MAX_PORTS {
            let message = format!("`expose` has more than {MAX_PORTS} ports");
            check.push(
                Diagnostic::new(Rule::InvalidPort, message)
                    .at(text.span())
                    .hint("name the ports that the program listens on"),
            );
            break;
        }
    }
    ports.sort();
    ports.dedup();
    ports
        .into_iter()
        .map(|(n, protocol)| format!("{n}/{protocol}"))
        .collect()
}

fn files(
    files: &Variables,
    scope: &Scope<'_>,
    binaries: &[&str],
    check: &mut Check<'_>,
) -> Vec<FileEntry> {
    let mut entries: BTreeMap<String, FileEntry> = BTreeMap::new();
    let mut keys: BTreeMap<String, Span> = BTreeMap::new();
    for (dest, entry) in files {
        let Some(value) = check.expand(&entry.value, scope) else {
            continue;
        };
        let span = entry.value.span();
        let source = check.noted(path::source(&value, span));
        let dest = check.noted(path::dest(dest, &value, entry.span));
        let (Some(source), Some(dest)) = (source, dest) else {
            continue;
        };
        let binary = dest
            .strip_prefix(BINARIES)
            .and_then(|n| n.strip_prefix('/'));
        if let Some(name) = binary.filter(|name| binaries.contains(name)) {
            check.push(
                Diagnostic::new(
                    Rule::InvalidPath,
                    format!("`{dest}` is the binary of `{name}`"),
                )
                .at(entry.span)
                .hint("choose another destination"),
            );
            continue;
        }
        if let Some(other) = keys.insert(dest.clone(), entry.span) {
            // The entries come in the order of their keys; the message in that of the text.
            let (first, second) = (other.min(entry.span), other.max(entry.span));
            check.push(
                Diagnostic::new(
                    Rule::InvalidPath,
                    format!("two entries of `files` have the destination `{dest}`"),
                )
                .at(second)
                .label(first, "first given here")
                .hint("remove one of the two"),
            );
        }
        let new = FileEntry {
            dest: dest.clone(),
            source,
            span,
        };
        entries.insert(dest, new);
    }
    entries.into_values().collect()
}
