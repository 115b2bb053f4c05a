//! The `go` command: what it builds of a repository, and what it says that it reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::draft::{Draft, Main, Vendor, join};
use crate::places::{lost_manifest, module_root, package, pipe};
use crate::tree::{Entry, Tree};
use crate::world::World;

/// No command of these small repositories comes near it, in seconds; one that opens a
/// pipe would wait for ever.
const LIMIT: &str = "120";

/// The bytes of a binary, or what the `go` command says.
pub(crate) type Built = Result<Vec<u8>, String>;

/// Where the commands of a run have their caches.
pub(crate) struct Go {
    /// Of the reference; never seen by what is tested.
    modules: PathBuf,
    /// A build cache with the standard library, which is only copied.
    warm: PathBuf,
    scratch: PathBuf,
    proxy: String,
}

impl Go {
    pub(crate) fn new(scratch: &Path, warm: &Path, world: &World) -> Self {
        let go = Self {
            modules: scratch.join("modules"),
            warm: warm.to_owned(),
            scratch: scratch.to_owned(),
            proxy: world.proxy(),
        };
        go.warm(&Main::default());
        go
    }

    /// Compiles what generated programs have of the standard library, with the variables of a
    /// service; whether that had not been done before.
    fn warm(&self, main: &Main) -> bool {
        let done = main
            .env
            .iter()
            .map(|(name, value)| format!("-{name}-{value}"));
        let done = self
            .warm
            .join(format!("complete{}", done.collect::<String>()));
        if done.exists() {
            return false;
        }
        let dir = self.scratch.join("warm");
        let mut tree = Tree::default();
        tree.write("go.mod", "module warm\n\ngo 1.26\n");
        tree.write(
            "main.go",
            "package main\n\nimport \"embed\"\n\n//go:embed main.go\nvar files embed.FS\n\n\
             func main() { text, _ := files.ReadFile(\"main.go\"); println(string(text)) }\n",
        );
        for profile in [false, true] {
            if profile {
                tree.write("default.pgo", "");
            }
            tree.put(&dir);
            let out = self.scratch.join("warm.bin");
            let built = self.go_build(
                &dir,
                ".",
                main,
                "",
                &self.proxy,
                &self.modules,
                &self.warm,
                &out,
            );
            assert!(built.is_ok(), "{built:?}");
        }
        fs::write(done, "").unwrap();
        true
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command
            .args([LIMIT, "go"])
            .args(args)
            .current_dir(dir)
            // Else Go sees another name of the directory where links lead to it.
            .env("PWD", dir)
            .env("CGO_ENABLED", "0")
            .env("GOOS", "linux")
            .env("GOCACHE", &self.warm)
            .env("GODEBUG", "goindex=0")
            .env("GOENV", "off")
            .env("GOFLAGS", "-modcacherw")
            .env("GOMODCACHE", &self.modules)
            .env("GOPROXY", &self.proxy)
            .env("GOSUMDB", "off")
            .env("GOTOOLCHAIN", "local")
            .env_remove("GOWORK");
        command
    }

    /// The files of a draft, with what the `go` command makes of them, and links.
    pub(crate) fn materialised(&self, draft: &Draft, nonce: &str, world: &World) -> Tree {
        let mut tree = draft.files(nonce, &world.sums);
        for vendor in &draft.vendor {
            let dir = self.scratch.join("vendoring");
            let mut without = tree.clone();
            without.0.retain(|_, entry| *entry != Entry::Pipe);
            without.put(&dir);
            let (at, args, work) = match vendor {
                Vendor::Module => (draft.root.as_str(), ["mod", "vendor", "-e"], "off"),
                Vendor::Work => (".", ["work", "vendor", "-e"], ""),
            };
            let mut command = self.command(&dir.join(at), &args);
            command.env("GOWORK", work);
            let out = command.output().unwrap();
            if out.status.success() {
                let made = join(at, "vendor/");
                let all = Tree::of(&dir).0.into_iter();
                tree.0
                    .extend(all.filter(|(path, _)| path.starts_with(&made)));
            }
        }
        for step in &draft.moves {
            if !tree.rename(&step.path, &step.to) {
                continue;
            }
            let mut from = &step.path;
            for to in step.between.iter().chain([&step.to]) {
                let above = from.rsplit_once('/').map_or(".", |(above, _)| above);
                tree.link(from, crate::draft::relative(above, to));
                from = to;
            }
        }
        tree
    }

    /// What `go build` makes of a main package of the whole repository.
    pub(crate) fn build(&self, whole: &Path, main: &Main) -> Built {
        if let Some(pipe) = pipe(whole, main) {
            return Err(format!("{pipe} is no file, and Go would wait for it"));
        }
        if main.env.contains_key("GOFLAGS") {
            return Err("the fields of a spec decide, and not GOFLAGS".to_owned());
        }
        if self.warm(main) {
            self.forget();
        }
        let root = module_root(whole, &main.dir).ok_or("in no module")?;
        if let Some(link) = lost_manifest(whole, &main.dir) {
            return Err(format!("{link} leads nowhere"));
        }
        let package = package(&root, &main.dir);
        self.clean(&whole.join(&root), &package, main, "-modcacherw", None)
    }

    /// The same from a closure, with modules that were fetched before.
    pub(crate) fn build_alone(
        &self,
        dir: &Path,
        package: &str,
        main: &Main,
        vendored: bool,
        modules: &Path,
    ) -> Built {
        let flags = if vendored { "" } else { "-mod=readonly" };
        self.clean(dir, package, main, flags, Some(modules))
    }

    /// Leaves nothing but the standard library in the build cache: what Go overlooks when it
    /// asks its cache is no part of the truth.
    pub(crate) fn forget(&self) {
        let cache = self.scratch.join("cache");
        let _ = fs::remove_dir_all(&cache);
        let copied = Command::new("cp")
            .arg("-al")
            .arg(&self.warm)
            .arg(&cache)
            .status();
        assert!(copied.unwrap().success());
    }

    fn clean(
        &self,
        dir: &Path,
        package: &str,
        main: &Main,
        flags: &str,
        modules: Option<&Path>,
    ) -> Built {
        let cache = self.scratch.join("cache");
        let out = self.scratch.join("binary");
        let proxy = if modules.is_some() {
            "off"
        } else {
            &self.proxy
        };
        let modules = modules.unwrap_or(&self.modules);
        self.go_build(dir, package, main, flags, proxy, modules, &cache, &out)
    }

    #[expect(clippy::too_many_arguments, reason = "they are what builds differ in")]
    fn go_build(
        &self,
        dir: &Path,
        package: &str,
        main: &Main,
        flags: &str,
        proxy: &str,
        modules: &Path,
        cache: &Path,
        out: &Path,
    ) -> Built {
        let _ = fs::remove_file(out);
        let output = self
            .command(dir, &["build", "-trimpath", "-buildvcs=false"])
            .arg("-ldflags=-s -w -buildid=")
            .args((!main.tags.is_empty()).then(|| format!("-tags={}", main.tags.join(","))))
            .arg("-o")
            .arg(out)
            .arg(package)
            .env("GOFLAGS", flags)
            .env("GOPROXY", proxy)
            .env("GOMODCACHE", modules)
            .env("GOCACHE", cache)
            .envs(&main.env)
            .output()
            .expect("the go command is needed");
        if output.status.success() && out.is_file() {
            Ok(fs::read(out).unwrap())
        } else {
            Err(format!(
                "{}{}",
                String::from_utf8_lossy(&output.stderr),
                output.status
            ))
        }
    }

    /// The release that the `go` command of Go 1.21.0 would go on with, as manifests say; none
    /// where it would end with an error, and where they leave it to what is installed: that is
    /// then too old for many a `go` line, and says nothing about an image.
    pub(crate) fn selected(&self, whole: &Path, main: &Main) -> Option<String> {
        let root = module_root(whole, &main.dir)?;
        let of = |path: &Path| fs::read_to_string(path).ok();
        let decides = of(&whole.join("go.work")).or_else(|| of(&whole.join(&root).join("go.mod")));
        if decides?.lines().any(|line| line == "toolchain default") {
            return None;
        }
        let output = self
            .command(&whole.join(root), &["version"])
            .env("GOTOOLCHAIN", "go1.21.0+auto")
            .env("GOPROXY", "off")
            .output()
            .unwrap();
        // It ends with this: nothing can be downloaded here.
        let errors = String::from_utf8_lossy(&output.stderr);
        let other = errors.split_once("go: download go").map(|(_, rest)| rest);
        let own = String::from_utf8_lossy(&output.stdout);
        let own = own.strip_prefix("go version go");
        let word = other.or(own)?.split_whitespace().next()?;
        Some(word.to_owned())
    }

    /// The files of the repository that `go list -deps` names, by their real paths.
    pub(crate) fn list(&self, whole: &Path, main: &Main, arch: &str) -> BTreeSet<String> {
        let Some(root) = module_root(whole, &main.dir) else {
            return BTreeSet::new();
        };
        const FIELDS: &str = "-json=Dir,Standard,GoFiles,SFiles,HFiles,SysoFiles,EmbedFiles,Module";
        let package = package(&root, &main.dir);
        let tags = format!("-tags={}", main.tags.join(","));
        let args = ["list", "-e", "-deps", FIELDS, &tags, &package];
        let output = self
            .command(&whole.join(&root), &args)
            .env("GOARCH", arch)
            .envs(&main.env)
            .output()
            .unwrap();
        let found = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Package>();
        let found: Result<Vec<Package>, _> = found.collect();
        let whole = fs::canonicalize(whole).unwrap();
        let mut files = BTreeSet::new();
        for one in found
            .unwrap_or_default()
            .into_iter()
            .filter(|one| !one.standard)
        {
            let lists = [
                one.go_files,
                one.s_files,
                one.h_files,
                one.syso_files,
                one.embed_files,
            ];
            let mut paths: Vec<PathBuf> = lists
                .into_iter()
                .flatten()
                .map(|file| Path::new(&one.dir).join(file))
                .collect();
            paths.extend(
                one.module
                    .and_then(|module| module.go_mod)
                    .map(PathBuf::from),
            );
            for path in paths {
                let real = fs::canonicalize(&path).unwrap_or(path);
                if let Ok(below) = real.strip_prefix(&whole) {
                    files.insert(below.to_str().unwrap().to_owned());
                }
            }
        }
        files
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Package {
    dir: String,
    standard: bool,
    go_files: Vec<String>,
    s_files: Vec<String>,
    h_files: Vec<String>,
    syso_files: Vec<String>,
    embed_files: Vec<String>,
    module: Option<Module>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Module {
    go_mod: Option<String>,
}
