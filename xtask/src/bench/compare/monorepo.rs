//! A monorepo of N services, the same text for the same N.
//!
//! ```text
//! internal/base/bNN/     leaves; all services read the first one
//! internal/domain/dNN/   import some of base
//! internal/infra/NAME/   wrap one third-party library each, and import base
//! cmd/svcNN/             a main package, with packages of its own below it
//! ```
//!
//! Services come in four kinds, so that a run has small leaves and large ones. What
//! they import of `domain` differs from service to service. The versions of all
//! modules are pinned in `modules/go.mod`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The manifests of every generated monorepo.
pub(super) const GO_MOD: &str = include_str!("modules/go.mod");
const GO_SUM: &str = include_str!("modules/go.sum");
/// Name of the module.
const MODULE: &str = "example.com/mono";

const BASE: usize = 10;
const DOMAIN: usize = 14;
/// Packages of a service that no other one reads.
const OWN: [&str; 6] = ["api", "auth", "jobs", "model", "rules", "views"];
/// Functions of a local package: about what a real one takes to compile.
const FUNCTIONS: usize = 60;

/// A wrapper around a third-party library.
struct Library {
    name: &'static str,
    imports: &'static [&'static str],
    /// What keeps the library in the binary: the linker drops what nothing uses.
    uses: &'static str,
}

const LIBRARIES: [Library; 14] = [
    library("log", &["go.uber.org/zap"], "zap.NewProduction"),
    library("conf", &["gopkg.in/yaml.v3"], "yaml.Unmarshal"),
    library(
        "metrics",
        &["github.com/prometheus/client_golang/prometheus/promhttp"],
        "promhttp.Handler",
    ),
    library(
        "rpc",
        &["google.golang.org/grpc", "google.golang.org/grpc/health"],
        "grpc.NewServer, health.NewServer",
    ),
    library("db", &["github.com/jackc/pgx/v5/pgxpool"], "pgxpool.New"),
    library(
        "cache",
        &["github.com/redis/go-redis/v9"],
        "redis.NewClient",
    ),
    library("web", &["github.com/gin-gonic/gin"], "gin.New"),
    library(
        "cli",
        &["github.com/spf13/cobra"],
        "(&cobra.Command{}).Execute",
    ),
    library("bus", &["github.com/nats-io/nats.go"], "nats.Connect"),
    library(
        "kube",
        &["k8s.io/client-go/kubernetes"],
        "kubernetes.NewForConfig",
    ),
    library(
        "cloud",
        &["github.com/aws/aws-sdk-go-v2/config"],
        "config.LoadDefaultConfig",
    ),
    library(
        "blob",
        &["github.com/aws/aws-sdk-go-v2/service/s3"],
        "s3.NewFromConfig",
    ),
    library(
        "queue",
        &["github.com/aws/aws-sdk-go-v2/service/sqs"],
        "sqs.NewFromConfig",
    ),
    library(
        "watch",
        &["k8s.io/client-go/tools/cache"],
        "cache.NewSharedIndexInformer",
    ),
];

const fn library(
    name: &'static str,
    imports: &'static [&'static str],
    uses: &'static str,
) -> Library {
    Library {
        name,
        imports,
        uses,
    }
}

/// The libraries of the four kinds of services, the smallest first.
const KINDS: [&[&str]; 4] = [
    &["log", "conf"],
    &["log", "conf", "metrics", "web", "db", "cache"],
    &[
        "log", "conf", "metrics", "rpc", "db", "cloud", "blob", "cli",
    ],
    &[
        "log", "metrics", "rpc", "bus", "cloud", "queue", "blob", "cache",
    ],
];
/// What the third kind has besides, in repositories that are not the smallest: it is
/// as much to compile as everything else together.
const HEAVY: [&str; 2] = ["kube", "watch"];
const HEAVY_FROM: usize = 4;

/// A module that one scenario bumps, and the versions that it goes between. Both are
/// in `go.sum`.
pub(super) const BUMP: (&str, [&str; 2]) = ("github.com/redis/go-redis/v9", ["v9.21.0", "v9.23.0"]);

/// `svc07`.
pub(super) fn service(n: usize) -> String {
    format!("svc{n:02}")
}

/// Writes the monorepo into `root`, which must be empty or missing.
///
/// # Errors
///
/// A file cannot be written.
pub(super) fn write(root: &Path, services: usize, frontend: &str) -> Result<()> {
    put(root, &files(services, frontend))
}

/// Writes a repository of services without third-party modules: what is built is not
/// the point, but how often a frontend starts.
///
/// # Errors
///
/// A file cannot be written.
pub(super) fn write_small(root: &Path, services: usize, frontend: &str) -> Result<()> {
    let mut files = vec![
        ("go.mod".to_owned(), format!("module {MODULE}\n\ngo 1.26\n")),
        ("README.md".to_owned(), "# Many small services\n".to_owned()),
        ("fleet.yaml".to_owned(), spec(services, frontend)),
        (
            "internal/text/text.go".to_owned(),
            "package text\n\nfunc Text() string { return \"text\" }\n".to_owned(),
        ),
    ];
    for n in 0..services {
        let name = service(n);
        let text = format!(
            "package main\n\nimport \"{MODULE}/internal/text\"\n\n\
             func main() {{ println(\"{name}\", text.Text()) }}\n"
        );
        files.push((format!("cmd/{name}/main.go"), text));
    }
    put(root, &files)
}

fn put(root: &Path, files: &[(String, String)]) -> Result<()> {
    for (path, text) in files {
        let path = root.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn spec(services: usize, frontend: &str) -> String {
    let mut text = format!("# syntax={frontend}\nservices:\n");
    for n in 0..services {
        let _ = writeln!(text, "  {0}: ./cmd/{0}", service(n));
    }
    text
}

/// All files, with their paths.
fn files(services: usize, frontend: &str) -> Vec<(String, String)> {
    let mut files = vec![
        ("go.mod".to_owned(), GO_MOD.to_owned()),
        ("go.sum".to_owned(), GO_SUM.to_owned()),
        ("README.md".to_owned(), "# A monorepo\n".to_owned()),
        ("fleet.yaml".to_owned(), spec(services, frontend)),
    ];
    for n in 0..BASE {
        // Two steps deep at most, and the first one below all.
        let imports: Vec<String> = (0..n.min(3)).map(base).collect();
        files.push(package(&base(n), &imports, ""));
    }
    for n in 0..DOMAIN {
        let imports: Vec<String> = (0..BASE)
            .filter(|b| *b == 0 || chosen(n, *b, 3))
            .map(base)
            .collect();
        files.push(package(&domain(n), &imports, ""));
    }
    for library in &LIBRARIES {
        let extra = format!(
            "\nfunc Uses() []any {{ return []any{{{}}} }}\n",
            library.uses
        );
        let mut imports = vec![base(0), base(1)];
        imports.extend(library.imports.iter().map(|path| format!("!{path}")));
        files.push(package(&infra(library.name), &imports, &extra));
    }
    for n in 0..services {
        let own = OWN.map(|part| format!("cmd/{}/{part}", service(n)));
        for dir in &own {
            // Not the same text in two services.
            let salt = format!("\nconst Salt = \"{dir}\"\n");
            files.push(package(dir, &[domain(n % DOMAIN)], &salt));
        }
        let mut kind = KINDS[n % KINDS.len()].to_vec();
        if n % KINDS.len() == 2 && n >= HEAVY_FROM {
            kind.extend(HEAVY);
        }
        let domains: Vec<String> = (0..DOMAIN)
            .filter(|d| *d == n % DOMAIN || chosen(n + 1, *d, 7))
            .map(domain)
            .collect();
        let text = main_file(&own, &domains, &kind);
        files.push((format!("cmd/{}/main.go", service(n)), text));
    }
    files
}

/// Whether `a` takes `b`, in about `of_ten` of ten cases.
fn chosen(a: usize, b: usize, of_ten: usize) -> bool {
    (a * 7 + b * 13 + a * b * 5) % 10 < of_ten
}

fn base(n: usize) -> String {
    format!("internal/base/b{n:02}")
}

fn domain(n: usize) -> String {
    format!("internal/domain/d{n:02}")
}

fn infra(name: &str) -> String {
    format!("internal/infra/{name}")
}

/// The one file of a local package. Imports with a `!` are of other modules.
fn package(dir: &str, imports: &[String], extra: &str) -> (String, String) {
    let name = dir.rsplit('/').next().unwrap_or_default();
    let mut text = format!("package {name}\n");
    let mut calls = vec!["x".to_owned()];
    if !imports.is_empty() {
        text.push_str("\nimport (\n");
        for path in imports {
            match path.strip_prefix('!') {
                Some(path) => {
                    let _ = writeln!(text, "\t\"{path}\"");
                }
                None => {
                    let _ = writeln!(text, "\t\"{MODULE}/{path}\"");
                    let package = path.rsplit('/').next().unwrap_or_default();
                    calls.push(format!("{package}.F0(x)"));
                }
            }
        }
        text.push_str(")\n");
    }
    text.push_str(extra);
    let _ = writeln!(
        text,
        "\nfunc F0(x int) int {{ return F1(x) + {} }}",
        calls.join(" + ")
    );
    for n in 1..FUNCTIONS {
        let _ = writeln!(
            text,
            "\nfunc F{n}(x int) int {{\n\tsum := {n}\n\tfor i := 0; i < x; i++ {{\n\t\t\
             if i%{0} == 0 {{\n\t\t\tsum += i * {n}\n\t\t}} else {{\n\t\t\tsum ^= i << {1}\n\t\t}}\n\t}}\n\
             \treturn sum + {2}(x-1)\n}}",
            n % 5 + 2,
            n % 7,
            if n + 1 < FUNCTIONS {
                format!("F{}", n + 1)
            } else {
                "int".to_owned()
            },
        );
    }
    (format!("{dir}/{name}.go"), text)
}

fn main_file(own: &[String], domains: &[String], libraries: &[&str]) -> String {
    let mut text = "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n".to_owned();
    let mut values = Vec::new();
    for path in own.iter().chain(domains) {
        let name = path.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(text, "\t\"{MODULE}/{path}\"");
        values.push(format!("{name}.F0(len(os.Args))"));
    }
    for name in libraries {
        let _ = writeln!(text, "\t\"{MODULE}/{}\"", infra(name));
        values.push(format!("{name}.Uses()"));
    }
    text.push_str(")\n\nfunc main() {\n\tfmt.Println(api.Salt)\n");
    for value in values {
        let _ = writeln!(text, "\tfmt.Println({value})");
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_number_of_services_is_the_same_repository() {
        assert_eq!(files(5, "x"), files(5, "x"));
        let four: BTreeSet<_> = files(4, "x").into_iter().collect();
        let five: BTreeSet<_> = files(5, "x").into_iter().collect();
        let new: Vec<_> = five
            .difference(&four)
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            new,
            [
                "cmd/svc04/api/api.go",
                "cmd/svc04/auth/auth.go",
                "cmd/svc04/jobs/jobs.go",
                "cmd/svc04/main.go",
                "cmd/svc04/model/model.go",
                "cmd/svc04/rules/rules.go",
                "cmd/svc04/views/views.go",
                "fleet.yaml"
            ]
        );
    }

    #[test]
    fn every_import_of_the_module_is_a_package_of_it() {
        let files = files(12, "x");
        let dirs: BTreeSet<&str> = files
            .iter()
            .filter_map(|(path, _)| path.rsplit_once('/'))
            .map(|(dir, _)| dir)
            .collect();
        let mut imported = BTreeSet::new();
        for (_, text) in files.iter().filter(|(path, _)| path.ends_with(".go")) {
            for line in text.lines() {
                if let Some(rest) = line.trim().strip_prefix(&format!("\"{MODULE}/")) {
                    imported.insert(rest.trim_end_matches('"'));
                }
            }
        }
        assert!(imported.is_subset(&dirs), "{imported:?}");
        // No package is there for nothing.
        let local = dirs.iter().filter(|dir| dir.starts_with("internal/"));
        for dir in local {
            assert!(imported.contains(dir), "{dir}");
        }
    }

    #[test]
    fn versions_are_pinned_and_both_of_the_bumped_module_have_sums() {
        let (module, versions) = BUMP;
        assert!(GO_MOD.contains(&format!("{module} {}", versions[0])));
        for version in versions {
            assert!(
                GO_SUM.contains(&format!("{module} {version} h1:")),
                "{version}"
            );
        }
        for library in LIBRARIES.iter().flat_map(|library| library.imports) {
            assert!(
                GO_MOD.lines().any(|line| {
                    let module = line.split_whitespace().find(|word| word.contains('/'));
                    module.is_some_and(|module| library.starts_with(module))
                }),
                "{library}"
            );
        }
    }
}
