//! Packages compiled into a build cache, and from there into a layer.
//!
//! Several steps compile into one build cache, one at a time: what they have in common is
//! compiled by the first, and Go finds it there for the others. Go decides what is equal, by
//! its own keys. Each step takes into its layer what it asked for, and nothing that only others
//! have.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::COMPILED_DIR;
use super::unpack::copy_compiled;
use crate::fetch::{Go, GoError};
use crate::hex::hex;

/// As [`crate::share::COMPILE`], and prints what compiled packages are called.
const COMPILE: [&str; 6] = ["list", "-e", "-export", "-deps", "-f", "{{.BuildID}}"];

/// What was compiled, and what was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Packages that were compiled now.
    pub now: usize,
    /// Packages that somebody had compiled before.
    pub before: usize,
}

/// Compiles packages of the working directory into a build cache, and adds to a layer what it
/// lacks of them. `words` are the flags and import paths. What does not compile is left out.
///
/// # Errors
///
/// The `go` command fails, or files cannot be read or written.
pub fn compile(
    words: &[&str],
    layer: &Path,
    cache: &Path,
    go: &dyn Go,
) -> Result<Compiled, GoError> {
    let layer = layer.join(COMPILED_DIR);
    copy_compiled(&layer, cache)?;
    let began = SystemTime::now();
    let args = [&COMPILE, words].concat();
    let names = go.run(Path::new("."), &args)?;
    let names = String::from_utf8_lossy(&names);
    let mut compiled = Compiled::default();
    for name in names.lines() {
        let Some(object) = Object::find(name, cache)? else {
            continue;
        };
        if object.time >= began {
            compiled.now += 1;
        } else if !object.is_in(&layer) {
            compiled.before += 1;
        }
        object.copy(cache, &layer)?;
    }
    Ok(compiled)
}

/// A compiled package in a build cache: a file that names another one.
#[derive(Debug)]
struct Object {
    /// The file whose name says what the package is made of.
    action: PathBuf,
    /// The file with the package.
    output: PathBuf,
    /// When it was compiled.
    time: SystemTime,
}

impl Object {
    /// The object of a package whose build id is this; `None` where it is not whole.
    ///
    /// The first part of a build id is the beginning of the name of the first file, 15 bytes
    /// in base64 (Go 1.26, `cmd/internal/buildid`, `HashToString`).
    fn find(build_id: &str, cache: &Path) -> io::Result<Option<Self>> {
        let action = build_id.split('/').next().unwrap_or_default();
        let Ok(action) = URL_SAFE_NO_PAD.decode(action) else {
            return Ok(None);
        };
        let start = hex(&action);
        let Some(dir) = start.get(..2) else {
            return Ok(None);
        };
        for entry in fs::read_dir(cache.join(dir))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&start) && name.ends_with("-a") {
                return Self::read(Path::new(dir).join(name), cache);
            }
        }
        Ok(None)
    }

    /// `v1 ACTION OUTPUT SIZE NANOSECONDS` (Go 1.26, `cmd/go/internal/cache`, `DiskCache.get`).
    fn read(action: PathBuf, cache: &Path) -> io::Result<Option<Self>> {
        let text = fs::read_to_string(cache.join(&action))?;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let ["v1", _, output, size, time] = words[..] else {
            return Ok(None);
        };
        let (size, time) = (size.parse::<u64>(), time.parse());
        let (Some(dir), Ok(size), Ok(time)) = (output.get(..2), size, time) else {
            return Ok(None);
        };
        let output = Path::new(dir).join(format!("{output}-d"));
        // Go takes it for missing, too.
        let whole = fs::metadata(cache.join(&output)).is_ok_and(|file| file.len() == size);
        Ok(whole.then(|| Self {
            action,
            output,
            time: UNIX_EPOCH + Duration::from_nanos(time),
        }))
    }

    fn is_in(&self, layer: &Path) -> bool {
        layer.join(&self.action).exists()
    }

    fn copy(&self, cache: &Path, layer: &Path) -> io::Result<()> {
        for file in [&self.output, &self.action] {
            let dest = layer.join(file);
            if !dest.exists() {
                fs::create_dir_all(dest.parent().unwrap_or(layer))?;
                fs::copy(cache.join(file), dest)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Compiles packages whose names are bytes into a build cache, unless they are there.
    struct Fake(PathBuf);

    impl Fake {
        fn action(package: &str) -> String {
            package.repeat(16)
        }

        fn files(package: &str) -> [String; 2] {
            let action = Self::action(package);
            [format!("{package}/{action}-a"), format!("ff/ff{package}-d")]
        }
    }

    impl Go for Fake {
        fn run(&self, _: &Path, args: &[&str]) -> Result<Vec<u8>, GoError> {
            let packages = args.iter().skip_while(|arg| **arg != "--").skip(1);
            let mut said = String::new();
            for package in packages {
                let files = Self::files(package);
                let [action, output] = files.each_ref().map(|file| self.0.join(file));
                let byte = u8::from_str_radix(package, 16).unwrap();
                let start = URL_SAFE_NO_PAD.encode([byte; 15]);
                said += &format!("{start}/content\n");
                if !action.exists() {
                    for file in [&action, &output] {
                        fs::create_dir_all(file.parent().unwrap())?;
                    }
                    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                    let time = since.as_nanos();
                    let id = Self::action(package);
                    fs::write(
                        action,
                        format!("v1 {id} ff{package} {:>20} {time:>20}\n", 7),
                    )?;
                    fs::write(output, "package")?;
                }
            }
            // What did not compile.
            said += "\n";
            Ok(said.into_bytes())
        }
    }

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn each_layer_has_its_own_packages_and_each_is_compiled_once() {
        let (cache, first, second) = (dir(), dir(), dir());
        let go = Fake(cache.path().to_owned());
        let run = |layer: &tempfile::TempDir, packages: &[&str]| {
            let words = [&["-trimpath", "--"], packages].concat();
            let found = compile(&words, layer.path(), cache.path(), &go).unwrap();
            (found.now, found.before)
        };
        let has = |layer: &tempfile::TempDir, package: &str| {
            let layer = layer.path().join(COMPILED_DIR);
            Fake::files(package).map(|file| layer.join(file).exists())
        };
        assert_eq!(run(&first, &["0a", "0b"]), (2, 0));
        assert_eq!(run(&second, &["0b", "0c"]), (1, 1));
        assert_eq!(has(&first, "0b"), [true; 2]);
        assert_eq!(has(&second, "0b"), [true; 2]);
        assert_eq!(has(&second, "0c"), [true; 2]);
        assert_eq!(
            (has(&first, "0c"), has(&second, "0a")),
            ([false; 2], [false; 2])
        );
        // What is in the layer already is not compiled, on an empty cache neither.
        let cache = dir();
        let go = Fake(cache.path().to_owned());
        let words = ["--", "0b", "0c", "0d"];
        let found = compile(&words, second.path(), cache.path(), &go).unwrap();
        assert_eq!(found, Compiled { now: 1, before: 0 });
    }

    #[test]
    fn what_is_not_whole_is_in_no_layer() {
        let (cache, layer) = (dir(), dir());
        let go = Fake(cache.path().to_owned());
        let other = dir();
        compile(&["--", "0a"], other.path(), cache.path(), &go).unwrap();
        let [_, output] = Fake::files("0a");
        fs::write(cache.path().join(output), "pack").unwrap();
        let found = compile(&["--", "0a"], layer.path(), cache.path(), &go).unwrap();
        assert_eq!(found, Compiled::default());
        assert!(!layer.path().join(COMPILED_DIR).exists());
    }
}
