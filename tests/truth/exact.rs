//! What the `go` command says: which packages are mains, and which files each of
//! them is built from, per platform and with cgo on and off.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::prepare::{go, output};

/// Platforms whose builds are asked about.
const PLATFORMS: [(&str, &str); 4] = [
    ("linux", "amd64"),
    ("linux", "arm64"),
    ("windows", "amd64"),
    ("darwin", "arm64"),
];

/// Fields of a package that name files which a build reads.
const FIELDS: &str = "-json=ImportPath,Dir,Name,Standard,Deps,GoFiles,CgoFiles,CFiles,CXXFiles,\
MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles,EmbedFiles";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Package {
    import_path: String,
    dir: String,
    name: String,
    standard: bool,
    deps: Vec<String>,
    go_files: Vec<String>,
    cgo_files: Vec<String>,
    c_files: Vec<String>,
    #[serde(rename = "CXXFiles")]
    cxx_files: Vec<String>,
    m_files: Vec<String>,
    h_files: Vec<String>,
    f_files: Vec<String>,
    s_files: Vec<String>,
    swig_files: Vec<String>,
    #[serde(rename = "SwigCXXFiles")]
    swig_cxx_files: Vec<String>,
    syso_files: Vec<String>,
    embed_files: Vec<String>,
}

impl Package {
    fn files(&self) -> impl Iterator<Item = &String> {
        [
            &self.go_files,
            &self.cgo_files,
            &self.c_files,
            &self.cxx_files,
            &self.m_files,
            &self.h_files,
            &self.f_files,
            &self.s_files,
            &self.swig_files,
            &self.swig_cxx_files,
            &self.syso_files,
            &self.embed_files,
        ]
        .into_iter()
        .flatten()
    }
}

/// Files per main package, relative to the root of the repository.
pub(crate) type Exact = BTreeMap<String, BTreeSet<String>>;

/// Directories of main packages of the module in `dir`, as `./...` finds them.
pub(crate) fn mains(root: &Path, dir: &str, out: &mut BTreeSet<String>) -> Result<()> {
    for (os, arch) in PLATFORMS {
        let mut command = go(
            &root.join(dir),
            &["list", "-e", "-json=Dir,Name,GoFiles,CgoFiles", "./..."],
        );
        command
            .env("GOOS", os)
            .env("GOARCH", arch)
            .env("CGO_ENABLED", "1");
        for package in packages(&output(command)?)? {
            let built = !package.go_files.is_empty() || !package.cgo_files.is_empty();
            if package.name == "main" && built {
                out.extend(relative(root, &package.dir));
            }
        }
    }
    Ok(())
}

/// Adds the files of the main packages `dirs`, which are all built from `base`.
pub(crate) fn list(root: &Path, base: &str, dirs: &[&String], out: &mut Exact) -> Result<()> {
    let places: Vec<String> = dirs.iter().map(|dir| from(base, dir)).collect();
    for (os, arch) in PLATFORMS {
        for cgo in ["0", "1"] {
            let mut args = vec!["list", "-e", "-deps", FIELDS];
            args.extend(places.iter().map(String::as_str));
            let mut command = go(&root.join(base), &args);
            command
                .env("GOOS", os)
                .env("GOARCH", arch)
                .env("CGO_ENABLED", cgo);
            let all = packages(&output(command)?)?;
            add(root, dirs, &all, out);
        }
    }
    Ok(())
}

fn add(root: &Path, dirs: &[&String], all: &[Package], out: &mut Exact) {
    let by_path: BTreeMap<&str, &Package> =
        all.iter().map(|p| (p.import_path.as_str(), p)).collect();
    let by_dir: BTreeMap<String, &Package> = all
        .iter()
        .filter_map(|p| Some((relative(root, &p.dir)?, p)))
        .collect();
    for dir in dirs {
        let files = out.entry((*dir).clone()).or_default();
        let Some(main) = by_dir.get(*dir) else {
            continue;
        };
        let deps = main
            .deps
            .iter()
            .filter_map(|path| by_path.get(path.as_str()));
        for package in deps.chain([main]).filter(|p| !p.standard) {
            if let Some(dir) = relative(root, &package.dir) {
                files.extend(package.files().map(|file| match dir.as_str() {
                    "." => file.clone(),
                    dir => format!("{dir}/{file}"),
                }));
            }
        }
    }
}

/// A directory as an argument of a command that runs in `base`.
pub(crate) fn from(base: &str, dir: &str) -> String {
    let below = match base {
        "." => dir,
        base => dir
            .strip_prefix(base)
            .unwrap_or(dir)
            .trim_start_matches('/'),
    };
    match below {
        "" | "." => ".".to_owned(),
        below => format!("./{below}"),
    }
}

fn relative(root: &Path, dir: &str) -> Option<String> {
    let below = Path::new(dir).strip_prefix(root).ok()?.to_str()?;
    Some(if below.is_empty() { "." } else { below }.to_owned())
}

fn packages(json: &[u8]) -> Result<Vec<Package>> {
    let all: serde_json::Result<Vec<Package>> = serde_json::Deserializer::from_slice(json)
        .into_iter()
        .collect();
    Ok(all?)
}
