//! A repository whose programs take much memory to link: many services, each of which
//! imports a Kubernetes client, a cloud SDK and gRPC (`heavy/`, with pinned versions).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What all services import, as it is in the repository.
const FILES: [(&str, &str); 5] = [
    ("go.mod", include_str!("heavy/go.mod")),
    ("go.sum", include_str!("heavy/go.sum")),
    ("lib/kube/kube.go", include_str!("heavy/lib/kube/kube.go")),
    (
        "lib/cloud/cloud.go",
        include_str!("heavy/lib/cloud/cloud.go"),
    ),
    ("lib/rpc/rpc.go", include_str!("heavy/lib/rpc/rpc.go")),
];

/// The generated repository; it is removed with the value.
pub(crate) struct Heavy {
    root: PathBuf,
    services: usize,
}

impl Heavy {
    /// Writes it, with this many services.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(crate) fn new(root: PathBuf, frontend: &str, services: usize) -> Result<Self> {
        let heavy = Self { root, services };
        for (path, text) in FILES {
            heavy.write(path, text)?;
        }
        let mut spec = format!("# syntax={frontend}\nservices:\n");
        for service in 0..services {
            let _ = writeln!(spec, "  {0}: ./cmd/{0}", name(service));
        }
        heavy.write("fleet.yaml", &spec)?;
        Ok(heavy)
    }

    /// Makes all programs other ones than in any build before, so that none comes from a cache.
    ///
    /// # Errors
    ///
    /// Files cannot be written.
    pub(crate) fn edit(&self, nonce: &str) -> Result<()> {
        (0..self.services).try_for_each(|service| {
            let name = name(service);
            let text = format!(
                "package main\n\nimport (\n\t\"example.com/heavy/lib/cloud\"\n\t\
                 \"example.com/heavy/lib/kube\"\n\t\"example.com/heavy/lib/rpc\"\n)\n\n\
                 func main() {{\n\tprintln(\"{name} {nonce}\", cloud.New, kube.New, kube.Factory, \
                 kube.Dynamic, rpc.New)\n}}\n"
            );
            self.write(&format!("cmd/{name}/main.go"), &text)
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.root.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Heavy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn name(service: usize) -> String {
    format!("s{service:02}")
}
