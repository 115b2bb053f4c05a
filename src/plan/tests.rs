//! What good specs are planned as. Bad ones are in `tests/it/diagnostics`.

#![allow(clippy::unwrap_used)]

use super::*;

fn platform(text: &str) -> Platform {
    Platform::parse(text).unwrap()
}

fn request(target: Option<&str>) -> Request {
    Request {
        target: target.map(Into::into),
        platforms: Vec::new(),
        native: platform("linux/amd64"),
        build_args: BTreeMap::new(),
        file_name: "fleet.yaml".into(),
    }
}

fn read(text: &str, request: &Request) -> (Option<Plan>, Vec<Diagnostic>) {
    match super::read(text, request).and_then(|spec| plan(&spec, request)) {
        Ok(plan) => {
            let warnings = plan.warnings.clone();
            (Some(plan), warnings)
        }
        Err(diagnostics) => (None, diagnostics),
    }
}

fn planned(text: &str, request: &Request) -> Plan {
    let (plan, diagnostics) = read(text, request);
    assert_eq!(diagnostics, []);
    plan.unwrap()
}

/// The only service of a plan for one platform.
fn only(plan: &Plan) -> &Service {
    assert_eq!(plan.platforms.len(), 1);
    assert_eq!(plan.platforms[0].services.len(), 1);
    &plan.platforms[0].services[0]
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.platforms[0]
        .services
        .iter()
        .map(|s| s.name.as_str())
        .collect()
}

const TWO: &str = "services:\n  web: ./cmd/web\n  api: ./cmd/api\n";

#[test]
fn targets_of_requests() {
    let one = planned("services: {api: .}", &request(None));
    assert_eq!(one.selection, Selection::Service("api".into()));
    let api = planned(TWO, &request(Some("api")));
    assert_eq!(only(&api).main.value, "cmd/api");
    let all = planned(TWO, &request(Some("all")));
    assert_eq!(
        (&all.selection, names(&all)),
        (&Selection::All, vec!["web", "api"])
    );
    assert!(all.platforms[0].all.is_some());
    let binaries = planned(TWO, &request(Some("binaries")));
    assert_eq!(binaries.selection, Selection::Binaries);
    assert!(binaries.platforms[0].all.is_none());
    // An empty target is none.
    let empty = planned("services: {api: .}", &request(Some("")));
    assert_eq!(empty.selection, Selection::Service("api".into()));
}

#[test]
fn the_default_target() {
    let text = format!("default_target: ${{WHAT:-web}}\n{TWO}");
    assert_eq!(names(&planned(&text, &request(None))), ["web"]);
    assert_eq!(names(&planned(&text, &request(Some("api")))), ["api"]);
    let mut with_arg = request(None);
    with_arg.build_args.insert("WHAT".into(), "all".into());
    assert_eq!(planned(&text, &with_arg).selection, Selection::All);
}

#[test]
fn lists_of_targets() {
    let (spec, _) = crate::spec::parse(&format!("default_target: api\n{TWO}"));
    let list: Vec<_> = targets(&spec.unwrap(), &request(Some("web")))
        .into_iter()
        .map(|t| (t.name, t.default))
        .collect();
    let expected = [
        ("web", false),
        ("api", true),
        ("all", false),
        ("binaries", false),
        ("deps", false),
    ];
    assert_eq!(list, expected.map(|(n, d)| (n.to_owned(), d)));
    let (spec, _) = crate::spec::parse(TWO);
    assert!(
        targets(&spec.unwrap(), &request(None))
            .iter()
            .all(|t| !t.default)
    );
}

#[test]
fn platforms_of_requests() {
    let text = "defaults:\n  platforms: [linux/arm64]\nservices:\n  api:\n    main: .\n    \
                platforms: [linux/amd64, linux/amd64, linux/arm/v7]\n  web: .\n";
    let platforms = |plan: &Plan| {
        plan.platforms
            .iter()
            .map(|p| p.platform.to_string())
            .collect::<Vec<_>>()
    };
    let of = |target| platforms(&planned(text, &request(Some(target))));
    assert_eq!(of("api"), ["linux/amd64", "linux/arm/v7"]);
    assert_eq!(of("web"), ["linux/arm64"]);
    assert_eq!(of("all"), ["linux/arm64"]);
    let mut flag = request(Some("api"));
    flag.platforms = vec![platform("linux/s390x"), platform("linux/s390x")];
    assert_eq!(platforms(&planned(text, &flag)), ["linux/s390x"]);
    let mut native = request(Some("api"));
    native.native = platform("linux/riscv64");
    assert_eq!(platforms(&planned(TWO, &native)), ["linux/riscv64"]);
    let mut windows = request(Some("binaries"));
    windows.platforms = vec![platform("windows/amd64")];
    assert_eq!(platforms(&planned(TWO, &windows)), ["windows/amd64"]);
}

#[test]
fn services_are_joined_with_defaults() {
    let text = "defaults:\n  user: \"1\"\n  expose: [1, 2]\n  tzdata: false\n  \
                environment: {A: d, B: d}\n  labels: {s: \"${SERVICE}-${TARGETARCH}\"}\n  \
                files: {/a: a, /b: b}\n  env: {GOAMD64: v2}\nservices:\n  \
                api:\n    main: .\n    user: \"2\"\n    expose: [3]\n    \
                environment: {B: s, C: s}\n    files: {/b: c}\n    env: {GOARM64: v8.1}\n  \
                web: .\n";
    let plan = planned(text, &request(Some("api")));
    let Service { image, build, .. } = only(&plan);
    let map = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(image.user.as_ref().unwrap().value, "2");
    assert_eq!(image.expose, ["3/tcp"]);
    assert!(!image.tzdata);
    assert_eq!(
        image.environment,
        map(&[("A", "d"), ("B", "s"), ("C", "s")])
    );
    assert_eq!(image.labels, map(&[("s", "api-amd64")]));
    assert_eq!(build.env, map(&[("GOAMD64", "v2"), ("GOARM64", "v8.1")]));
    let files: Vec<_> = image
        .files
        .iter()
        .map(|f| (&f.dest[..], &f.source[..]))
        .collect();
    assert_eq!(files, [("/a", "a"), ("/b", "c")]);
    // The image with all binaries has the settings of `defaults` alone.
    let all = planned(text, &request(Some("all")));
    let image = all.platforms[0].all.as_ref().unwrap();
    assert_eq!(image.user.as_ref().unwrap().value, "1");
    assert_eq!(image.labels, map(&[("s", "all-amd64")]));
    assert_eq!(image.expose, ["1/tcp", "2/tcp"]);
}

#[test]
fn values_differ_by_platform() {
    let text = "services:\n  api:\n    main: ./cmd/${TARGETOS}\n    \
                labels: {p: \"$TARGETPLATFORM\"}\n    platforms: [linux/amd64, linux/arm/v6]\n";
    let plan = planned(text, &request(None));
    let labels: Vec<_> = plan
        .platforms
        .iter()
        .map(|p| p.services[0].image.labels["p"].as_str())
        .collect();
    assert_eq!(labels, ["linux/amd64", "linux/arm/v6"]);
    assert_eq!(plan.platforms[0].services[0].main.value, "cmd/linux");
}

#[test]
fn compiling() {
    let text = "services:\n  api:\n    main: .\n    build_tags: [b, \"${TAGS}\", b]\n    \
                ldflags: -X main.v=${V} -X main.w=w\n";
    let mut request = request(None);
    request.build_args.insert("TAGS".into(), "a,c  d".into());
    request
        .build_args
        .insert("V".into(), "1 2 -extld=sh".into());
    let plan = planned(text, &request);
    let build = &only(&plan).build;
    assert_eq!(build.tags, ["a", "b", "c", "d"]);
    assert_eq!(
        build.ldflags.as_deref(),
        Some("-X 'main.v=1 2 -extld=sh' -X main.w=w")
    );
}

#[test]
fn the_image() {
    let text = "services:\n  api:\n    main: .\n    base: scratch\n    working_dir: /srv//a/\n    \
                command: \"\"\n    expose: [8001-8002, 8001/udp, 80, 8002]\n    \
                files: {/etc/a.conf: ./conf/../a.conf}\n";
    let plan = planned(text, &request(None));
    let image = &only(&plan).image;
    assert_eq!(image.base, None);
    assert_eq!(image.entrypoint, None);
    assert_eq!(image.command, Some(vec![]));
    let dir = image.working_dir.as_ref().map(|dir| dir.value.as_str());
    assert_eq!(dir, Some("/srv/a"));
    assert_eq!(image.expose, ["80/tcp", "8001/tcp", "8001/udp", "8002/tcp"]);
    assert_eq!(image.files[0].source, "a.conf");
    assert!(image.tzdata);
}

#[test]
fn words_that_expand_to_nothing_are_no_arguments() {
    let text = "services:\n  api:\n    main: .\n    entrypoint: \"/api ${SUB:+serve}\"\n    \
                command: \"${DEBUG:+--debug} --port 80 ${NAME:-'a b'}\"\n    \
                ldflags: \"${RACE:+-v} -X main.version=1\"\n  \
                web:\n    main: .\n    command: [\"${DEBUG:+--debug}\", --port]\n    \
                ldflags: [\"${RACE:+-v}\", -w]\n";
    let service = |name: &str| {
        let plan = planned(text, &request(Some(name)));
        only(&plan).clone()
    };
    let words = |words: &[&str]| Some(words.iter().map(|w| w.to_string()).collect::<Vec<_>>());
    let api = service("api");
    assert_eq!(api.image.entrypoint, words(&["/api"]));
    assert_eq!(api.image.command, words(&["--port", "80", "a b"]));
    assert_eq!(api.build.ldflags.as_deref(), Some("-X main.version=1"));
    let web = service("web");
    assert_eq!(web.image.command, words(&["", "--port"]), "items stay");
    assert_eq!(web.build.ldflags.as_deref(), Some("-w"));
}

/// `linux/arm` means `linux/arm/v7`, so a hint to build for it would lead nowhere.
#[test]
fn a_contradiction_names_a_platform_that_is_none() {
    let text = "services: {api: {main: ., platforms: [linux/arm], env: {GOARM: \"6\"}}}";
    let (plan, found) = read(text, &request(None));
    assert_eq!((plan, found[0].rule), (None, Rule::Contradiction));
    let hint = found[0].hint.as_deref().unwrap();
    assert!(hint.contains("`linux/arm/v6`"), "{hint}");
}

#[test]
fn quoted_words_and_items_that_expand_to_nothing_stay() {
    let of = |field: &str| {
        let text = format!("services: {{api: {{main: ., {field}}}}}");
        only(&planned(&text, &request(None))).clone()
    };
    let words = |words: &[&str]| Some(words.iter().map(|w| w.to_string()).collect::<Vec<_>>());
    let ldflags = of("ldflags: \"-X '${V:-}' -w\"").build.ldflags;
    assert_eq!(ldflags.as_deref(), Some("-X '' -w"));
    let entrypoint = of("entrypoint: [/x, \"${V:-}\"]").image.entrypoint;
    assert_eq!(entrypoint, words(&["/x", ""]));
    let command = of("command: \"a '${V:-}'\"").image.command;
    assert_eq!(command, words(&["a", ""]));
}

/// The processor of a daemon is nobody's setting.
#[test]
fn the_daemons_own_variant_contradicts_nothing() {
    let mut request = request(None);
    request.native = platform("linux/amd64/v2");
    let text = "services: {api: {main: ., env: {GOAMD64: v3}}}";
    planned(text, &request);
    request.platforms = vec![platform("linux/amd64/v2")];
    let (plan, diagnostics) = read(text, &request);
    assert_eq!((plan, diagnostics[0].rule), (None, Rule::Contradiction));
}

#[test]
fn go_of_a_spec() {
    let go = |line: &str| planned(&format!("{line}\nservices: {{api: .}}"), &request(None)).go;
    assert_eq!(go(""), GoSetting::FromModule);
    assert!(matches!(go("go: 1.20"), GoSetting::Version(v) if v.value == "1.20"));
    assert!(
        matches!(go("go: golang:1.26-alpine"), GoSetting::Image(v) if v.value == "golang:1.26-alpine")
    );
}

/// A service that is not built needs no build args, and its mistakes are found all the same.
#[test]
fn other_services() {
    let text = "services:\n  api: .\n  web:\n    main: ./cmd/${DIR}\n    user: ${UID:?}\n    \
                image: ${REGISTRY}/x\n    platforms: [\"${P}\"]\n";
    planned(text, &request(Some("api")));
    let (plan, diagnostics) = read(text, &request(Some("web")));
    assert_eq!(plan, None);
    assert!(diagnostics.iter().all(|d| d.rule == Rule::UnsetArg));
    assert_eq!(diagnostics.len(), 3);
    // `binaries` needs what compiling needs.
    let (_, diagnostics) = read(text, &request(Some("binaries")));
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn warnings_stop_nothing() {
    let mut request = request(None);
    request.build_args.insert("UNUSED".into(), String::new());
    let (plan, diagnostics) = read("services: {api: .}", &request);
    assert_eq!(plan.unwrap().warnings, diagnostics);
    assert_eq!(diagnostics[0].rule, Rule::UnusedArg);
}

#[test]
fn plans_stay_small() {
    let labels: String = (0..900).map(|i| format!("    l{i}: x\n")).collect();
    let services: String = (0..999).map(|i| format!("  s{i}: .\n")).collect();
    let text = format!("defaults:\n  labels:\n{labels}services:\n{services}");
    let mut two = request(Some("all"));
    two.platforms = vec![platform("linux/amd64"), platform("linux/arm64")];
    let (plan, diagnostics) = read(&text, &two);
    assert_eq!(plan, None);
    assert_eq!(diagnostics[0].rule, Rule::TooLarge);
}

/// Same text and request: same plan.
#[test]
fn plans_are_repeatable() {
    let request = request(Some("all"));
    assert_eq!(read(TWO, &request), read(TWO, &request));
}

/// The later wins, and what only bake files use may have no value.
#[test]
fn settings_of_fetching() {
    let text = "modules:\n  GOPROXY: https://${HOST},direct\n  GOPRIVATE: git.example.com\n\
                secrets: [netrc, 'id=ca,src=${CA}']\nssh: default\nservices: {api: .}\n";
    let mut request = request(None);
    let args = [
        ("HOST", "proxy.example.com"),
        ("GOPRIVATE", "a,b"),
        ("GOSUMDB", "off"),
    ];
    let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
    request.build_args = args.into();
    let Fetch {
        settings,
        secrets,
        ssh,
    } = planned(text, &request).fetch;
    let settings: Vec<_> = settings
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        settings,
        [
            ("GOPRIVATE", "a,b"),
            ("GOPROXY", "https://proxy.example.com,direct"),
            ("GOSUMDB", "off")
        ]
    );
    let ids: Vec<&str> = secrets.iter().map(|s| s.id.as_str()).collect();
    assert_eq!((ids, ssh.len()), (vec!["netrc"], 1));
}

#[test]
fn runners() {
    let runner = |top: &str, args: &[(&str, &str)]| {
        let text = format!("{top}services: {{api: .}}\n");
        let mut request = request(None);
        for (name, value) in args {
            request
                .build_args
                .insert((*name).to_owned(), (*value).to_owned());
        }
        let spec = super::read(&text, &request).unwrap();
        plan(&spec, &request).map(|plan| (plan.runner.cache, plan.runner.parallel))
    };
    let spec = "cache: layer\nparallel: 3\n";
    assert_eq!(runner("", &[]).unwrap(), (CacheMode::Mount, None));
    assert_eq!(runner(spec, &[]).unwrap(), (CacheMode::Layer, Some(3)));
    // Build args win; an empty one is none.
    let args = [("GOFLEET_CACHE", "mount"), ("GOFLEET_PARALLEL", "")];
    assert_eq!(runner(spec, &args).unwrap(), (CacheMode::Mount, Some(3)));
    for args in [
        [("GOFLEET_CACHE", "volume")],
        [("GOFLEET_PARALLEL", "65")],
        [("GOFLEET_PARALLEL", "two")],
    ] {
        let problems = runner(spec, &args).unwrap_err();
        assert!(problems[0].message.contains(args[0].0), "{problems:?}");
    }
    // A misspelled name is no silent default.
    let request = Request {
        build_args: [("GOFLEET_CASHE".to_owned(), "layer".to_owned())].into(),
        ..request(None)
    };
    let spec = super::read("services: {api: .}\n", &request).unwrap();
    let warnings = plan(&spec, &request).unwrap().warnings;
    let hint = warnings[0].hint.as_deref();
    assert_eq!(hint, Some("did you mean `GOFLEET_CACHE`?"));
}
