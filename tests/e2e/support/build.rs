//! Builds of a repository's spec, by each client, with what they report.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command::{Output, Tool, buildctl, docker};
use super::daemon::Daemon;
use super::engine::{engine, fetch_settings};
use super::oci::{self, Image};
use super::private::Private;
use super::progress::Progress;
use super::repo::Repo;

/// The frontend as `docker.io` names it.
pub(crate) const FRONTEND: &str = "docker.io/gofleet/gofleet:1";

/// One build, with the client that runs it.
pub(crate) struct Build {
    client: Client,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
    dir: PathBuf,
    context: OsString,
    spec: OsString,
}

enum Client {
    /// `docker buildx build` with a builder's name.
    Buildx(String),
    /// `buildctl build`, with the frontend's options, on a daemon or BUILDKIT_HOST.
    Buildctl {
        frontend: Vec<String>,
        address: Option<String>,
    },
}

/// An image that a build exported, and how the build went.
pub(crate) struct Built {
    pub(crate) progress: Progress,
    pub(crate) images: Vec<Image>,
    /// Manifests in the outermost index, and the media type of the first.
    pub(crate) top: (usize, String),
}

impl Built {
    /// The only image.
    pub(crate) fn image(&self) -> &Image {
        assert_eq!(
            self.images.len(),
            1,
            "platforms: {:?}",
            oci::platforms(&self.images)
        );
        &self.images[0]
    }
}

/// `docker buildx build` on the remote builder.
pub(crate) fn buildx(repo: &Repo) -> Build {
    Build::new(repo.path(), Client::Buildx(engine().builder.clone()))
}

/// Builds the `Dockerfile` of a directory, and pushes it under a name.
pub(crate) fn push(dir: &Repo, tag: &str) {
    buildx(dir)
        .spec("Dockerfile")
        .args(["--push", "--tag", tag])
        .tool("plain", None)
        .ok();
}

/// `docker buildx build` on Docker's own builder.
pub(crate) fn docker_build(repo: &Repo) -> Build {
    Build::new(repo.path(), Client::Buildx("default".to_owned()))
}

/// `buildctl build --frontend dockerfile.v0`, which reads the syntax line.
pub(crate) fn buildctl_dockerfile(repo: &Repo) -> Build {
    Build::new(repo.path(), dockerfile_frontend(None))
}

/// `buildctl build --frontend gateway.v0`, which names the frontend.
pub(crate) fn buildctl_gateway(repo: &Repo) -> Build {
    let source = format!("source={FRONTEND}");
    let frontend = ["--frontend", "gateway.v0", "--opt", &source]
        .map(str::to_owned)
        .to_vec();
    Build::new(
        repo.path(),
        Client::Buildctl {
            frontend,
            address: None,
        },
    )
}

/// The same as [`buildctl_dockerfile`], on a daemon of the test's own.
pub(crate) fn build_on(daemon: &Daemon, repo: &Repo) -> Build {
    Build::new(
        repo.path(),
        dockerfile_frontend(Some(daemon.address.clone())),
    )
}

fn dockerfile_frontend(address: Option<String>) -> Client {
    let frontend = ["--frontend", "dockerfile.v0"].map(str::to_owned).to_vec();
    Client::Buildctl { frontend, address }
}

impl Build {
    fn new(dir: &Path, client: Client) -> Self {
        // Attestations say when and how an image was built: another digest every time.
        let args = match client {
            Client::Buildx(_) => vec!["--provenance=false".into(), "--sbom=false".into()],
            Client::Buildctl { .. } => Vec::new(),
        };
        Self {
            client,
            args,
            env: Vec::new(),
            stdin: Vec::new(),
            dir: dir.to_owned(),
            context: ".".into(),
            spec: "fleet.yaml".into(),
        }
    }

    /// Adds flags of the client.
    pub(crate) fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// What to build.
    pub(crate) fn target(self, name: &str) -> Self {
        self.option("target", "--target", name)
    }

    /// For which platforms, separated by commas.
    pub(crate) fn platform(self, list: &str) -> Self {
        self.option("platform", "--platform", list)
    }

    /// A build arg.
    pub(crate) fn build_arg(self, name: &str, value: &str) -> Self {
        self.option(
            &format!("build-arg:{name}"),
            "--build-arg",
            &format!("{name}={value}"),
        )
    }

    /// A secret of this value, which reaches the client in its environment.
    pub(crate) fn secret(mut self, id: &str, value: &str) -> Self {
        self.env.push((id.to_owned(), value.to_owned()));
        self.args(["--secret".to_owned(), format!("id={id},env={id}")])
    }

    /// A secret that the client reads from a file.
    pub(crate) fn secret_file(self, id: &str, file: &Path) -> Self {
        self.args([
            "--secret".to_owned(),
            format!("id={id},src={}", file.display()),
        ])
    }

    /// The ssh agent at this socket.
    pub(crate) fn ssh(self, socket: &Path) -> Self {
        self.args(["--ssh".to_owned(), format!("default={}", socket.display())])
    }

    /// Gives steps the names of the private servers. Docker's own builder has its steps in
    /// another network, and needs `--network host` besides.
    pub(crate) fn reaching(self, private: &Private) -> Self {
        let hosts = private.hosts();
        match &self.client {
            Client::Buildx(_) => {
                let args: Vec<String> = hosts
                    .flat_map(|(name, address)| {
                        ["--add-host".to_owned(), format!("{name}:{address}")]
                    })
                    .collect();
                self.args(args)
            }
            Client::Buildctl { .. } => {
                let list: Vec<String> = hosts
                    .map(|(name, address)| format!("{name}={address}"))
                    .collect();
                self.args(["--opt".to_owned(), format!("add-hosts={}", list.join(","))])
            }
        }
    }

    /// Lets steps fetch from where this machine fetches.
    pub(crate) fn fetching(self) -> Self {
        fetch_settings()
            .iter()
            .fold(self, |build, (name, value)| build.secret(name, value))
    }

    /// Another context than the repository's directory.
    pub(crate) fn context(mut self, context: impl Into<OsString>) -> Self {
        self.context = context.into();
        self
    }

    /// Another spec than `fleet.yaml`, with buildx.
    pub(crate) fn spec(mut self, file: impl Into<OsString>) -> Self {
        self.spec = file.into();
        self
    }

    /// What the client reads from its standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    fn option(self, option: &str, flag: &str, value: &str) -> Self {
        match &self.client {
            Client::Buildx(_) => self.args([flag, value]),
            Client::Buildctl { .. } => {
                let (value, option) = (value.to_owned(), option.to_owned());
                // As the value of an option, a build arg has no name in front.
                let value = match option.strip_prefix("build-arg:") {
                    Some(name) => value[name.len() + 1..].to_owned(),
                    None => value,
                };
                self.args(["--opt".to_owned(), format!("{option}={value}")])
            }
        }
    }

    /// The command, with an output if there is one.
    pub(crate) fn tool(self, progress: &str, output: Option<&str>) -> Tool {
        let tool = match &self.client {
            Client::Buildx(builder) => docker()
                .args(["buildx", "build", "--builder", builder])
                .args(["--progress", progress])
                .args(output.iter().flat_map(|output| ["--output", output]))
                .args(&self.args)
                .arg("-f")
                .arg(&self.spec)
                .arg(&self.context),
            Client::Buildctl { frontend, address } => buildctl()
                .args(address.iter().flat_map(|address| ["--addr", address]))
                .args([
                    "build",
                    "--progress",
                    progress,
                    "--opt",
                    "filename=fleet.yaml",
                ])
                .args(["--local", "context=.", "--local", "dockerfile=."])
                .args(output.iter().flat_map(|output| ["--output", output]))
                .args(frontend)
                .args(&self.args),
        };
        let tool = tool.dir(&self.dir).stdin(self.stdin);
        self.env
            .iter()
            .fold(tool, |tool, (name, value)| tool.env(name, value))
    }

    /// Builds and exports the image.
    pub(crate) fn image(self) -> Built {
        let dir = TempDir::new().unwrap();
        let archive = dir.path().join("image.tar");
        let output = self
            .tool(
                "rawjson",
                Some(&format!("type=oci,dest={}", archive.display())),
            )
            .ok();
        Built {
            progress: Progress::parse(&output.stderr),
            images: oci::read(&archive),
            top: oci::top(&archive),
        }
    }

    /// Builds and exports nothing.
    pub(crate) fn progress(self) -> Progress {
        Progress::parse(&self.tool("rawjson", None).ok().stderr)
    }

    /// Builds into a directory.
    pub(crate) fn files(self, dest: &Path) -> Progress {
        let output = format!("type=local,dest={}", dest.display());
        Progress::parse(&self.tool("rawjson", Some(&output)).ok().stderr)
    }

    /// Runs it as it is typed at a terminal, whatever comes of it.
    pub(crate) fn plain(self) -> Output {
        self.tool("plain", None).run()
    }

    /// Expects it to fail, and returns what people read.
    pub(crate) fn fails(self) -> Output {
        let output = self.tool("plain", None).fails();
        output.never_says(["panicked at", "grpc server closed unexpectedly"]);
        output
    }
}
