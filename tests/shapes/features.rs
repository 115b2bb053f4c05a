//! What repositories are made of: a list of features, drawn from a seed. Each one adds
//! something, whatever else there is, so that any of them can be left out again.

use crate::draft::{APP, Draft, Manifest, Move, Vendor, dotted, join, name, relative, source};
use crate::rng::Rng;
use crate::tree::Entry;

/// One thing that a repository has. `main` is the service that needs it.
#[derive(Clone, Debug)]
pub(crate) enum Feature {
    /// The services' module is not in the context's root.
    Below,
    /// A directory that may stand for module `example.com/a` or `…/b`, and the lines
    /// that say so.
    Local {
        module: &'static str,
        dir: &'static str,
        ways: Vec<Way>,
        main: usize,
    },
    /// `a` and `b` require and replace each other.
    Mutual {
        main: usize,
    },
    /// The version of a local module that the services' module requires.
    Version {
        module: &'static str,
        version: &'static str,
    },
    /// A package of a module that is fetched, imported by a service or by module `a`.
    Fetched {
        path: &'static str,
        version: &'static str,
        package: &'static str,
        by_a: bool,
        main: usize,
    },
    /// A module stands for another one.
    Fork {
        work: bool,
        versioned: bool,
    },
    Vendor(Vendor),
    /// Lines of `go.mod` that change nothing, or little.
    Lines(&'static str),
    /// The `go` line of the services' module.
    GoLine(&'static str),
    /// A manifest is a link.
    LinkedManifest {
        file: &'static str,
        to: &'static str,
        hops: usize,
    },
    /// A directory with a manifest of its own that somebody needs, or `vendor`, is a link.
    LinkedModule {
        dir: &'static str,
        hops: usize,
    },
    /// A source file is a link.
    LinkedSource {
        to: &'static str,
        hops: usize,
        main: usize,
    },
    /// The directory of a package is a link.
    LinkedDir {
        to: &'static str,
        hops: usize,
        sub: bool,
        main: usize,
    },
    LinkedMain {
        main: usize,
        hops: usize,
    },
    /// A link that nobody needs.
    UselessLink {
        path: &'static str,
        target: &'static str,
    },
    /// A named pipe that nobody needs.
    UselessPipe(&'static str),
    /// A package in a directory that `./...` passes over.
    Hidden {
        dir: &'static str,
        main: usize,
    },
    /// Files that nobody needs and that are broken.
    Junk {
        path: &'static str,
        text: &'static str,
    },
    /// A file with a constraint, which imports a package of its own.
    Tagged {
        constraint: &'static str,
        main: usize,
    },
    /// The service sets a tag, and the package is only there with it.
    MainUnderTag {
        main: usize,
        else_library: bool,
    },
    /// A file for a platform, which imports a package of its own.
    Suffix {
        suffix: &'static str,
        main: usize,
    },
    Embed {
        patterns: &'static str,
        main: usize,
    },
    /// Assembly that includes a header, which may include another one.
    Assembly {
        header: &'static str,
        behind: Option<&'static str>,
        linked: bool,
        main: usize,
    },
    /// A package with a directory of an odd name.
    OddDir {
        dir: &'static str,
        main: usize,
    },
    /// A source file of an odd name.
    OddFile {
        file: &'static str,
        main: usize,
    },
    OddMain {
        dir: &'static str,
        main: usize,
    },
    Ignored(&'static str),
    Profile {
        linked: bool,
        main: usize,
    },
    /// A source file written in an unusual way, which imports a package of its own.
    Odd {
        text: &'static str,
        main: usize,
    },
    /// A module in the middle of another one.
    Nested,
    Discover,
    /// `main` as the spec has it.
    Written(&'static str),
}

/// How manifests say that a directory stands for a module.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Use,
    WorkReplace(&'static str),
    Replace(&'static str),
    /// In the `go.mod` of the other local module.
    OtherReplace(&'static str),
}

const PLACES: [&str; 12] = [
    "libs",
    "libs",
    "libs",
    "libs2",
    "libs2",
    "_libs",
    ".libs",
    "testdata",
    "node_modules",
    "vendored.go",
    "cmd/app",
    "a b",
];
const VERSIONS: [&str; 4] = ["", "", " v1.0.0", " v1.1.0"];
const FILES: [&str; 9] = [
    "shared/x.go",
    "shared/x.txt",
    "shared/x",
    "_shared/x.go",
    ".shared/x.go.in",
    "testdata/x.go",
    "shared/x_test.go",
    "node_modules/x.go",
    "vendor.d/x.md",
];
const DIRS: [&str; 8] = [
    "real/x",
    "_real/x",
    ".real/x",
    "testdata/x",
    "node_modules/x",
    "real/x.go",
    "real/x/y/z",
    "real/[x]",
];

/// The features of a seed.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn features(seed: u64) -> Vec<Feature> {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let mut all = Vec::new();
    if rng.one_in(4) {
        all.push(Feature::Below);
    }
    // How modules come together.
    let main = |rng: &mut Rng| usize::from(rng.one_in(3));
    if rng.one_in(2) {
        for module in ["a", "b"] {
            for _ in 0..rng.below(3) {
                let ways = [
                    Way::Use,
                    Way::WorkReplace(one(rng, &VERSIONS)),
                    Way::Replace(one(rng, &VERSIONS)),
                    Way::Replace(""),
                    Way::OtherReplace(one(rng, &VERSIONS)),
                ];
                let count = if rng.one_in(4) { 2 } else { 1 };
                all.push(Feature::Local {
                    module,
                    dir: one(rng, &PLACES),
                    ways: (0..count).map(|_| one(rng, &ways)).collect(),
                    main: main(rng),
                });
            }
            if rng.one_in(3) {
                let version = one(rng, &["v0.0.0", "v1.0.0", "v1.1.0"]);
                all.push(Feature::Version { module, version });
            }
        }
        if rng.one_in(4) {
            all.push(Feature::Mutual { main: main(rng) });
        }
    }
    if rng.one_in(2) {
        for _ in 0..=rng.below(3) {
            let (path, version, package) = one(
                rng,
                &[
                    ("x.test/e1", "v1.0.0", ""),
                    ("x.test/e1", "v1.1.0", "/sub"),
                    ("x.test/e1", "v1.0.0", "/sub"),
                    ("x.test/e2", "v1.0.0", ""),
                    ("x.test/e2", "v1.2.0", "/testdata/p"),
                    ("x.test/e2", "v1.2.0", "/testdata/p"),
                    ("x.test/odd.go", "v1.0.0", ""),
                    ("x.test/back", "v1.0.0", ""),
                    ("example.com/a", "v1.0.0", ""),
                ],
            );
            all.push(Feature::Fetched {
                path,
                version,
                package,
                by_a: rng.one_in(4),
                main: main(rng),
            });
        }
        if rng.one_in(4) {
            let (work, versioned) = (rng.one_in(2), rng.one_in(2));
            all.push(Feature::Fork { work, versioned });
        }
    }
    if rng.one_in(4) {
        all.push(Feature::Vendor(one(rng, &[Vendor::Module, Vendor::Work])));
    }
    if rng.one_in(8) {
        let go = one(
            rng,
            &["1.26", "1.24.0", "1.21", "1.18", "1.17", "1.16", "1.13"],
        );
        all.push(Feature::GoLine(go));
    }
    let mut optional: Vec<Feature> = Vec::new();
    for _ in 0..2 + rng.below(5) {
        let main = main(rng);
        let hops = [1, 1, 1, 2, 3][rng.below(5)];
        optional.push(match rng.below(27) {
            0 => Feature::Lines(one(rng, &[
                "retract v0.0.1",
                "exclude x.test/e1 v0.9.0",
                "godebug panicnil=1",
                "toolchain go1.26.8",
                "toolchain go1.20",
                "ignore ./unrelated",
                "ignore node_modules",
                "tool example.com/app/unrelated",
                "// a comment\nrequire (\n\tx.test/e1 v1.0.0 // indirect\n)",
                "replace x.test/nowhere => ./nowhere",
                "replace (\n\t\"x.test/nowhere\" v1.0.0 => `./unrelated`\n)",
                "retract [v0.0.1, v0.0.2] /* odd */",
            ])),
            1 => Feature::LinkedManifest {
                file: one(rng, &["go.mod", "go.sum", "go.work", "go.work.sum", "vendor/modules.txt"]),
                to: one(rng, &["manifests/x", "_m/x.mod", "go.mod.real", "testdata/go.mod", "unrelated/x.go"]),
                hops,
            },
            2 => Feature::LinkedModule {
                dir: one(rng, &["libs/a", "libs/b", "vendor", "vendor/x.test/e2", "libs2/a"]),
                hops,
            },
            3 | 4 => Feature::LinkedSource { to: one(rng, &FILES), hops, main },
            5 | 6 => Feature::LinkedDir {
                to: one(rng, &DIRS),
                hops,
                sub: rng.one_in(2),
                main,
            },
            7 => Feature::LinkedMain { main, hops },
            8 => Feature::UselessLink {
                path: one(rng, &["unrelated/x.go", "unrelated/dir", "unrelated/go.mod", "link", "vendored/go.work"]),
                target: one(rng, &["/etc/hostname", "../../..", "nowhere", "x.go", ".", "..", "dir"]),
            },
            9 => Feature::UselessPipe(one(rng, &["unrelated/pipe.go", "pipe", "_x/go.mod", "testdata/x.s"])),
            10 | 11 => Feature::Hidden {
                dir: one(rng, &["testdata/h", "_h", ".h", "node_modules/h", "x/_y/h", "x/testdata/.y/h", "vendor.d/h"]),
                main,
            },
            12 | 13 => {
                let (path, text) = one(rng, &[
                    ("testdata/go.mod", "module\n"),
                    ("_x/go.mod", "module example.com/app\n\ngo 1.26\n"),
                    (".x/go.work", "go 1.26\n\nuse ../..\n"),
                    ("node_modules/y/go.mod", "module example.com/a\n\ngo 1.26\n"),
                    ("unrelated/go.mod", "module example.com/a\n\ngo 1.26\n\nrequire x.test/gone v1.0.0\n"),
                    ("unrelated/go.work", "use ( \n"),
                    ("unrelated/broken.go", "package unrelated\n\nimport (\n"),
                    ("unrelated/main.go", "package main\n"),
                    ("lib.go/x.go", "package libgo\n\nvar _ = 5003\n"),
                    ("vendor.go", "package vendor\n"),
                    ("unrelated/[x]/a.go", "package x\n\nvar _ = 5004\n"),
                    ("unrelated/x /a.go", "package x\n"),
                    ("unrelated/gr\u{fc}n/a.go", "package x\n"),
                    ("unrelated/x.s/x.h/a.go", "package x\n"),
                    ("unrelated/vendor/modules.txt", "# broken\n"),
                ]);
                Feature::Junk { path, text }
            }
            14 => Feature::Tagged {
                constraint: one(rng, &["linux", "windows", "!linux", "mytag", "!mytag && unix", "go1.30", "cgo", "ignore", "amd64", "gc && !purego"]),
                main,
            },
            15 => Feature::MainUnderTag { main, else_library: rng.one_in(2) },
            16 => Feature::Suffix {
                suffix: one(rng, &["_linux", "_windows", "_arm64", "_linux_amd64", "_js_wasm", "_unix", "_plan9", "_test", "_linux_test", "_zos", "_amd64"]),
                main,
            },
            17 | 18 => Feature::Embed {
                patterns: one(rng, &[
                    "data", "all:data", "data/*", "data/*.txt", "data/sub", "data/?.txt", "data/[a-c].txt",
                    "data/sub/*.txt data/a.txt", "\"data/with blank\"", "*/*/b.txt", "all:data/sub", "p.go",
                    "data/trail\\ ", "`data/[[]x[]].txt`", "data/nested/x.txt", "data/.hid/c.txt", "data/gone.txt",
                    "data/lin*",
                ]),
                main,
            },
            19 | 20 => Feature::Assembly {
                header: one(rng, &["own.h", "../inc/x.h", "sub/x.h", "../inc/deep/x.inc", "../_inc/x.h", "../testdata/x.h", "own.txt", "../inc/x"]),
                behind: one(rng, &[None, None, Some("behind.h"), Some("../inc/behind.h"), Some("sub/behind.h"), Some("../_inc/behind.inc")]),
                linked: rng.one_in(4),
                main,
            },
            21 => Feature::OddDir {
                dir: one(rng, &["o.go", "nats.go/sub", "a~b", "a+b", "h.h", "lib.s", "x.syso", "go.mod.d", "v2", "x_test", "x_windows", "internal/x", "A.B-c"]),
                main,
            },
            22 => Feature::OddFile {
                file: one(rng, &["a b.go", "gr\u{fc}n.go", "a[1].go", "x..go", "-x.go", "a,b.go", "$x.go", "a*b.go", "a?.go", "{x}.go", " x.go", "x!.go", "#x.go", "~x.go", "a\\b.go", "'.go", "\".go", "x.y.go", "%41.go"]),
                main,
            },
            23 => Feature::OddMain {
                dir: one(rng, &["cmd/x.go", "nats.go", "_cmd/x", "testdata/x", ".x", "node_modules/x", "internal/x", "x/v2", "x.s", "cmd/a+b"]),
                main,
            },
            24 => Feature::Ignored(one(rng, &[
                "unrelated", "**/*_test.go", "*.md", "**/testdata", "!x", "node_modules", "**/node_modules", "vendor.d",
                "*\n!**/*.go\n!**/go.*\n!fleet.yaml\n!**/modules.txt", "**/.*", "_*", "**/x.txt", "[a]", "/unrelated/", "**/unrelated/**",
            ])),
            25 => match rng.below(3) {
                0 => Feature::Profile { linked: rng.one_in(2), main },
                1 => Feature::Nested,
                _ => Feature::Written(one(rng, &["x/", "x", "./x/.", "./x//", "./unrelated/../x"])),
            },
            _ => Feature::Odd {
                text: one(rng, &[
                    "\u{feff}package podd\n\nimport _ \"PATH\"\n",
                    "package podd\r\n\r\nimport _ \"PATH\"\r\n",
                    "package podd; import _ \"PATH\"; var _ = 1000\n",
                    "package podd\n\nimport _ `PATH`\n",
                    "/* a */ package /* b */ podd // c\nimport ( _ \"PATH\"; _ \"unsafe\" )\n",
                    "// x\n\n/*\n//go:build windows\n*/\n\npackage podd\n\nimport _ \"PATH\"\n",
                    "//go:build linux && // x\n\npackage podd\n\nimport _ \"PATH\"\n",
                    "// +build windows\n\npackage podd\n\nimport _ \"PATH\"\n",
                    "\n\n//go:build linux\n// +build windows\n\npackage podd\n\nimport _ \"PATH\"\n",
                    "package podd\n\nimport _ \"\\x65xample.com/app/odd/behind\"\n",
                    "package podd\n\nimport _ \"PATH\"\n\nimport _ \"PATH\"",
                    "//line x.go:1\npackage podd\n\nimport _ \"PATH\"\n",
                    "package podd\n\nimport . \"PATH\"\n",
                    "#!/usr/bin/env go\npackage podd\n\nimport _ \"PATH\"\n",
                    "//go:build ignore\n\npackage podd\n\nimport _ \"PATH\"\n",
                ]),
                main,
            },
        });
    }
    all.extend(optional);
    if rng.one_in(8) {
        all.push(Feature::Discover);
    }
    all
}

/// A draft with these features, in their order. Numbers that are printed depend on the
/// place in the whole list, so leaving some out changes no others.
pub(crate) fn draft<'a>(features: impl IntoIterator<Item = &'a (usize, Feature)>) -> Draft {
    let features: Vec<&(usize, Feature)> = features.into_iter().collect();
    let below = features.iter().any(|(_, f)| matches!(f, Feature::Below));
    let mut draft = Draft::new(if below { "backend" } else { "." });
    for (at, feature) in &features {
        apply(feature, *at, &mut draft);
    }
    // Only now is known where modules are.
    for (_, feature) in &features {
        late(feature, &mut draft);
    }
    draft
}

#[expect(clippy::too_many_lines, reason = "one arm for each feature")]
fn apply(feature: &Feature, at: usize, draft: &mut Draft) {
    let number = 2000 + 10 * at;
    match feature {
        Feature::Local {
            module,
            dir,
            ways,
            main,
        } => {
            local(draft, module, dir, ways, number);
            draft.import(*main, format!("example.com/{module}"));
        }
        Feature::Version { module, version } => {
            let path = format!("example.com/{module}");
            draft.app().requires.insert(path, (*version).to_owned());
        }
        Feature::Fetched {
            path,
            version,
            package,
            by_a,
            main,
        } => {
            let import = format!("{path}{package}");
            let a: Vec<String> = draft
                .modules
                .iter()
                .filter(|(_, m)| m.path == "example.com/a")
                .map(|(dir, _)| dir.clone())
                .collect();
            if *by_a && !a.is_empty() && *path != "x.test/back" && *path != "example.com/a" {
                for dir in a {
                    let module = draft.modules.get_mut(&dir).unwrap();
                    module
                        .requires
                        .insert((*path).to_owned(), (*version).to_owned());
                    let file = join(&dir, &format!("f{number}.go"));
                    draft.tree.write(file, source("a", &[&import], number));
                }
            } else {
                draft
                    .app()
                    .requires
                    .insert((*path).to_owned(), (*version).to_owned());
                draft.import(*main, import);
            }
        }
        Feature::Fork { work, versioned } => {
            let version = if *versioned { " v1.0.0" } else { "" };
            let line = format!("replace x.test/e2{version} => x.test/fork v1.0.0");
            if *work {
                draft.work().insert(line);
            } else {
                draft.app().lines.push(line);
            }
        }
        Feature::Vendor(vendor) => {
            if *vendor == Vendor::Work {
                draft.work();
            }
            draft.vendor.push(*vendor);
        }
        Feature::Lines(lines) => draft.app().lines.push((*lines).to_owned()),
        Feature::GoLine(go) => (*go).clone_into(&mut draft.app().go),
        Feature::LinkedSource { to, hops, main } => {
            let dir = format!("ls{at}");
            let import = draft.package(&dir, number);
            draft.import(*main, import);
            let (path, to) = (draft.at(&format!("{dir}/p.go")), draft.at(&with(to, at)));
            moved(draft, path, to, *hops);
        }
        Feature::LinkedDir {
            to,
            hops,
            sub,
            main,
        } => {
            let dir = format!("ld{at}");
            let import = if *sub {
                draft.package(&dir, number);
                draft.package(&format!("{dir}/sub"), number + 1)
            } else {
                draft.package(&dir, number)
            };
            draft.import(*main, import);
            let (path, to) = (draft.at(&dir), draft.at(&with(to, at)));
            moved(draft, path, to, *hops);
        }
        Feature::UselessLink { path, target } => {
            let path = draft.at(path);
            draft.tree.link(path, *target);
        }
        Feature::UselessPipe(path) => {
            let path = draft.at(path);
            draft.tree.0.insert(path, Entry::Pipe);
        }
        Feature::Hidden { dir, main } => {
            let import = draft.package(&with(dir, at), number);
            draft.import(*main, import);
        }
        Feature::Junk { path, text } => {
            let path = draft.at(path);
            draft.tree.write(path, *text);
        }
        Feature::Tagged { constraint, main } => {
            let dir = format!("tg{at}");
            let import = draft.package(&dir, number);
            let only = draft.package(&format!("{dir}/only"), number + 1);
            let text = source(&dir, &[&only], number + 2);
            let path = draft.at(&format!("{dir}/t.go"));
            draft
                .tree
                .write(path, format!("//go:build {constraint}\n\n{text}"));
            draft.import(*main, import);
            if number.is_multiple_of(3) {
                draft.mains[*main].tags = vec!["mytag".to_owned()];
            }
        }
        Feature::MainUnderTag { main, else_library } => {
            let main = &mut draft.mains[*main];
            main.constraint = Some("mytag".to_owned());
            main.tags = vec!["mytag".to_owned()];
            if *else_library {
                let path = join(&main.dir, "else.go");
                draft
                    .tree
                    .write(path, "//go:build !mytag\n\npackage library\n");
            }
        }
        Feature::Suffix { suffix, main } => {
            let dir = format!("sf{at}");
            let import = draft.package(&dir, number);
            let only = draft.package(&format!("{dir}/only"), number + 1);
            let path = draft.at(&format!("{dir}/x{suffix}.go"));
            draft.tree.write(path, source(&dir, &[&only], number + 2));
            draft.import(*main, import);
        }
        Feature::Embed { patterns, main } => embed(draft, patterns, *main, at, number),
        Feature::Assembly {
            header,
            behind,
            linked,
            main,
        } => {
            let dir = format!("as{at}/p");
            let from = draft.at(&dir);
            draft.tree.write(
                join(&from, "p.go"),
                format!("package pp\n\nfunc value() int64\n\nfunc init() {{ println(\"{dir}\", value()) }}\n"),
            );
            let text = format!(
                "#include \"textflag.h\"\n#include \"{header}\"\n\nTEXT ·value(SB), NOSPLIT, $0-8\n\tMOVQ $VALUE, ret+0(FP)\n\tRET\n"
            );
            draft.tree.write(join(&from, "p_amd64.s"), text);
            let first = normal(&from, header);
            match behind {
                None => draft
                    .tree
                    .write(&first, format!("#define VALUE {number}\n")),
                Some(behind) => {
                    draft.tree.write(&first, format!("#include \"{behind}\"\n"));
                    // The assembler runs in the package's directory.
                    draft
                        .tree
                        .write(normal(&from, behind), format!("#define VALUE {number}\n"));
                }
            }
            if *linked {
                let to = draft.at(&format!("linked/{at}.h"));
                moved(draft, first, to, 1);
            }
            draft.import(*main, format!("{APP}/{dir}"));
        }
        Feature::OddDir { dir, main } => {
            let import = draft.package(dir, number);
            draft.import(*main, import);
        }
        Feature::OddFile { file, main } => {
            let dir = format!("of{at}");
            let import = draft.package(&dir, number);
            let path = draft.at(&format!("{dir}/{file}"));
            draft.tree.write(path, source(&dir, &[], number + 1));
            draft.import(*main, import);
        }
        Feature::OddMain { dir, main } => {
            let dir = draft.at(dir);
            let main = &mut draft.mains[*main];
            main.written = format!("./{dir}");
            main.dir = dir;
        }
        Feature::Ignored(rules) => draft.ignore.push((*rules).to_owned()),
        Feature::Odd { text, main } => {
            let behind = draft.package("odd/behind", number);
            draft.package("odd", number + 1);
            let path = draft.at("odd/x.go");
            draft.tree.write(path, text.replace("PATH", &behind));
            draft.import(*main, format!("{APP}/odd"));
        }
        Feature::Nested => {
            let import = draft.package("in", number);
            draft.import(0, import);
            let (manifest, file) = (draft.at("in/nested/go.mod"), draft.at("in/nested/x.go"));
            draft
                .tree
                .write(manifest, "module example.com/app/in/nested\n");
            draft.tree.write(file, "package nested\n");
        }
        Feature::Discover => draft.discovers = true,
        Feature::Below
        | Feature::Mutual { .. }
        | Feature::LinkedManifest { .. }
        | Feature::LinkedModule { .. }
        | Feature::LinkedMain { .. }
        | Feature::Profile { .. }
        | Feature::Written(_) => {}
    }
}

/// What depends on where things are.
fn late(feature: &Feature, draft: &mut Draft) {
    match feature {
        Feature::Mutual { main } => mutual(draft, *main),
        Feature::LinkedManifest { file, to, hops } => {
            let path = match *file {
                "go.work" | "go.work.sum" => (*file).to_owned(),
                file => draft.at(file),
            };
            let to = draft.at(to);
            moved(draft, path, to, *hops);
        }
        Feature::LinkedModule { dir, hops } => {
            let path = if dir.starts_with("vendor") {
                draft.at(dir)
            } else {
                (*dir).to_owned()
            };
            moved(draft, path, format!("elsewhere/{}", name(dir)), *hops);
        }
        Feature::LinkedMain { main, hops } => {
            let to = draft.mains[*main].dir.clone();
            let path = draft.at(&format!("run{main}"));
            let main = &mut draft.mains[*main];
            main.dir.clone_from(&path);
            main.written = format!("./{path}");
            moved(draft, path, to, *hops);
        }
        Feature::Profile { linked, main } => {
            let path = join(&draft.mains[*main].dir, "default.pgo");
            draft.tree.write(&path, "");
            if *linked {
                let to = draft.at("profiles/cpu.out");
                moved(draft, path, to, 1);
            }
        }
        Feature::Written(form) => {
            let dir = draft.mains[0].dir.clone();
            let form = form.replace("./x", &format!("./{dir}"));
            draft.mains[0].written = match form.as_str() {
                "x" => dir,
                "x/" => format!("{dir}/"),
                _ => form.replace("../x", &format!("../{dir}")),
            };
        }
        _ => {}
    }
}

/// A directory that may stand for a module.
fn local(draft: &mut Draft, module: &str, place: &str, ways: &[Way], number: usize) {
    let path = format!("example.com/{module}");
    let dir = format!("{place}/{module}");
    let manifest = Manifest {
        path: path.clone(),
        go: "1.26".to_owned(),
        ..Manifest::default()
    };
    draft.modules.entry(dir.clone()).or_insert(manifest);
    draft
        .tree
        .write(join(&dir, "p.go"), source(module, &[], number));
    draft.tree.write(
        join(&dir, "deep/p.go"),
        source(&format!("{module}/deep"), &[], number + 1),
    );
    let quoted = |dir: String| {
        if dir.contains(' ') {
            format!("\"{dir}\"")
        } else {
            dir
        }
    };
    let other = if module == "a" {
        "example.com/b"
    } else {
        "example.com/a"
    };
    let other: Option<String> = draft
        .modules
        .iter()
        .find(|(_, m)| m.path == other)
        .map(|(dir, _)| dir.clone());
    for way in ways {
        match way {
            Way::Use => {
                draft.work().insert(format!("use {}", quoted(dotted(&dir))));
            }
            Way::WorkReplace(version) => {
                let line = format!("replace {path}{version} => {}", quoted(dotted(&dir)));
                draft.work().insert(line);
            }
            Way::Replace(version) => {
                let to = quoted(relative(&draft.root, &dir));
                let line = format!("replace {path}{version} => {to}");
                draft.app().lines.push(line);
            }
            Way::OtherReplace(version) => {
                if let Some(other) = &other {
                    let to = quoted(relative(other, &dir));
                    let line = format!("replace {path}{version} => {to}");
                    draft.modules.get_mut(other).unwrap().lines.push(line);
                }
            }
        }
    }
    let requires = &mut draft.app().requires;
    requires.entry(path).or_insert_with(|| "v1.0.0".to_owned());
}

/// `a` imports `b`, and a package of `b` imports one of `a`.
fn mutual(draft: &mut Draft, main: usize) {
    let of = |path: &str, draft: &Draft| -> Vec<String> {
        let found = draft.modules.iter().filter(|(_, m)| m.path == path);
        found.map(|(dir, _)| dir.clone()).collect()
    };
    let (a, b) = (of("example.com/a", draft), of("example.com/b", draft));
    for (from, to, module) in [(&a, &b, "b"), (&b, &a, "a")] {
        let Some(target) = to.first() else { return };
        let path = format!("example.com/{module}");
        for dir in from {
            let manifest = draft.modules.get_mut(dir).unwrap();
            manifest.requires.insert(path.clone(), "v1.0.0".to_owned());
            if !manifest.lines.iter().any(|line| line.contains(&path)) {
                let line = format!("replace {path} => {}", relative(dir, target));
                manifest.lines.push(line);
            }
        }
    }
    for dir in &a {
        draft
            .tree
            .write(join(dir, "m.go"), source("a", &["example.com/b"], 3000));
    }
    for dir in &b {
        let text = source("back", &["example.com/a/deep"], 3001);
        draft.tree.write(join(dir, "back/p.go"), text);
    }
    draft.import(main, "example.com/b/back");
    draft.import(main, "example.com/a");
}

fn embed(draft: &mut Draft, patterns: &str, main: usize, at: usize, number: usize) {
    let dir = format!("em{at}");
    let from = draft.at(&dir);
    let names = [
        "a.txt",
        "sub/b.txt",
        ".hid/c.txt",
        "_u/d.txt",
        "with blank/e.txt",
        "gr\u{fc}n.txt",
        "trail /f.txt",
        "[x].txt",
        "nested/x.txt",
        "sub/.h.txt",
        "sub/deep/_x/y.txt",
    ];
    let mut list = String::new();
    for name in names {
        draft
            .tree
            .write(join(&from, &format!("data/{name}")), format!("{number}"));
        list += &format!("\t\t\"data/{name}\",\n");
    }
    if patterns.contains("data/lin") {
        draft.tree.link(join(&from, "data/link.txt"), "a.txt");
    }
    draft
        .tree
        .write(join(&from, "data/nested/go.mod"), "module nested\n");
    let text = format!(
        "package p\n\nimport \"embed\"\n\n//go:embed {patterns}\nvar files embed.FS\n\nfunc init() {{\n\
         \tfor _, name := range []string{{\n{list}\t}} {{\n\t\ttext, _ := files.ReadFile(name)\n\
         \t\tprintln(\"{dir}\", name, string(text))\n\t}}\n}}\n"
    );
    draft.tree.write(join(&from, "p.go"), text);
    draft.import(main, format!("{APP}/{dir}"));
}

fn moved(draft: &mut Draft, path: String, to: String, hops: usize) {
    let n = draft.moves.len();
    let between = (1..hops)
        .map(|hop| draft.at(&format!("hops/{n}-{hop}")))
        .collect();
    draft.moves.push(Move { path, to, between });
}

/// A path of a feature's own: two of one kind do not meet.
fn with(path: &str, at: usize) -> String {
    match path.split_once('/') {
        Some((first, rest)) => format!("{first}/{at}/{rest}"),
        None => format!("{path}{at}"),
    }
}

/// `path` from a directory, without `..`.
fn normal(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| *part != ".").collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn one<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    *rng.pick(all)
}
