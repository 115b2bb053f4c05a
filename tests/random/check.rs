//! Compares a repository's closures with clean builds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gofleet::affected;
use gofleet::closure::{Closure, files};
use gofleet::fleet::Fleet;
use gofleet::local::Local;
use gofleet::survey::survey;
use tempfile::TempDir;

use crate::repository::{MAINS, Repository, parent};

/// The bytes of a binary, or what the compiler says.
type Built = Result<Vec<u8>, String>;

/// Names and contents of files, with the main package and its tags.
type Key = (&'static str, BTreeMap<String, Vec<u8>>);

/// What is remembered from step to step.
pub(crate) struct Check {
    dir: TempDir,
    cache: PathBuf,
    remembered: BTreeMap<Key, Built>,
    /// Clean builds of the step before.
    before: BTreeMap<&'static str, Built>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    steps: usize,
    builds: usize,
    found: usize,
    fail: usize,
    changed: usize,
    affected: usize,
    over: usize,
    not_compared: usize,
}

impl Check {
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("random-go-build"),
            remembered: BTreeMap::new(),
            before: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    fn whole(&self) -> PathBuf {
        self.dir.path().join("whole")
    }

    /// The state before the last edit.
    fn base(&self) -> PathBuf {
        self.dir.path().join("base")
    }

    /// Begins with a new repository.
    pub(crate) fn start(&mut self, repository: &Repository) {
        // Binaries of one repository are never those of another.
        self.remembered.clear();
        write_all(&self.whole(), &repository.files);
        self.before = MAINS
            .into_iter()
            .map(|(main, tags)| (main, self.clean(main, tags)))
            .collect();
        let mains = self.closures();
        for (main, tags) in MAINS {
            let _ = self.cached(main, tags, mains.get(main));
        }
    }

    /// Checks all main packages after an edit.
    pub(crate) fn step(&mut self, repository: &Repository) -> Result<(), String> {
        let (whole, base) = (self.whole(), self.base());
        let _ = fs::remove_dir_all(&base);
        fs::rename(&whole, &base).unwrap();
        write_all(&whole, &repository.files);
        self.counts.steps += 1;

        let closures = self.closures();
        let affected = self.affected();
        for (main, tags) in MAINS {
            let clean = self.clean(main, tags);
            let cached = self.cached(main, tags, closures.get(main));
            same(main, &clean, &cached)?;
            self.counts.fail += usize::from(clean.is_err());
            let changed = match (&self.before[main], &clean) {
                (Ok(before), Ok(now)) => before != now,
                (Err(_), Err(_)) => false,
                _ => true,
            };
            if let Some(affected) = &affected {
                let named = affected.contains(&format!("./{main}"));
                if changed && !named {
                    return Err(format!("`affected` does not name {main}"));
                }
                self.counts.changed += usize::from(changed);
                self.counts.affected += usize::from(named);
                self.counts.over += usize::from(named && !changed);
            }
            self.before.insert(main, clean);
        }
        self.counts.not_compared += usize::from(affected.is_none());
        Ok(())
    }

    /// Main packages that do not build now.
    pub(crate) fn failing(&self) -> usize {
        self.before.values().filter(|built| built.is_err()).count()
    }

    fn closures(&self) -> BTreeMap<String, (Closure, BTreeMap<String, Vec<u8>>)> {
        let mains = MAINS.map(|(main, tags)| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            (main.to_owned(), tags)
        });
        let whole = self.whole();
        let found = survey(&whole, &mains).unwrap();
        let with_files = |(main, closure): (String, Closure)| {
            let names = files(&whole, &closure, &found.index);
            let contents = names.into_keys().filter_map(|name| {
                let bytes = fs::read(whole.join(&name)).ok()?;
                Some((name, bytes))
            });
            let contents = contents.collect();
            (main, (closure, contents))
        };
        found.closures.into_iter().map(with_files).collect()
    }

    /// The main packages that `affected` names; none where it has no answer.
    fn affected(&self) -> Option<Vec<String>> {
        let read = |dir: PathBuf| Fleet::read(&Local::new(dir.join("fleet.yaml"), dir)).ok();
        let report = affected::report(Some(&read(self.base())?), &read(self.whole())?);
        Some(report.services.into_iter().map(|one| one.main).collect())
    }

    /// What `go build` makes of the whole repository.
    fn clean(&self, main: &str, tags: &[&str]) -> Built {
        let whole = self.whole();
        let mut module = main;
        while module != "." && !whole.join(module).join("go.mod").is_file() {
            module = parent(module);
        }
        self.go_build(&whole, module, main, tags, "")
    }

    /// The binary that is remembered for a closure, or else made of it.
    fn cached(
        &mut self,
        main: &'static str,
        tags: &[&str],
        closure: Option<&(Closure, BTreeMap<String, Vec<u8>>)>,
    ) -> Built {
        let Some((closure, contents)) = closure else {
            return Err("in no module".to_owned());
        };
        let key = (main, contents.clone());
        if let Some(built) = self.remembered.get(&key) {
            self.counts.found += 1;
            return built.clone();
        }
        self.counts.builds += 1;
        let alone = self.dir.path().join("alone");
        write_all(&alone, contents);
        fs::create_dir_all(alone.join(&closure.root.dir)).unwrap();
        let mode = if closure.root.vendored {
            ""
        } else {
            "-mod=readonly"
        };
        let built = self.go_build(&alone, &closure.root.dir, main, tags, mode);
        self.remembered.insert(key, built.clone());
        built
    }

    fn go_build(&self, root: &Path, dir: &str, main: &str, tags: &[&str], flags: &str) -> Built {
        let out = self.dir.path().join("binary");
        let _ = fs::remove_file(&out);
        let package = match dir {
            "." => format!("./{main}"),
            _ if main == dir => ".".to_owned(),
            _ => format!(
                "./{}",
                main.strip_prefix(&format!("{dir}/")).unwrap_or(main)
            ),
        };
        let output = Command::new("go")
            .args(["build", "-trimpath", "-buildvcs=false"])
            .args([
                "-ldflags=-s -w -buildid=",
                &format!("-tags={}", tags.join(",")),
            ])
            .arg("-o")
            .arg(&out)
            .arg(package)
            .current_dir(root.join(dir))
            .env("CGO_ENABLED", "0")
            .env("GOOS", "linux")
            .env("GOCACHE", &self.cache)
            .env("GODEBUG", "goindex=0")
            .env("GOENV", "off")
            .env("GOFLAGS", flags)
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env_remove("GOWORK")
            .output()
            .expect("the go command is needed");
        if output.status.success() {
            Ok(fs::read(&out).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    pub(crate) fn summary(&self) -> String {
        let Counts {
            steps,
            builds,
            found,
            fail,
            changed,
            affected,
            over,
            not_compared,
        } = self.counts;
        format!(
            "{steps} edits of {} main packages: {builds} built from their closure, {found} found \
             by it; {fail} do not build; {changed} changed, `affected` names {affected}, {over} \
             of them needlessly; no answer of it after {not_compared} edits",
            MAINS.len()
        )
    }
}

fn same(main: &str, clean: &Built, cached: &Built) -> Result<(), String> {
    match (clean, cached) {
        (Ok(clean), Ok(cached)) if clean == cached => Ok(()),
        (Err(_), Err(_)) => Ok(()),
        (Ok(_), Ok(_)) => Err(format!("{main}: the binary is stale")),
        (Ok(_), Err(error)) => Err(format!("{main}: the closure does not build: {error}")),
        (Err(error), Ok(_)) => Err(format!("{main}: only the closure builds: {error}")),
    }
}

/// Makes `dir` hold these files and nothing else.
fn write_all<T: AsRef<[u8]>>(dir: &Path, files: &BTreeMap<String, T>) {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).unwrap();
    for (path, text) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
