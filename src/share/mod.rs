//! Compiling what services share once, whoever builds them.
//!
//! Builds that run side by side on a cold cache compile the same packages once each: Go
//! has no lock per package across processes. Nobody knows beforehand which builds run side
//! by side: those of one solve, of a bake file, of two people. So it is settled when they
//! run. In front of every build step a program compiles the packages that its service
//! shares with others, one program at a time, and leaves a stamp for each. Who comes next
//! finds the stamps, compiles what is left, and mostly that is nothing.
//!
//! The stamps are in the directory of Go's build cache: they are gone when it is. One that
//! outlives what it stands for costs a package compiled twice, never a wrong one.
//!
//! # Files
//!
//! - `wanted`: the shared packages of a service, each with a key of all that it is made of;
//! - `stamps`: which keys were compiled, and the lock.

mod stamps;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::fetch::Go;
use crate::scan::join;
use stamps::Stamps;
use wanted::wanted;

/// Words of the `go` command that compile packages and link nothing; what does not compile is
/// no failure. The template prints nothing: what counts is what is compiled.
pub const COMPILE: [&str; 5] = ["list", "-e", "-export", "-f", "{{with 0}}{{end}}"];

/// What a service shares with other services of its spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The module root: a directory and a module in it.
    pub root: String,
    /// The module path that tells one repository from another.
    pub module: String,
    /// Packages of the repository, by their directories.
    #[serde(with = "crate::names")]
    pub dirs: BTreeSet<String>,
    /// Packages of other modules, by their import paths.
    #[serde(with = "crate::names")]
    pub imports: BTreeSet<String>,
    /// Whether packages of the standard library are compiled, too.
    pub standard: bool,
}

/// What a compile is made of beside the sources.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Text that is different for each toolchain, target platform and environment.
    pub toolchain: String,
    /// The words of the `go build` that follows.
    pub args: Vec<String>,
    /// For each import of other modules, what tells one version of it from another.
    pub versions: BTreeMap<String, String>,
    /// Whether modules are missing: what is not compiled for want of them must not have a stamp.
    pub lacks_modules: bool,
}

impl Setting {
    /// The flags that decide what is compiled.
    fn flags(&self) -> impl Iterator<Item = &str> {
        let flags = self.args.iter().map(String::as_str);
        flags.filter(|arg| arg.starts_with('-') && !arg.starts_with("-o="))
    }

    /// The main package, relative to the module root.
    fn main(&self) -> &str {
        self.args
            .last()
            .map_or("", |main| main.trim_start_matches("./"))
    }
}

/// Compiles what is shared and has no stamp yet; the names of these packages.
///
/// What does not compile is left to the build itself, which says so better.
///
/// # Errors
///
/// Sources cannot be read, or stamps cannot be written.
pub fn compile(
    shared: &Shared,
    setting: &Setting,
    src: &Path,
    cache: &Path,
    go: &dyn Go,
) -> io::Result<Vec<String>> {
    let dir = src.join(&shared.root);
    if setting.lacks_modules {
        return Ok(Vec::new());
    }
    // Profiles make other packages of the same sources.
    if dir.join(join(setting.main(), "default.pgo")).is_file() {
        return Ok(Vec::new());
    }
    let stamps = Stamps::new(cache, &shared.module)?;
    let mut missing = wanted(shared, setting, src)?;
    missing.retain(|_, key| !stamps.has(key));
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let _turn = stamps.turn()?;
    missing.retain(|_, key| !stamps.has(key));
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = COMPILE.to_vec();
    args.extend(setting.flags());
    args.push("--");
    args.extend(missing.keys().map(String::as_str));
    if go.run(&dir, &args).is_ok() {
        for key in missing.values() {
            stamps.add(key)?;
        }
    }
    stamps.tidy();
    Ok(missing.into_keys().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fetch::GoError;
    use crate::testing::tree;
    use std::sync::Mutex;

    /// Notes what it is asked to compile.
    #[derive(Default)]
    struct Noted(Mutex<Vec<Vec<String>>>);

    impl Go for Noted {
        fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
            let packages = args.iter().skip_while(|arg| **arg != "--").skip(1);
            let packages = packages.map(|arg| (*arg).to_owned()).collect();
            self.0.lock().unwrap().push(packages);
            Ok(Vec::new())
        }
    }

    fn sources() -> tempfile::TempDir {
        tree(&[
            (
                "go.mod",
                "module m.org/m\ngo 1.26\nrequire a.org/x v1.0.0\n",
            ),
            (
                "cmd/api/main.go",
                "package main\nimport (\n\t\"net/http\"\n\t\"m.org/m/lib\"\n\t\"m.org/m/own\"\n)\n",
            ),
            ("own/own.go", "package own\nimport _ \"a.org/alone\"\n"),
            (
                "lib/lib.go",
                "package lib\nimport (\n\t\"a.org/x\"\n\t\"m.org/m/base\"\n)\n",
            ),
            ("base/base.go", "package base\nimport \"fmt\"\n"),
        ])
    }

    fn shared() -> Shared {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Shared {
            root: ".".to_owned(),
            module: "m.org/m".to_owned(),
            dirs: set(&["base", "lib"]),
            imports: set(&["a.org/x"]),
            standard: true,
        }
    }

    fn setting(version: &str) -> Setting {
        let args = ["go", "build", "-trimpath", "-o=/out/api", "./cmd/api"];
        Setting {
            toolchain: "go1.26".to_owned(),
            args: args.map(str::to_owned).into(),
            versions: [("a.org/x".to_owned(), version.to_owned())].into(),
            lacks_modules: false,
        }
    }

    #[test]
    fn what_is_shared_is_compiled_once() {
        let (src, cache) = (sources(), tempfile::tempdir().unwrap());
        let go = Noted::default();
        let run =
            |setting: &Setting| compile(&shared(), setting, src.path(), cache.path(), &go).unwrap();
        let all = ["a.org/x", "fmt", "m.org/m/base", "m.org/m/lib", "net/http"];
        assert_eq!(run(&setting("v1")), all);
        assert_eq!(run(&setting("v1")), [""; 0]);
        // Another version: what imports it, too.
        assert_eq!(run(&setting("v2")), ["a.org/x", "m.org/m/lib"]);
        let mut race = setting("v2");
        race.args.insert(2, "-race".to_owned());
        assert_eq!(run(&race), all);
        assert_eq!(go.0.lock().unwrap().len(), 3);

        // An edit of what only this service has compiles nothing here.
        std::fs::write(src.path().join("own/own.go"), "package own\n").unwrap();
        assert_eq!(run(&setting("v2")), [""; 0]);
        std::fs::write(src.path().join("base/base.go"), "package base\n").unwrap();
        assert_eq!(run(&setting("v2")), ["m.org/m/base", "m.org/m/lib"]);
    }

    /// The check in front of it may be cached, and its mount be gone.
    #[test]
    fn without_modules_nothing_has_a_stamp() {
        let (src, cache) = (sources(), tempfile::tempdir().unwrap());
        let go = Noted::default();
        let run = |setting: &Setting| {
            let found = compile(&shared(), setting, src.path(), cache.path(), &go);
            found.unwrap().len()
        };
        let mut setting = setting("v1");
        setting.lacks_modules = true;
        assert_eq!(run(&setting), 0);
        setting.lacks_modules = false;
        assert_eq!(run(&setting), 5);
    }

    #[test]
    fn a_profile_shares_nothing() {
        let (src, cache) = (sources(), tempfile::tempdir().unwrap());
        std::fs::write(src.path().join("cmd/api/default.pgo"), "x").unwrap();
        let go = Noted::default();
        let found = compile(&shared(), &setting("v1"), src.path(), cache.path(), &go);
        assert_eq!(found.unwrap(), [""; 0]);
    }
}
