//! Who builds, and with which commands. All that a contestant is told is in this file.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::ground::Ground;
use super::incumbents;
use super::subject::Subject;

/// One way to build all services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contestant {
    /// One `go build` of all main packages: nothing can be faster.
    Host,
    PerService,
    OneStep,
    Ko,
    FleetBake,
    FleetHand,
    FleetOne,
}

/// What a build is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'a> {
    /// For amd64 and arm64.
    pub(super) platforms: bool,
    /// The one service that was edited. Only the host is told: it is the limit.
    pub(super) only: Option<usize>,
    /// A cache in the registry.
    pub(super) cache_from: Option<&'a str>,
    /// One target of a bake file instead of all.
    pub(super) target: Option<&'a str>,
}

/// Where a contestant works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Its copy of the repository.
    pub(super) tree: &'a Path,
    /// Its own directory, for caches and results.
    pub(super) dir: &'a Path,
    /// Starts the names of its cache mounts.
    pub(super) namespace: &'a str,
}

/// One command of a build.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) command: Command,
    /// Whether it is asked for its progress as JSON.
    pub(super) progress: bool,
    /// Where its standard output goes, in the contestant's directory.
    pub(super) stdout: &'static str,
}

/// Written by bake: digests of images.
pub(super) const METADATA: &str = "metadata.json";
/// What a command prints.
const STDOUT: &str = "stdout";
/// A bake file: in the copy of the repository, and what gofleet printed.
const BAKE_FILE: &str = "compare.hcl";
const PRINTED: &str = "printed.hcl";

/// Images that stay in the daemon, without the time that it takes to compress them.
const IMAGE: &str = "type=image,oci-mediatypes=true,compression=uncompressed";

const PLATFORMS: &str = "linux/amd64,linux/arm64";
const PROXY_SECRET: &str = "id=GOPROXY,env=GOPROXY";

impl Contestant {
    pub(super) const ALL: [Self; 7] = [
        Self::Host,
        Self::PerService,
        Self::OneStep,
        Self::Ko,
        Self::FleetBake,
        Self::FleetHand,
        Self::FleetOne,
    ];

    /// For names of files, cache mounts and options.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::PerService => "per-service",
            Self::OneStep => "one-step",
            Self::Ko => "ko",
            Self::FleetBake => "gofleet-bake",
            Self::FleetHand => "gofleet-hand",
            Self::FleetOne => "gofleet-one",
        }
    }

    /// As tables show it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Host => "`go build` on the host",
            Self::PerService => "Dockerfile, a build step per service",
            Self::OneStep => "Dockerfile, one build step",
            Self::Ko => "ko",
            Self::FleetBake => "**gofleet**, its bake file",
            Self::FleetHand => "**gofleet**, hand-written bake file",
            Self::FleetOne => "**gofleet**, one solve",
        }
    }

    pub(super) fn is_dockerfile(self) -> bool {
        matches!(self, Self::PerService | Self::OneStep)
    }

    pub(super) fn is_fleet(self) -> bool {
        matches!(self, Self::FleetBake | Self::FleetHand | Self::FleetOne)
    }

    /// Whether the daemon builds.
    pub(super) fn in_daemon(self) -> bool {
        self.is_dockerfile() || self.is_fleet()
    }

    /// The id of the cache mount that Go compiles into.
    pub(super) fn build_mount(self, namespace: &str) -> String {
        if self.is_fleet() {
            format!("{namespace}/gofleet/build")
        } else {
            format!("{namespace}/go-build")
        }
    }

    /// Writes what the contestant needs beside the sources.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn write_files(self, subject: &Subject, place: &Place<'_>) -> Result<()> {
        let write = |name: &str, text: &str| std::fs::write(place.tree.join(name), text);
        let mount = self.build_mount(place.namespace);
        match self {
            Self::PerService => write("Dockerfile", &incumbents::per_service(subject, &mount))?,
            Self::OneStep => write("Dockerfile", &incumbents::one_step(subject, &mount))?,
            Self::Ko => std::fs::write(place.dir.join(".ko.yaml"), incumbents::ko_config(subject))?,
            _ => {}
        }
        if self.is_dockerfile() {
            write(".dockerignore", incumbents::DOCKERIGNORE)?;
            write(BAKE_FILE, &incumbents::bake_file(subject, "Dockerfile"))?;
        }
        if self == Self::FleetHand {
            write(BAKE_FILE, &incumbents::bake_file(subject, &subject.spec))?;
        }
        Ok(())
    }

    /// The commands of one build, in their order.
    pub(super) fn build(
        self,
        ground: &Ground,
        subject: &Subject,
        place: &Place<'_>,
        ask: Ask<'_>,
    ) -> Vec<Invocation> {
        match self {
            Self::Host => host(subject, place, ask),
            Self::Ko => vec![ko(ground, subject, place, ask)],
            Self::PerService | Self::OneStep | Self::FleetHand => {
                vec![self.bake(ground, place, ask, BAKE_FILE.as_ref())]
            }
            Self::FleetBake => {
                // As the README has it: printed and built, each time.
                let mut print = ground.docker("build", place);
                print.args(["--call=bake", "--file", &subject.spec]);
                for arg in self.build_args(place, ask) {
                    print.args(["--build-arg", &arg]);
                }
                print.arg(".");
                let print = Invocation {
                    command: print,
                    progress: true,
                    stdout: PRINTED,
                };
                vec![
                    print,
                    self.bake(ground, place, ask, &place.dir.join(PRINTED)),
                ]
            }
            Self::FleetOne => {
                let mut build = ground.docker("build", place);
                // All services in one image: as for the others, nothing is copied to the client.
                build.args(["--target=all", "--file", &subject.spec]);
                build.args(["--provenance=false", "--secret", PROXY_SECRET]);
                build.args(["--output", IMAGE]);
                for arg in self.build_args(place, ask) {
                    build.args(["--build-arg", &arg]);
                }
                if ask.platforms {
                    build.args(["--platform", PLATFORMS]);
                }
                if let Some(cache) = ask.cache_from {
                    build.arg(format!("--cache-from=type=registry,ref={cache}"));
                }
                build.arg(".");
                vec![Invocation {
                    command: build,
                    progress: true,
                    stdout: STDOUT,
                }]
            }
        }
    }

    /// The command that leaves a cache in the registry for an empty builder. `None`: the
    /// contestant has no such thing.
    pub(super) fn export(
        self,
        ground: &Ground,
        subject: &Subject,
        place: &Place<'_>,
        cache: &str,
    ) -> Option<Invocation> {
        let mut build = ground.docker("build", place);
        if self.is_dockerfile() {
            // A stage that has everything behind it: one cache for all services.
            build.arg("--target=all");
        } else if matches!(self, Self::FleetBake | Self::FleetOne) {
            build.args(["--target=deps", "--file", &subject.spec]);
            // For a builder that keeps nothing, and so whichever builder this one is.
            let ask = Ask {
                cache_from: Some(cache),
                ..Ask::default()
            };
            for arg in self.build_args(place, ask) {
                build.args(["--build-arg", &arg]);
            }
        } else {
            return None;
        }
        build.args(["--secret", PROXY_SECRET]);
        build.arg(format!("--cache-to=type=registry,ref={cache},mode=max"));
        build.arg(".");
        Some(Invocation {
            command: build,
            progress: true,
            stdout: STDOUT,
        })
    }

    /// Build args as `NAME=VALUE`.
    fn build_args(self, place: &Place<'_>, ask: Ask<'_>) -> Vec<String> {
        if !self.is_fleet() {
            // The names of the cache mounts are in the Dockerfile.
            return vec![];
        }
        let mut args = vec![format!("BUILDKIT_CACHE_MOUNT_NS={}", place.namespace)];
        if ask.cache_from.is_some() {
            // Modules and what services share in layers, which a cache can hold.
            args.push("GOFLEET_CACHE=layer".to_owned());
        }
        args
    }

    /// Real images, whose digests count; not compressed, as that would only blur the rest.
    fn bake(self, ground: &Ground, place: &Place<'_>, ask: Ask<'_>, file: &Path) -> Invocation {
        let mut bake = ground.docker("bake", place);
        bake.arg("--file").arg(file).arg("--provenance=false");
        bake.arg("--metadata-file").arg(place.dir.join(METADATA));
        // Else buildx asks the daemon for a provenance of each target, for that file.
        bake.env("BUILDX_METADATA_PROVENANCE", "disabled");
        // A file outside of the current directory is asked for otherwise.
        bake.arg("--allow=fs=*");
        let mut set = |value: String| {
            bake.args(["--set", &format!("*.{value}")]);
        };
        set(format!("output={IMAGE}"));
        set(format!("secrets={PROXY_SECRET}"));
        for arg in self.build_args(place, ask) {
            set(format!("args.{arg}"));
        }
        if ask.platforms {
            set(format!("platform={PLATFORMS}"));
        }
        if let Some(cache) = ask.cache_from {
            set(format!("cache-from=type=registry,ref={cache}"));
        }
        bake.args(ask.target);
        Invocation {
            command: bake,
            progress: true,
            stdout: STDOUT,
        }
    }
}

fn host(subject: &Subject, place: &Place<'_>, ask: Ask<'_>) -> Vec<Invocation> {
    let architectures: &[&str] = if ask.platforms {
        &["amd64", "arm64"]
    } else {
        &[""]
    };
    let build = |architecture: &&str| {
        let mut go = Command::new("go");
        go.args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags=-s -w -buildid=",
            "-o",
        ])
        // With the slash Go knows it as a directory.
        .arg(format!(
            "{}/",
            place.dir.join("out").join(architecture).display()
        ))
        .current_dir(place.tree)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOOS", "linux")
        .env("GOCACHE", place.dir.join("go-build"));
        if !architecture.is_empty() {
            go.env("GOARCH", architecture);
        }
        match ask.only {
            Some(at) => go.arg(&subject.services[at].main),
            None => go.args(subject.services.iter().map(|service| &service.main)),
        };
        Invocation {
            command: go,
            progress: false,
            stdout: STDOUT,
        }
    };
    architectures.iter().map(build).collect()
}

fn ko(ground: &Ground, subject: &Subject, place: &Place<'_>, ask: Ask<'_>) -> Invocation {
    let mut ko = Command::new(&ground.ko);
    ko.args(["build", "--push=false", "--sbom=none"])
        .arg(format!(
            "--oci-layout-path={}",
            place.dir.join("layout").display()
        ))
        .args(ask.platforms.then(|| format!("--platform={PLATFORMS}")))
        .args(subject.services.iter().map(|service| &service.main))
        .current_dir(place.tree)
        .env("KO_CONFIG_PATH", place.dir)
        .env("KO_DOCKER_REPO", format!("{}/compare", ground.registry))
        .env(
            "KO_DEFAULTBASEIMAGE",
            format!("{}/gofleet/static:latest", ground.registry),
        )
        .env("KOCACHE", place.dir.join("ko"))
        .env("GOCACHE", place.dir.join("go-build"));
    Invocation {
        command: ko,
        progress: false,
        stdout: STDOUT,
    }
}
