//! A repository while features add to it, and how it becomes files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::tree::{Entry, Tree};

/// The path of the module that the services are in.
pub(crate) const APP: &str = "example.com/app";

/// A `go.mod` with what is around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) go: String,
    /// Versions by module.
    pub(crate) requires: BTreeMap<String, String>,
    /// More lines, as they are.
    pub(crate) lines: Vec<String>,
}

/// A service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Main {
    pub(crate) name: String,
    /// Its directory, by the name that `go build` gets.
    pub(crate) dir: String,
    /// The directory as the spec has it.
    pub(crate) written: String,
    pub(crate) tags: Vec<String>,
    /// The constraint in front of its file.
    pub(crate) constraint: Option<String>,
    /// Variables that it is compiled with.
    pub(crate) env: BTreeMap<&'static str, &'static str>,
    /// Named pipes that its build would read.
    pub(crate) pipes: Vec<String>,
    /// Import paths.
    pub(crate) imports: BTreeSet<String>,
}

/// Something that is done to the finished tree: `path` goes to `to`, and links lead there.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) path: String,
    pub(crate) to: String,
    /// Links between the two, besides the first.
    pub(crate) between: Vec<String>,
}

/// Which directory of vendored packages is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    /// By `go mod vendor`, as if there were no workspace.
    Module,
    /// By `go work vendor`.
    Work,
}

/// What features add to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// Directory of the services' module.
    pub(crate) root: String,
    pub(crate) modules: BTreeMap<String, Manifest>,
    /// Lines of `go.work` behind its `go` line, if there is one; it is in the context's root.
    pub(crate) work: Option<BTreeSet<String>>,
    pub(crate) mains: Vec<Main>,
    pub(crate) tree: Tree,
    pub(crate) vendor: Vec<Vendor>,
    pub(crate) moves: Vec<Move>,
    pub(crate) ignore: Vec<String>,
    /// Whether the spec finds the services instead of naming them.
    pub(crate) discovers: bool,
    /// Whether the spec says which Go compiles: the machine's, whatever manifests say.
    pub(crate) pins_go: bool,
    /// The `go` line of `go.work`, with what follows it.
    pub(crate) work_go: String,
}

impl Draft {
    pub(crate) fn new(root: &str) -> Self {
        let mut draft = Self {
            root: root.to_owned(),
            pins_go: true,
            work_go: "1.26".to_owned(),
            ..Self::default()
        };
        draft.modules.insert(
            root.to_owned(),
            Manifest {
                path: APP.to_owned(),
                go: "1.26".to_owned(),
                ..Manifest::default()
            },
        );
        for name in ["app", "other"] {
            let dir = draft.at(&format!("cmd/{name}"));
            draft.mains.push(Main {
                name: name.to_owned(),
                written: format!("./{dir}"),
                dir,
                ..Main::default()
            });
        }
        // What nobody needs, in any repository.
        let text = "package unrelated\n\nimport _ \"example.com/app/nowhere\"\n\nvar _ = 5001\n";
        draft.tree.write(draft.at("unrelated/unrelated.go"), text);
        draft.tree.write(draft.at("unrelated/README.md"), "5002\n");
        draft
    }

    /// A path in the services' module.
    pub(crate) fn at(&self, path: &str) -> String {
        join(&self.root, path)
    }

    pub(crate) fn app(&mut self) -> &mut Manifest {
        self.modules.get_mut(&self.root).unwrap()
    }

    /// Lines of `go.work`, which is there from now on.
    pub(crate) fn work(&mut self) -> &mut BTreeSet<String> {
        let root = dotted(&self.root);
        self.work
            .get_or_insert_with(|| BTreeSet::from([format!("use {root}")]))
    }

    /// A package that prints a number, in the services' module; its import path.
    pub(crate) fn package(&mut self, dir: &str, number: usize) -> String {
        let path = self.at(&format!("{dir}/p.go"));
        self.tree.write(path, source(dir, &[], number));
        format!("{APP}/{dir}")
    }

    pub(crate) fn import(&mut self, main: usize, path: impl Into<String>) {
        self.mains[main].imports.insert(path.into());
    }

    /// The files without what the `go` command has to make.
    pub(crate) fn files(&self, nonce: &str, sums: &str) -> Tree {
        let mut tree = self.tree.clone();
        for main in &self.mains {
            let constraint = main
                .constraint
                .as_ref()
                .map_or(String::new(), |c| format!("//go:build {c}\n\n"));
            let imports: String = main
                .imports
                .iter()
                .map(|path| format!("import _ \"{path}\"\n"))
                .collect();
            let text = format!(
                "{constraint}package main\n\n{imports}\nfunc main() {{ _ = \"{nonce}\"; println(\"{}\", 1000) }}\n",
                main.name
            );
            tree.write(join(&main.dir, "main.go"), text);
        }
        for (dir, manifest) in &self.modules {
            let mut text = format!("module {}\n\ngo {}\n", manifest.path, manifest.go);
            let requires = self.requires(manifest);
            for (path, version) in &requires {
                let _ = write!(text, "\nrequire {path} {version}\n");
            }
            for line in &manifest.lines {
                let _ = write!(text, "\n{line}\n");
            }
            tree.write(join(dir, "go.mod"), text);
            if !requires.is_empty() {
                tree.write(join(dir, "go.sum"), sums);
            }
        }
        if let Some(lines) = &self.work {
            let lines: String = lines.iter().map(|line| format!("\n{line}\n")).collect();
            tree.write("go.work", format!("go {}\n{lines}", self.work_go));
            tree.write("go.work.sum", sums);
        }
        if !self.ignore.is_empty() {
            tree.write(".dockerignore", self.ignore.join("\n") + "\n");
        }
        tree.write("fleet.yaml", self.spec());
        // In the place of manifests, too.
        let pipes = self.tree.0.iter().filter(|(_, e)| **e == Entry::Pipe);
        tree.0.extend(pipes.map(|(p, e)| (p.clone(), e.clone())));
        tree
    }

    fn spec(&self) -> String {
        let mut text = "# syntax=gofleet/gofleet:1\n".to_owned();
        if self.pins_go {
            text += "go: \"1.26\"\n";
        }
        if self.discovers {
            text += "discover: ./...\n";
        }
        text += "services:\n";
        for main in &self.mains {
            let Main {
                name,
                written,
                tags,
                env,
                ..
            } = main;
            let _ = writeln!(
                text,
                "  {name}: {{main: {}, build_tags: {tags:?}, env: {}}}",
                serde_json::to_string(written).unwrap(),
                serde_json::to_string(env).unwrap()
            );
        }
        text
    }

    /// What a module requires, with what that requires: `go.mod` lists all of it.
    fn requires(&self, manifest: &Manifest) -> BTreeMap<String, String> {
        let mut all = manifest.requires.clone();
        loop {
            let mut more: Vec<(String, String)> = Vec::new();
            for (path, version) in &all {
                more.extend(beyond(path, version));
                for other in self.modules.values().filter(|m| m.path == *path) {
                    more.extend(other.requires.clone());
                }
            }
            let known = all.clone();
            for (path, version) in more.into_iter().filter(|(p, _)| *p != manifest.path) {
                let old = all.entry(path).or_default();
                if *old < version {
                    *old = version;
                }
            }
            if all == known {
                return all;
            }
        }
    }
}

/// What a module that is fetched requires.
fn beyond(path: &str, version: &str) -> Option<(String, String)> {
    let (path, version) = match (path, version) {
        ("x.test/e1", "v1.0.0") => ("x.test/e2", "v1.0.0"),
        ("x.test/e1", _) => ("x.test/e2", "v1.2.0"),
        ("x.test/back", _) => ("example.com/a", "v1.0.0"),
        _ => return None,
    };
    Some((path.to_owned(), version.to_owned()))
}

/// A file of a package that prints a number.
pub(crate) fn source(dir: &str, imports: &[&str], number: usize) -> String {
    let imports: String = imports
        .iter()
        .map(|path| format!("import _ \"{path}\"\n"))
        .collect();
    format!(
        "package {}\n\n{imports}\nfunc init() {{ println(\"{dir}\", {number}) }}\n",
        name(dir)
    )
}

/// A name for the package of a directory.
pub(crate) fn name(dir: &str) -> String {
    let last = dir.rsplit('/').next().unwrap_or(dir);
    let letters: String = last.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    format!("p{letters}")
}

pub(crate) fn join(dir: &str, path: &str) -> String {
    match dir {
        "." => path.to_owned(),
        _ => format!("{dir}/{path}"),
    }
}

/// A directory as manifests write it: `./x`.
pub(crate) fn dotted(dir: &str) -> String {
    match dir {
        "." => ".".to_owned(),
        _ => format!("./{dir}"),
    }
}

/// The way from a directory to a path, both from the same root.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| *part != ".").collect();
    let to: Vec<&str> = to.split('/').filter(|part| *part != ".").collect();
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = vec![".."; from.len() - same];
    let parts: Vec<&str> = up.into_iter().chain(to[same..].iter().copied()).collect();
    match parts.first() {
        None => ".".to_owned(),
        Some(&"..") => parts.join("/"),
        Some(_) => format!("./{}", parts.join("/")),
    }
}
