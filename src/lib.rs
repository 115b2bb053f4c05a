//! gofleet.

pub mod diag;
