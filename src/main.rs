//! gofleet.
fn main() {}
