//! A directory with files, and with Git if need be, that the tool runs in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::copy::copy;

/// A directory; it is gone with the value.
pub(crate) struct Checkout {
    dir: TempDir,
}

/// What a run of the tool said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Checkout {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    /// A copy of a directory of this repository.
    pub(crate) fn copy_of(path: &str) -> Self {
        let this = Self::new();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(path),
            this.path(),
        );
        this
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    pub(crate) fn append(&self, path: &str, text: &str) -> &Self {
        let old = fs::read_to_string(self.file(path)).unwrap_or_default();
        self.write(path, &(old + text))
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.file(path)).unwrap();
        self
    }

    /// Runs `git`, without the settings of the machine.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let out = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {err}");
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// Commits everything, in a new repository if there is none; the commit.
    pub(crate) fn commit(&self) -> String {
        if !self.file(".git").exists() {
            self.git(&["init", "--quiet"]);
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the tool here.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.run_with(".", args, &[])
    }

    /// Runs the tool in a directory below, with more environment.
    pub(crate) fn run_with(&self, dir: &str, args: &[&str], env: &[(&str, &str)]) -> Said {
        let out = Command::new(env!("CARGO_BIN_EXE_gofleet"))
            .args(args)
            .current_dir(self.file(dir))
            .env_remove("BUILDKIT_SESSION_ID")
            .env("GOPROXY", "off")
            .envs(env.iter().copied())
            .output()
            .unwrap();
        Said {
            code: out.status.code().unwrap_or(-1),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }
}
