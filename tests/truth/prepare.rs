//! From the list of repositories to a directory: zips from the module proxy,
//! unpacked by the `go` command, copied to a place where they can be changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::modules::{Repo, Shape};
use crate::{Result, fail};

/// The `go` command with nothing of the machine's settings that changes a build.
pub(crate) fn go(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("go");
    command
        .args(args)
        .current_dir(dir)
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env_remove("GOWORK")
        .env_remove("GOOS")
        .env_remove("GOARCH");
    command
}

/// Runs a command; its standard output.
pub(crate) fn output(mut command: Command) -> Result<Vec<u8>> {
    let out = command.output()?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let text = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(8)..];
    fail(format!("{command:?}: {}", last.join("\n")))
}

/// Puts a repository together in `root`.
pub(crate) fn prepare(repo: &Repo, root: &Path) -> Result<()> {
    place(repo.module, root)?;
    let mut modules = vec![".".to_owned()];
    for (dir, module) in repo.nested {
        let all = expanded(dir, module, root)?;
        for (at, module) in &all {
            match place(module, &root.join(at)) {
                Ok(()) => modules.push(at.clone()),
                // The proxy does not have every one, and not every one is imported.
                Err(_) if dir.ends_with('*') => forget(at, root)?,
                Err(error) => return Err(error),
            }
        }
        let all: Vec<_> = all
            .into_iter()
            .filter(|(at, _)| modules.contains(at))
            .collect();
        if dir.ends_with('*') {
            unpublish(&all, root)?;
        }
    }
    if repo.nested.is_empty() {
        // It uses modules that are not in the zip.
        let _ = fs::remove_file(root.join("go.work"));
    }
    if matches!(repo.shape, Shape::VendorMod | Shape::VendorModVendored) {
        fs::rename(root.join("vendor.mod"), root.join("go.mod"))?;
        fs::rename(root.join("vendor.sum"), root.join("go.sum"))?;
    }
    if repo.shape == Shape::Workspace {
        let mut args = vec!["work", "init"];
        args.extend(modules.iter().map(String::as_str));
        output(go(root, &args))?;
    }
    complete_sums(root, &modules)?;
    if matches!(repo.shape, Shape::Vendored | Shape::VendorModVendored) {
        output(go(root, &["mod", "vendor"]))?;
    }
    Ok(())
}

/// Sums that a zip's `go.sum` lacks, since its modules are used in a way that the
/// zip does not know. What cannot be loaded is no matter here.
fn complete_sums(root: &Path, modules: &[String]) -> Result<()> {
    let workspace = root.join("go.work").is_file();
    for dir in modules {
        let mut args = vec!["list", "-e", "-deps", "./..."];
        if modules.len() > 1 && !workspace {
            args.insert(2, "-mod=mod");
        }
        output(go(&root.join(dir), &args))?;
    }
    Ok(())
}

/// All modules that a pattern stands for.
fn expanded(dir: &str, module: &str, root: &Path) -> Result<Vec<(String, String)>> {
    let Some(below) = dir.strip_suffix("/*") else {
        return Ok(vec![(dir.to_owned(), module.to_owned())]);
    };
    let text = fs::read_to_string(root.join("go.mod"))?;
    let prefix = format!("=> ./{below}/");
    let names = text
        .lines()
        .filter_map(|line| Some(line.split_once(&prefix)?.1.trim()));
    Ok(names
        .map(|name| (format!("{below}/{name}"), module.replace('*', name)))
        .collect())
}

/// Modules of one repository name each other by `v0.0.0` there; what publishes them
/// writes their versions in.
fn unpublish(modules: &[(String, String)], root: &Path) -> Result<()> {
    for (dir, _) in modules {
        let file = root.join(dir).join("go.mod");
        let mut text = fs::read_to_string(&file)?;
        for (_, module) in modules {
            if let Some((path, version)) = module.split_once('@') {
                text = text.replace(&format!("{path} {version}"), &format!("{path} v0.0.0"));
            }
        }
        fs::write(file, text)?;
    }
    Ok(())
}

/// Removes the lines about a module's directory.
fn forget(dir: &str, root: &Path) -> Result<()> {
    for file in ["go.mod", "go.work"] {
        let path = root.join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let name = dir.trim_start_matches("staging/src/");
        let kept = text
            .lines()
            .filter(|line| !line.contains(&format!("{name} ")));
        let kept = kept.filter(|line| !line.trim_end().ends_with(dir));
        fs::write(&path, kept.collect::<Vec<_>>().join("\n") + "\n")?;
    }
    Ok(())
}

/// Downloads a module and copies it.
fn place(module: &str, to: &Path) -> Result<()> {
    let json = output(go(
        &std::env::temp_dir(),
        &["mod", "download", "-json", module],
    ))?;
    let json: serde_json::Value = serde_json::from_slice(&json)?;
    let Some(dir) = json["Dir"].as_str() else {
        return fail(format!("no directory for {module}"));
    };
    copy(Path::new(dir), to)
}

/// Copies a tree; the module cache is read-only, the copy is not.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut pending = vec![PathBuf::new()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(from.join(&dir))? {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                // A zip has `vendor/modules.txt` without the packages.
                if entry.file_name() == "vendor" && dir.as_os_str().is_empty() {
                    continue;
                }
                fs::create_dir_all(to.join(&path))?;
                pending.push(path);
            } else {
                fs::write(to.join(&path), fs::read(entry.path())?)?;
            }
        }
    }
    Ok(())
}

/// Copies the files of a closure.
pub(crate) fn copy_files<'a>(
    root: &Path,
    files: impl IntoIterator<Item = &'a String>,
    to: &Path,
) -> Result<()> {
    for file in files {
        let target = to.join(file);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir)?;
        }
        let from = root.join(file);
        if fs::symlink_metadata(&from)?.file_type().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&from)?, target)?;
        } else {
            fs::copy(from, target)?;
        }
    }
    Ok(())
}
