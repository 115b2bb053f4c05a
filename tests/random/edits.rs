//! Random edits. Many leave a repository that does not build: then the closure must
//! not build either.

use crate::repository::{MAINS, Repository, name, parent, source};
use crate::rng::Rng;

const CONSTRAINTS: [&str; 6] = [
    "linux",
    "windows",
    "!linux",
    "extra",
    "!extra && unix",
    "go1.30",
];

/// Makes an edit, and says which.
pub(crate) fn edit(repository: &mut Repository, rng: &mut Rng) -> String {
    loop {
        let done = match rng.below(20) {
            0..=3 => body(repository, rng),
            4..=6 => add_import(repository, rng),
            7 => remove_import(repository, rng),
            8..=9 => constraint(repository, rng),
            10..=11 => add_embed(repository, rng),
            12 => embedded_file(repository, rng),
            13 => add_file(repository, rng),
            14 => rename_file(repository, rng),
            15 => delete_file(repository, rng),
            16 => move_directory(repository, rng),
            17 => add_package(repository, rng),
            18 => manifest(repository, rng),
            _ => what_nothing_reads(repository, rng),
        };
        if let Some(edit) = done {
            return edit;
        }
    }
}

fn body(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let text = &repository.files[&file];
    let at = text.find("println(")?;
    let end = text[at..].find(')')? + at;
    let text = format!("{}println({}{}", &text[..at], rng.next(), &text[end..]);
    repository.write(&file, text);
    Some(format!("new body of {file}"))
}

fn add_import(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let dir = rng.pick(&repository.packages()).clone();
    if dir.starts_with("vendor/") || MAINS.iter().any(|(main, _)| *main == dir) {
        return None;
    }
    let path = repository.import_path(&dir);
    let text = behind_package(&repository.files[&file], &format!("import _ \"{path}\"\n"))?;
    repository.write(&file, text);
    Some(format!("{file} imports {path}"))
}

fn remove_import(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let text = &repository.files[&file];
    let line = text
        .lines()
        .find(|line| line.starts_with("import _ \"example"))?
        .to_owned();
    let text = text.replacen(&format!("{line}\n"), "", 1);
    repository.write(&file, text);
    Some(format!("{file} without {line}"))
}

fn constraint(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let text = &repository.files[&file];
    let rest = match text.strip_prefix("//go:build ") {
        Some(rest) => rest.split_once("\n\n")?.1.to_owned(),
        None => text.clone(),
    };
    if rest != *text && rng.one_in(2) {
        repository.write(&file, rest);
        return Some(format!("{file} without constraint"));
    }
    let constraint = *rng.pick(&CONSTRAINTS);
    repository.write(&file, format!("//go:build {constraint}\n\n{rest}"));
    Some(format!("{file} for {constraint}"))
}

fn add_embed(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let text = &repository.files[&file];
    if text.contains("go:embed") {
        return None;
    }
    let pattern = *rng.pick(&["data/t.txt", "data/*.txt", "data/?.txt", "data/[a-t].txt"]);
    let mut text = behind_package(text, "import _ \"embed\"\n")?;
    let variable = format!("e{}", rng.next());
    text.push_str(&format!(
        "\n//go:embed {pattern}\nvar {variable} string\n\nfunc init() {{ println({variable}) }}\n"
    ));
    repository.write(&file, text);
    let data = format!("{}/data/t.txt", parent(&file));
    repository
        .files
        .entry(data)
        .or_insert_with(|| "new".to_owned());
    Some(format!("{file} embeds {pattern}"))
}

fn embedded_file(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let texts = repository
        .files
        .keys()
        .filter(|path| path.ends_with(".txt"));
    let texts: Vec<String> = texts
        .filter(|path| !path.starts_with("vendor/"))
        .cloned()
        .collect();
    if texts.is_empty() {
        return None;
    }
    let file = rng.pick(&texts).clone();
    match rng.below(4) {
        0 => {
            repository.files.remove(&file);
            Some(format!("{file} is gone"))
        }
        1 => {
            let other = format!("{}/u.txt", parent(&file));
            repository.write(&other, "second");
            Some(format!("{other} is new"))
        }
        _ => {
            repository.write(&file, format!("{}", rng.next()));
            Some(format!("new text of {file}"))
        }
    }
}

fn add_file(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let dir = rng.pick(&repository.packages()).clone();
    let names = [
        "n.go",
        "n_linux.go",
        "n_arm64.go",
        "n_extra.go",
        "_n.go",
        "n_test.go",
    ];
    let file = format!("{dir}/{}", rng.pick(&names));
    if repository.files.contains_key(&file) {
        return None;
    }
    let text = source(&dir, &[], rng).replace("\nfunc main() {}\n", "");
    repository.write(&file, text);
    Some(format!("{file} is new"))
}

fn rename_file(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let names = [
        "r.go",
        "r_windows.go",
        "r_linux_amd64.go",
        "_r.go",
        ".r.go",
        "r_test.go",
        "r.txt",
    ];
    // In another package its package clause is wrong; tests are not there to be wrong.
    let dir = match rng.one_in(4) && !file.ends_with("_test.go") {
        true => rng.pick(&repository.packages()).clone(),
        false => parent(&file).to_owned(),
    };
    let new = format!("{dir}/{}", rng.pick(&names));
    if repository.files.contains_key(&new) || (dir != parent(&file) && new.ends_with("_test.go")) {
        return None;
    }
    let text = repository.files.remove(&file)?;
    repository.write(&new, text);
    Some(format!("{file} is now {new}"))
}

fn delete_file(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let file = rng.pick(&repository.go_files()).clone();
    let of_main = MAINS
        .iter()
        .any(|(main, _)| file == format!("{main}/main.go"));
    if of_main {
        return None;
    }
    repository.files.remove(&file);
    Some(format!("{file} is gone"))
}

fn move_directory(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let from = rng.pick(&repository.packages()).clone();
    if from.starts_with("vendor/") || from.starts_with("cmd/") || from.starts_with("tools/") {
        return None;
    }
    let to = format!("moved{}/{}", rng.below(3), name(&from));
    let inside = format!("{from}/");
    let files = repository
        .files
        .keys()
        .filter(|path| path.starts_with(&inside));
    let files: Vec<String> = files.cloned().collect();
    for file in files {
        if let Some(text) = repository.files.remove(&file) {
            repository.write(&format!("{to}/{}", &file[inside.len()..]), text);
        }
    }
    // Sometimes the imports move along.
    if rng.one_in(2) {
        let (old, new) = (repository.import_path(&from), repository.import_path(&to));
        for text in repository.files.values_mut() {
            *text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
        }
    }
    Some(format!("{from} is now {to}"))
}

fn add_package(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let above = rng.pick(&repository.packages()).clone();
    let dir = format!(
        "{above}/{}",
        rng.pick(&["new", "internal/new", "testdata", "_new"])
    );
    let file = format!("{dir}/a.go");
    if repository.files.contains_key(&file) || above.starts_with("vendor/") {
        return None;
    }
    let text = source(&dir, &[], rng);
    repository.write(&file, text);
    Some(format!("{file} is new"))
}

fn manifest(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let all = ["go.mod", "mod/x/go.mod", "go.work", "vendor/modules.txt"];
    let there = all
        .into_iter()
        .filter(|path| repository.files.contains_key(*path));
    let file = *rng.pick(&there.collect::<Vec<_>>());
    let text = repository.files[file].clone();
    match rng.below(6) {
        0 => repository.write(file, format!("{text}\n// {}\n", rng.next())),
        1 if text.contains("go 1.26\n") => {
            repository.write(file, text.replace("go 1.26\n", "go 1.25\n"));
        }
        2 if text.contains("go 1.25\n") => {
            repository.write(file, text.replace("go 1.25\n", "go 1.26\n"));
        }
        3 => {
            // A module of its own: its packages leave the one around it.
            let dir = rng.pick(&repository.packages()).clone();
            if dir.starts_with("vendor/") {
                return None;
            }
            let new = format!("{dir}/go.mod");
            if repository.files.remove(&new).is_none() {
                repository.write(&new, "module example.com/n\n\ngo 1.26\n");
            }
            return Some(format!("{new} comes or goes"));
        }
        4 if rng.one_in(3) => {
            repository.files.remove(file);
            return Some(format!("{file} is gone"));
        }
        5 if text.contains("\nreplace ") => {
            let lines = text.lines().filter(|line| !line.starts_with("replace "));
            let text = lines.collect::<Vec<_>>().join("\n") + "\n";
            repository.write(file, text);
        }
        _ => return None,
    }
    Some(format!("new text of {file}"))
}

fn what_nothing_reads(repository: &mut Repository, rng: &mut Rng) -> Option<String> {
    let dir = rng.pick(&repository.packages()).clone();
    let file = format!(
        "{dir}/{}",
        rng.pick(&["README.md", "x.proto", "data/unused.json"])
    );
    let text = format!("{}", rng.next());
    repository.write(&file, text);
    Some(format!("new text of {file}"))
}

/// A text with lines behind its package clause.
fn behind_package(text: &str, lines: &str) -> Option<String> {
    let at = text.find("package ")?;
    let end = text[at..].find('\n')? + at + 1;
    Some(format!("{}\n{lines}{}", &text[..end], &text[end..]))
}
