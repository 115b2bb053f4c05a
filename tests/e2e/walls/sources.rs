//! Everything that a repository might hold, besides its spec, to have a program run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::ground::{EVIL, ground};
use crate::support::go_flags::table;
use crate::support::repo::Repo;

/// Names under which a build looks for programs.
const PROGRAMS: [&str; 12] = [
    "go",
    "gcc",
    "cc",
    "git",
    "ssh",
    "ld",
    "ar",
    "compile",
    "link",
    "asm",
    "gofleet",
    "pkg-config",
];

/// Where it might look for them.
const PLACES: [&str; 5] = [
    "",
    "bin/",
    "cmd/api/",
    "usr/local/go/bin/",
    "pkg/tool/linux_amd64/",
];

/// Files that do nothing in a build.
const IGNORED: [(&str, &str); 13] = [
    ("cmd/api/evil.c", "int x;\n"),
    ("cmd/api/evil.swig", "%module x\n"),
    ("go.env", GO_ENV),
    ("cmd/api/go.env", GO_ENV),
    (".config/go/env", GO_ENV),
    ("root/.config/go/env", GO_ENV),
    (
        "cmd/api/generate.go",
        "package main\n\n//go:generate ./go\n//go:generate -command x sh\n//go:generate x -c ./go\n",
    ),
    // Files of cgo are none of a build without.
    (
        "cmd/api/cgo.go",
        "package main\n\n// #cgo CFLAGS: -fplugin=./x.so\n// #cgo LDFLAGS: -fuse-ld=./ld\n// #cgo pkg-config: x\nimport \"C\"\n",
    ),
    // Go makes files of this name, and reads none.
    (
        "cmd/api/_cgo_gotypes.go",
        "package main\n\n//go:cgo_ldflag \"-fuse-ld=./ld\"\n",
    ),
    // Something that the program asks for where it runs.
    (
        "cmd/api/dynamic.go",
        "package main\n\n//go:cgo_import_dynamic _ _ \"./x.so\"\n",
    ),
    (".git/config", GIT_CONFIG),
    (".gitattributes", "* filter=evil diff=evil\n"),
    (".netrc", "machine git.example login x password y\n"),
];

const GO_ENV: &str =
    "GOFLAGS=-toolexec=/src/go\nGOCACHEPROG=/src/go\nCC=/src/cc\nGOTOOLCHAIN=path\nGOROOT=/src\n";

const GIT_CONFIG: &str = "[core]\n\tfsmonitor = ./git\n\tsshCommand = ./ssh\n\thooksPath = .\n\tpager = ./git\n[filter \"evil\"]\n\tsmudge = ./git\n\tclean = ./git\n\tprocess = ./git\n[url \"ext::./git \"]\n\tinsteadOf = https://\n[credential]\n\thelper = ./git\n[include]\n\tpath = ../.gitconfig\n";

/// A file of a service, and what is said of it.
const REFUSED: [(&str, &str, &str); 5] = [
    // A name that is no release.
    (
        "toolchain/go.mod",
        "module example.com/toolchain\n\ngo 1.26\n\ntoolchain go1.26.0/../../../src/go\n",
        "updates to go.mod needed",
    ),
    // Two bytes make Go link with the linker of C, which the builder does not have.
    (
        "blob/blob.syso",
        "x\n",
        "\"gcc\": executable file not found in $PATH",
    ),
    (
        "ldflag/ldflag.go",
        "package main\n\n//go:cgo_ldflag \"-fuse-ld=./ld\"\n",
        "ldflag/ldflag.go:3:3: //go:cgo_ldflag \"-fuse-ld=./ld\" only allowed in cgo-generated code",
    ),
    (
        "renamed/renamed.go",
        "package main\n\n//line _cgo_gotypes.go:3\n//go:cgo_ldflag \"-fuse-ld=./ld\"\n",
        "_cgo_gotypes.go:3: //go:cgo_ldflag \"-fuse-ld=./ld\" only allowed in cgo-generated code",
    ),
    (
        "debug/debug.go",
        "//go:debug toolexec=./go\npackage main\n",
        "unknown //go:debug setting \"toolexec\"",
    ),
];

#[test]
#[ignore = "needs the engine: cargo xtask test"]
fn no_file_of_a_repository_becomes_a_command() {
    let (ground, repo) = (ground(), ignored());
    let known = table("Variables").into_iter();
    // A build arg of such a name is no variable of a step.
    let build = known
        .filter(|(_, fate)| fate == "refused")
        .fold(ground.build(&repo), |build, (name, _)| {
            build.build_arg(&name, "/src/go")
        });
    let said = build.plain();
    said.never_says(["OWNED", "ERROR"]);

    let said = ground.build(&refused()).fails();
    said.never_says(["OWNED"]);
    said.says(REFUSED.map(|(_, _, says)| says));
    ground.assert_untouched();
}

/// A repository with programs, and files that name them.
fn ignored() -> Repo {
    let repo = Repo::with_requirement();
    repo.requiring_program("cmd/api");
    programs(&repo);
    // So they are there when the package is built.
    let names = PROGRAMS.join(" ");
    repo.write(
        "cmd/api/programs.go",
        &format!("package main\n\nimport \"embed\"\n\n//go:embed {names}\nvar programs embed.FS\n\nvar _ = programs\n"),
    );
    for (path, text) in IGNORED {
        repo.write(path, text);
    }
    for (path, text) in VENDORED {
        repo.write(path, text);
    }
    repo.spec("services:\n  api: ./cmd/api\n  vendored: ./vendored\n");
    repo
}

/// Tools are dependencies as well.
const VENDORED: [(&str, &str); 6] = [
    (
        "vendored/go.mod",
        "module example.com/vendored\n\ngo 1.26\n\ntool example.com/lib/tool\n\nrequire example.com/lib v1.0.0\n",
    ),
    (
        "vendored/main.go",
        "package main\n\nimport \"example.com/lib\"\n\nfunc main() { lib.Run() }\n",
    ),
    (
        "vendored/vendor/modules.txt",
        "# example.com/lib v1.0.0\n## explicit; go 1.26\nexample.com/lib\nexample.com/lib/tool\n",
    ),
    (
        "vendored/vendor/example.com/lib/lib.go",
        "package lib\n\n//go:generate ./tool/tool\n\n// Run does nothing.\nfunc Run() {}\n",
    ),
    (
        "vendored/vendor/example.com/lib/tool/main.go",
        "package main\n\nfunc main() {}\n",
    ),
    ("vendored/vendor/example.com/lib/tool/tool", EVIL),
];

fn refused() -> Repo {
    let repo = Repo::new();
    programs(&repo);
    let mut spec = "services:\n".to_owned();
    for (path, text, _) in REFUSED {
        let (dir, _) = path.split_once('/').unwrap();
        repo.program(dir).write(path, text);
        spec += &format!("  {dir}: ./{dir}\n");
    }
    repo.spec(&spec);
    repo
}

fn programs(repo: &Repo) {
    for path in PLACES
        .iter()
        .flat_map(|place| PROGRAMS.map(|name| format!("{place}{name}")))
    {
        repo.write(&path, EVIL);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(repo.path().join(path), mode).unwrap();
    }
}
