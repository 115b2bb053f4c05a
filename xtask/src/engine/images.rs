//! Base images, made here and pushed to the loopback registry under the names
//! that users type: the machines of this project reach no image registry.
//!
//! Debian comes from debootstrap, Go from the host or the Go module proxy, Rust
//! from rustup; BuildKit puts them together from the Dockerfiles in
//! `tests/engine/images`. An image is made again only when something that went
//! into it changes: each leaves a stamp with the key of its inputs.
//!
//! Nothing about the machine's module proxy is in an image. Steps that need
//! another than Go's default get it from their caller, as users pass it:
//! `--secret id=GOPROXY,env=GOPROXY`.

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::parts::images_dir;
use super::sources::{self, DEBIAN, RUST, RUST_TARGETS};
use super::state::{Cache, key, write_atomically};
use crate::http;
use crate::run::logged;

/// Go's version behind `golang:1.26`.
const GO: &str = "1.26.8";

/// A running buildkitd, and the registry to push to.
pub(crate) struct Maker<'a> {
    pub(crate) cache: &'a Cache,
    /// The buildctl program.
    pub(crate) buildctl: PathBuf,
    /// BUILDKIT_HOST.
    pub(crate) buildkit: String,
    /// `127.0.0.1:PORT`.
    pub(crate) registry: String,
}

/// Folders to build from, made when they are needed.
type Folders<'a> = &'a dyn Fn() -> Result<Vec<(&'static str, PathBuf)>>;

/// One target of one Dockerfile of `tests/engine/images`.
struct Image<'a> {
    dockerfile: &'static str,
    target: &'static str,
    /// `library/golang`, as on docker.io.
    repository: &'static str,
    tags: Vec<String>,
    arguments: Vec<(&'static str, &'a str)>,
    platforms: &'static str,
    /// Local folders by context name.
    folders: Folders<'a>,
    /// Keys of the images and of the folders that it is made from.
    inputs: Vec<String>,
}

impl Maker<'_> {
    /// Makes all base images that are not there yet. [`sources::debian_rootfs`] comes first.
    ///
    /// # Errors
    ///
    /// A build fails; the message holds the tail of BuildKit's output.
    pub(crate) fn make(&self) -> Result<()> {
        let (debian, tools) = self.ground()?;
        self.image(&Image {
            dockerfile: "static.Dockerfile",
            target: "",
            repository: "gofleet/static",
            tags: vec!["latest".to_string()],
            arguments: vec![],
            platforms: "linux/amd64,linux/arm64",
            folders: &|| Ok(vec![]),
            inputs: vec![debian.clone()],
        })?;
        self.golang_on(&debian, &tools, GO, true)?;
        self.rust(&tools)
    }

    /// Makes `golang:VERSION` and `-alpine`, VERSION being `1.25` or `1.25.3`.
    pub(crate) fn golang(&self, version: &str) -> Result<()> {
        let version = sources::patch_version(version)?;
        let (debian, tools) = self.ground()?;
        self.golang_on(&debian, &tools, &version, false)
    }

    /// Debian, bare and with compilers. Returns their keys.
    fn ground(&self) -> Result<(String, String)> {
        let folder = self.cache.images("debian");
        let roots = fs::read(sources::machine_roots()?)?;
        let debian = self.image(&Image {
            dockerfile: "debian.Dockerfile",
            target: "debian",
            repository: "library/debian",
            tags: [DEBIAN, "bookworm-slim", "latest"]
                .map(String::from)
                .to_vec(),
            arguments: vec![],
            platforms: "",
            folders: &|| {
                fs::write(folder.join("ca-certificates.crt"), &roots)?;
                Ok(vec![("context", folder.clone())])
            },
            inputs: vec![sources::rootfs_key(self.cache)?, key([&roots])],
        })?;
        let tools = self.image(&Image {
            dockerfile: "debian.Dockerfile",
            target: "buildpack-deps",
            repository: "library/buildpack-deps",
            tags: vec![DEBIAN.to_string(), "latest".to_string()],
            arguments: vec![],
            platforms: "",
            folders: &|| Ok(vec![("context", folder.clone())]),
            inputs: vec![debian.clone()],
        })?;
        Ok((debian, tools))
    }

    /// `latest` adds the names that only the newest Go has.
    fn golang_on(&self, debian: &str, tools: &str, version: &str, latest: bool) -> Result<()> {
        let (full, alpine) = golang_tags(version, latest);
        let tree = OnceCell::new();
        for (target, base, tags) in [("bookworm", tools, full), ("alpine", debian, alpine)] {
            self.image(&Image {
                dockerfile: "golang.Dockerfile",
                target,
                repository: "library/golang",
                tags,
                arguments: vec![("VERSION", version)],
                platforms: "",
                folders: &|| {
                    if tree.get().is_none() {
                        let _ = tree.set(sources::go_tree(version)?);
                    }
                    Ok(tree
                        .get()
                        .map(|tree| ("gotree", tree.clone()))
                        .into_iter()
                        .collect())
                },
                inputs: vec![base.to_string(), version.to_string()],
            })?;
        }
        Ok(())
    }

    fn rust(&self, tools: &str) -> Result<()> {
        let home = self.cache.images("rustup");
        self.image(&Image {
            dockerfile: "rust.Dockerfile",
            target: "",
            repository: "library/rust",
            tags: ["1.95", RUST, "1", "latest", "1.95-bookworm", DEBIAN]
                .map(String::from)
                .to_vec(),
            arguments: vec![("VERSION", RUST)],
            platforms: "",
            folders: &|| {
                sources::rust_home(&home, &self.cache.log("rustup"))?;
                Ok(vec![("rustup", home.clone())])
            },
            inputs: vec![tools.to_string(), RUST.to_string(), RUST_TARGETS.join(" ")],
        })?;
        // The image has the toolchain now; a gigabyte here would be a waste.
        if home.exists() {
            fs::remove_dir_all(&home).context("cannot remove the Rust toolchain from the cache")?;
        }
        Ok(())
    }

    /// Builds and pushes one image unless it is there. Returns its key.
    fn image(&self, image: &Image<'_>) -> Result<String> {
        let (registry, repository) = (&self.registry, image.repository);
        let recipe = images_dir().join(image.dockerfile);
        let mut inputs = image.inputs.clone();
        inputs.push(
            fs::read_to_string(&recipe)
                .with_context(|| format!("cannot read {}", recipe.display()))?,
        );
        inputs.extend([image.target.to_string(), image.tags.join(" ")]);
        let key = key(&inputs);
        let slug = format!("{}-{}", repository.replace('/', "-"), image.tags[0]);
        let stamp = self.cache.images(&format!("{slug}.stamp"));
        if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == key)
            && http::manifest(registry, repository, &image.tags[0])?.is_some()
        {
            return Ok(key);
        }
        let mut command = Command::new(&self.buildctl);
        command
            .args([
                "--addr",
                &self.buildkit,
                "build",
                "--frontend=dockerfile.v0",
                "--progress=plain",
            ])
            .arg(format!("--local=dockerfile={}", images_dir().display()))
            .arg(format!("--opt=filename={}", image.dockerfile))
            .arg(format!("--opt=target={}", image.target))
            // An index, as the public images are, also for one platform.
            .arg("--opt=multi-platform=true");
        if !image.platforms.is_empty() {
            command.arg(format!("--opt=platform={}", image.platforms));
        }
        for base in ["debian", "buildpack-deps"] {
            let name = format!("docker-image://{registry}/library/{base}:{DEBIAN}");
            command.arg(format!("--opt=context:{base}-image={name}"));
        }
        for (name, folder) in (image.folders)()? {
            if name != "context" {
                command.arg(format!("--opt=context:{name}=local:{name}"));
            }
            command.arg(format!("--local={name}={}", folder.display()));
        }
        for (name, value) in &image.arguments {
            command.arg(format!("--opt=build-arg:{name}={value}"));
        }
        let names: Vec<String> = image
            .tags
            .iter()
            .map(|tag| format!("{registry}/{repository}:{tag}"))
            .collect();
        // Fast to write and to read: these images never leave the machine.
        command.arg(format!(
            "--output=type=image,oci-mediatypes=true,compression-level=1,push=true,\"name={}\"",
            names.join(",")
        ));
        let shown = repository.trim_start_matches("library/");
        logged(
            &format!("making the image {shown}:{}", image.tags[0]),
            &mut command,
            &self.cache.log(&format!("image-{slug}")),
        )?;
        write_atomically(&stamp, key.as_bytes())?;
        Ok(key)
    }
}

/// Tags of the full and of the alpine image.
fn golang_tags(version: &str, latest: bool) -> (Vec<String>, Vec<String>) {
    let minor = version.rsplit_once('.').map_or(version, |(minor, _)| minor);
    let mut plain = vec![minor, version];
    if latest {
        plain.push("1");
    }
    let with = |suffix: &str| {
        plain
            .iter()
            .map(|tag| format!("{tag}{suffix}"))
            .collect::<Vec<_>>()
    };
    let (mut full, mut alpine) = ([with(""), with("-bookworm")].concat(), with("-alpine"));
    if latest {
        full.extend(["latest".to_string(), DEBIAN.to_string()]);
        alpine.push("alpine".to_string());
    }
    (full, alpine)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_those_of_the_public_images() {
        let (full, alpine) = golang_tags("1.26.8", true);
        for tag in [
            "1.26",
            "1.26.8",
            "1",
            "latest",
            "1.26-bookworm",
            "1.26.8-bookworm",
        ] {
            assert!(full.iter().any(|have| have == tag), "{tag}");
        }
        assert_eq!(
            alpine,
            ["1.26-alpine", "1.26.8-alpine", "1-alpine", "alpine"]
        );
        let (full, _) = golang_tags("1.25.3", false);
        assert!(!full.iter().any(|tag| tag == "1" || tag == "latest"));
    }
}
