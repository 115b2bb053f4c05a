//! The repository that the measurements of sources build: many packages, many
//! services, each with some hundred of them.
//!
//! ```text
//! lib/gGGG/            a package, with up to 18 more below it: lib/gGGG/pPP
//! cmd/sNN/             a main package that imports some 42 groups
//! ```
//!
//! The first 21 groups are imported by all services. Of the others a service
//! imports all packages or most of them. What the packages hold is trivial Go code
//! and, for their size, comments.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

/// Services.
pub(crate) const SERVICES: usize = 50;
/// Groups of packages.
const GROUPS: usize = 200;
/// Groups that all services import, and groups that a service imports besides.
const COMMON: usize = 21;
const OWN: usize = 21;
/// Files of a package, and their bytes.
const FILES: usize = 14;
const FILE_BYTES: usize = 8 << 10;

/// Bytes that builds read.
pub(crate) struct Wanted {
    /// Go files that are no tests, and manifests.
    pub(crate) code: u64,
    /// Names of services, and what each embeds.
    pub(crate) assets: [(&'static str, u64); 2],
}

/// A generated repository; it is removed with the value.
pub(crate) struct Repository {
    root: PathBuf,
    /// In every file, so that no earlier run left any of it in the builder's cache.
    nonce: String,
    edits: usize,
}

impl Repository {
    /// Writes the repository. `builder` is the image that stands for Go's.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(crate) fn large(root: PathBuf, syntax: &str, builder: &str) -> Result<Self> {
        let repository = Self::empty(root, syntax, builder)?;
        for group in 0..GROUPS {
            for package in 0..size(group) {
                let dir = package_dir(group, package);
                for file in 0..FILES {
                    repository.write(
                        &format!("{dir}/f{file:02}.go"),
                        &repository.library(&dir, file),
                    )?;
                }
            }
        }
        for service in 0..SERVICES {
            for file in 0..FILES {
                let name = format!("cmd/{}/f{file:02}.go", name(service));
                repository.write(&name, &repository.main_file(service, file))?;
            }
        }
        Ok(repository)
    }

    /// The same services with one file each: what their build steps cost without
    /// sources.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(crate) fn floor(root: PathBuf, syntax: &str, builder: &str) -> Result<Self> {
        let repository = Self::empty(root, syntax, builder)?;
        for service in 0..SERVICES {
            let name = name(service);
            let text = format!(
                "package main\n\nfunc main() {{}}\n// {}\n",
                repository.nonce
            );
            repository.write(&format!("cmd/{name}/f01.go"), &text)?;
        }
        Ok(repository)
    }

    /// Two services with assets, unrelated Go code, and `junk` bytes that no build
    /// reads. With it the bytes that builds of all services, of `web` alone and of
    /// `print` alone read.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(crate) fn junk(
        root: PathBuf,
        syntax: &str,
        builder: &str,
        junk: u64,
    ) -> Result<(Self, Wanted)> {
        let repository = Self::empty(root, syntax, builder)?;
        let spec =
            format!("# syntax={syntax}\ngo: {builder}\nservices: {{web: ./web, print: ./print}}\n");
        repository.write("fleet.yaml", &spec)?;
        let mut code = repository.bytes("go.mod")?;
        for group in 0..GROUPS {
            let dir = package_dir(group, 0);
            for file in 0..FILES {
                let path = format!("{dir}/f{file:02}.go");
                repository.write(&path, &repository.library(&dir, file))?;
                code += repository.bytes(&path)?;
            }
            repository.write(&format!("{dir}/f_test.go"), &repository.library(&dir, 0))?;
        }
        let assets = [("web", 1 << 20), ("print", 5 << 20)];
        for (name, bytes) in assets {
            let path = format!("{name}/main.go");
            repository.write(
                &path,
                "package main\n\nimport _ \"embed\"\n\n//go:embed asset\nvar asset string\n\n\
                 func main() { println(asset) }\n",
            )?;
            code += repository.bytes(&path)?;
            repository.sparse(&format!("{name}/asset"), bytes)?;
        }
        for n in 0..20_000 {
            let path = format!("front/node_modules/m{}/f{n}.js", n / 20);
            repository.write(&path, "module.exports = {}\n")?;
        }
        repository.sparse("front/node_modules/big/bundle.js", junk / 4)?;
        repository.sparse(".git/objects/pack/pack-1.pack", junk / 4)?;
        repository.sparse("media/film.mp4", junk / 2)?;
        Ok((repository, Wanted { code, assets }))
    }

    fn bytes(&self, path: &str) -> Result<u64> {
        Ok(fs::metadata(self.root.join(path))?.len())
    }

    /// A file that takes no room here, and would be sent whole.
    fn sparse(&self, path: &str, bytes: u64) -> Result<()> {
        self.write(path, "")?;
        let file = fs::OpenOptions::new()
            .write(true)
            .open(self.root.join(path))?;
        Ok(file.set_len(bytes)?)
    }

    fn empty(root: PathBuf, syntax: &str, builder: &str) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let repository = Self {
            root,
            nonce: format!("{:x}", since.as_nanos()),
            edits: 0,
        };
        repository.write("go.mod", "module example.com/large\n\ngo 1.26\n")?;
        let mut spec = format!("# syntax={syntax}\ngo: {builder}\nservices:\n");
        for service in 0..SERVICES {
            let _ = writeln!(spec, "  {0}: ./cmd/{0}", name(service));
        }
        repository.write("fleet.yaml", &spec)?;
        Ok(repository)
    }

    fn library(&self, dir: &str, file: usize) -> String {
        let package = dir.rsplit('/').next().unwrap_or(dir);
        self.padded(format!(
            "package {package}\n\nfunc F{file}() int {{ return {file} }}\n"
        ))
    }

    fn main_file(&self, service: usize, file: usize) -> String {
        if file != 0 {
            return self.padded(format!("package main\n\nfunc f{file}() {{}}\n"));
        }
        let mut text = "package main\n\nimport (\n".to_owned();
        for (group, package) in packages(service) {
            let dir = package_dir(group, package);
            let _ = writeln!(text, "\t_ \"example.com/large/{dir}\"");
        }
        text.push_str(")\n\nfunc main() {}\n");
        self.padded(text)
    }

    /// As long as real files are, so that a copy costs what a copy costs.
    fn padded(&self, mut text: String) -> String {
        while text.len() < FILE_BYTES {
            let _ = writeln!(text, "// {0} {0} {0} {0}", self.nonce);
        }
        text
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// Changes a file that exists, to something that it never was.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn edit(&mut self, path: &str) -> Result<()> {
        self.edits += 1;
        let old = fs::read_to_string(self.root.join(path))
            .with_context(|| format!("there is no {path} to edit"))?;
        // Not longer with every edit: the old one goes.
        let text = old.split("\n// edit ").next().unwrap_or_default();
        let edit = format!("{text}\n// edit {} {}\n", self.nonce, self.edits);
        self.write(path, &edit)
    }

    /// Changes one file of every main package.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    pub(crate) fn edit_every_main(&mut self) -> Result<()> {
        (0..SERVICES).try_for_each(|service| self.edit(&format!("cmd/{}/f01.go", name(service))))
    }

    /// Gives all files and directories the modes that a checkout with this umask has.
    ///
    /// # Errors
    ///
    /// A file cannot be changed.
    pub(crate) fn umask(&self, umask: u32) -> Result<()> {
        let mut pending = vec![self.root.clone()];
        while let Some(dir) = pending.pop() {
            fs::set_permissions(&dir, Permissions::from_mode(0o777 & !umask))?;
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    pending.push(entry.path());
                } else {
                    fs::set_permissions(entry.path(), Permissions::from_mode(0o666 & !umask))?;
                }
            }
        }
        Ok(())
    }

    /// Writes a file and the directories above it.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.root.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn name(service: usize) -> String {
    format!("s{service:02}")
}

/// The group's own directory, or one below it.
fn package_dir(group: usize, package: usize) -> String {
    match package {
        0 => format!("lib/g{group:03}"),
        _ => format!("lib/g{group:03}/p{package:02}"),
    }
}

/// The groups that a service imports: all different, and each of those that are
/// not common to all in some services.
fn groups(service: usize) -> impl Iterator<Item = usize> {
    let rest = GROUPS - COMMON;
    let own = (0..OWN).map(move |n| COMMON + (service * 7 + n * (rest / OWN)) % rest);
    (0..COMMON).chain(own)
}

/// Packages of a group: its own, and those below. Ten in the mean.
fn size(group: usize) -> usize {
    1 + group * 7 % 19
}

/// The packages that a service imports.
fn packages(service: usize) -> impl Iterator<Item = (usize, usize)> {
    groups(service).flat_map(move |group| {
        let partly = group >= COMMON && (group + service).is_multiple_of(3);
        let wanted = move |package: &usize| !partly || !(package + service).is_multiple_of(4);
        (0..size(group))
            .filter(wanted)
            .map(move |package| (group, package))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_service_imports_as_many_groups_and_every_group_is_imported() {
        let mut seen = BTreeSet::new();
        for service in 0..SERVICES {
            let imported: BTreeSet<_> = packages(service).collect();
            assert!((350..450).contains(&imported.len()), "{}", imported.len());
            seen.extend(imported);
        }
        let all: usize = (0..GROUPS).map(size).sum();
        assert_eq!((seen.len(), all), (all, 1997));
    }

    #[test]
    fn an_edit_changes_a_file_and_does_not_let_it_grow() {
        let root = std::env::temp_dir().join(format!("xtask-repository-{}", std::process::id()));
        let mut repository = Repository::floor(root, "x", "y").unwrap();
        let file = repository.path().join("cmd/s00/f01.go");
        let mut texts = BTreeSet::new();
        for _ in 0..3 {
            texts.insert(fs::read_to_string(&file).unwrap());
            repository.edit_every_main().unwrap();
        }
        assert_eq!(texts.len(), 3);
        assert!(fs::read_to_string(&file).unwrap().lines().count() < 8);
    }
}
