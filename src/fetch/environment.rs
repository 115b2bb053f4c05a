//! The environment of the commands that fetch, made from what a client gave.
//!
//! In: the environment of the step and the files of secrets. Out: an environment in
//! which `go`, git and ssh find logins, keys and certificates where they look for them.
//! What is written holds secrets, so it goes to a directory in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::hosts::{host_of, is_fetchable, is_private};
use super::redact::{Redactor, on_the_wire, passwords};
use super::{
    CA, CLIENT_CERT, CLIENT_KEY, GoCommand, KNOWN_HOSTS, NETRC, PROXIES, SECRETS_DIR, SETTINGS,
    TOKEN, netrc,
};

/// Where the agent's socket is in a step.
pub const AGENT_SOCKET: &str = "/run/gofleet/ssh_agent";

/// A directory in memory for what is made of secrets.
pub const HOME: &str = "/run/gofleet/home";

/// What the names of variables begin with that are secrets.
pub const SECRET_PREFIX: &str = "GOFLEET_SECRET_";

/// Where builder images have the certificates that they trust, the first that exists.
/// Source: Go 1.26, `crypto/x509/root_linux.go`.
const ROOTS: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The places that a step's secrets come from and go to.
#[derive(Debug, Clone)]
pub struct Places {
    /// The files of secrets, by id.
    pub secrets: PathBuf,
    /// The agent's socket.
    pub agent: PathBuf,
    /// A directory for what is made of them.
    pub home: PathBuf,
    /// Files with trusted certificates, the first that exists counts.
    pub roots: Vec<PathBuf>,
}

impl Places {
    /// Those of a step.
    #[must_use]
    pub fn of_step() -> Self {
        Self {
            secrets: SECRETS_DIR.into(),
            agent: AGENT_SOCKET.into(),
            home: HOME.into(),
            roots: ROOTS.map(PathBuf::from).into(),
        }
    }
}

/// Which credentials a client gave: what advice about a failure depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Hosts with a login; an empty one stands for every host.
    pub logins: BTreeSet<String>,
    /// Whether an ssh agent is forwarded.
    pub agent: bool,
    /// Whether there are keys of ssh servers.
    pub known_hosts: bool,
    /// Whether there are certificates to trust.
    pub ca: bool,
    /// Whether there is a client certificate with its key.
    pub client_certificate: bool,
    /// Patterns of private modules, `GOPRIVATE` and `GONOPROXY`.
    pub private: String,
}

impl Given {
    /// Whether there is a login for a host, with or without a port.
    #[must_use]
    pub fn has_login(&self, host: &str) -> bool {
        let name = host.split(':').next().unwrap_or(host);
        ["", host, name].iter().any(|h| self.logins.contains(*h))
    }

    /// Whether a module is private.
    #[must_use]
    pub fn is_private(&self, module: &str) -> bool {
        is_private(&self.private, module)
    }
}

/// Prepares the `go` command for a step that fetches these modules. `env` is the
/// environment of the step.
///
/// # Errors
///
/// A secret cannot be read, or what is made of it cannot be written.
pub fn prepare(
    mut env: BTreeMap<String, String>,
    places: &Places,
    modules: &BTreeSet<String>,
) -> io::Result<GoCommand> {
    take_secrets(&mut env);
    // Clients make an empty secret of a variable that is not set.
    let has_text = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.len() > 0);
    let given_file = |id: &str| Some(places.secrets.join(id)).filter(has_text);
    let set = |env: &mut BTreeMap<String, String>, name: &str, path: &Path| {
        env.insert(name.to_owned(), path.to_string_lossy().into_owned());
    };
    fs::create_dir_all(&places.home)?;
    set(&mut env, "HOME", &places.home);

    let private = ["GONOPROXY", "GOPRIVATE"].map(|name| env.get(name).cloned().unwrap_or_default());
    let mut given = Given {
        private: private.join(","),
        agent: places.agent.exists(),
        ..Given::default()
    };
    let modules = modules.iter().filter(|module| is_fetchable(module));
    let hosts: BTreeSet<&str> = modules
        .filter(|module| given.is_private(module))
        .map(|module| host_of(module))
        .collect();

    // Logins.
    let tokens = take_tokens(&mut env, &hosts)?;
    let own = given_file(NETRC).map(fs::read).transpose()?;
    let by_token = tokens.iter().map(|(h, t)| (h.as_str(), t.as_str()));
    // Passwords of old may be in another encoding than UTF-8.
    let text = netrc::with_tokens(&own.unwrap_or_default(), by_token);
    let logins = netrc::logins(&String::from_utf8_lossy(&text));
    let path = places.home.join(".netrc");
    fs::write(&path, text)?;
    set(&mut env, "NETRC", &path);
    given.logins = logins.iter().map(|login| login.host.clone()).collect();

    // Keys of ssh.
    let mut ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes".to_owned();
    if let Some(path) = given_file(KNOWN_HOSTS) {
        given.known_hosts = true;
        ssh += &format!(" -o UserKnownHostsFile={}", path.display());
    }
    env.insert("GIT_SSH_COMMAND".to_owned(), ssh);
    let mut config = String::new();
    if given.agent {
        set(&mut env, "SSH_AUTH_SOCK", &places.agent);
        for host in hosts.iter().filter(|host| !given.has_login(host)) {
            config += &format!("[url \"ssh://git@{host}/\"]\n\tinsteadOf = https://{host}/\n");
        }
    }
    fs::write(places.home.join(".gitconfig"), config)?;

    // Certificates.
    if let Some(path) = given_file(CA) {
        given.ca = true;
        let roots = places.roots.iter().find(|path| path.exists());
        let mut bundle = roots.map(fs::read).transpose()?.unwrap_or_default();
        bundle.push(b'\n');
        bundle.extend(fs::read(path)?);
        let path = places.home.join("ca.pem");
        fs::write(&path, bundle)?;
        set(&mut env, "SSL_CERT_FILE", &path);
        set(&mut env, "GIT_SSL_CAINFO", &path);
    }
    if let (Some(cert), Some(key)) = (given_file(CLIENT_CERT), given_file(CLIENT_KEY)) {
        given.client_certificate = true;
        set(&mut env, "GIT_SSL_CERT", &cert);
        set(&mut env, "GIT_SSL_KEY", &key);
    }

    // Some programs read proxies in small letters alone.
    for name in PROXIES {
        if let Some(value) = env.get(name).cloned() {
            env.insert(name.to_ascii_lowercase(), value);
        }
    }
    let in_urls = env
        .iter()
        .filter(|(name, _)| SETTINGS.contains(&name.as_str()) || is_proxy(name))
        .flat_map(|(_, value)| passwords(value));
    let secrets = logins
        .into_iter()
        .flat_map(|login| [on_the_wire(&login.user, &login.password), login.password]);
    let redactor = Redactor::new(secrets.chain(tokens.into_values()).chain(in_urls));
    Ok(GoCommand {
        env: Some(env),
        given,
        redactor,
        echo: true,
    })
}

/// Gives variables that are secrets their own names. An empty one counts as none. Go takes
/// no proxy at all when its URL ends in the line's end of a file (seen with Go 1.26).
fn take_secrets(env: &mut BTreeMap<String, String>) {
    let all = std::mem::take(env);
    let (secrets, plain): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(name, _)| name.starts_with(SECRET_PREFIX));
    env.extend(plain);
    for (name, value) in secrets {
        let value = value.trim();
        if !value.is_empty() {
            env.insert(name[SECRET_PREFIX.len()..].to_owned(), value.to_owned());
        }
    }
}

/// Takes the tokens out of an environment: by host, `GIT_AUTH_TOKEN` for private hosts.
///
/// # Errors
///
/// A token has several words: a file with a name in front of it, or two of them.
fn take_tokens(
    env: &mut BTreeMap<String, String>,
    hosts: &BTreeSet<&str>,
) -> io::Result<BTreeMap<String, String>> {
    let mut tokens = BTreeMap::new();
    let general = one_word(TOKEN, env.remove(TOKEN))?;
    for host in hosts {
        tokens.insert((*host).to_owned(), general.clone());
    }
    let own: Vec<String> = env
        .keys()
        .filter(|name| name.starts_with(TOKEN))
        .cloned()
        .collect();
    for name in own {
        let token = one_word(&name, env.remove(&name))?;
        if let Some(host) = name[TOKEN.len()..].strip_prefix('.') {
            tokens.insert(host.to_owned(), token);
        }
    }
    tokens.retain(|host, token| !token.is_empty() && !host.contains(char::is_whitespace));
    Ok(tokens)
}

/// A token without the line's end; `name` is the secret's.
fn one_word(name: &str, token: Option<String>) -> io::Result<String> {
    let token = token.unwrap_or_default();
    let token = token.trim();
    if token.contains(char::is_whitespace) {
        let message = format!("secret `{name}` has several words: a token is one");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(token.to_owned())
}

fn is_proxy(name: &str) -> bool {
    name.to_ascii_uppercase().ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
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
            config,
            "[url \"ssh://git@b.example/\"]\n\tinsteadOf = https://b.example/\n"
        );
        let env = go.env.as_ref().unwrap();
        assert!(go.given.agent && go.given.known_hosts && !go.given.ca);
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
        assert!(go.given.ca && go.given.client_certificate);
    }

    #[test]
    fn nothing_given_is_nothing_set() {
        let root = tree(&[]);
        let places = places(root.path());
        let proxies = env(&[("HTTPS_PROXY", "http://u:hidden-word@p.example:1")]);
        let go = prepare(proxies, &places, &BTreeSet::new()).unwrap();
        let env = go.env.as_ref().unwrap();
        assert!(!go.given.ca && !go.given.agent && go.given.logins.is_empty());
        assert!(!env.contains_key("SSL_CERT_FILE") && !env.contains_key("SSH_AUTH_SOCK"));
        assert_eq!(env["https_proxy"], env["HTTPS_PROXY"]);
        assert_eq!(go.redactor.redact("hidden-word"), "***");
    }
}
