//! What git obeys in a step that fetches: what is written here, the image's own
//! `/etc/gitconfig`, and nothing that a repository, its spec or an earlier build left behind.
//!
//! Git runs commands that configuration names: hooks, helpers, filters, programs in the place
//! of a protocol. Clones are made anew in each step, on a disk of the step's own, so no
//! configuration of a clone is another's. What is set here holds on top of that.
//!
//! Source: git 2.53, `git-config(1)` (`protocol.allow`, `core.hooksPath`, `core.fsmonitor`),
//! `git(1)` (environment variables).

use std::collections::BTreeMap;

/// In the words of `git config`. `GIT_ALLOW_PROTOCOL` would be shorter, but Go takes what
/// is in it for secure (Go 1.26, `cmd/go/internal/vcs`, `isSecureScheme`).
const SETTINGS: [(&str, &str); 11] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("protocol.allow", "never"),
    // By name, too: a clone's own word on a protocol counts more than one on all. `ext` is a
    // command.
    ("protocol.ext.allow", "never"),
    ("protocol.fd.allow", "never"),
    ("protocol.file.allow", "never"),
    ("protocol.https.allow", "always"),
    ("protocol.ssh.allow", "always"),
    // Go asks these where `GOINSECURE` says so.
    ("protocol.http.allow", "always"),
    ("protocol.git.allow", "always"),
    ("submodule.recurse", "false"),
];

/// Removes from an environment what git, ssh and their helpers would obey. The names of secrets
/// are taken out before.
pub(super) fn forget(env: &mut BTreeMap<String, String>) {
    env.retain(|name, _| {
        let of_tools = ["GIT_", "SSH_"].iter().any(|start| name.starts_with(start));
        !of_tools && name != "XDG_CONFIG_HOME"
    });
}

/// Sets what git obeys, above all configuration of the machine, of the user and of clones.
pub(super) fn restrict(env: &mut BTreeMap<String, String>) {
    for (i, (name, value)) in SETTINGS.iter().enumerate() {
        env.insert(format!("GIT_CONFIG_KEY_{i}"), (*name).to_owned());
        env.insert(format!("GIT_CONFIG_VALUE_{i}"), (*value).to_owned());
    }
    env.insert("GIT_CONFIG_COUNT".to_owned(), SETTINGS.len().to_string());
}

/// The same as a file, for git before 2.31, which does not know these variables.
pub(super) fn config() -> String {
    SETTINGS
        .iter()
        .filter_map(|(name, value)| {
            let (section, key) = name.rsplit_once('.')?;
            let section = match section.split_once('.') {
                Some((name, part)) => format!("{name} \"{part}\""),
                None => section.to_owned(),
            };
            Some(format!("[{section}]\n\t{key} = {value}\n"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::tree;
    use std::path::Path;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str], with: &BTreeMap<String, String>) -> (bool, String) {
        let found = Command::new("git")
            .args(args)
            .current_dir(dir)
            .env("GIT_CONFIG_GLOBAL", dir.join("home/.gitconfig"))
            .envs(with)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&found.stderr).into_owned();
        (found.status.success(), said)
    }

    /// As a clone in a shared cache mount that somebody else has written to.
    #[test]
    fn git_runs_nothing_that_a_clone_names() {
        let dir = tree(&[("home/.gitconfig", "")]);
        let none = BTreeMap::new();
        for args in [
            vec!["init", "--quiet", "--bare", "clone"],
            vec!["-C", "clone", "config", "protocol.ext.allow", "always"],
            vec!["-C", "clone", "config", "protocol.file.allow", "always"],
        ] {
            assert!(git(dir.path(), &args, &none).0, "{args:?}");
        }
        let ask = |with| {
            let url = format!("ext::touch {}/ran", dir.path().display());
            git(dir.path(), &["--git-dir=clone", "ls-remote", &url], with)
        };
        let ran = || std::fs::remove_file(dir.path().join("ran")).is_ok();
        ask(&none);
        assert!(ran(), "the attack works without the wall");

        let mut env = BTreeMap::new();
        restrict(&mut env);
        let (worked, said) = ask(&env);
        assert!(
            !worked && said.contains("transport 'ext' not allowed"),
            "{said}"
        );
        let file = ["--git-dir=clone", "ls-remote", "file:///nowhere"];
        let (worked, said) = git(dir.path(), &file, &env);
        assert!(
            !worked && said.contains("transport 'file' not allowed"),
            "{said}"
        );
        assert!(!ran());
    }

    #[test]
    fn the_file_says_the_same_as_the_variables() {
        let dir = tree(&[("home/.gitconfig", &config())]);
        for (name, value) in SETTINGS {
            let args = ["config", "--file", "home/.gitconfig", "--get", name];
            let found = Command::new("git")
                .args(args)
                .current_dir(dir.path())
                .output()
                .unwrap();
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            assert_eq!(found.trim(), value, "{name}");
        }
    }
}
