#![allow(clippy::unwrap_used)]
use super::*;
use crate::testing::tree;

fn places(root: &Path) -> Places {
    Places {
        secrets: root.join("secrets"),
        agent: root.join("agent"),
        home: root.join("home"),
        roots: vec![root.join("none.pem"), root.join("roots.pem")],
    }
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    owned.collect()
}

fn modules(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn tokens_go_to_private_hosts_alone() {
    let root = tree(&[(
        "secrets/netrc",
        "machine c.example login u password secret-c\n",
    )]);
    let places = places(root.path());
    let given = env(&[
        ("GOPRIVATE", "*.corp.example"),
        ("GOFLEET_SECRET_GOPRIVATE", ""),
        ("GOPROXY", "https://a.example"),
        ("GOFLEET_SECRET_GOPROXY", "https://b.example\n"),
        ("GOFLEET_SECRET_GIT_AUTH_TOKEN", "general-token\n"),
        ("GOFLEET_SECRET_GIT_AUTH_TOKEN.own.example", "own-token"),
        ("PATH", "/bin"),
    ]);
    let wanted = modules(&["git.corp.example/a", "github.com/b/c", "m/lib"]);
    let go = prepare(given, &places, &wanted).unwrap();
    let netrc = fs::read_to_string(places.home.join(".netrc")).unwrap();
    assert_eq!(
        netrc,
        "machine git.corp.example login x-access-token password general-token\n\
         machine own.example login x-access-token password own-token\n\
         machine c.example login u password secret-c\n"
    );
    let env = go.env.as_ref().unwrap();
    assert!(!env.keys().any(|name| name.starts_with(TOKEN)));
    assert_eq!(env["PATH"], "/bin");
    assert_eq!(env["GOPROXY"], "https://b.example");
    assert!(go.given.has_login("own.example:443") && !go.given.has_login("github.com"));
    for secret in ["general-token", "own-token", "secret-c"] {
        assert_eq!(go.redactor.redact(secret), "***");
    }
}

#[test]
fn a_token_is_one_word() {
    let root = tree(&[]);
    let token = env(&[("GOFLEET_SECRET_GIT_AUTH_TOKEN", "first\nsecond-word")]);
    let error = prepare(token, &places(root.path()), &BTreeSet::new()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`GIT_AUTH_TOKEN`") && !said.contains("second"));
}

/// Go fetches beside malformed lines of a `go.mod` (seen with Go 1.26).
#[test]
fn no_line_of_a_manifest_gets_a_token_to_another_host() {
    let root = tree(&[("agent", "")]);
    let places = places(root.path());
    let crafted = [
        "evil.example a b.corp.example/m",
        "b.corp.example\"]\n[core]/m",
        "good.corp.example/m",
    ];
    for token in ["general-token", ""] {
        let given = env(&[
            ("GOPRIVATE", "*.corp.example,*"),
            ("GOFLEET_SECRET_GIT_AUTH_TOKEN", token),
        ]);
        prepare(given, &places, &modules(&crafted)).unwrap();
        for file in [".netrc", ".gitconfig"] {
            let text = fs::read_to_string(places.home.join(file)).unwrap();
            let ours = super::git::config();
            let text = text.strip_prefix(&ours).unwrap_or(&text);
            assert!(!text.contains("evil") && !text.contains("core"), "{text}");
        }
    }
}

#[test]
fn an_agent_serves_private_hosts_without_login() {
    let root = tree(&[
        ("agent", ""),
        ("secrets/known_hosts", "h ssh-ed25519 x\n"),
        ("secrets/netrc", "machine a.example login u password p\n"),
        ("secrets/ca", ""),
    ]);
    let places = places(root.path());
    let private = env(&[("GOPRIVATE", "a.example,b.example")]);
    let wanted = modules(&["a.example/x", "b.example/y", "c.example/z"]);
    let go = prepare(private, &places, &wanted).unwrap();
    let config = fs::read_to_string(places.home.join(".gitconfig")).unwrap();
    assert_eq!(
        config.strip_prefix(&super::git::config()).unwrap(),
        "[url \"ssh://git@b.example/\"]\n\tinsteadOf = https://b.example/\n"
    );
    let env = go.env.as_ref().unwrap();
    assert!(go.given.agent);
    assert!(env["GIT_SSH_COMMAND"].contains("StrictHostKeyChecking=yes"));
    assert!(env["GIT_SSH_COMMAND"].contains("secrets/known_hosts"));
    assert!(env["SSH_AUTH_SOCK"].ends_with("agent"));
}

#[test]
fn certificates_are_added_to_those_of_the_builder() {
    let root = tree(&[
        ("secrets/ca", "corp"),
        ("secrets/client_cert", "c"),
        ("secrets/client_key", "k"),
        ("roots.pem", "public"),
    ]);
    let places = places(root.path());
    let go = prepare(BTreeMap::new(), &places, &BTreeSet::new()).unwrap();
    let env = go.env.as_ref().unwrap();
    assert_eq!(env["SSL_CERT_FILE"], env["GIT_SSL_CAINFO"]);
    assert_eq!(
        fs::read_to_string(&env["SSL_CERT_FILE"]).unwrap(),
        "public\ncorp"
    );
    assert!(env["GIT_SSL_KEY"].ends_with("secrets/client_key"));
}

#[test]
fn nothing_given_is_nothing_set() {
    let root = tree(&[]);
    let places = places(root.path());
    let proxies = env(&[("HTTPS_PROXY", "http://u:hidden-word@p.example:1")]);
    let go = prepare(proxies, &places, &BTreeSet::new()).unwrap();
    let env = go.env.as_ref().unwrap();
    assert!(!go.given.agent && go.given.logins.is_empty());
    assert!(!env.contains_key("SSL_CERT_FILE") && !env.contains_key("SSH_AUTH_SOCK"));
    assert_eq!(env["https_proxy"], env["HTTPS_PROXY"]);
    assert_eq!(go.redactor.redact("hidden-word"), "***");
}

/// A spec sets variables of the build step, which the check in front of it has as well.
#[test]
fn git_and_ssh_obey_no_variable_of_the_step() {
    let root = tree(&[]);
    let given = env(&[
        ("GIT_EXEC_PATH", "/src/evil"),
        ("GIT_CONFIG_PARAMETERS", "'core.sshCommand=evil'"),
        ("GIT_PROXY_COMMAND", "/src/evil"),
        ("SSH_ASKPASS", "/src/evil"),
        ("XDG_CONFIG_HOME", "/src/evil"),
        ("GOFLEET_SECRET_GIT_AUTH_TOKEN.a.example", "some-token"),
        ("PATH", "/bin"),
    ]);
    let go = prepare(given, &places(root.path()), &modules(&["a.example/x"])).unwrap();
    let env = go.env.as_ref().unwrap();
    assert!(!env.values().any(|value| value.contains("evil")), "{env:?}");
    assert!(go.given.has_login("a.example"));
    assert_eq!(env["PATH"], "/bin");
    assert!(env["GIT_CONFIG_GLOBAL"].ends_with("home/.gitconfig"));
}
