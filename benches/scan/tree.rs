//! A repository to measure with: always the same, of sizes and shapes that code has.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Packages; one in twenty is a main package.
pub(crate) const PACKAGES: usize = 2_000;
const FILES: usize = 50;
const MAIN_EVERY: usize = 20;
/// Packages that one imports.
const IMPORTS: usize = 8;

/// Writes the repository, unless it is there; the paths of its Go files.
pub(crate) fn generate(root: &Path) -> io::Result<Vec<PathBuf>> {
    let done = root.join("go.mod");
    let is_there = done.is_file();
    let mut paths = Vec::with_capacity(PACKAGES * FILES);
    for package in 0..PACKAGES {
        let dir = root.join(directory(package));
        if !is_there {
            fs::create_dir_all(&dir)?;
        }
        for file in 0..FILES {
            let path = dir.join(format!("file{file:02}.go"));
            if !is_there {
                fs::write(&path, text(package, file))?;
            }
            paths.push(path);
        }
    }
    if !is_there {
        fs::write(done, "module example.com/bench\n\ngo 1.26\n")?;
    }
    Ok(paths)
}

fn is_main(package: usize) -> bool {
    package.is_multiple_of(MAIN_EVERY)
}

fn directory(package: usize) -> String {
    if is_main(package) {
        format!("cmd/main{package:04}")
    } else {
        format!("internal/area{:02}/package{package:04}", package % 40)
    }
}

/// A file of some KiB: a licence, imports, code.
fn text(package: usize, file: usize) -> String {
    let mut out = String::from(
        "// Copyright the authors. All rights reserved.\n\
         // Use of this source code is governed by a licence that can be found in the\n\
         // LICENSE file at the root of the repository.\n\n",
    );
    let name = if is_main(package) { "main" } else { "lib" };
    let _ = write!(
        out,
        "package {name}\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"github.com/pkg/errors\"\n"
    );
    for import in 0..IMPORTS {
        // Packages import those with higher numbers, so there is no circle.
        let next = package + 1 + (package * 7 + import * import * 131 + file % 3) % 400;
        if next < PACKAGES && !is_main(next) {
            let _ = writeln!(out, "\t\"example.com/bench/{}\"", directory(next));
        }
    }
    out.push_str(")\n\n");
    let lines = 20 + (package * 31 + file * 17) % 150;
    for line in 0..lines {
        let _ = writeln!(
            out,
            "// F{file}x{line} does what its name says.\nfunc F{file}x{line}() string {{ return \"{line}\" }}\n"
        );
    }
    out
}
