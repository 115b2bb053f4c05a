//! Module cache → layer.
//!
//! Most of a module cache is read by no build: zip files, tests, packages that nothing imports.
//! What is packed are the directories of packages that builds reach, and of each module what
//! `go build` looks at to believe that it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::STAMPS;
use crate::hex::hex;
use crate::modules::{Answer, Module, ModuleCache, STAMP};
use crate::scan::native::{self, Named};
use crate::scan::{gofile, select};

/// A link to a directory, which keeps Go from indexing the module that it is in: the next layer
/// may have other packages of it (`cmd/go/internal/modindex`, `moduleWalkErr`, Go 1.26).
///
/// It lies at the module's root, where no embed pattern may match it. So a module whose root
/// embeds files is packed whole and without it.
const PART: &str = "_gofleet";

/// Packs the modules that services read into a directory, laid out as a module cache.
///
/// # Errors
///
/// Files cannot be read or written.
pub fn pack(answer: &Answer, cache: &ModuleCache, out: &Path) -> io::Result<()> {
    let mut modules: BTreeSet<&Module> = BTreeSet::new();
    let mut graph: BTreeSet<&Module> = BTreeSet::new();
    let mut packages: BTreeMap<&Module, BTreeSet<&PathBuf>> = BTreeMap::new();
    for service in answer.services.values() {
        modules.extend(&service.needed.modules);
        graph.extend(&service.needed.graph);
        for (dir, module) in &service.packages {
            packages.entry(module).or_default().insert(dir);
        }
    }
    let mut id = Sha256::new();
    id.update(format!("with {PART} and {STAMP}\n"));
    for module in modules.union(&graph) {
        id.update(format!("{}@{}\n", module.path, module.version));
        for extension in ["mod", "ziphash", STAMP] {
            let file = cache.download(module, extension);
            if file.is_file() {
                copy(&file, cache.path(), out)?;
            }
        }
    }
    for module in modules {
        let Some(dir) = cache.dir(module) else {
            continue;
        };
        // One without packages counts as there when its directory is.
        let dest = out.join(below(&dir, cache.path())?);
        fs::create_dir_all(&dest)?;
        let mut packed = Packed::default();
        let is_whole = embeds(&dir)?;
        if is_whole {
            every(&dir, &mut packed.files)?;
        } else {
            symlink(".", dest.join(PART))?;
        }
        for package in packages.get(module).into_iter().flatten() {
            id.update(format!("{}\n", below(package, cache.path())?.display()));
            if !is_whole {
                packed.add(package)?;
            }
        }
        if packed.has_native {
            // It may include files of directories that hold no package.
            with_includes(&dir, &mut packed.files)?;
        }
        for file in &packed.files {
            copy(file, cache.path(), out)?;
        }
    }
    fs::create_dir_all(out.join(STAMPS))?;
    fs::write(out.join(STAMPS).join(hex(&id.finalize())), "")
}

/// Files of one module.
#[derive(Default)]
struct Packed {
    files: BTreeSet<PathBuf>,
    has_native: bool,
}

impl Packed {
    /// The files of a package that a build can read.
    fn add(&mut self, package: &Path) -> io::Result<()> {
        for entry in fs::read_dir(package)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match select::kind(&name) {
                None => continue,
                Some(kind) => self.has_native |= kind == select::Kind::Native,
            }
            if path.is_file() {
                self.files.insert(path);
            }
        }
        if embeds(package)? {
            // Anything below it.
            every(package, &mut self.files)?;
        }
        Ok(())
    }
}

/// Whether a package may embed files.
fn embeds(package: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_go = select::kind(&name) == Some(select::Kind::Go);
        if is_go && path.is_file() && may_embed(&path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a Go file may embed others: it has to import `embed` for that.
fn may_embed(file: &Path) -> io::Result<bool> {
    let text = fs::read(file)?;
    // What cannot be read as Go may do anything.
    Ok(gofile::head(&text, true).is_none_or(|head| {
        let mut imports = head.imports.iter();
        imports.any(|(path, _)| path == "embed")
    }))
}

/// All files below a directory.
fn every(dir: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    walk(dir, &mut |path, _| {
        files.insert(path);
    })
}

/// Native files below a directory, whatever package they are in, and what they include: that
/// may have any name. Where it is found depends on flags, so all files of that name count.
fn with_includes(dir: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let mut pending = Vec::new();
    let mut others: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    walk(dir, &mut |path, name| {
        if select::kind(name) == Some(select::Kind::Native) {
            pending.push(path);
        } else {
            others.entry(name.to_owned()).or_default().push(path);
        }
    })?;
    while let Some(file) = pending.pop() {
        for (named, _) in native::includes(&fs::read(&file)?, 1) {
            let Named::File(path) = named else { continue };
            let name = path.rsplit('/').next().unwrap_or(&path);
            pending.extend(others.remove(name).into_iter().flatten());
        }
        files.insert(file);
    }
    Ok(())
}

fn walk(dir: &Path, found: &mut impl FnMut(PathBuf, &str)) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            found(entry.path(), &entry.file_name().to_string_lossy());
        }
    }
    Ok(())
}

/// Copies a file to the same place below another directory.
fn copy(file: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let dest = to.join(below(file, from)?);
    if let Some(above) = dest.parent() {
        fs::create_dir_all(above)?;
    }
    // As bytes: files of a module cache are read-only, those of a layer need not be.
    fs::write(dest, fs::read(file)?)
}

fn below<'a>(path: &'a Path, dir: &Path) -> io::Result<&'a Path> {
    path.strip_prefix(dir).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::modules::{Needed, ServiceModules};
    use crate::testing::tree;

    #[test]
    fn what_no_build_reads_stays() {
        let root = tree(&[
            ("a.org/x@v1.0.0/go.mod", "module a.org/x\n"),
            ("a.org/x@v1.0.0/x.go", "package x\n"),
            ("a.org/x@v1.0.0/x_test.go", "package x\n"),
            ("a.org/x@v1.0.0/README.md", "x"),
            ("a.org/x@v1.0.0/other/o.go", "package other\n"),
            ("a.org/x@v1.0.0/emb/e.go", "package e\nimport _ \"embed\"\n"),
            ("a.org/x@v1.0.0/emb/data/t.txt", "t"),
            ("a.org/x@v1.0.0/include/x.h", "// x\n"),
            ("b.org/y@v1.0.0/y.go", "package y\n"),
            ("cache/download/a.org/x/@v/v1.0.0.mod", "module a.org/x\n"),
            ("cache/download/a.org/x/@v/v1.0.0.zip", "zip"),
            ("cache/download/a.org/x/@v/v1.0.0.ziphash", "h1:x"),
            ("cache/download/b.org/y/@v/v1.0.0.mod", "module b.org/y\n"),
        ]);
        let cache = ModuleCache::new(root.path().to_owned());
        let module = |path: &str| Module {
            path: path.to_owned(),
            version: "v1.0.0".to_owned(),
        };
        let dir = |name: &str| root.path().join("a.org/x@v1.0.0").join(name);
        let x = module("a.org/x");
        let service = ServiceModules {
            needed: Needed {
                modules: [x.clone()].into(),
                graph: [module("b.org/y")].into(),
                ..Needed::default()
            },
            packages: [(dir(""), x.clone()), (dir("emb"), x.clone())].into(),
            ..ServiceModules::default()
        };
        let mut answer = Answer::default();
        answer.services.insert("api/@".to_owned(), service);
        let packed = |answer: &Answer| {
            let out = tempfile::tempdir().unwrap();
            pack(answer, &cache, out.path()).unwrap();
            // What is here in part must not be indexed.
            let part = out.path().join("a.org/x@v1.0.0").join(PART);
            assert_eq!(part.is_dir(), !embeds(&dir("")).unwrap());
            let mut files = BTreeSet::new();
            every(out.path(), &mut files).unwrap();
            let names = files.iter().map(|f| below(f, out.path()).unwrap());
            let names = names.map(|f| f.display().to_string());
            names.collect::<Vec<String>>()
        };
        let found = packed(&answer);
        let (stamps, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|f| f.starts_with(STAMPS));
        assert_eq!(stamps.len(), 1);
        let expected = [
            "a.org/x@v1.0.0/emb/data/t.txt",
            "a.org/x@v1.0.0/emb/e.go",
            "a.org/x@v1.0.0/go.mod",
            "a.org/x@v1.0.0/x.go",
            "cache/download/a.org/x/@v/v1.0.0.mod",
            "cache/download/a.org/x/@v/v1.0.0.ziphash",
            "cache/download/b.org/y/@v/v1.0.0.mod",
        ];
        assert_eq!(found, expected);

        // Assembly includes headers from anywhere.
        fs::write(dir("x_amd64.s"), "#include \"include/x.h\"\n").unwrap();
        let has = |name: &str| packed(&answer).contains(&format!("a.org/x@v1.0.0/{name}"));
        assert!(has("include/x.h") && !has("include/deep/y.inc"));

        // What is included may have any name, and include more.
        fs::create_dir_all(dir("include/deep")).unwrap();
        fs::write(dir("include/deep/y.inc"), "#include \"../z.table\"\n").unwrap();
        fs::write(dir("include/z.table"), "// z\n").unwrap();
        fs::write(dir("include/x.h"), "#include \"deep/y.inc\"\n").unwrap();
        assert!(has("include/deep/y.inc") && has("include/z.table") && !has("README.md"));

        // Another package, another content.
        let packages = &mut answer.services.get_mut("api/@").unwrap().packages;
        packages.insert(dir("other"), x);
        assert!(!packed(&answer).contains(&stamps[0]));

        // The link would be in its way.
        fs::write(dir("e.go"), "package x\nimport _ \"embed\"\n").unwrap();
        assert!(packed(&answer).contains(&"a.org/x@v1.0.0/README.md".to_owned()));
    }
}
