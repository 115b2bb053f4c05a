//! The same repositories through the real daemon.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::check::Check;
use crate::draft::{Draft, Main};
use crate::edit::{bump, editable};
use crate::features::{self, Feature};
use crate::finding::{Finding, Kind, finding};
use crate::rng::Rng;
use crate::tree::Tree;

/// Edits of each repository.
const EDITS: usize = 2;

/// What builds.
pub(crate) struct Daemon {
    builder: String,
    /// The module proxy, where steps reach it.
    proxy: String,
    scratch: PathBuf,
    /// In each program: else builds of an earlier run are found again, however good those were.
    nonce: String,
}

/// A build of all services of a repository.
struct Build {
    /// Services whose build step ran.
    ran: BTreeSet<String>,
    /// Programs, in the order of the services.
    programs: Vec<Vec<u8>>,
}

impl Daemon {
    pub(crate) fn new(scratch: &Path, check: &Check) -> Self {
        let builder = std::env::var("BUILDX_BUILDER").unwrap_or_default();
        assert!(
            !builder.is_empty(),
            "this test needs the engine, run it with `cargo xtask test`"
        );
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            builder,
            proxy: check.world.serve(),
            scratch: scratch.to_owned(),
            nonce: format!("{}-{}", std::process::id(), time.unwrap().as_nanos()),
        }
    }

    /// Everything that is checked with a daemon.
    pub(crate) fn check(
        &self,
        check: &Check,
        seed: u64,
        features: &[(usize, Feature)],
        again: Option<&Finding>,
    ) -> Result<(), Finding> {
        let mut draft = features::draft(features);
        // The reference is built by this machine's Go.
        draft.pins_go = true;
        let tree = check.go.materialised(&draft, &self.nonce, &check.world);
        let programs = self.expected(check, &tree, &draft);
        if let Some((main, _)) = draft.mains.iter().zip(&programs).find(|(_, p)| p.is_err()) {
            self.refuses(&tree, main)?;
        }
        // Services that do not build are no longer in the spec.
        let fine: Vec<Main> = draft
            .mains
            .iter()
            .zip(&programs)
            .filter(|(_, program)| program.is_ok())
            .map(|(main, _)| main.clone())
            .collect();
        if fine.is_empty() {
            return Ok(());
        }
        // They would be discovered again.
        draft.discovers &= fine.len() == draft.mains.len();
        draft.mains = fine;
        let mut tree = tree;
        let spec = draft.files(&self.nonce, "").0.remove("fleet.yaml");
        tree.0.insert("fleet.yaml".to_owned(), spec.unwrap());

        let first = self.build(&tree, &draft)?;
        self.prints(check, &tree, &draft, &first, "")?;
        if again.is_some_and(|found| !found.edited) {
            return Ok(());
        }
        let mut rng = Rng::new(seed);
        let all: Vec<&String> = editable(&tree).collect();
        let (other, go): (Vec<&String>, Vec<&String>) =
            all.into_iter().partition(|path| !path.ends_with(".go"));
        let mut edits: Vec<&String> = Vec::new();
        for list in [&other, &go] {
            if !list.is_empty() {
                edits.push(*rng.pick(list));
            }
        }
        for path in edits.into_iter().take(EDITS) {
            let mut edited = tree.clone();
            bump(&mut edited, path);
            let after = |found: Finding| Finding {
                edited: true,
                text: format!("after an edit of {path}: {}", found.text),
                ..found
            };
            let build = self.build(&edited, &draft).map_err(after)?;
            let when = format!("after an edit of {path}: ");
            let fine = self.prints(check, &edited, &draft, &build, &when);
            fine.map_err(|found| Finding {
                edited: true,
                ..found
            })?;
            let unneeded = path.contains("unrelated/") && !path.ends_with("x.go");
            if unneeded && !build.ran.is_empty() {
                let text = format!("an edit of {path} builds {:?}", build.ran);
                return finding(Kind::Wide, text).map_err(after);
            }
            let back = self.build(&tree, &draft).map_err(after)?;
            if back.programs != first.programs {
                let text = "taking it back does not give the first program";
                return finding(Kind::Stale, text).map_err(after);
            }
        }
        Ok(())
    }

    /// What the reference makes of each service.
    fn expected(&self, check: &Check, tree: &Tree, draft: &Draft) -> Vec<Result<Vec<u8>, String>> {
        let (_, whole) = check.places(tree);
        check.go.forget();
        let mains = draft.mains.iter();
        mains.map(|main| check.go.build(&whole, main)).collect()
    }

    /// Programs print what those of `go build` print.
    fn prints(
        &self,
        check: &Check,
        tree: &Tree,
        draft: &Draft,
        build: &Build,
        when: &str,
    ) -> Result<(), Finding> {
        let expected = self.expected(check, tree, draft);
        for ((main, program), expected) in draft.mains.iter().zip(&build.programs).zip(expected) {
            let Ok(expected) = expected else {
                let text = format!("{when}{}: only the daemon builds it", main.name);
                return finding(Kind::OnlyTheClosureBuilds, text);
            };
            let (ours, theirs) = (self.run(program), self.run(&expected));
            if ours != theirs {
                let text = format!("{when}{} prints {ours}, not {theirs}", main.name);
                return finding(Kind::Differs, text);
            }
        }
        Ok(())
    }

    fn run(&self, program: &[u8]) -> String {
        let path = self.scratch.join("program");
        let _ = fs::remove_file(&path);
        fs::write(&path, program).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        let output = Command::new(&path).output().unwrap();
        // The built-in println.
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn build(&self, tree: &Tree, draft: &Draft) -> Result<Build, Finding> {
        let out = self.scratch.join("out");
        let _ = fs::remove_dir_all(&out);
        let (fine, log) = self.buildx(tree, "binaries", &out)?;
        if !fine {
            return finding(Kind::ClosureFails, tail(&log));
        }
        let programs = draft
            .mains
            .iter()
            .map(|main| fs::read(out.join(&main.name)).unwrap())
            .collect();
        Ok(Build {
            ran: ran(&log),
            programs,
        })
    }

    /// What `go build` cannot build ends with a message.
    fn refuses(&self, tree: &Tree, main: &Main) -> Result<(), Finding> {
        let (fine, log) = self.buildx(tree, &main.name, &self.scratch.join("out"))?;
        if fine {
            return finding(
                Kind::OnlyTheClosureBuilds,
                format!("{}: the daemon", main.name),
            );
        }
        for words in ["panicked at", "closed unexpectedly", "exit code: 101"] {
            if log.contains(words) {
                return finding(Kind::Panic, tail(&log));
            }
        }
        Ok(())
    }

    fn buildx(&self, tree: &Tree, target: &str, out: &Path) -> Result<(bool, String), Finding> {
        let dir = self.scratch.join("context");
        tree.put(&dir);
        let output = Command::new("timeout")
            .args(["300", "docker", "buildx", "build", "--progress", "plain"])
            .args(["--builder", &self.builder])
            .args(["--provenance=false", "--sbom=false"])
            .args(["--secret", "id=GOPROXY,env=GOPROXY"])
            .args(["--secret", "id=GOSUMDB,env=GOSUMDB"])
            .args(["--target", target, "-f", "fleet.yaml", "--output"])
            .arg(format!("type=local,dest={}", out.display()))
            .arg(".")
            .current_dir(dir)
            .env("GOPROXY", &self.proxy)
            .env("GOSUMDB", "off")
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        // What `timeout` ends with when it had to end a command.
        if output.status.code() == Some(124) {
            return finding(Kind::Waits, tail(&log));
        }
        Ok((output.status.success(), log))
    }
}

/// Services whose build step ran, of what the client prints: `#8 [app] go build ./cmd/app`,
/// and `#8 CACHED` for a step that did not.
fn ran(log: &str) -> BTreeSet<String> {
    let cached: BTreeSet<&str> = log
        .lines()
        .filter_map(|line| line.strip_suffix(" CACHED"))
        .collect();
    log.lines()
        .filter_map(|line| {
            let (id, rest) = line.split_once(' ')?;
            let (label, _) = rest.strip_prefix('[')?.split_once("] go build ")?;
            (!cached.contains(id)).then(|| label.to_owned())
        })
        .collect()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
