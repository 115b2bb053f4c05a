//! A repository as names and texts, and how it is first.

use std::collections::BTreeMap;

use crate::rng::Rng;

/// The main packages, which edits may delete, and their build tags.
pub(crate) const MAINS: [(&str, &[&str]); 3] =
    [("cmd/a", &[]), ("cmd/b", &["extra"]), ("tools/c", &[])];

/// Where packages are.
pub(crate) const DIRS: [&str; 9] = [
    "lib/p0",
    "lib/p0/sub",
    "lib/p1",
    "internal/q",
    "p2",
    "p2/testdata/r",
    "_p3",
    "mod/x",
    "mod/x/y",
];

/// How several modules are one repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is one.
    Single,
    /// `mod/x` is a module that the root replaces a requirement with.
    Replace,
    /// `mod/x` is a module of a workspace.
    Workspace,
    /// A requirement is in `vendor`.
    Vendor,
}

pub(crate) struct Repository {
    pub(crate) shape: Shape,
    pub(crate) files: BTreeMap<String, String>,
}

impl Repository {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let shapes = [
            Shape::Single,
            Shape::Replace,
            Shape::Workspace,
            Shape::Vendor,
        ];
        let mut repository = Self {
            shape: *rng.pick(&shapes),
            files: BTreeMap::new(),
        };
        repository.manifests();
        for (at, dir) in DIRS.into_iter().enumerate() {
            // Only of packages before it, so that there is no cycle at first, and out
            // of no module that does not require the other one.
            let imports: Vec<String> = (0..at)
                .filter(|n| dir.starts_with("mod/") == DIRS[*n].starts_with("mod/"))
                .filter(|_| rng.one_in(3))
                .map(|n| repository.import_path(DIRS[n]))
                .collect();
            repository.write(&format!("{dir}/a.go"), source(dir, &imports, rng));
            if rng.one_in(3) {
                let name = *rng.pick(&["b_linux.go", "b_windows.go", "b.go", "b_test.go"]);
                repository.write(&format!("{dir}/{name}"), source(dir, &[], rng));
            }
            repository.write(&format!("{dir}/data/t.txt"), format!("{}", rng.next()));
        }
        for (main, _) in MAINS {
            let mut imports: Vec<String> = DIRS
                .into_iter()
                .filter(|_| rng.one_in(2))
                .map(|dir| repository.import_path(dir))
                .collect();
            if repository.shape == Shape::Vendor && rng.one_in(2) {
                imports.push("example.com/v/p".to_owned());
            }
            repository.write(&format!("{main}/main.go"), source(main, &imports, rng));
        }
        let names: Vec<String> = MAINS
            .iter()
            .map(|(main, tags)| {
                let name = main.rsplit('/').next().unwrap_or(main);
                format!(
                    "  {name}: {{main: ./{main}, build_tags: [{}]}}\n",
                    tags.join(",")
                )
            })
            .collect();
        let spec = format!("# syntax=gofleet/gofleet:1\nservices:\n{}", names.concat());
        repository.write("fleet.yaml", spec);
        repository
    }

    fn manifests(&mut self) {
        let root = "module example.com/r\n\ngo 1.26\n";
        let x = "module example.com/x\n\ngo 1.26\n";
        match self.shape {
            Shape::Single => self.write("go.mod", root),
            Shape::Replace => {
                let more = "\nrequire example.com/x v0.0.0\n\nreplace example.com/x => ./mod/x\n";
                self.write("go.mod", format!("{root}{more}"));
                self.write("mod/x/go.mod", x);
            }
            Shape::Workspace => {
                self.write("go.mod", root);
                self.write("mod/x/go.mod", x);
                self.write("go.work", "go 1.26\n\nuse (\n\t.\n\t./mod/x\n)\n");
            }
            Shape::Vendor => {
                self.write("go.mod", format!("{root}\nrequire example.com/v v1.0.0\n"));
                self.write(
                    "vendor/modules.txt",
                    "# example.com/v v1.0.0\n## explicit; go 1.26\nexample.com/v/p\nexample.com/v/q\n",
                );
                self.write(
                    "vendor/example.com/v/p/p.go",
                    "package p\n\nimport _ \"example.com/v/q\"\n\nfunc init() { println(\"v\") }\n",
                );
                self.write(
                    "vendor/example.com/v/q/q.go",
                    "package q\n\nfunc init() { println(\"q\") }\n",
                );
            }
        }
    }

    /// How a directory of the repository is imported.
    pub(crate) fn import_path(&self, dir: &str) -> String {
        match dir.strip_prefix("mod/x") {
            Some(rest) if self.files.contains_key("mod/x/go.mod") => {
                format!("example.com/x{rest}")
            }
            _ => format!("example.com/r/{dir}"),
        }
    }

    pub(crate) fn write(&mut self, path: &str, text: impl Into<String>) {
        self.files.insert(path.to_owned(), text.into());
    }

    /// Directories with Go files.
    pub(crate) fn packages(&self) -> Vec<String> {
        let dirs = self
            .go_files()
            .into_iter()
            .map(|path| parent(&path).to_owned());
        let mut dirs: Vec<String> = dirs.collect();
        dirs.dedup();
        dirs
    }

    pub(crate) fn go_files(&self) -> Vec<String> {
        let names = self.files.keys().filter(|path| path.ends_with(".go"));
        names.cloned().collect()
    }
}

/// A file that does something that a binary shows.
pub(crate) fn source(dir: &str, imports: &[String], rng: &mut Rng) -> String {
    let main = MAINS.iter().any(|(main, _)| *main == dir);
    let package = if main { "main" } else { name(dir) };
    let imports: String = imports
        .iter()
        .map(|path| format!("import _ \"{path}\"\n"))
        .collect();
    let body = format!("func init() {{ println({}) }}\n", rng.next());
    let end = if main { "\nfunc main() {}\n" } else { "" };
    format!("package {package}\n\n{imports}\n{body}{end}")
}

/// The name of a directory's package.
pub(crate) fn name(dir: &str) -> &str {
    let last = dir.rsplit('/').next().unwrap_or(dir);
    last.trim_start_matches('_')
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(dir, _)| dir)
}
