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
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::parts::{host_go, images_dir};
use super::state::{Cache, key, write_atomically};
use crate::http;
use crate::run::{logged, output, say};

/// Debian's release in all images, as in the public ones.
const DEBIAN: &str = "bookworm";
/// Go's version behind `golang:1.26`.
const GO: &str = "1.26.8";
/// Rust's version behind `rust:1.95`, which Dockerfile.frontend builds from.
const RUST: &str = "1.95.0";
/// Targets of the frontend image, beside the compiler's own.
const RUST_TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

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
    /// Makes all base images that are not there yet. [`debian_rootfs`] comes first.
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
        let version = patch_version(version)?;
        let (debian, tools) = self.ground()?;
        self.golang_on(&debian, &tools, &version, false)
    }

    /// Debian, bare and with compilers. Returns their keys.
    fn ground(&self) -> Result<(String, String)> {
        let folder = self.cache.images("debian");
        let roots = fs::read(machine_roots()?)?;
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
            inputs: vec![rootfs_key(self.cache)?, key([&roots])],
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
                        let _ = tree.set(go_tree(version)?);
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
                rust_home(&home, &self.cache.log("rustup"))?;
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

/// Makes the root file system of the Debian image, once. Needs no daemon.
///
/// # Errors
///
/// debootstrap fails: no root, or no mirror.
pub(crate) fn debian_rootfs(cache: &Cache) -> Result<()> {
    let folder = cache.images("debian");
    if has_rootfs(cache) {
        return Ok(());
    }
    let tree = folder.join("rootfs");
    for leftover in [&tree, &folder] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    fs::create_dir_all(&folder)?;
    let mut command = Command::new("debootstrap");
    command
        .args([
            "--variant=minbase",
            "--include=ca-certificates,tzdata",
            DEBIAN,
        ])
        .arg(&tree);
    logged(
        &format!("making a Debian {DEBIAN}"),
        &mut command,
        &cache.log("debootstrap"),
    )?;
    // Downloaded packages and lists: the image's own apt-get fetches fresh ones.
    for (dir, suffix) in [
        ("var/cache/apt", ".bin"),
        ("var/cache/apt/archives", ".deb"),
        ("var/lib/apt/lists", ""),
    ] {
        for entry in fs::read_dir(tree.join(dir))? {
            let path = entry?.path();
            if path.is_file() && path.to_string_lossy().ends_with(suffix) {
                fs::remove_file(path)?;
            }
        }
    }
    let tar = folder.join("rootfs.tar");
    output(
        Command::new("tar")
            .args(["--numeric-owner", "--sort=name", "-C"])
            .arg(&tree)
            .arg("-cf")
            .arg(&tar)
            .arg("."),
    )?;
    fs::remove_dir_all(&tree)?;
    write_atomically(
        &folder.join("rootfs.key"),
        key([fs::read(&tar)?]).as_bytes(),
    )
}

/// Whether [`debian_rootfs`] has nothing to do.
pub(crate) fn has_rootfs(cache: &Cache) -> bool {
    rootfs_key(cache).is_ok()
}

fn rootfs_key(cache: &Cache) -> Result<String> {
    fs::read_to_string(cache.images("debian").join("rootfs.key"))
        .context("the Debian tree was not made yet")
}

/// The CA roots that this machine trusts. Steps must trust the same: what they
/// fetch may come through a proxy with a certificate of its own.
fn machine_roots() -> Result<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named
        .into_iter()
        .chain([
            "/etc/ssl/certs/ca-certificates.crt".into(),
            "/etc/pki/tls/certs/ca-bundle.crt".into(),
        ])
        .find(|path| path.is_file())
        .context("no CA bundle on this machine; name it in SSL_CERT_FILE")
}

/// A Go tree of this version: the host's own if it is that, else the toolchain
/// module that the go command fetches and checks.
fn go_tree(version: &str) -> Result<PathBuf> {
    let mut command = Command::new("go");
    command
        .args(["env", "GOROOT"])
        .current_dir("/")
        .env("GOTOOLCHAIN", format!("go{version}"));
    if host_go()? == format!("go{version}") {
        command.env("GOTOOLCHAIN", "local");
    } else {
        say(format!("fetching Go {version} from the module proxy"));
    }
    Ok(PathBuf::from(output(&mut command)?))
}

/// `1.25` to its newest patch release, `1.25.11`; a full version stays.
fn patch_version(version: &str) -> Result<String> {
    let numbers = version.split('.').count();
    if !version
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    {
        bail!("`{version}` is no Go version; write 1.25 or 1.25.3");
    }
    match numbers {
        3 => Ok(version.to_string()),
        2 => {
            let mut command = Command::new("go");
            command
                .args(["list", "-m", "-versions", "go"])
                .current_dir("/")
                .env("GOFLAGS", "-mod=mod");
            let all = output(&mut command)?;
            newest_patch(&all, version)
                .with_context(|| format!("the module proxy knows no Go {version}"))
        }
        _ => bail!("`{version}` is no Go version; write 1.25 or 1.25.3"),
    }
}

/// The newest release of `minor` in a list of versions.
fn newest_patch(versions: &str, minor: &str) -> Option<String> {
    let patch = |version: &str| {
        version
            .strip_prefix(minor)?
            .strip_prefix('.')?
            .parse::<u32>()
            .ok()
    };
    versions
        .split_whitespace()
        .filter_map(patch)
        .max()
        .map(|newest| format!("{minor}.{newest}"))
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

/// A RUSTUP_HOME with nothing but what the image needs; the user's toolchains stay as they are.
fn rust_home(home: &Path, log: &Path) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let rustup = std::env::split_paths(&path)
        .map(|dir| dir.join("rustup"))
        .find(|path| path.is_file())
        .context("the rust image is made with rustup, which is not on PATH (see rustup.rs)")?;
    fs::create_dir_all(home)?;
    let mut command = Command::new(&rustup);
    command
        .args([
            "toolchain",
            "install",
            RUST,
            "--profile",
            "minimal",
            "--no-self-update",
        ])
        .args(RUST_TARGETS.iter().flat_map(|target| ["--target", target]))
        .env("RUSTUP_HOME", home)
        .env_remove("RUSTUP_TOOLCHAIN");
    logged(
        &format!("fetching Rust {RUST} with its musl targets"),
        &mut command,
        log,
    )?;
    for download in ["downloads", "tmp"] {
        let _ = fs::remove_dir_all(home.join(download));
    }
    fs::copy(&rustup, home.join("rustup"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_patch_is_by_number_and_no_candidate() {
        let all = "go 1.9.2rc2 1.25rc1 1.25.0 1.25.2 1.25.11 1.250.1 1.26.1";
        assert_eq!(newest_patch(all, "1.25").as_deref(), Some("1.25.11"));
        assert_eq!(newest_patch(all, "1.27"), None);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in ["", "latest", "1", "1.25.", "1.2.3.4", "v1.25"] {
            assert!(patch_version(bad).is_err(), "{bad}");
        }
        assert_eq!(patch_version("1.25.3").unwrap(), "1.25.3");
    }

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
