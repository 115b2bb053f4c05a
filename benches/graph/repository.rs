//! A generated repository with any number of services, for measuring graphs.
//!
//! ```text
//! lib/gGGGG/           a package, with nine more below it: lib/gGGGG/p1 to p9
//! cmd/sNNNN/           a main package, with packages of its own below it
//! ```
//!
//! A service reads some 400 packages. All services share half of them; the others
//! are a part of the rest of `lib`, another one for each service. Files hold what a
//! scan reads and nothing else. A third of the packages import packages of other
//! modules, of which the repository requires sixty.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Groups of ten packages that all services read, and that one reads beside them.
const COMMON: usize = 20;
const OWN: usize = 19;
/// Packages of a group.
const PACKAGES: usize = 10;
/// Modules that are fetched, and packages of each that something imports.
const MODULES: usize = 60;

/// Writes the repository, and `fleet.yaml` with `head` in front of its services.
pub(crate) fn write(root: &Path, head: &str, services: usize) -> io::Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    let groups = COMMON + (services * 4).clamp(OWN, 1000);
    let mut go_mod = "module example.com/large\n\ngo 1.26\n\nrequire (\n".to_owned();
    let mut go_sum = String::new();
    for n in 0..MODULES {
        let _ = writeln!(go_mod, "\tgithub.com/vendor{n:02}/module v1.2.{n}");
        let _ = writeln!(
            go_sum,
            "github.com/vendor{n:02}/module v1.2.{n} h1:{n:043}="
        );
    }
    go_mod.push_str(")\n");
    put(root, "go.mod", &go_mod)?;
    put(root, "go.sum", &go_sum)?;
    let mut spec = format!("{head}services:\n");
    for service in 0..services {
        let _ = writeln!(spec, "  s{service:04}: ./cmd/s{service:04}");
        main_package(root, service, groups)?;
    }
    put(root, "fleet.yaml", &spec)?;
    (0..groups).try_for_each(|group| library(root, group))
}

fn main_package(root: &Path, service: usize, groups: usize) -> io::Result<()> {
    let dir = format!("cmd/s{service:04}");
    let own = ["handlers", "store", "config"];
    let own = own.map(|name| format!("example.com/large/{dir}/internal/{name}"));
    let rest = groups - COMMON;
    let others = (0..OWN).map(|n| COMMON + (service * 7 + n * (rest / OWN).max(1)) % rest);
    let groups = (0..COMMON).chain(others);
    let imported = groups.map(|group| format!("example.com/large/lib/g{group:04}"));
    let imports: Vec<String> = own.iter().cloned().chain(imported).collect();
    put(root, &format!("{dir}/main.go"), &file("main", &imports))?;
    for path in &own {
        let dir = path.trim_start_matches("example.com/large/");
        put(root, &format!("{dir}/code.go"), &file("own", &[]))?;
    }
    Ok(())
}

fn library(root: &Path, group: usize) -> io::Result<()> {
    let inner = |n: usize| format!("example.com/large/lib/g{group:04}/p{n}");
    let all: Vec<String> = (1..PACKAGES).map(inner).collect();
    let dir = format!("lib/g{group:04}");
    put(root, &format!("{dir}/code.go"), &file("lib", &all))?;
    for n in 1..PACKAGES {
        let fetched = (n % 3 == 0).then(|| {
            let module = (group * 3 + n) % MODULES;
            format!("github.com/vendor{module:02}/module/part{}", group % 4)
        });
        let imports: Vec<String> = fetched.into_iter().collect();
        put(root, &format!("{dir}/p{n}/code.go"), &file("lib", &imports))?;
        put(root, &format!("{dir}/p{n}/more.go"), &file("lib", &[]))?;
    }
    Ok(())
}

fn file(package: &str, imports: &[String]) -> String {
    let mut text = format!("package {package}\n\n");
    for path in imports {
        let _ = writeln!(text, "import _ \"{path}\"");
    }
    if package == "main" {
        text.push_str("\nfunc main() {}\n");
    }
    text
}

fn put(root: &Path, path: &str, text: &str) -> io::Result<()> {
    let path = root.join(path);
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(path, text)
}
