//! A repository that is compared: its services, and which files the scenarios edit.
//!
//! What the files are is asked of the `go` command, never of gofleet: it is one of
//! those that are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::monorepo;
use crate::run::output;

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    /// `./cmd/api`.
    pub(super) main: String,
    /// Packages that its build compiles, the standard library's included.
    pub(super) packages: usize,
    /// A Go file of its main package.
    pub(super) file: String,
}

/// A repository.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// As headings show it.
    pub(super) title: String,
    /// Where its files are; they are copied and never changed.
    pub(super) root: PathBuf,
    /// The spec, relative to the root.
    pub(super) spec: String,
    /// Images with Go: the first is what steps compile in, of gofleet and of the
    /// Dockerfiles; gofleet may fetch modules in another.
    pub(super) images: Vec<String>,
    pub(super) services: Vec<Service>,
    /// The services with the fewest and with the most packages.
    pub(super) small: usize,
    pub(super) large: usize,
    /// A file of the local package that most services import, and how many those are.
    pub(super) shared: (String, usize),
    /// Of all packages, how many at least two services import; in per cent.
    pub(super) common: usize,
    /// `go.mod`, `go.sum` and their like.
    pub(super) manifests: Vec<String>,
    /// A module and two versions that both work.
    pub(super) bump: Option<(&'static str, [&'static str; 2])>,
}

impl Subject {
    /// A generated monorepo, written to `root`.
    ///
    /// # Errors
    ///
    /// It cannot be written, or Go cannot list it.
    pub(super) fn monorepo(root: PathBuf, services: usize, frontend: &str) -> Result<Self> {
        clear(&root)?;
        monorepo::write(&root, services, frontend)?;
        let mut subject = Self::survey(
            format!("{services} services, generated"),
            root,
            "fleet.yaml",
            monorepo_services(services),
        )?;
        subject.bump = Some(monorepo::BUMP);
        Ok(subject)
    }

    /// Many services that are hardly more than nothing.
    ///
    /// # Errors
    ///
    /// It cannot be written, or Go cannot list it.
    pub(super) fn many(root: PathBuf, services: usize, frontend: &str) -> Result<Self> {
        clear(&root)?;
        monorepo::write_small(&root, services, frontend)?;
        Self::survey(
            format!("{services} small services"),
            root,
            "fleet.yaml",
            monorepo_services(services),
        )
    }

    /// Any repository with a spec. The services are those that gofleet builds.
    ///
    /// # Errors
    ///
    /// The spec has errors, or Go cannot list the main packages.
    pub(super) fn existing(root: &Path, spec: &str) -> Result<Self> {
        let mut gofleet = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        gofleet
            .args(["run", "--quiet", "--package=gofleet", "--manifest-path"])
            .arg(crate::root().join("Cargo.toml"))
            .args(["--", "graph", "binaries", "--file", spec])
            .current_dir(root);
        let graph = output(&mut gofleet).context("the services of the spec are not known")?;
        let services = services_of(&graph);
        let images = images_of(&graph);
        if services.is_empty() {
            bail!("{spec} has no services");
        }
        let title = root
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut subject = Self::survey(title, root.to_path_buf(), spec, services)?;
        if !images.is_empty() {
            subject.images = images;
        }
        Ok(subject)
    }

    /// Asks Go what the services read. `services`: names and main packages.
    fn survey(
        title: String,
        root: PathBuf,
        spec: &str,
        services: Vec<(String, String)>,
    ) -> Result<Self> {
        let mut users: BTreeMap<String, usize> = BTreeMap::new();
        let mut local: BTreeMap<String, String> = BTreeMap::new();
        let mut list = Vec::new();
        for (name, main) in services {
            let packages = packages(&root, &main)?;
            for package in &packages {
                *users.entry(package.path.clone()).or_default() += 1;
                if let Some(file) = &package.file {
                    local.insert(package.path.clone(), file.clone());
                }
            }
            let own = packages.last().and_then(|package| package.file.clone());
            list.push(Service {
                file: own.with_context(|| format!("{main} has no Go file"))?,
                packages: packages.len(),
                name,
                main,
            });
        }
        let mains: BTreeSet<&str> = list.iter().map(|service| service.file.as_str()).collect();
        let (shared, uses) = local
            .iter()
            .filter(|(_, file)| !mains.contains(file.as_str()))
            .map(|(path, file)| (file.clone(), users[path]))
            // The first one of those that most import.
            .rev()
            .max_by_key(|(_, uses)| *uses)
            .context("the services import no package of the repository")?;
        let both = users.values().filter(|uses| **uses > 1).count();
        let by_size = |at: &usize| list[*at].packages;
        let small = (0..list.len()).min_by_key(by_size).unwrap_or_default();
        let large = (0..list.len()).max_by_key(by_size).unwrap_or_default();
        Ok(Self {
            title,
            manifests: manifests(&root)?,
            root,
            spec: spec.to_owned(),
            images: generated_images(),
            small,
            large,
            shared: (shared, uses),
            common: both * 100 / users.len().max(1),
            bump: None,
            services: list,
        })
    }

    /// The spec's first line names the frontend that a run asked for.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub(super) fn set_frontend(&self, tree: &Path, frontend: &str) -> Result<()> {
        let path = tree.join(&self.spec);
        let text = fs::read_to_string(&path)?;
        let rest = text
            .strip_prefix("# syntax=")
            .and_then(|rest| rest.split_once('\n'))
            .map_or(text.as_str(), |(_, rest)| rest);
        Ok(fs::write(&path, format!("# syntax={frontend}\n{rest}"))?)
    }
}

#[cfg(test)]
impl Subject {
    /// One that is nowhere.
    pub(super) fn example(services: &[(&str, &str)]) -> Self {
        let service = |(name, main): &(&str, &str)| Service {
            name: (*name).to_owned(),
            main: (*main).to_owned(),
            packages: 1,
            file: format!("{main}/main.go"),
        };
        Self {
            title: "example".to_owned(),
            root: PathBuf::new(),
            spec: "fleet.yaml".to_owned(),
            images: generated_images(),
            services: services.iter().map(service).collect(),
            small: 0,
            large: services.len() - 1,
            shared: ("internal/a/a.go".to_owned(), services.len()),
            common: 70,
            manifests: vec!["go.mod".to_owned(), "go.sum".to_owned()],
            bump: None,
        }
    }
}

fn clear(root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    Ok(())
}

fn monorepo_services(count: usize) -> Vec<(String, String)> {
    let service = |n| {
        (
            monorepo::service(n),
            format!("./cmd/{}", monorepo::service(n)),
        )
    };
    (0..count).map(service).collect()
}

/// Names and main packages in the text of a graph, from the names of its build steps:
/// `name "[api] go build ./cmd/api"`.
fn services_of(graph: &str) -> Vec<(String, String)> {
    let mut services: Vec<(String, String)> = graph
        .lines()
        .filter_map(|line| {
            let (before, main) = line
                .trim()
                .strip_prefix("name \"[")?
                .strip_suffix('"')?
                .split_once("] go build ")?;
            let name = before.split_whitespace().next()?;
            Some((name.to_owned(), main.to_owned()))
        })
        .collect();
    services.sort();
    services.dedup();
    services
}

/// Those of a generated repository's Go.
fn generated_images() -> Vec<String> {
    vec!["golang:1.26-alpine".to_owned(), "golang:1.26".to_owned()]
}

/// The images with Go, from the names of a graph's sources, as in [`Subject::images`]:
/// where gofleet chooses, it compiles in the small one.
fn images_of(graph: &str) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for rest in graph.split("docker-image://docker.io/library/").skip(1) {
        let image = rest.split_whitespace().next().unwrap_or_default();
        if image.starts_with("golang:") && !images.iter().any(|known| known == image) {
            images.push(image.to_owned());
        }
    }
    images.sort_by_key(|image| !image.ends_with("-alpine"));
    images
}

/// A package of a build.
struct Package {
    path: String,
    /// One of its files, for a package of the repository.
    file: Option<String>,
}

/// All packages of a main package, itself the last.
fn packages(root: &Path, main: &str) -> Result<Vec<Package>> {
    let mut go = Command::new("go");
    go.args(["list", "-deps", "-f"])
        .arg("{{.ImportPath}}\t{{with .Module}}{{.Main}}{{end}}\t{{.Dir}}\t{{range .GoFiles}}{{.}}\t{{end}}")
        .arg(main)
        .current_dir(root)
        .env("GOOS", "linux")
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly");
    let text = output(&mut go)?;
    let root = root.canonicalize()?;
    let package = |line: &str| {
        let mut words = line.split('\t');
        let path = words.next()?.to_owned();
        let own = words.next()? == "true";
        let dir = Path::new(words.next()?);
        let file = words.next().filter(|name| !name.is_empty());
        let file = file.filter(|_| own).and_then(|name| {
            let below = dir.strip_prefix(&root).ok()?;
            Some(below.join(name).to_string_lossy().into_owned())
        });
        Some(Package { path, file })
    };
    Ok(text.lines().filter_map(package).collect())
}

/// The files that say which modules there are, anywhere in the repository.
fn manifests(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                if !name.starts_with(['.', '_']) && name != "testdata" && name != "node_modules" {
                    pending.push(entry.path());
                }
            } else if ["go.mod", "go.sum", "go.work", "go.work.sum"].contains(&name.as_str()) {
                let path = entry.path();
                let below = path.strip_prefix(root)?;
                found.push(below.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_from_the_names_of_build_steps() {
        let graph = "%0 source docker-image://docker.io/library/golang:1.25\n\
                     %0 source docker-image://docker.io/library/golang:1.25-alpine\n%1 exec\n   name \"[web linux/amd64] go build ./sites/front\"\n\
                     %2 exec\n   name \"[api] go build ./cmd/api\"\n   name \"[internal] scan sources\"\n";
        assert_eq!(
            services_of(graph),
            [("api", "./cmd/api"), ("web", "./sites/front")]
                .map(|(name, main)| (name.to_owned(), main.to_owned()))
        );
        assert_eq!(images_of(graph), ["golang:1.25-alpine", "golang:1.25"]);
    }
}
