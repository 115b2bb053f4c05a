//! What a feature adds to a draft, wherever things are.

use super::assembly::{assembly, linked_include};
use super::embed::embed;
use super::local::local;
use super::{Feature, moved, with};
use crate::draft::{APP, Draft, Vendor, join, source};
use crate::tree::Entry;

#[expect(clippy::too_many_lines, reason = "one arm for each feature")]
pub(super) fn apply(feature: &Feature, at: usize, draft: &mut Draft) {
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
            tagged(draft, constraint, *main, at, number);
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
            let to = linked.then(|| draft.at(&format!("linked/{at}.h")));
            let dir = format!("as{at}/p");
            assembly(draft, &dir, header, *behind, to, number);
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
        Feature::LinkedInclude { way, main } => {
            let import = linked_include(draft, *way, &format!("li{at}"), number);
            draft.import(*main, import);
        }
        Feature::MainUnder { constraint, main } => {
            draft.mains[*main].constraint = Some((*constraint).to_owned());
        }
        Feature::GoOfManifests {
            go,
            toolchain,
            work,
        } => {
            draft.pins_go = false;
            (*go).clone_into(&mut draft.app().go);
            if !toolchain.is_empty() {
                draft.app().lines.push(format!("toolchain {toolchain}"));
            }
            if !work.is_empty() {
                draft.work();
                (*work).clone_into(&mut draft.work_go);
            }
        }
        Feature::Env {
            name,
            value,
            constraint,
            whole,
            main,
        } => {
            for (other, service) in draft.mains.iter_mut().enumerate() {
                // Nothing is built of a spec with flags.
                if other == *main || *name == "GOFLAGS" {
                    service.env.insert(name, value);
                }
            }
            if *whole {
                draft.mains[*main].constraint = Some((*constraint).to_owned());
            } else {
                tagged(draft, constraint, *main, at, number);
            }
        }
        Feature::Below
        | Feature::NeededPipe { .. }
        | Feature::LinkedSettings { .. }
        | Feature::Mutual { .. }
        | Feature::LinkedManifest { .. }
        | Feature::LinkedModule { .. }
        | Feature::LinkedMain { .. }
        | Feature::Profile { .. }
        | Feature::Written(_) => {}
    }
}

/// A package with a file under a constraint, which imports another package.
fn tagged(draft: &mut Draft, constraint: &str, main: usize, at: usize, number: usize) {
    let dir = format!("tg{at}");
    let import = draft.package(&dir, number);
    let only = draft.package(&format!("{dir}/only"), number + 1);
    let text = source(&dir, &[&only], number + 2);
    let path = draft.at(&format!("{dir}/t.go"));
    draft
        .tree
        .write(path, format!("//go:build {constraint}\n\n{text}"));
    draft.import(main, import);
}
