//! What a company keeps behind its login: a module proxy, git over https (with a token,
//! or a client certificate) and over ssh, each with modules that tests publish.
//!
//! `tests/private` serves it on loopback addresses, which build steps reach because they
//! run in the machine's network; [`Build::reaching`](super::build::Build::reaching) gives
//! them the names. One set of servers for all tests of a process. It ends when its
//! standard input is closed, so however this process ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::command::Tool;
use super::engine::{in_repository, variable};
use super::git::commit_all;
use super::login::Login;
use super::repo::{Repo, nonce};

/// The module proxy; takes user and password. It serves modules of `corp.example/…`.
pub(crate) const PROXY: &str = "goproxy.corp.example";
/// A proxy that anybody may ask and that knows no private name, nor does its checksum
/// database. It serves modules of `open.example/…`.
pub(crate) const PUBLIC: &str = "public.example";
/// Git over https; takes the token (user `x-access-token`), or user and password. It
/// answers `?go-get=1` only to those, too.
pub(crate) const GIT: &str = "git.corp.example";
/// Git over https with a client certificate. Go has none for `?go-get=1`, so module
/// paths end in `.git`.
pub(crate) const MTLS: &str = "mtls.corp.example";
/// Git over ssh. `?go-get=1` is answered to all, with an https address that git must be
/// told to replace; module paths in `.git` do without.
pub(crate) const SSH: &str = "ssh.corp.example";
/// Module paths that name no repository host: it tells everybody where the repository is.
/// See [`Private::vanity`].
pub(crate) const VANITY: &str = "go.corp.example";
/// The module proxy of another company, with [`Private::partner`]'s login. It serves modules of
/// `partner.example/…`.
pub(crate) const PARTNER_PROXY: &str = "goproxy.partner.example";
/// Its git over https.
pub(crate) const PARTNER_GIT: &str = "git.partner.example";
/// A module proxy of what [`PUBLIC`] has, broken for modules whose path ends in the name of a
/// fault; `tests/private/faults.go` has them.
pub(crate) const FAULTY: &str = "faulty.example";
/// Takes connections, for https and ssh, and says nothing.
pub(crate) const SILENT: &str = "silent.example";
/// As [`PUBLIC`], with the certificate of others.
pub(crate) const STRANGE: &str = "strange.example";

/// How often an address that somebody else has is no reason to give up.
const ATTEMPTS: usize = 5;

/// The servers, and what is needed to log in.
pub(crate) struct Private {
    dir: PathBuf,
    ready: Ready,
    // Open for as long as this process lives.
    _server: (Child, ChildStdin),
}

/// What the servers print when they listen.
#[derive(Deserialize)]
struct Ready {
    #[serde(flatten)]
    login: Login,
    partner: Login,
    hosts: BTreeMap<String, String>,
    ca: PathBuf,
    client_cert: PathBuf,
    client_key: PathBuf,
    known_hosts: PathBuf,
    ssh_auth_sock: PathBuf,
    other_ssh_auth_sock: PathBuf,
}

/// A module on one of the servers.
#[derive(Clone)]
pub(crate) struct Module {
    pub(crate) path: String,
    pub(crate) version: String,
    /// Its lines of `go.sum`.
    pub(crate) sums: String,
}

/// What a client asked for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) host: String,
    /// With the query. Over ssh `ssh:/REPOSITORY`.
    pub(crate) path: String,
    /// The header as it came.
    pub(crate) authorization: String,
    /// 0 over ssh.
    pub(crate) status: u16,
}

/// The servers of this process.
pub(crate) fn private() -> &'static Private {
    static PRIVATE: OnceLock<Private> = OnceLock::new();
    PRIVATE.get_or_init(Private::start)
}

impl Private {
    fn start() -> Self {
        let sshd = variable("GOFLEET_SSHD");
        // Its folder is removed by the servers: nothing is dropped when a process of tests ends.
        let dir = TempDir::new().unwrap().keep();
        let program = dir.join("private");
        Tool::new("go")
            .args(["build", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg(".")
            .dir(in_repository("tests/private"))
            .env("GOWORK", "off")
            .env("GOFLAGS", "")
            .ok();
        for _ in 0..ATTEMPTS {
            let mut server = Command::new(&program)
                .arg("-dir")
                .arg(&dir)
                .args(["-net", &network(), "-sshd", &sshd])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
            let mut line = String::new();
            BufReader::new(server.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            if line.is_empty() {
                // It said why. Another run may have the same addresses.
                server.wait().unwrap();
                continue;
            }
            let stdin = server.stdin.take().unwrap();
            return Self {
                ready: serde_json::from_str(&line).unwrap(),
                dir,
                _server: (server, stdin),
            };
        }
        let _ = fs::remove_dir_all(dir);
        panic!("the private servers do not start; they said why above");
    }

    /// Names and addresses of all hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&str, &str)> {
        let hosts = self.ready.hosts.iter();
        hosts.map(|(name, address)| (name.as_str(), address.as_str()))
    }

    /// The user of the proxy; git takes it too.
    pub(crate) fn user(&self) -> &str {
        &self.ready.login.user
    }

    /// That user's password.
    pub(crate) fn password(&self) -> &str {
        &self.ready.login.password
    }

    /// The token of [`GIT`], for user `x-access-token`.
    pub(crate) fn token(&self) -> &str {
        &self.ready.login.token
    }

    /// The login of [`PROXY`] and [`GIT`].
    pub(crate) fn login(&self) -> &Login {
        &self.ready.login
    }

    /// The login of [`PARTNER_PROXY`] and [`PARTNER_GIT`].
    pub(crate) fn partner(&self) -> &Login {
        &self.ready.partner
    }

    /// Everything that must be found nowhere, also as it goes over the wire.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.login().secrets();
        secrets.extend(self.partner().secrets());
        // The first lines of a key of ssh are those of every key.
        for (key, line) in [(self.client_key(), 1), (&self.dir.join("ssh/user"), 4)] {
            let key = fs::read_to_string(key).unwrap();
            secrets.push(key.lines().nth(line).unwrap().to_owned());
        }
        secrets
    }

    /// A netrc file with the login of these hosts.
    pub(crate) fn netrc(&self, hosts: &[&str]) -> String {
        self.ready.login.netrc(hosts)
    }

    /// The same as a file, which stays.
    pub(crate) fn netrc_file(&self, hosts: &[&str]) -> PathBuf {
        self.file(&self.netrc(hosts))
    }

    /// A file of this text, which stays.
    pub(crate) fn file(&self, text: &str) -> PathBuf {
        let file = self.dir.join(format!("file-{}", nonce()));
        fs::write(&file, text).unwrap();
        file
    }

    /// The company's CA.
    pub(crate) fn ca(&self) -> &Path {
        &self.ready.ca
    }

    /// The certificate that [`MTLS`] asks for.
    pub(crate) fn client_cert(&self) -> &Path {
        &self.ready.client_cert
    }

    /// Its key.
    pub(crate) fn client_key(&self) -> &Path {
        &self.ready.client_key
    }

    /// The key of [`SSH`].
    pub(crate) fn known_hosts(&self) -> &Path {
        &self.ready.known_hosts
    }

    /// An agent that [`SSH`] lets in.
    pub(crate) fn ssh_auth_sock(&self) -> &Path {
        &self.ready.ssh_auth_sock
    }

    /// An agent with another key.
    pub(crate) fn other_ssh_auth_sock(&self) -> &Path {
        &self.ready.other_ssh_auth_sock
    }

    /// What was asked for with `part` in it, in order. Paths of modules are unlike those
    /// of other tests, so their names are good parts.
    pub(crate) fn requests(&self, part: &str) -> Vec<Request> {
        let text = fs::read_to_string(self.dir.join("requests")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Request>(line).unwrap())
            .filter(|request| request.path.contains(part))
            .collect()
    }

    /// A module path at `host` that no other test has, for [`Private::publish`].
    /// `name` may end in `.git`.
    pub(crate) fn path(&self, host: &str, name: &str) -> String {
        let nonce = nonce();
        match host {
            PROXY => format!("corp.example/n{nonce}/{name}"),
            PARTNER_PROXY => format!("partner.example/n{nonce}/{name}"),
            PUBLIC => format!("open.example/n{nonce}/{name}"),
            _ => format!("{host}/n{nonce}/{name}"),
        }
    }

    /// Publishes a module that says its path and version: package `lib`, `Hello() string`.
    pub(crate) fn module(&self, path: &str, version: &str) -> Module {
        let text = format!(
            "package lib\n\n// Hello says where it comes from.\nfunc Hello() string {{ return \"{path} {version}\" }}\n"
        );
        self.publish(path, version, &[("lib.go", &text)])
    }

    /// Publishes a module where its path says. A `go.mod` is added if there is none.
    /// Further versions of a path have the files of the earlier ones, too.
    pub(crate) fn publish(&self, path: &str, version: &str, files: &[(&str, &str)]) -> Module {
        self.publish_at(path, path, version, files)
    }

    /// Publishes a module called `path` in the place of `place`, a path of the same kind.
    pub(crate) fn publish_at(
        &self,
        place: &str,
        path: &str,
        version: &str,
        files: &[(&str, &str)],
    ) -> Module {
        let manifest = format!("module {path}\n\ngo 1.26\n");
        let mut all = BTreeMap::from([("go.mod", manifest.as_str())]);
        all.extend(files.iter().copied());
        let (host, rest) = place.split_once('/').unwrap();
        let proxy = match host {
            "corp.example" => Some("modules"),
            "partner.example" => Some("partner"),
            "open.example" => Some("public"),
            _ => None,
        };
        match proxy {
            Some(dir) => {
                let files = self.dir.join(dir).join(place).join("@v").join(version);
                write_all(&files, &all);
            }
            None => self.push(host, rest.trim_end_matches(".git"), version, &all),
        }
        Module {
            sums: sums(path, version, &all),
            path: path.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Has `path`, one of [`VANITY`], say that its repository is at this address.
    pub(crate) fn vanity(&self, path: &str, repository: &str) {
        let name = path.strip_prefix(VANITY).unwrap().trim_start_matches('/');
        let file = self.dir.join("vanity").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, repository).unwrap();
    }

    /// Adds a tagged commit to a repository, which is made.
    fn push(&self, host: &str, path: &str, version: &str, files: &BTreeMap<&str, &str>) {
        let bare = self.dir.join("git").join(host).join(format!("{path}.git"));
        let work = TempDir::new().unwrap();
        let git = |args: &[&str]| {
            let tool = Tool::new("git").args(args).dir(work.path());
            tool.env("GIT_CONFIG_GLOBAL", "/dev/null").ok()
        };
        let address = bare.to_str().unwrap();
        if bare.exists() {
            git(&["clone", "--quiet", address, "."]);
        } else {
            git(&[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                address,
            ]);
        }
        write_all(work.path(), files);
        commit_all(work.path());
        git(&["tag", version]);
        git(&["push", "--quiet", address, "HEAD:main", version]);
    }

    /// A repository with one service, `api`, that imports these modules. It has the
    /// right `go.sum`.
    pub(crate) fn repo(&self, modules: &[&Module]) -> Repo {
        let repo = Repo::new();
        repo.requiring(modules);
        repo.spec("services:\n  api:\n    main: ./cmd/api\n");
        repo
    }
}

/// Three numbers of loopback addresses that hardly anybody else has.
fn network() -> String {
    let random = nonce();
    let byte = |at: usize| u8::from_str_radix(&random[at..at + 2], 16).unwrap();
    // Not 127.0: the machine's own servers are there.
    format!("127.{}.{}", byte(0).max(1), byte(2))
}

fn write_all(dir: &Path, files: &BTreeMap<&str, &str>) {
    for (name, text) in files {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// The two lines of `go.sum`.
fn sums(path: &str, version: &str, files: &BTreeMap<&str, &str>) -> String {
    let prefix = format!("{path}@{version}/");
    let module = hash(
        files
            .iter()
            .map(|(name, text)| (format!("{prefix}{name}"), *text)),
    );
    let manifest = hash([("go.mod".to_owned(), files["go.mod"])].into_iter());
    format!("{path} {version} {module}\n{path} {version}/go.mod {manifest}\n")
}

/// `h1:`, a hash over names and hashes of files that come sorted.
fn hash<'a>(files: impl Iterator<Item = (String, &'a str)>) -> String {
    let mut lines = String::new();
    for (name, text) in files {
        let digest = Sha256::digest(text);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        lines += &format!("{hex}  {name}\n");
    }
    format!("h1:{}", STANDARD.encode(Sha256::digest(lines)))
}
