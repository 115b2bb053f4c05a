//! One text through everything that reads specs; shared by the tests and the fuzz target.

use gofleet::diag;
use gofleet::plan::{self, Request, bake};
use gofleet::spec;
use std::collections::BTreeMap;

/// Parses, plans and renders a text for several requests. Must never panic.
///
/// Returns whether the text is a spec without errors.
pub(crate) fn exercise(text: &str) -> bool {
    let targets = [None, Some("api"), Some("binaries"), Some("test")];
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
    if let (Some(spec), diagnostics) = spec::parse(text)
        && !diag::has_errors(&diagnostics)
    {
        let request = request(None);
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

fn planned(text: &str, target: Option<&str>) -> bool {
    let (plan, diagnostics) = plan::read(text, &request(target));
    assert_eq!(plan.is_none(), diag::has_errors(&diagnostics));
    let rendered = diag::render_with_source(&diagnostics, "fleet.yaml", text);
    assert_eq!(rendered.is_empty(), diagnostics.is_empty());
    if let Some(plan) = &plan {
        assert!(plan.platforms.iter().all(|p| !p.services.is_empty()));
    }
    plan.is_some()
}
