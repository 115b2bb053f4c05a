//! A package that embeds files.

use crate::draft::{APP, Draft, join};

/// Adds it, with files that patterns match and files that they do not.
pub(super) fn embed(draft: &mut Draft, patterns: &str, main: usize, at: usize, number: usize) {
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
