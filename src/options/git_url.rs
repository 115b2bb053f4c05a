//! Git contexts as BuildKit's clients write them.
//!
//! In: `https://host/repo.git#ref:dir`, the query form `?ref=…&subdir=…`,
//! `git@host:repo`, `github.com/owner/repo`. Out: a [`GitUrl`] with everything
//! a git source needs, or [`NotGit`]. Nothing is fetched.
//!
//! Grammar and query keys: BuildKit v0.32, `frontend/dockerfile/dfgitutil/git_ref.go`,
//! `util/gitutil/git_url.go`, `util/sshutil/scpurl.go`.

use super::values;

/// A Git repository and what to take from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitUrl {
    /// The remote for `git fetch`, without fragment and query.
    pub remote: String,
    /// Branch, tag or commit. `None`: the remote's default branch.
    pub reference: Option<String>,
    /// Sub-directory of the repository to use as root.
    pub subdir: Option<String>,
    /// The commit that the reference must point to (a prefix is enough).
    pub checksum: Option<String>,
    /// Keep `.git` in the checkout. `None`: the URL does not say.
    pub keep_git_dir: Option<bool>,
    /// Fetch submodules. `None`: the URL does not say, so yes.
    pub submodules: Option<bool>,
    /// `checkout` or `commit`: where file times come from.
    pub mtime: Option<String>,
    /// Fetch `checksum` itself rather than the reference.
    pub fetch_by_commit: bool,
}

/// Why a text gave no [`GitUrl`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGit {
    /// It names something else: a download, a local directory.
    Other,
    /// It is a Git URL with a mistake; the text says which.
    Invalid(String),
}

impl GitUrl {
    /// Parses a Git context.
    ///
    /// An `http` or `https` URL counts as Git only when its path ends in `.git`.
    ///
    /// # Errors
    ///
    /// [`NotGit::Other`] when the text is no Git URL at all.
    pub fn parse(text: &str) -> Result<Self, NotGit> {
        if text.starts_with("./") || text.starts_with("../") {
            return Err(NotGit::Other);
        }
        let (base, query, fragment) = split_suffixes(text);
        let remote = if text.starts_with("github.com/") {
            format!("https://{base}")
        } else if let Some((scheme, rest)) = base.split_once("://") {
            if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(NotGit::Other);
            }
            let path = rest.split_once('/').map_or("", |(_, path)| path);
            match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" if !path.ends_with(".git") => return Err(NotGit::Other),
                "http" | "https" | "ssh" | "git" => base.to_owned(),
                _ => return Err(NotGit::Other),
            }
        } else if is_scp_style(base) {
            base.to_owned()
        } else {
            return Err(NotGit::Other);
        };
        let mut url = Self {
            remote,
            ..Self::default()
        };
        if let Some(fragment) = fragment {
            let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
            url.reference = non_empty(reference);
            url.subdir = non_empty(&clean_subdir(subdir));
        }
        if let Some(query) = query {
            url.read_query(query).map_err(NotGit::Invalid)?;
        }
        Ok(url)
    }

    fn read_query(&mut self, query: &str) -> Result<(), String> {
        let mut seen: Vec<String> = Vec::new();
        let (mut tag, mut branch) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (percent_decode(key), percent_decode(value));
            if seen.contains(&key) {
                return Err(format!("query `{key}` has several values"));
            }
            let flag = matches!(
                key.as_str(),
                "keep-git-dir" | "submodules" | "fetch-by-commit"
            );
            if value.is_empty() && !flag {
                return Err(format!("query `{key}` has no value"));
            }
            let switch = || {
                if value.is_empty() {
                    Ok(true)
                } else {
                    values::boolean(&value).map_err(|e| format!("query `{key}`: {e}"))
                }
            };
            match key.as_str() {
                "ref" => set(&mut self.reference, &value, "ref")?,
                "tag" => tag = Some(prefixed(&value, "refs/tags/")),
                "branch" => branch = Some(prefixed(&value, "refs/heads/")),
                "subdir" => set(&mut self.subdir, &value, "subdir")?,
                "checksum" | "commit" => self.checksum = Some(value.clone()),
                "keep-git-dir" => self.keep_git_dir = Some(switch()?),
                "submodules" => self.submodules = Some(switch()?),
                "fetch-by-commit" => self.fetch_by_commit = switch()?,
                "mtime" if matches!(value.as_str(), "checkout" | "commit") => {
                    self.mtime = Some(value.clone());
                }
                "mtime" => {
                    return Err(format!(
                        "query `mtime`: expected `checkout` or `commit`, found `{value}`"
                    ));
                }
                _ => return Err(format!("unknown query `{key}`")),
            }
            seen.push(key);
        }
        if tag.is_some() && branch.is_some() {
            return Err("query `branch` and query `tag` exclude each other".to_owned());
        }
        for reference in tag.into_iter().chain(branch) {
            set(&mut self.reference, &reference, "ref")?;
        }
        Ok(())
    }
}

/// Removes user name and password from a URL, for messages and step names.
#[must_use]
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://xxxxx@{host}{tail}"),
        None => url.to_owned(),
    }
}

/// Cuts `#fragment` and `?query` off.
fn split_suffixes(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (text, fragment) = match text.split_once('#') {
        Some((text, fragment)) => (text, Some(fragment)),
        None => (text, None),
    };
    match text.split_once('?') {
        Some((text, query)) => (text, Some(query), fragment),
        None => (text, None, fragment),
    }
}

/// `user@host:path`.
fn is_scp_style(text: &str) -> bool {
    let Some((user, rest)) = text.split_once('@') else {
        return false;
    };
    let Some((host, _)) = rest.split_once(':') else {
        return false;
    };
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !user.is_empty()
        && !host.is_empty()
        && user.bytes().all(|b| word(b) || b == b'_')
        && host.bytes().all(|b| word(b) || b == b'.')
}

/// Resolves `.` and `..` below the repository's root; no leading slash.
fn clean_subdir(subdir: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in subdir.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn prefixed(value: &str, prefix: &str) -> String {
    if value.starts_with(prefix) {
        value.to_owned()
    } else {
        format!("{prefix}{value}")
    }
}

/// Sets a field that fragment and query may both give, if they agree.
fn set(field: &mut Option<String>, value: &str, name: &str) -> Result<(), String> {
    match field {
        Some(old) if old != value => Err(format!("two values for {name}: `{old}` and `{value}`")),
        _ => {
            *field = Some(value.to_owned());
            Ok(())
        }
    }
}

/// Decodes `%XX` and `+` as in query strings; what is no escape stays as it is.
fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (
            ahead.next().and_then(|b| char::from(b).to_digit(16)),
            ahead.next().and_then(|b| char::from(b).to_digit(16)),
        );
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                // Two hex digits always fit a byte.
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                bytes = ahead;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> GitUrl {
        GitUrl::parse(text).expect(text)
    }

    fn owned(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn fragments_name_ref_and_directory() {
        let url = parse("https://host/a/repo.git#feature/x:cmd/../svc");
        assert_eq!(url.remote, "https://host/a/repo.git");
        assert_eq!(url.reference, owned("feature/x"));
        assert_eq!(url.subdir, owned("svc"));
        assert_eq!(parse("https://host/a.git#:dir").reference, None);
        assert_eq!(parse("https://host/a.git#main").subdir, None);
    }

    #[test]
    fn queries_say_the_same_and_more() {
        let url = parse(
            "https://host/r.git?tag=v1&subdir=a%2Fb&checksum=abc&keep-git-dir&submodules=false&mtime=commit&fetch-by-commit=1",
        );
        assert_eq!(url.reference, owned("refs/tags/v1"));
        assert_eq!(url.subdir, owned("a/b"));
        assert_eq!(url.checksum, owned("abc"));
        assert_eq!(url.keep_git_dir, Some(true));
        assert_eq!(url.submodules, Some(false));
        assert_eq!(url.mtime, owned("commit"));
        assert!(url.fetch_by_commit);
        assert_eq!(
            parse("https://host/r.git?branch=refs/heads/x").reference,
            owned("refs/heads/x")
        );
        assert_eq!(
            parse("git@host:team/r.git?ref=main#main").reference,
            owned("main")
        );
    }

    #[test]
    fn remotes_keep_the_form_git_understands() {
        assert_eq!(parse("git@host:team/r").remote, "git@host:team/r");
        assert_eq!(parse("ssh://git@host/r").remote, "ssh://git@host/r");
        assert_eq!(parse("git://host/r#main").remote, "git://host/r");
        assert_eq!(parse("github.com/a/b").remote, "https://github.com/a/b");
    }

    #[test]
    fn everything_else_is_not_git() {
        for text in [
            "",
            ".",
            "./a.git",
            "../a.git",
            "dir",
            "https://host/context.tar.gz",
            "http://buildkit-session/abc",
            "ftp://host/a.git",
            "a b@host:x",
        ] {
            assert_eq!(GitUrl::parse(text), Err(NotGit::Other), "{text}");
        }
    }

    #[test]
    fn mistakes_in_queries_are_named() {
        for (text, part) in [
            ("https://h/r.git?reff=x", "unknown query `reff`"),
            ("https://h/r.git?ref=", "no value"),
            ("https://h/r.git?ref=a&ref=b", "several values"),
            ("https://h/r.git?ref=a#b", "two values for ref"),
            ("https://h/r.git?tag=a&branch=b", "exclude each other"),
            ("https://h/r.git?mtime=now", "`checkout` or `commit`"),
            ("https://h/r.git?submodules=maybe", "`true` or `false`"),
        ] {
            match GitUrl::parse(text) {
                Err(NotGit::Invalid(message)) => assert!(message.contains(part), "{message}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn credentials_do_not_reach_messages() {
        assert_eq!(
            redact("https://me:secret@host/r.git#main"),
            "https://xxxxx@host/r.git#main"
        );
        assert_eq!(redact("https://host/a@b.git"), "https://host/a@b.git");
        assert_eq!(redact("git@host:r"), "git@host:r");
    }
}
