//! Pages made from tables are up to date. `UPDATE=1 cargo test --test it reference` writes them.

use gofleet::{diag, spec};
use std::path::Path;

use crate::support::golden;

#[test]
fn pages() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut golden = golden::Check::new();
    golden.file(&docs.join("spec.md"), &spec::reference());
    golden.file(&docs.join("spec.schema.json"), &spec::json_schema());
    golden.file(&docs.join("diagnostics.md"), &diag::page());
    golden.finish();
}
