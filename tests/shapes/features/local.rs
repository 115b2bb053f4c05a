//! Modules that stand in directories.

use super::Way;
use crate::draft::{Draft, Manifest, dotted, join, relative, source};

/// A directory that may stand for a module.
pub(super) fn local(draft: &mut Draft, module: &str, place: &str, ways: &[Way], number: usize) {
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
pub(super) fn mutual(draft: &mut Draft, main: usize) {
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
