use super::*;
use crate::fetch::NoGo;

fn kind(module: &str, text: &str) -> (Kind, String) {
    let found = problem((module, "v1.0.0"), text, &NoGo);
    (found.kind, found.host)
}

/// What go 1.26, git 2.39 and OpenSSH 9.2 say, with names changed.
#[test]
fn messages_are_sorted() {
    let cases = [
        (
            Kind::NoLogin,
            "proxy.example",
            "m.example/a@v1.0.0: reading https://proxy.example/m.example/a/@v/v1.0.0.info: 403 Forbidden\n\tserver response: Forbidden",
        ),
        (
            Kind::Refused,
            "proxy.example",
            "m.example/a@v1.0.0: reading https://proxy.example/m.example/a/@v/v1.0.0.info: 403 Forbidden\n\tserver response:\n\tblocked by policy: m.example/a has CVE-2026-1\n\task security@example.com",
        ),
        (
            Kind::NoLogin,
            "proxy.example",
            "reading https://proxy.example/m.example/a/@v/v1.0.0.mod: 401 Unauthorized\n\tserver response: Unauthorized",
        ),
        (
            Kind::NoLogin,
            "m.example",
            "unrecognized import path \"m.example/a\": reading https://m.example/a?go-get=1: 401 Unauthorized",
        ),
        (
            Kind::NoLogin,
            "m.example",
            "git ls-remote -q --end-of-options https://m.example/a in /go/pkg/mod/cache/vcs/0a: exit status 128:\n\tfatal: could not read Username for 'https://m.example': terminal prompts disabled",
        ),
        (
            Kind::NoKey,
            "m.example",
            "git@m.example: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        ),
        (
            Kind::UnknownHostKey,
            "m.example",
            "No ED25519 host key is known for m.example and you have requested strict checking.\nHost key verification failed.",
        ),
        (
            Kind::UntrustedCertificate,
            "proxy.example",
            "Get \"https://proxy.example/m.example/a/@v/v1.0.0.mod\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ),
        (
            Kind::UntrustedCertificate,
            "m.example",
            "fatal: unable to access 'https://m.example/a.git/': server certificate verification failed. CAfile: none CRLfile: none",
        ),
        (
            Kind::NoClientCertificate,
            "m.example",
            "https fetch: Get \"https://m.example/a?go-get=1\": remote error: tls: certificate required",
        ),
        (
            Kind::NoClientCertificate,
            "m.example",
            "fatal: unable to access 'https://m.example/a/': GnuTLS recv error (-12): A TLS fatal alert has been received.",
        ),
        (
            Kind::UnknownHostKey,
            "m.example",
            "https://m.example/a: Host key for m.example has changed and you have requested strict checking.\nHost key verification failed.",
        ),
        (
            Kind::NoGit,
            "m.example",
            "unable to resolve git version: failed to execute git version: exec: \"git\": executable file not found in $PATH",
        ),
        (
            Kind::NoSsh,
            "m.example",
            "error: cannot run ssh -o BatchMode=yes: No such file or directory\nfatal: unable to fork",
        ),
        (
            Kind::NotFound,
            "proxy.example",
            "reading https://proxy.example/m.example/a/@v/v1.0.0.mod: 404 Not Found\n\tserver response: not found",
        ),
        (
            Kind::NotFound,
            "m.example",
            "invalid version: unknown revision abcdef123456",
        ),
        (
            Kind::NotInSumDatabase,
            "sum.example",
            "verifying go.mod: m.example/a@v1.0.0/go.mod: reading https://sum.example/lookup/m.example/a@v1.0.0: 404 Not Found",
        ),
        (
            Kind::Unreachable,
            "m.example",
            "https fetch: Get \"https://m.example/a?go-get=1\": dial tcp: lookup m.example on 10.0.0.53:53: no such host",
        ),
        (
            Kind::ChecksumMismatch,
            "m.example",
            "verifying m.example/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:x\n\tgo.sum:     h1:y",
        ),
        (
            Kind::Forbidden,
            "m.example",
            "module lookup disabled by GOPROXY=off",
        ),
        (
            Kind::Forbidden,
            "m.example",
            "GOVCS disallows using git for public m.example/a; see 'go help vcs'",
        ),
        (
            Kind::BadUrl,
            "m.example",
            "parse \"https://***\": invalid port \":***\" after host",
        ),
        (
            Kind::OldGo,
            "m.example",
            "go: m.example/a@v1.0.0 requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)",
        ),
        (
            Kind::Silent,
            "proxy.example",
            "https://proxy.example/m.example/a/@v/v1.0.0.zip: nothing came for 120 s",
        ),
        (
            Kind::OutOfOrder,
            "proxy.example",
            "m.example/a@v1.0.0: reading https://proxy.example/m.example/a/@v/v1.0.0.zip: 502 Bad Gateway",
        ),
        (
            Kind::NoModule,
            "proxy.example",
            "m.example/a@v1.0.0: invalid response from proxy \"https://proxy.example\": invalid character '<' looking for beginning of value",
        ),
        (
            Kind::NoModule,
            "proxy.example",
            "zip: not a valid zip file\nfrom https://proxy.example/m.example/a/@v/v1.0.0.zip",
        ),
        (Kind::Other, "m.example", "something new"),
    ];
    for (expected, host, text) in cases {
        assert_eq!(
            kind("m.example/a", text),
            (expected, host.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn a_login_that_was_given_is_refused() {
    let given = Given {
        logins: ["m.example".to_owned()].into(),
        ..Given::default()
    };
    assert_eq!(
        classify("401 Unauthorized", "m.example:8443", &given),
        Kind::LoginRefused
    );
    assert_eq!(
        classify("401 Unauthorized", "x.example", &given),
        Kind::NoLogin
    );
}

#[test]
fn paths_of_the_step_are_left_out() {
    let text = "go: downloading a\ngit ls-remote https://m in /go/pkg/mod/cache/vcs/0a: exit status 128:\n\tremote: \u{1b}[2Jx\n\tfatal: no\n";
    assert_eq!(
        tidy(text),
        "git ls-remote https://m: exit status 128:\nremote: [2Jx\nfatal: no"
    );
}

#[test]
fn the_line_that_names_the_module_is_found() {
    let texts = [
        (
            "go.mod".to_owned(),
            "module m\n// a.example/x\nrequire (\n\ta.example/x/y v1.0.0\n\ta.example/x v1.0.0\n)\n"
                .to_owned(),
        ),
        (
            "go.sum".to_owned(),
            "a.example/x v0.9.0 h1:0\na.example/x v1.0.0 h1:1\n".to_owned(),
        ),
    ];
    let manifests = || texts.iter().map(|(path, text)| (path, text));
    let mut found = problem(("a.example/x", "v1.0.0"), "no", &NoGo);
    found.locate(manifests());
    assert_eq!((found.manifest.as_str(), found.line), ("go.mod", 5));
    found.kind = Kind::ChecksumMismatch;
    found.locate(manifests());
    assert_eq!((found.manifest.as_str(), found.line), ("go.sum", 2));
}

#[test]
fn a_server_that_says_why_is_quoted() {
    let said = "m.example/a@v1.0.0: reading https://proxy.example/m.example/a/@v/v1.0.0.info: \
                403 Forbidden\n\tserver response:\n\tblocked by policy: CVE-2026-1\n\task Eve";
    let found = problem(("m.example/a", "v1.0.0"), said, &NoGo);
    let shown = crate::fetch::advice(&found, "golang:1.26");
    let first = shown.message.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "`proxy.example` refuses module `m.example/a` v1.0.0: blocked by policy: CVE-2026-1 ask Eve"
    );
    assert_eq!(
        response("403 Forbidden\n\tserver response: Forbidden."),
        None
    );
}
