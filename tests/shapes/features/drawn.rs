//! Which features a seed has.

use super::more::more;
use super::{Feature, Way};
use crate::draft::Vendor;
use crate::rng::Rng;

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
    all.extend(more(seed));
    all
}

/// One of a list.
pub(super) fn one<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    *rng.pick(all)
}
