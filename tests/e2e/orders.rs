//! Builds that end at any step, then lose their cache mounts, then run again.
//!
//! What the daemon has cached of an ended build says nothing about the mounts of the next one.
//! An empty mount may cost time, and never the build. Each order is one line of the table that
//! this prints; CI runs some of them. `GOFLEET_ORDERS=all` runs all of them, a list of numbers
//! of rows those.

use std::path::Path;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::build::{Build, build_on, buildx};
use crate::support::command::{Tool, buildctl};
use crate::support::daemon::Daemon;
use crate::support::engine::{fetch_settings, heavy};
use crate::support::progress::Progress;
use crate::support::repo::Repo;
use crate::support::usage::prune_all;

/// Where the first build ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// As soon as a step with this text in its name has begun.
    In(&'static str),
    /// As soon as such a step is done, before the next one.
    After(&'static str),
    /// By a proxy that has nothing, before anything was fetched.
    NoProxy,
    /// The same, after the mount was lost a first time.
    NoProxyForCheck,
    /// By a program that does not compile.
    Own,
}

/// What happens then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// Modules are gone.
    Lost,
    /// Modules and compiled packages are gone.
    AllLost,
    /// The mounts are others.
    Namespace,
    /// Modules are gone, and another repository has filled the mount anew.
    Filled,
}

/// How the same sources are built.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// `GOFLEET_CACHE`.
    cache: &'static str,
    /// With several, what they share is compiled in front of them.
    services: usize,
}

const MOUNT: Shape = Shape {
    cache: "mount",
    services: 2,
};
const LAYER: Shape = Shape {
    cache: "layer",
    services: 2,
};
const ALONE: Shape = Shape {
    cache: "mount",
    services: 1,
};

const DOWNLOAD: &str = "go mod download";
const CHECK: &str = "check modules";
const UNPACK: &str = "unpack dependencies";
const SHARED: &str = "compile shared packages";
const STANDARD: &str = "compile standard library";
const PACKAGES: &str = "compile packages of modules";
const BUILD: &str = "go build";

use End::{After, In, NoProxy, NoProxyForCheck, Own};
use Then::{AllLost, Filled, Lost, Namespace};

/// Those that CI runs: each kind of end and of loss once, and the ones that broke.
const SOME: [(Shape, End, Then); 10] = [
    (MOUNT, In(DOWNLOAD), Lost),
    (MOUNT, After(CHECK), Lost),
    (MOUNT, In(BUILD), Namespace),
    (MOUNT, In(BUILD), Filled),
    (ALONE, In(BUILD), Lost),
    (ALONE, NoProxyForCheck, Lost),
    (ALONE, Own, Lost),
    (LAYER, After(UNPACK), Namespace),
    (LAYER, In(BUILD), AllLost),
    (LAYER, Own, Lost),
];

fn all() -> Vec<(Shape, End, Then)> {
    let mut all = Vec::new();
    for step in [DOWNLOAD, CHECK, SHARED, BUILD] {
        for then in [Lost, Namespace] {
            all.extend([(MOUNT, In(step), then), (MOUNT, After(step), then)]);
        }
    }
    // The same step for all of them, so it runs once.
    all.push((LAYER, In(STANDARD), Lost));
    for step in [DOWNLOAD, PACKAGES, UNPACK, SHARED, BUILD] {
        for then in [Lost, Namespace] {
            all.extend([(LAYER, In(step), then), (LAYER, After(step), then)]);
        }
    }
    for shape in [MOUNT, LAYER] {
        all.extend([(shape, In(BUILD), AllLost), (shape, In(BUILD), Filled)]);
        all.extend([(shape, NoProxy, Lost), (shape, Own, Lost)]);
        all.push((shape, Own, Namespace));
    }
    for then in [Lost, Namespace, Filled] {
        all.extend([(ALONE, In(BUILD), then), (ALONE, After(CHECK), then)]);
    }
    all.extend([(ALONE, NoProxyForCheck, Lost), (ALONE, Own, Lost)]);
    all
}

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn compat_an_empty_mount_costs_time_and_never_the_build() {
    let _heavy = heavy();
    let daemon = Daemon::start();
    let all = all();
    let orders: Vec<_> = match std::env::var("GOFLEET_ORDERS").as_deref() {
        Ok("all") => (0..).zip(all).collect(),
        Ok(list) => {
            let rows = list.split(',').map(|row| row.parse().unwrap());
            rows.map(|row: usize| (row, all[row])).collect()
        }
        Err(_) => (0..).zip(SOME).collect(),
    };
    // What all of them compile is compiled once.
    let _ = Order::new(&daemon, MOUNT).build("").progress();
    let mut wrong = Vec::new();
    for (number, (shape, end, then)) in orders {
        let order = Order::new(&daemon, shape);
        let line = order.run(end, then);
        let (cache, services) = (shape.cache, shape.services);
        let said = line.clone().unwrap_or_else(|error| error);
        eprintln!("| {number} | {cache}, {services} | {end:?} | {then:?} | {said} |");
        if let Err(error) = line {
            wrong.push(format!("{shape:?} {end:?} {then:?}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A build that fails by itself is no reason to look for modules again, where the daemon shows
/// which mount is there.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn what_does_not_compile_is_built_once() {
    let repo = repo(1);
    repo.edit("cmd/s0/main.go", "println", "pirntln");
    let build = || buildx(&repo).target("s0").fetching();
    for _ in 0..2 {
        let failed = build().tool("rawjson", None).fails();
        let progress = Progress::parse(&failed.stderr);
        let steps = |text: &str| {
            let named = progress.vertices().filter(|v| v.name.contains(text));
            named.count()
        };
        assert_eq!((steps(CHECK), steps(BUILD)), (1, 1), "{}", progress.list());
    }
}

/// The daemon takes steps of one key for one, whatever mounts they have: of two builds at once
/// one may check one mount and compile with the other. Neither may fail.
#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn name_spaces_of_mounts_are_built_side_by_side() {
    let repo = repo(2);
    let build = |number: usize| {
        let build = buildx(&repo).target("binaries").fetching();
        build.build_arg(
            "BUILDKIT_CACHE_MOUNT_NS",
            &format!("{}-{number}", repo.nonce),
        )
    };
    thread::scope(|scope| {
        for number in 0..3 {
            let build = build(number);
            scope.spawn(move || build.tool("plain", None).ok());
        }
    });
}

/// A module of one file, which imports next to nothing: name spaces of mounts begin without
/// any compiled package.
const REQUIRE: &str = "github.com/josharian/intern v1.0.0";
const SUM: &str = "\
github.com/josharian/intern v1.0.0 h1:vlS4z54oSdjm0bgjRigI+G1HpF+tI+9rE5LLzOg8HmY=
github.com/josharian/intern v1.0.0/go.mod h1:5DoeVV0s6jJacbCEi61lwdGj/aVlrQvzHFFd8Hwg//Y=
";

/// Programs that use a module.
fn repo(services: usize) -> Repo {
    let repo = Repo::new();
    let module = repo.module();
    repo.write(
        "go.mod",
        &format!("module {module}\n\ngo 1.26\n\nrequire {REQUIRE}\n"),
    );
    repo.write("go.sum", SUM);
    let mut spec = "services:\n".to_owned();
    for number in 0..services {
        let program = format!(
            "package main\n\nimport \"github.com/josharian/intern\"\n\nfunc main() {{\n\t\
             println(intern.String(\"s{number} {}\"))\n}}\n",
            repo.nonce
        );
        repo.write(&format!("cmd/s{number}/main.go"), &program);
        spec += &format!("  s{number}: ./cmd/s{number}\n");
    }
    repo.spec(&spec);
    repo
}

/// A proxy that has nothing.
fn no_proxy() -> [(&'static str, String); 1] {
    [("GOPROXY", "http://127.0.0.1:9".to_owned())]
}

/// Sources of their own, on a daemon that other orders have used.
struct Order<'a> {
    daemon: &'a Daemon,
    repo: Repo,
    shape: Shape,
}

impl<'a> Order<'a> {
    fn new(daemon: &'a Daemon, shape: Shape) -> Self {
        let repo = repo(shape.services);
        Self {
            daemon,
            repo,
            shape,
        }
    }
    /// A build of all services, one after the other.
    fn build(&self, namespace: &str) -> Build {
        self.build_from(namespace, fetch_settings())
    }

    fn build_from(&self, namespace: &str, settings: &[(&'static str, String)]) -> Build {
        let build = build_on(self.daemon, &self.repo).target("binaries");
        let build = build.build_arg("GOFLEET_CACHE", self.shape.cache);
        let build = build.build_arg("GOFLEET_PARALLEL", "1");
        let build = match namespace {
            "" => build,
            name => build.build_arg("BUILDKIT_CACHE_MOUNT_NS", name),
        };
        let settings = settings.iter();
        settings.fold(build, |build, (name, value)| build.secret(name, value))
    }

    /// Ends a build, loses its mounts and builds again: a row of the table, or what is wrong.
    fn run(&self, end: End, then: Then) -> Result<String, String> {
        let ended = self.end(end)?;
        let namespace = match then {
            Namespace => self.repo.nonce.as_str(),
            _ => "",
        };
        self.lose(then);
        if matches!(end, Own) {
            self.fails_by_itself(namespace)?;
            self.repo.edit("cmd/s0/main.go", "pirntln", "println");
        }
        let out = TempDir::new().unwrap();
        let output = format!("type=local,dest={}", out.path().display());
        let again = self.build(namespace).tool("rawjson", Some(&output)).run();
        if again.code() != 0 {
            return Err(again.report("should succeed"));
        }
        let again = Progress::parse(&again.stderr);
        self.prints(out.path());
        let failed = again.failed().into_iter();
        let tried = match failed.filter(|name| name.contains(BUILD)).count() {
            0 => String::new(),
            n => format!(", {n} tried twice"),
        };
        let mut ran = Vec::new();
        // A build that was tried twice has its step under its own key in the next build.
        for _ in 0..3 {
            let progress = self.build(namespace).progress();
            ran.push(progress.executed().len());
            if ran.last() == Some(&0) {
                break;
            }
        }
        let steps = again.executed().len();
        let line = format!("{ended} | built in {steps} steps{tried} | {ran:?}");
        match ran.last() {
            Some(0) if ran.len() < 3 => Ok(line),
            _ => Err(format!("{line}: it does not come to rest")),
        }
    }

    /// A build that ends too early; what the step did that it ended at.
    fn end(&self, end: End) -> Result<String, String> {
        match end {
            In(step) | After(step) => {
                let done = matches!(end, After(_));
                let tool = self.build("").tool("rawjson", None);
                let mut seen = false;
                let output = tool.interrupted(move |line| {
                    let now = !seen && reports(line, step, done);
                    seen |= now;
                    now
                });
                let progress = Progress::parse(&output.stderr);
                let mut named = progress.vertices().filter(|v| v.name.contains(step));
                if named.all(|vertex| !vertex.ran()) {
                    return Err(format!("`{step}` did not run:\n{}", progress.list()));
                }
                Ok(match progress.failed().is_empty() {
                    true => "done".to_owned(),
                    false => "ended".to_owned(),
                })
            }
            NoProxy => {
                self.lose(Lost);
                self.fails_without_proxy();
                Ok("failed".to_owned())
            }
            NoProxyForCheck => {
                let tool = self.build("").tool("rawjson", None);
                tool.interrupted(|line| reports(line, BUILD, false));
                self.lose(Lost);
                let again = self.build_from("", &no_proxy()).tool("rawjson", None).run();
                if again.code() != 0 {
                    self.fails_without_proxy();
                    return Ok("failed".to_owned());
                }
                // A step that was faster than the interrupt is cached, and asks for nothing.
                let progress = Progress::parse(&again.stderr);
                let ran = progress.executed();
                match ran.iter().any(|name| name.contains(BUILD)) {
                    false => Ok("done".to_owned()),
                    true => Err(format!("built without modules: {ran:?}")),
                }
            }
            Own => {
                self.repo.edit("cmd/s0/main.go", "println", "pirntln");
                self.fails_by_itself("")?;
                Ok("failed".to_owned())
            }
        }
    }

    fn fails_without_proxy(&self) {
        let failed = self.build_from("", &no_proxy()).fails();
        failed.says(["github.com/josharian/intern", "127.0.0.1:9"]);
    }

    /// Expects that the compiler has the last word.
    fn fails_by_itself(&self, namespace: &str) -> Result<(), String> {
        let failed = self.build(namespace).fails();
        let said = failed.all();
        match said.contains("undefined: pirntln") {
            true => Ok(()),
            false => Err(failed.report("should say what does not compile")),
        }
    }

    fn lose(&self, then: Then) {
        let text = match then {
            Namespace => return,
            Lost | Filled => "modules",
            AllLost => "gofleet/",
        };
        prune_all(|| buildctl().args(["--addr", &self.daemon.address]), text);
        if then == Filled {
            let _ = Order::new(self.daemon, self.shape).build("").progress();
        }
    }

    fn prints(&self, out: &Path) {
        for number in 0..self.shape.services {
            let name = format!("s{number}");
            let said = Tool::new(out.join(&name)).ok().stderr;
            assert_eq!(said, format!("{name} {}\n", self.repo.nonce));
        }
    }
}

/// Whether a line of raw progress says that a step has begun, or is done.
fn reports(line: &str, step: &str, done: bool) -> bool {
    let report: Value = serde_json::from_str(line).unwrap_or_default();
    let vertices = report["vertexes"].as_array();
    vertices.into_iter().flatten().any(|vertex| {
        let named = vertex["name"].as_str().is_some_and(|n| n.contains(step));
        let time = if done { "completed" } else { "started" };
        named && !vertex[time].is_null() && vertex["cached"] != Value::Bool(true)
    })
}
