//! The environment of the commands that fetch, made from what a client gave.
//!
//! In: the environment of the step and the files of secrets. Out: an environment in
//! which `go`, git and ssh find logins, keys and certificates where they look for them.
//! What is written holds secrets, so it goes to a directory in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::git;
use super::hosts::{host_of, is_fetchable, is_private, naming};
use super::redact::{Redactor, on_the_wire, passwords};
use super::{
    CA, CLIENT_CERT, CLIENT_KEY, GoCommand, KNOWN_HOSTS, NETRC, PROXIES, SECRETS_DIR, SETTINGS,
    TOKEN, netrc, silence,
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
}

impl Given {
    /// Whether there is a login for a host, with or without a port.
    #[must_use]
    pub fn has_login(&self, host: &str) -> bool {
        let name = host.split(':').next().unwrap_or(host);
        ["", host, name].iter().any(|h| self.logins.contains(*h))
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

    let [routes, private] =
        ["GONOPROXY", "GOPRIVATE"].map(|name| env.get(name).cloned().unwrap_or_default());
    let mut given = Given {
        agent: places.agent.exists(),
        ..Given::default()
    };
    let modules = modules.iter().filter(|module| is_fetchable(module));
    let modules: Vec<&String> = modules.collect();
    let hosts_of = |patterns: &str| -> BTreeSet<&str> {
        let private = modules.iter().filter(|module| is_private(patterns, module));
        private.map(|module| host_of(module)).collect()
    };
    let hosts = hosts_of(&format!("{routes},{private}"));

    // Logins.
    let trusted = hosts_of(&naming(&private));
    let tokens = take_tokens(&mut env, &trusted)?;
    let own = given_file(NETRC).map(fs::read).transpose()?;
    let by_token = tokens.iter().map(|(h, t)| (h.as_str(), t.as_str()));
    // Passwords of old may be in another encoding than UTF-8.
    let text = netrc::with_tokens(&own.unwrap_or_default(), by_token);
    let logins = netrc::logins(&String::from_utf8_lossy(&text));
    let path = places.home.join(".netrc");
    fs::write(&path, text)?;
    set(&mut env, "NETRC", &path);
    git::forget(&mut env);
    git::restrict(&mut env);
    given.logins = logins.iter().map(|login| login.host.clone()).collect();

    // Keys of ssh.
    let mut ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes".to_owned();
    if let Some(path) = given_file(KNOWN_HOSTS) {
        ssh += &format!(" -o UserKnownHostsFile={}", path.display());
    }
    env.insert("GIT_SSH_COMMAND".to_owned(), ssh);
    let mut config = git::config();
    if given.agent {
        set(&mut env, "SSH_AUTH_SOCK", &places.agent);
        for host in hosts.iter().filter(|host| !given.has_login(host)) {
            config += &format!("[url \"ssh://git@{host}/\"]\n\tinsteadOf = https://{host}/\n");
        }
    }
    let path = places.home.join(".gitconfig");
    fs::write(&path, config)?;
    set(&mut env, "GIT_CONFIG_GLOBAL", &path);

    // Certificates.
    if let Some(path) = given_file(CA) {
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
        limit: Some(silence::limit(&env)),
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
#[path = "environment_tests.rs"]
mod tests;
