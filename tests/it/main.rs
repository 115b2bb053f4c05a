//! Tests of the program's parts together.

// Helpers of tests are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod affected;
mod affected_clones;
mod bake;
mod changelog;
mod diagnostics;
mod exercise;
mod explain;
mod frontend_builders;
mod frontend_calls;
mod frontend_process;
mod frontend_stories;
mod gateway;
mod go_flags;
mod go_readers;
mod graphs;
mod hostile;
mod never_panics;
mod reference;
mod support;
mod timeline;
mod tool;
