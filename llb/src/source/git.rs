//! Git repositories.
//!
//! The identifier of the op holds host, path, ref and directory, whatever the
//! transport, so that one repository has one name; the URL is an attribute.
//! Facts of moby/buildkit v0.32.2, `client/llb/source.go`, `util/gitutil`.

use crate::meta::describe;
use crate::path::absolute;
use crate::source::Draft;
use crate::{Error, OpMeta, Output, caps};

/// Builds the source op of a repository; see [`Source::git`](crate::Source::git).
///
/// In a Dockerfile: `ADD` of a git URL. Caps: `source.git`,
/// `source.git.fullurl`, and one per attribute.
#[derive(Clone, Debug)]
pub struct GitSource {
    draft: Draft,
    /// Host and path.
    repository: String,
    reference: String,
    subdir: String,
    meta: OpMeta,
}

describe!(GitSource);

impl GitSource {
    pub(super) fn new(url: &str) -> Self {
        let remote = Remote::parse(url);
        let mut draft = Draft::new(String::new());
        draft.error = remote.error;
        draft.set("git.fullurl", &remote.url);
        // Looked up by default; missing secrets do no harm.
        draft.set("git.authheadersecret", "GIT_AUTH_HEADER");
        draft.set("git.authtokensecret", "GIT_AUTH_TOKEN");
        let mut meta = OpMeta::default();
        meta.need(caps::SOURCE_GIT);
        meta.need(caps::SOURCE_GIT_FULL_URL);
        let mut source = GitSource {
            draft,
            repository: remote.repository,
            reference: String::new(),
            subdir: String::new(),
            meta,
        };
        if remote.is_ssh {
            source = source.ssh_agent("default");
        }
        let (reference, subdir) = remote.fragment;
        source.reference(reference).subdir(&subdir)
    }

    /// Takes this branch, tag or commit. Without it: the default branch.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// Takes only this directory of the repository.
    pub fn subdir(mut self, path: &str) -> Self {
        self.subdir = absolute(path).split_off(1);
        self
    }

    /// Keeps the directory `.git`.
    pub fn keep_git_dir(self) -> Self {
        self.flag("git.keepgitdir", caps::SOURCE_GIT_KEEP_DIR)
    }

    /// Fails if the commit has another hash; a prefix will do.
    pub fn checksum(self, commit: impl Into<String>) -> Self {
        self.attr("git.checksum", commit, caps::SOURCE_GIT_CHECKSUM)
    }

    /// Leaves submodules out.
    pub fn skip_submodules(self) -> Self {
        self.flag("git.skipsubmodules", caps::SOURCE_GIT_SKIP_SUBMODULES)
    }

    /// Gives files the time of the commit instead of that of the checkout.
    pub fn commit_times(self) -> Self {
        self.attr("git.mtime", "commit", caps::SOURCE_GIT_MTIME)
    }

    /// Fetches the commit of [`checksum`](Self::checksum) by its hash, wherever
    /// the ref points by now.
    pub fn fetch_by_commit(self) -> Self {
        self.flag("git.fetchbycommit", caps::SOURCE_GIT_FETCH_BY_COMMIT)
    }

    /// Takes commits from a git bundle, which is a blob:
    /// `docker-image+blob://…` or `oci-layout+blob://…`.
    pub fn bundle(self, locator: impl Into<String>) -> Self {
        self.attr("git.bundle", locator, caps::SOURCE_GIT_BUNDLE)
    }

    /// Says which session serves the layout of the bundle, and the id of its
    /// store there.
    pub fn bundle_store(mut self, session: impl Into<String>, store: impl Into<String>) -> Self {
        self.draft.set("oci.session", session);
        self.draft.set("oci.store", store);
        self
    }

    /// Gives a file `bundle` with the commit instead of a checkout.
    pub fn checkout_bundle(self) -> Self {
        self.flag("git.checkoutbundle", caps::SOURCE_GIT_CHECKOUT_BUNDLE)
    }

    /// Sends the value of a secret as the `Authorization` header.
    pub fn auth_header_secret(self, id: impl Into<String>) -> Self {
        self.attr("git.authheadersecret", id, caps::SOURCE_GIT_HTTP_AUTH)
    }

    /// Sends the value of a secret as a token.
    pub fn auth_token_secret(self, id: impl Into<String>) -> Self {
        self.attr("git.authtokensecret", id, caps::SOURCE_GIT_HTTP_AUTH)
    }

    /// Trusts these hosts, in the form of SSH's `known_hosts`.
    pub fn known_ssh_hosts(self, hosts: impl Into<String>) -> Self {
        self.attr("git.knownsshhosts", hosts, caps::SOURCE_GIT_KNOWN_SSH_HOSTS)
    }

    /// Uses this SSH agent of the client. SSH URLs use `default` by themselves.
    pub fn ssh_agent(self, id: impl Into<String>) -> Self {
        self.attr("git.mountsshsock", id, caps::SOURCE_GIT_MOUNT_SSH_SOCK)
    }

    /// Fails unless the commit or its tag was signed by the key (OpenPGP or SSH).
    pub fn signed_by(self, public_key: impl Into<String>, rules: SignatureRules) -> Self {
        let cap = caps::SOURCE_GIT_SIGNATURE_VERIFY;
        let mut source = self.attr("git.sig.pubkey", public_key, cap);
        for (attr, rule) in [
            ("git.sig.rejectexpired", rules.reject_expired),
            ("git.sig.requiresignedtag", rules.require_signed_tag),
            ("git.sig.ignoresignedtag", rules.ignore_signed_tag),
        ] {
            if rule {
                source = source.flag(attr, cap);
            }
        }
        source
    }

    fn flag(self, attr: &str, cap: &str) -> Self {
        self.attr(attr, "true", cap)
    }

    fn attr(mut self, attr: &str, value: impl Into<String>, cap: &str) -> Self {
        self.draft.set(attr, value);
        self.meta.need(cap);
        self
    }

    /// Finishes the op.
    pub fn build(mut self) -> Output {
        let mut identifier = format!("git://{}", self.repository);
        if !self.reference.is_empty() || !self.subdir.is_empty() {
            identifier += &format!("#{}", self.reference);
        }
        if !self.subdir.is_empty() {
            identifier += &format!(":{}", self.subdir);
            self.meta.need(caps::SOURCE_GIT_SUBDIR);
        }
        self.draft.identifier = identifier;
        self.draft.finish(None, self.meta)
    }
}

/// What a signature must be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureRules {
    /// Keys that have expired do not count.
    pub reject_expired: bool,
    /// There must be a signed tag.
    pub require_signed_tag: bool,
    /// The signature of the commit counts even if the tag is signed.
    pub ignore_signed_tag: bool,
}

/// A URL taken apart.
struct Remote {
    /// What git is given.
    url: String,
    /// Host and path.
    repository: String,
    is_ssh: bool,
    /// Ref and directory.
    fragment: (String, String),
    error: Option<Error>,
}

impl Remote {
    fn parse(text: &str) -> Self {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (url, _query) = rest.split_once('?').unwrap_or((rest, ""));
        let scheme = url.split_once("://").filter(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let scp = scp_style(url);
        let (url, scheme, host, path) = match (scheme, scp) {
            (Some((scheme, rest)), _) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                let scheme = scheme.to_ascii_lowercase();
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                (url.to_owned(), scheme, host, unescape(path))
            }
            (None, Some((host, path))) => (url.to_owned(), "ssh".to_owned(), host, path.to_owned()),
            (None, None) => {
                let (host, path) = url.split_once('/').unwrap_or((url, ""));
                (
                    format!("https://{url}"),
                    "https".to_owned(),
                    host,
                    unescape(path),
                )
            }
        };
        let known = matches!(scheme.as_str(), "https" | "http" | "ssh" | "git");
        let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
        Remote {
            repository: format!("{host}{}", absolute(&path)),
            is_ssh: scheme == "ssh",
            fragment: (reference.to_owned(), subdir.to_owned()),
            error: (!known).then(|| Error::Scheme {
                url: text.to_owned(),
                expected: "https, http, ssh or git",
            }),
            url,
        }
    }
}

/// Host and path of `USER@HOST:PATH`.
fn scp_style(url: &str) -> Option<(&str, &str)> {
    let (user, rest) = url.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let user_ok = !user.is_empty() && user.bytes().all(|byte| word(byte) || byte == b'_');
    let host_ok = !host.is_empty() && host.bytes().all(|byte| word(byte) || byte == b'.');
    (user_ok && host_ok).then_some((host, path))
}

/// Resolves percent escapes; broken ones stay as they are.
fn unescape(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = (byte == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, repository: &str, url: &str) {
        let remote = Remote::parse(text);
        assert_eq!(remote.error, None);
        assert_eq!(
            (remote.repository.as_str(), remote.url.as_str()),
            (repository, url)
        );
    }

    #[test]
    fn one_repository_has_one_name() {
        let name = "h.io/a/b.git";
        check("https://h.io/a/b.git", name, "https://h.io/a/b.git");
        check("https://u:p@h.io/a/b.git", name, "https://u:p@h.io/a/b.git");
        check("ssh://git@h.io/a/b.git", name, "ssh://git@h.io/a/b.git");
        check("git@h.io:a/b.git", name, "git@h.io:a/b.git");
        check("h.io/a/b.git", name, "https://h.io/a/b.git");
        check(
            "http://h.io//a/./b.git?x=y#z",
            name,
            "http://h.io//a/./b.git",
        );
        check(
            "https://h.io:8443/a%20b",
            "h.io:8443/a b",
            "https://h.io:8443/a%20b",
        );
        check("https://h.io/a%zz", "h.io/a%zz", "https://h.io/a%zz");
    }

    #[test]
    fn fragments_are_ref_and_directory() {
        let fragment = |text| Remote::parse(text).fragment;
        assert_eq!(fragment("h/a#v1"), ("v1".into(), String::new()));
        assert_eq!(fragment("h/a#v1:b/c"), ("v1".into(), "b/c".into()));
        assert_eq!(fragment("h/a#:b"), (String::new(), "b".into()));
        assert_eq!(fragment("h/a"), (String::new(), String::new()));
    }

    #[test]
    fn other_schemes_are_refused() {
        assert!(Remote::parse("file:///tmp/a").error.is_some());
        assert!(GitSource::new("file:///tmp/a").build().check().is_err());
    }
}
