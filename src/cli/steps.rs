//! The programs of steps: what BuildKit runs of us, beside the frontend itself.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexopt::prelude::*;
use serde::de::DeserializeOwned;

use super::{Failure, io_failure};
use crate::deps::{self, Compiled, MODULES_DIR, Unpacked};
use crate::diag;
use crate::fetch::{self, GoCommand, Places, Problem, SECRET_PREFIX};
use crate::modules::{self, Answer, Looked, ModuleCache, Needed, Request};
use crate::scan;
use crate::share::{self, Setting, Shared};

/// Most problems in a log; one missing login can have hundreds.
const MAX_SHOWN: usize = 20;

/// `scan [--reach=DIR] DIR FILE`: writes the index of a directory.
pub(super) fn scan(parser: lexopt::Parser) -> Result<String, Failure> {
    let words = Words::read(parser, &["reach"])?;
    let [dir, file] = words.paths("scan needs a directory and a file")?;
    let reach: Vec<String> = words.values.into_iter().map(|(_, dir)| dir).collect();
    let index = scan::scan(&dir, &reach).map_err(|error| io_failure("read", &dir, &error))?;
    let json = serde_json::to_vec(&index)
        .map_err(|error| Failure::Failed(format!("gofleet: cannot write the index: {error}")))?;
    fs::write(&file, json).map_err(|error| io_failure("write", &file, &error))?;
    Ok(String::new())
}

/// `modules [--pack=DIR] REQUEST SRC OUT`: fetches modules, and writes what the build of each
/// service reads of them. Modules that cannot be had are part of the answer, and no failure:
/// only the frontend knows whose services are built. With `--pack` what builds read of modules
/// is copied to a directory.
pub(super) fn modules(parser: lexopt::Parser) -> Result<String, Failure> {
    let began = SystemTime::now();
    let words = Words::read(parser, &["pack"])?;
    let [request, src, out] = words
        .paths("modules needs a request, a directory of manifests and a directory to write to")?;
    let request: Request = read(&request)?;
    let (cache, _) = paired()?;
    let answer = match go(&requested(&request, &src)) {
        Ok(go) => modules::resolve(&request, &src, &cache, &go),
        Err(error) => Answer {
            problems: vec![Problem::of_secret(error.to_string())],
            ..Answer::default()
        },
    };
    let answer = answer.asked_at(began);
    answer
        .write(&out)
        .map_err(|error| io_failure("write", &out, &error))?;
    match words.value("pack") {
        "" => {}
        dir => deps::pack(&answer, &cache, &Path::new(dir).join(MODULES_DIR))
            .map_err(|error| io_failure("write", Path::new(dir), &error))?,
    }
    Ok(String::new())
}

/// `unpack --looked=DIR --layer=DIR… -- WORDS…`: copies dependencies from layers to the caches
/// of the `go` command, and says in a directory where it looked. The words are not read: they
/// make this another step for every build step.
pub(super) fn unpack(parser: lexopt::Parser) -> Result<String, Failure> {
    let words = Words::read(parser, &["layer", "looked"])?;
    let layers = words.values.iter().filter(|(name, _)| name == "layer");
    let layers: Vec<&str> = layers.map(|(_, dir)| dir.as_str()).collect();
    let (modules, cache) = paired()?;
    let unpacked = deps::unpack(&layers, modules.path(), &build_cache())
        .map_err(|error| io_failure("copy to", modules.path(), &error))?;
    if unpacked != Unpacked::default() {
        eprintln!(
            "copied {} files of modules and {} of compiled packages",
            unpacked.modules, unpacked.compiled
        );
    }
    let lacked = unpacked.modules > 0;
    say(&words, Looked { cache, lacked })
}

/// `compile --layer=DIR -- WORDS…`: compiles packages of modules into the build cache, and adds
/// them to a layer. The words are the flags of the `go` command and import paths.
pub(super) fn compile(parser: lexopt::Parser) -> Result<String, Failure> {
    let words = Words::read(parser, &["layer"])?;
    let layer = Path::new(words.value("layer"));
    let args: Vec<&str> = words
        .paths
        .iter()
        .filter_map(|word| word.to_str())
        .collect();
    let compiled = deps::compile(&args, layer, &build_cache(), &GoCommand::default());
    let Compiled { now, before } = compiled.map_err(|error| {
        Failure::Failed(format!(
            "gofleet: packages of modules are not compiled: {error}"
        ))
    })?;
    eprintln!("compiled {now} packages, and took {before} that were compiled before");
    Ok(String::new())
}

/// `fetch --looked=DIR [--builder=IMAGE] NEEDED SRC …`: fetches what the module cache has
/// lost, and says in a directory where it looked. What follows is not read: it makes this
/// another step for every build step.
pub(super) fn fetch(parser: lexopt::Parser) -> Result<String, Failure> {
    let words = Words::read(parser, &["builder", "looked"])?;
    let [file, src] = words.first("fetch needs a list of modules and a directory of manifests")?;
    let needed: Needed = read(&file)?;
    let (cache, name) = paired()?;
    let lacked = !modules::is_at_hand(&needed, &cache);
    let looked = Looked {
        cache: name,
        lacked,
    };
    if !lacked {
        return say(&words, looked);
    }
    eprintln!("the module cache lacks modules that are needed: fetching them again");
    let problems = match go(&needed.paths()) {
        Ok(go) => modules::ensure(&needed, &src, &cache, &go)
            .map_err(|error| io_failure("read", &src, &error))?,
        Err(error) => vec![Problem::of_secret(error.to_string())],
    };
    if problems.is_empty() {
        say(&words, looked)
    } else {
        Err(failure(&problems, words.value("builder")))
    }
}

/// Leaves what a check has seen where the frontend reads it.
fn say(words: &Words, looked: Looked) -> Result<String, Failure> {
    let dir = Path::new(words.value("looked"));
    looked
        .write(dir)
        .map_err(|error| io_failure("write to", dir, &error))?;
    Ok(String::new())
}

/// `share [--needed=FILE] SHARED SRC WORDS…`: compiles what a service shares with others,
/// in front of the `go build` that the words are. It never fails: the build itself says
/// what is wrong.
pub(super) fn share(parser: lexopt::Parser) -> Result<String, Failure> {
    let words = Words::read(parser, &["needed"])?;
    let [file, src] = words.first("share needs a list of packages and a directory")?;
    let shared: Shared = read(&file)?;
    let needed: Needed = match words.value("needed") {
        "" => Needed::default(),
        file => read(Path::new(file))?,
    };
    let lacks_modules = !modules::is_at_hand(&needed, &ModuleCache::of_environment());
    let args = words.paths.iter().skip(2);
    let setting = Setting {
        toolchain: toolchain(),
        args: args.map(|arg| arg.to_string_lossy().into_owned()).collect(),
        versions: needed.versions,
        lacks_modules,
    };
    match share::compile(
        &shared,
        &setting,
        &src,
        &build_cache(),
        &GoCommand::default(),
    ) {
        Ok(packages) if packages.is_empty() => {}
        Ok(packages) => eprintln!("compiled {} packages that are shared", packages.len()),
        Err(error) => eprintln!("shared packages are left to the build: {error}"),
    }
    Ok(String::new())
}

/// The module cache of the step, of which alone its build cache knows anything, and its name.
fn paired() -> Result<(ModuleCache, String), Failure> {
    let (modules, build) = (ModuleCache::of_environment(), build_cache());
    match modules::pair(&modules, &build) {
        Ok(name) => Ok((modules, name)),
        Err(error) => Err(io_failure("write to", &build, &error)),
    }
}

/// The directory of Go's build cache.
fn build_cache() -> PathBuf {
    env::var_os("GOCACHE")
        .map(PathBuf::from)
        .unwrap_or_default()
}

/// What tells one toolchain and target from another.
fn toolchain() -> String {
    let mut out = String::new();
    for dir in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        if dir.join("go").is_file() {
            let version = fs::read_to_string(dir.join("../VERSION")).unwrap_or_default();
            out += &version;
            break;
        }
    }
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("GO") || name.starts_with("CGO") {
            out += &format!("{name}={}\n", value.to_string_lossy());
        }
    }
    out
}

/// The `go` command with the credentials of the step.
fn go(modules: &BTreeSet<String>) -> io::Result<GoCommand> {
    let mut env = BTreeMap::new();
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        match (value.into_string(), name.strip_prefix(SECRET_PREFIX)) {
            (Ok(value), _) => {
                env.insert(name, value);
            }
            (Err(_), Some(id)) => {
                let text = format!("secret `{id}` is not UTF-8");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            (Err(_), None) => {}
        }
    }
    fetch::prepare(env, &Places::of_step(), modules)
}

/// Paths of all modules that manifests name.
fn requested(request: &Request, src: &Path) -> BTreeSet<String> {
    let texts = request
        .manifests
        .iter()
        .filter_map(|path| fs::read_to_string(src.join(path)).ok());
    texts.flat_map(|text| modules::named(&text)).collect()
}

fn failure(problems: &[Problem], builder: &str) -> Failure {
    let shown = problems.iter().take(MAX_SHOWN);
    let mut texts: Vec<String> = shown
        .map(|problem| diag::render(&[fetch::advice(problem, builder)], &problem.manifest))
        .collect();
    if problems.len() > MAX_SHOWN {
        texts.push(format!("and {} more", problems.len() - MAX_SHOWN));
    }
    Failure::Failed(texts.join("\n"))
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let json = fs::read(file).map_err(|error| io_failure("read", file, &error))?;
    serde_json::from_slice(&json)
        .map_err(|error| Failure::Failed(format!("gofleet: `{}`: {error}", file.display())))
}

/// The command line of a step.
#[derive(Debug, Default)]
struct Words {
    paths: Vec<PathBuf>,
    values: Vec<(String, String)>,
}

impl Words {
    fn read(mut parser: lexopt::Parser, options: &[&str]) -> Result<Self, Failure> {
        let mut words = Self::default();
        while let Some(arg) = parser.next()? {
            match arg {
                Long(name) if options.contains(&name) => {
                    let name = name.to_owned();
                    words.values.push((name, parser.value()?.string()?));
                }
                Value(path) => words.paths.push(path.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(words)
    }

    /// Exactly these paths.
    fn paths<const N: usize>(&self, usage: &str) -> Result<[PathBuf; N], Failure> {
        if self.paths.len() == N {
            self.first(usage)
        } else {
            Err(Failure::Usage(usage.to_owned()))
        }
    }

    /// These paths, whatever follows.
    fn first<const N: usize>(&self, usage: &str) -> Result<[PathBuf; N], Failure> {
        let first = self.paths.get(..N).and_then(|p| p.to_vec().try_into().ok());
        first.ok_or_else(|| Failure::Usage(usage.to_owned()))
    }

    /// The value of an option; empty without one.
    fn value(&self, option: &str) -> &str {
        let mut values = self.values.iter();
        let found = values.find(|(name, _)| name == option);
        found.map_or("", |(_, value)| value)
    }
}
