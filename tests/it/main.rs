//! Tests of the program's parts together.

mod bake;
mod diagnostics;
mod exercise;
mod frontend_process;
mod frontend_stories;
mod gateway;
mod never_panics;
mod reference;
mod support;
