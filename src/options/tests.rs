//! What each option becomes, and how mistakes read.

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[track_caller]
fn options(pairs: &[(&str, &str)]) -> Options {
    Options::from_map(&map(pairs)).expect("valid options")
}

#[track_caller]
fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
    let errors = Options::from_map(&map(pairs)).expect_err("a mistake");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_file_depends_on_who_started_us() {
    assert_eq!(options(&[]).filename, "fleet.yaml");
    assert_eq!(
        options(&[("cmdline", "gofleet/gofleet:1")]).filename,
        "Dockerfile"
    );
    assert_eq!(
        options(&[("filename", "deploy/fleet.yaml"), ("cmdline", "x")]).filename,
        "deploy/fleet.yaml"
    );
}

#[test]
fn platforms_are_normalised_and_decide_the_shape_of_the_answer() {
    let one = options(&[("platform", "linux/aarch64")]);
    assert_eq!(one.platforms[0].to_string(), "linux/arm64");
    assert!(!one.answers_with_map(1));
    let two = options(&[("platform", "linux/amd64,linux/arm64")]);
    assert!(two.answers_with_map(2));
    assert!(options(&[("multi-platform", "true")]).answers_with_map(1));
    assert!(options(&[("build-arg:BUILDKIT_MULTI_PLATFORM", "1")]).answers_with_map(1));
    assert!(!options(&[("multi-platform", "false")]).answers_with_map(1));
}

#[test]
fn no_cache_is_all_or_some_targets() {
    assert!(!options(&[]).no_cache.covers("api"));
    assert!(options(&[("no-cache", "")]).no_cache.covers("api"));
    let some = options(&[("no-cache", "API,worker")]).no_cache;
    assert!(some.covers("api") && some.covers("worker") && !some.covers("web"));
}

#[test]
fn cache_imports_come_in_two_forms() {
    let imports = options(&[
        (
            "cache-imports",
            r#"[{"Type":"registry","Attrs":{"ref":"r/a"}},{"Type":"gha"}]"#,
        ),
        ("cache-from", "r/b,r/c"),
    ])
    .cache_imports;
    let kinds: Vec<_> = imports
        .iter()
        .map(|i| (i.r#type.as_str(), i.attrs.get("ref").map(String::as_str)))
        .collect();
    assert_eq!(
        kinds,
        [
            ("registry", Some("r/a")),
            ("gha", None),
            ("registry", Some("r/b")),
            ("registry", Some("r/c")),
        ]
    );
}

#[test]
fn exec_settings_are_read() {
    let exec = options(&[
        ("add-hosts", "a=1.2.3.4,b=::1"),
        ("force-network-mode", "host"),
        ("shm-size", "1024"),
        ("ulimit", "nofile=10:20,core=0"),
        ("memory", "1000"),
        ("memswap", "-1"),
        ("cpusetcpus", "0-1"),
        ("cgroup-parent", "p"),
        ("hostname", "h"),
        ("build-arg:BUILDKIT_SANDBOX_HOSTNAME", "wins"),
        ("build-arg:HTTP_PROXY", "upper"),
        ("build-arg:http_proxy", "lower"),
        ("build-arg:No_Proxy", "n"),
    ])
    .exec;
    assert_eq!(exec.extra_hosts.len(), 2);
    assert_eq!(exec.network, Some(Network::Host));
    assert_eq!(exec.shm_size, Some(1024));
    assert_eq!(exec.ulimits[0].hard, 20);
    let resources = exec.linux_resources.expect("limits");
    assert_eq!((resources.memory, resources.memory_swap), (1000, -1));
    assert_eq!(resources.cpuset_cpus, "0-1");
    assert_eq!(exec.cgroup_parent.as_deref(), Some("p"));
    assert_eq!(exec.hostname.as_deref(), Some("wins"));
    let proxy = exec.proxy.expect("proxy");
    assert_eq!(
        (proxy.http_proxy.as_str(), proxy.no_proxy.as_str()),
        ("lower", "n")
    );
}

#[test]
fn absent_settings_are_absent() {
    let exec = options(&[("shm-size", "0"), ("add-hosts", ""), ("memory", "")]).exec;
    assert!(exec.network.is_none() && exec.proxy.is_none() && exec.linux_resources.is_none());
    assert!(exec.shm_size.is_none() && exec.extra_hosts.is_empty());
}

#[test]
fn attestations_and_capabilities_are_lists() {
    let options = options(&[
        ("attest:sbom", ""),
        ("attest:provenance", "mode=max,\"builder-id=a,b\""),
        (
            "frontend.caps",
            "moby.buildkit.frontend.contexts+forward,moby.buildkit.frontend.inputs",
        ),
    ]);
    assert_eq!(options.attestations["sbom"].len(), 0);
    assert_eq!(options.attestations["provenance"]["builder-id"], "a,b");
    assert!(
        options
            .required_caps
            .contains("moby.buildkit.frontend.contexts")
    );
}

#[test]
fn the_epoch_is_seconds_or_a_selector() {
    let epoch = |v| options(&[("build-arg:SOURCE_DATE_EPOCH", v)]).source_date_epoch;
    assert_eq!(epoch("0"), Some(SourceDateEpoch::Seconds(0)));
    assert_eq!(
        epoch("context"),
        Some(SourceDateEpoch::Of("context".to_owned()))
    );
    assert_eq!(epoch(""), None);
}

#[test]
fn the_main_context_is_local_git_or_a_download() {
    let main = |pairs: &[(&str, &str)]| options(pairs).contexts.main;
    assert_eq!(main(&[]), MainContext::Local);
    assert_eq!(main(&[("context", "somewhere")]), MainContext::Local);
    assert_eq!(
        main(&[("context", "http://buildkit-session/x")]),
        MainContext::Http("http://buildkit-session/x".to_owned())
    );
    let git = |pairs: &[(&str, &str)]| {
        let mut pairs = pairs.to_vec();
        pairs.extend([("contextkey", "ctx"), ("ctx", "https://h/r.git#v1:sub")]);
        match main(&pairs) {
            MainContext::Git { url, .. } => url,
            other => panic!("{other:?}"),
        }
    };
    let plain = git(&[]);
    assert_eq!(plain.subdir.as_deref(), Some("sub"));
    assert_eq!((plain.keep_git_dir, plain.mtime), (None, None));
    let kept = git(&[
        ("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"),
        ("build-arg:SOURCE_DATE_EPOCH", "1"),
    ]);
    assert_eq!(kept.keep_git_dir, Some(true));
    assert_eq!(kept.mtime.as_deref(), Some("commit"));
}

#[test]
fn named_contexts_are_found_by_short_name_and_platform() {
    let options = options(&[
        ("context:golang:1.26", "docker-image://mine"),
        ("context:golang:1.26::linux/arm64", "local:arm"),
        ("sharedkey:localdir:golang:1.26::linux/arm64", "k"),
        ("context:base", "input:b"),
        ("input-metadata:b", r#"{"containerimage.config":"e30="}"#),
        ("local-sessionid:arm", "s2"),
    ]);
    let find = |name: &str, platform: &str| {
        let platform = Platform::parse(platform).expect("platform");
        let found = options.contexts.named(name, &platform).expect("reference");
        found.map(|c| (c.value.to_owned(), c.shared_key.to_owned()))
    };
    let image = Some(("docker-image://mine".to_owned(), String::new()));
    assert_eq!(find("docker.io/library/golang:1.26", "linux/amd64"), image);
    assert_eq!(
        find("golang:1.26", "linux/arm64"),
        Some(("local:arm".to_owned(), "k".to_owned()))
    );
    assert!(find("base:latest", "linux/amd64").is_some());
    assert!(find("golang", "linux/amd64").is_none());
    let contexts = &options.contexts;
    assert_eq!(
        contexts.input_metadata("b", "containerimage.config"),
        Some(b"{}".as_slice())
    );
    assert_eq!(contexts.session_of("arm", "s1"), "s2");
    assert_eq!(contexts.session_of("context", "s1"), "s1");
}

#[test]
fn all_mistakes_are_reported_at_once_by_the_flag_typed() {
    let errors = errors(&[
        ("platform", "linux/amd64,plan9"),
        ("ulimit", "nofile=a,files=1"),
        ("add-hosts", "db"),
        ("force-network-mode", "vpn"),
        ("shm-size", "64m"),
        ("cpuquota", "-3"),
        ("image-resolve-mode", "never"),
        ("cache-imports", "{"),
        ("multi-platform", "maybe"),
        ("context", "https://h/r.git?reff=x"),
        ("input-metadata:x", "{\"a\":\"%\"}"),
        ("attest:sbom", "\"x"),
    ]);
    let has = |part: &str| {
        assert!(
            errors.iter().any(|e| e.contains(part)),
            "no {part}: {errors:#?}"
        );
    };
    has("invalid `--platform`: ");
    has("invalid `--ulimit`: expected NAME=SOFT[:HARD], found `nofile=a`");
    has("invalid `--ulimit`: unknown limit `files`");
    has("invalid `--add-host`: expected HOST=IP, found `db`");
    has("invalid `--network`: expected `default`, `none` or `host`, found `vpn`");
    has("invalid `--shm-size`: expected a number of bytes, found `64m`");
    has("invalid `--cpu-quota`: expected a number above 0, found `-3`");
    has("invalid `--pull`: ");
    has("invalid `--cache-from`: ");
    has("invalid `multi-platform`: ");
    has("invalid `context`: unknown query `reff`");
    has("invalid `input-metadata:x`: ");
    has("invalid `--attest type=sbom`: ");
    assert_eq!(errors.len(), 13);
}

#[test]
fn one_platform_at_a_time_excludes_several() {
    assert_eq!(
        errors(&[
            ("platform", "linux/amd64,linux/arm64"),
            ("multi-platform", "false"),
        ]),
        [
            "invalid `multi-platform`: it forbids a result of several platforms, but `--platform` names 2"
        ]
    );
}
