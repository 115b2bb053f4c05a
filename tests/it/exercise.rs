//! One text through everything that reads specs; shared by the tests and the fuzz target.

use gofleet::diag::{self, Diagnostic};
use gofleet::plan::{self, Plan, Request, bake};
use gofleet::scan::{Directory, Index, Module};
use std::collections::BTreeMap;

/// Parses, plans and renders a text for several requests. Must never panic.
///
/// Returns whether the text is a spec without errors.
pub(crate) fn exercise(text: &str) -> bool {
    let targets = [
        None,
        Some("api"),
        Some("binaries"),
        Some("deps"),
        Some("test"),
    ];
    let mut good = false;
    for target in targets {
        good |= planned(text, target);
    }
    // `all` last: it uses every service and `defaults`.
    good | exercise_once(text)
}

/// Like [`exercise`], for one request alone.
pub(crate) fn exercise_once(text: &str) -> bool {
    let good = planned(text, Some("all"));
    let request = request(None);
    if let Ok(spec) = plan::read(text, &request)
        && let Ok((spec, _)) = plan::complete(spec, &index(), &request)
    {
        plan::plan_each(&spec, &request);
        plan::targets(&spec, &request);
        if let Ok(file) = bake::bake_file(&spec, &request, None) {
            assert!(file.to_hcl().contains("group \"default\""));
            assert!(file.to_json().contains("\"group\""));
        }
    }
    good
}

fn request(target: Option<&str>) -> Request {
    Request {
        target: target.map(Into::into),
        platforms: Vec::new(),
        native: buildkit_llb::Platform::new("linux", "amd64", ""),
        build_args: BTreeMap::from([
            ("A".to_owned(), "a'\"$ ${B}\\".to_owned()),
            ("EMPTY".to_owned(), String::new()),
        ]),
        file_name: "fleet.yaml".into(),
    }
}

/// Main packages in all kinds of directories.
fn index() -> Index {
    let mains = [
        ".",
        "_x/y",
        "api",
        "api/v2",
        "cmd/API",
        "cmd/a b",
        "cmd/api",
        "cmd/é",
        "cmd/test",
        "cmd/x.go",
        "svc/a...b",
        "testdata",
        "v2",
        "v2/v3",
        "web",
    ];
    let mut directories = mains.map(|dir| Directory {
        path: dir.to_owned(),
        mains: vec![String::new()],
        ..Directory::default()
    });
    directories.sort_by(|a, b| a.path.cmp(&b.path));
    Index {
        directories: directories.into(),
        modules: vec![Module {
            dir: ".".to_owned(),
            path: "v2".to_owned(),
            ..Module::default()
        }],
        mains: mains.map(str::to_owned).into(),
        ..Index::default()
    }
}

/// Everything from a text to a plan, with all that is said on the way.
pub(crate) fn plan_text(
    text: &str,
    request: &Request,
    index: &Index,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let completed = plan::read(text, request).and_then(|s| plan::complete(s, index, request));
    let (spec, mut diagnostics) = match completed {
        Ok(completed) => completed,
        Err(diagnostics) => return (None, diagnostics),
    };
    let plan = match plan::plan(&spec, request) {
        Ok(plan) => {
            diagnostics.extend(plan.warnings.iter().cloned());
            Some(plan)
        }
        Err(problems) => {
            diagnostics.extend(problems);
            None
        }
    };
    diag::tidy(&mut diagnostics);
    (plan, diagnostics)
}

fn planned(text: &str, target: Option<&str>) -> bool {
    let (plan, diagnostics) = plan_text(text, &request(target), &index());
    assert_eq!(plan.is_none(), diag::has_errors(&diagnostics));
    let rendered = diag::render_with_source(&diagnostics, "fleet.yaml", text);
    assert_eq!(rendered.is_empty(), diagnostics.is_empty());
    if let Some(plan) = &plan {
        assert!(plan.platforms.iter().all(|p| !p.services.is_empty()));
    }
    plan.is_some()
}
