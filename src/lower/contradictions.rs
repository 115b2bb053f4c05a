//! What is wrong between the manifests of a module root: then Go builds none of its packages.
//!
//! In: a module root and the index. Out: diagnostics by file.

use std::collections::BTreeMap;

use super::{ByFile, members};
use crate::closure::ModuleRoot;
use crate::diag::{Diagnostic, Rule, Span};
use crate::scan::{
    Contradiction, Index, Module, Replace, Require, Unsummed, Unvendored, With, Workspace, join,
    resolve,
};

/// What is wrong with the manifests of a module root, if anything is.
pub(super) fn of_manifests(root: &ModuleRoot, index: &Index) -> ByFile {
    let mut out = ByFile::new();
    if root.workspace {
        if let Some(workspace) = index.workspace_of(&root.dir) {
            of_workspace(workspace, index, &mut out);
        }
    } else if let Some(module) = index.module_at(&root.dir) {
        let file = join(&module.dir, "go.mod");
        conflicts(&[(file, &module.replaces)], &mut out);
        vendoring(&module.unvendored, "go mod vendor", &mut out);
    }
    out
}

fn of_workspace(workspace: &Workspace, index: &Index, out: &mut ByFile) {
    let file = join(&workspace.dir, "go.work");
    for (dir, line) in &workspace.lost {
        let problem = match resolve(&workspace.dir, dir) {
            Some(_) => no_member(dir),
            None => outside(dir),
        };
        add(out, &file, *line, problem);
    }
    members::problems(workspace, index, &mut |line, problem| {
        add(out, &file, line, problem);
    });
    let members: BTreeMap<String, &Module> = workspace
        .uses
        .iter()
        .filter_map(|dir| index.module_at(&index.place(dir).path))
        .map(|module| (join(&module.dir, "go.mod"), module))
        .collect();
    let is_decided = |replace: &&Replace| {
        let mut lines = workspace.replaces.iter();
        lines.any(|line| line.path == replace.path)
    };
    let undecided: Vec<(String, Vec<Replace>)> = members
        .into_iter()
        .map(|(file, module)| {
            let lines = module.replaces.iter().filter(|r| !is_decided(r));
            (file, lines.cloned().collect())
        })
        .collect();
    let mut files = vec![(file, workspace.replaces.as_slice())];
    let undecided = undecided.iter();
    files.extend(undecided.map(|(file, lines)| (file.clone(), lines.as_slice())));
    conflicts(&files, out);
    vendoring(&workspace.unvendored, "go work vendor", out);
    for (file, unsummed) in &workspace.unsummed {
        add(out, file, unsummed.line, no_sum(unsummed));
    }
}

fn add(out: &mut ByFile, file: &str, line: u32, diagnostic: Diagnostic) {
    let diagnostic = diagnostic.at(Span::at(line, 1));
    out.entry(file.to_owned()).or_default().push(diagnostic);
}

/// One module at one version, or at all, that lines replace by different things (modload,
/// `makeMainModules` and `toReplaceMap` of Go 1.26).
fn conflicts<L: AsRef<[Replace]>>(files: &[(String, L)], out: &mut ByFile) {
    let mut first: BTreeMap<(&str, &str), (&str, &Replace)> = BTreeMap::new();
    for (file, lines) in files {
        let mut lines: Vec<&Replace> = lines.as_ref().iter().collect();
        lines.sort_by_key(|line| line.line);
        for line in lines {
            let key = (line.path.as_str(), line.version.as_str());
            let (known_file, known) = *first.entry(key).or_insert((file, line));
            let same = (&known.with, &known.with_version) == (&line.with, &line.with_version);
            // Which directories these are nobody knows here.
            let is_far = |line: &Replace| matches!(line.with, With::Outside(_));
            if same || (is_far(known) && is_far(line)) {
                continue;
            }
            let message = format!(
                "`{}` is replaced by `{}` here and by `{}` at {known_file}:{}, and Go takes but one",
                module(&line.path, &line.version),
                with(line),
                with(known),
                known.line
            );
            let hint = "write the same in both lines, or a `replace` of this module in `go.work`, which \
                        goes before both";
            let problem = Diagnostic::new(Rule::ConflictingReplaces, message).hint(hint);
            add(out, file, line.line, problem);
        }
    }
}

fn module(path: &str, version: &str) -> String {
    match version {
        "" => path.to_owned(),
        version => format!("{path} {version}"),
    }
}

fn with(line: &Replace) -> String {
    match &line.with {
        With::Dir(dir) | With::Outside(dir) => dir.clone(),
        With::Module(path) => module(path, &line.with_version),
    }
}

fn vendoring(problems: &[Unvendored], command: &str, out: &mut ByFile) {
    for problem in problems {
        let message = contradiction(&problem.module, &problem.what);
        let diagnostic = Diagnostic::new(
            Rule::NotVendored,
            format!("{message}, and Go builds nothing before it is the same in both"),
        )
        .hint(format!("run `{command}` and commit `vendor`"));
        add(out, &problem.file, problem.line, diagnostic);
    }
}

fn contradiction(Require { path, version }: &Require, what: &Contradiction) -> String {
    let module = module(path, version);
    match what {
        Contradiction::NotListed => {
            format!("`{module}` is required here and not in `vendor/modules.txt`")
        }
        Contradiction::NotRequired => {
            format!("`{module}` is vendored, and no `go.mod` requires it")
        }
        Contradiction::NotListedReplaced(with) => {
            format!("`{module}` is replaced by `{with}`, and not in `vendor/modules.txt`")
        }
        Contradiction::NotReplaced(with) => {
            format!("`{module}` is vendored as `{with}`, and nothing replaces it")
        }
        Contradiction::OtherReplacement(with, listed) => {
            format!("`{module}` is replaced by `{with}`, and by `{listed}` in `vendor/modules.txt`")
        }
    }
}

fn no_sum(unsummed: &Unsummed) -> Diagnostic {
    let module = module(&unsummed.module.path, &unsummed.module.version);
    Diagnostic::new(
        Rule::MissingSum,
        format!(
            "`go.work.sum` has no line of `{module}/go.mod`, and Go reads what every module of a \
             workspace requires"
        ),
    )
    .hint(
        "run `go build` in the workspace and commit `go.work.sum`, or `go mod tidy` in the module and \
         commit its `go.sum`; a build adds nothing to them",
    )
}

fn no_member(dir: &str) -> Diagnostic {
    Diagnostic::new(
        Rule::NoSuchModule,
        format!("there is no `go.mod` in `{dir}`, and Go reads every module of a workspace"),
    )
    .hint("is it misspelled, in no commit, or hidden by the ignore file?")
}

fn outside(dir: &str) -> Diagnostic {
    Diagnostic::new(
        Rule::OutsideContext,
        format!("`{dir}` is outside of the context, and Go reads every module of a workspace"),
    )
    .hint(
        "build with a directory above as the context, or leave the line out of the `go.work` that \
         is built",
    )
}
